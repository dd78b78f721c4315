"""Two records as rows of a table: what is known of each, and what only one of them has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.api.messages import moment
from desk.language.catalogues import N_
from desk.pages.actions.kinds.consents import recorded
from desk.pages.customer.loading import Names
from desk.pages.customer.things import handle
from desk.pages.services import Parts, Services
from desk.ui.speech import Speech
from rapport.customer.v1.consent_service_pb2 import ListConsentsRequest, ListConsentsResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.purpose_service_pb2 import ListPurposesRequest, ListPurposesResponse
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest

Lines = Mapping[Any, str]  # what is said of a record, by what makes it the same as what is said of another
_KINDS = {"person": N_("Person"), "organization": N_("Organization")}


@dataclass(frozen=True)
class Side:
    """One of the two records."""

    name: str
    title: str
    age: str  # which of the two is the older one, and of when


@dataclass(frozen=True)
class Row:
    """One thing that is said of both."""

    label: str
    cells: Sequence[Sequence[tuple[str, bool]]]  # of each its lines, and whether the other has them, too
    differs: bool


def questions(services: Services, pair: Sequence[str]) -> dict[str, Any]:
    """What is asked of two customers beside who they are."""
    purposes = services.purposes.ListPurposes(ListPurposesRequest(page_size=1000))
    asked: dict[str, Any] = {"purposes": purposes}
    for name in pair:
        consents = ListConsentsRequest(parent=name, page_size=1000)
        asked[f"{name}/consents"] = services.consents.ListConsents(consents)
        asked[f"{name}/view"] = services.views.GetCustomerView(GetCustomerViewRequest(name=f"{name}/view"))
    return asked


def older_of(pair: Sequence[Customer]) -> Customer:
    return min(pair, key=lambda each: moment(each.create_time))


def sides(pair: Sequence[Customer], say: Speech) -> Sequence[Side]:
    ages = {True: N_("the older record, of {when}"), False: N_("the newer record, of {when}")}
    return [
        Side(
            name=each.name,
            title=each.display_name or say("A customer without a name"),
            age=say(ages[each is older_of(pair)], when=say.moment(moment(each.create_time))),
        )
        for each in pair
    ]


def rows(pair: Sequence[Customer], parts: Parts, names: Names, say: Speech) -> Sequence[Row]:
    """Everything that tells whether two are one, and what of theirs becomes one."""
    told: Sequence[tuple[str, Sequence[Lines | None]]] = [
        (say("Name"), [_plain(each.display_name) for each in pair]),
        (say("Type"), [_plain(say(_KINDS.get(each.WhichOneof("type") or "", ""))) for each in pair]),
        (say("Born"), [_plain(say.partly(each.person.birth_date)) for each in pair]),
        (say("Addresses"), [_addresses(each) for each in pair]),
        (say("Ways to reach them"), [_handles(each, say) for each in pair]),
        (say("Manager"), [_plain(names(each.relationship_manager)) for each in pair]),
        (say("Open promises"), [_of_view(parts, each.name, _promises, say) for each in pair]),
        (say("Open cases"), [_of_view(parts, each.name, _cases, say) for each in pair]),
        (say("Customer value"), [_of_view(parts, each.name, _value, say) for each in pair]),
        (say("Consent"), _consents(pair, parts, say)),
    ]
    return [_row(label, one, other, say) for label, (one, other) in told]


def _row(label: str, one: Lines | None, other: Lines | None, say: Speech) -> Row:
    """What could not be asked is said to be so, and differs from nothing."""
    if one is None or other is None:
        unknown = {None: say("not known now")}
        return Row(label, [_cell(each or unknown, each or unknown) for each in (one, other)], False)
    return Row(label, [_cell(one, other), _cell(other, one)], one.keys() != other.keys())


def _cell(lines: Lines, others: Lines) -> Sequence[tuple[str, bool]]:
    return [(text, key in others) for key, text in lines.items()]


def _plain(text: str) -> Lines:
    return {text.casefold(): text} if text else {}


def _addresses(customer: Customer) -> Lines:
    written = []
    for each in customer.addresses:
        at = each.postal_address
        written.append(
            ", ".join(filter(None, (*at.address_lines, at.postal_code, at.locality, at.region_code)))
        )
    return {each.casefold(): each for each in written}


def _handles(customer: Customer, say: Speech) -> Lines:
    """Masked; but whether both have one is told by the whole of it."""
    lines = {}
    for each in customer.identifiers:
        shown = handle(each, say)
        lines[each.type, each.system, each.normalized_value or each.value] = f"{shown.kind} {shown.masked}"
    return lines


def _of_view(parts: Parts, name: str, lines: Any, say: Speech) -> Lines | None:
    part = f"{name}/view"
    return lines(parts.of(part, CustomerView), say) if parts.has(part) else None


def _promises(view: CustomerView, say: Speech) -> Lines:
    return _plain(say.number(view.open_promise_count))


def _cases(view: CustomerView, say: Speech) -> Lines:
    return _plain(say.number(view.open_case_count))


def _value(view: CustomerView, say: Speech) -> Lines:
    return _plain(", ".join(map(say.money, view.value.lifetime_values)))


def _consents(pair: Sequence[Customer], parts: Parts, say: Speech) -> Sequence[Lines | None]:
    """What they said, by purpose and channel."""
    called = {each.name: each.display_name for each in parts.of("purposes", ListPurposesResponse).purposes}
    told: list[Lines | None] = []
    for part in (f"{each.name}/consents" for each in pair):
        said = parts.of(part, ListConsentsResponse).consents
        lines = {(each.purpose, each.channel, each.state): recorded(each, called, say) for each in said}
        told.append(lines if parts.has(part) else None)
    return told
