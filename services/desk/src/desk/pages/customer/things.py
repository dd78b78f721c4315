"""What is named on a page: a promise by what and when, a case by its title, a handle masked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from chassis.api.messages import value_name
from desk.language.catalogues import N_
from desk.pages.customer.loading import Cases, Promised
from desk.pages.services import Parts
from desk.ui.speech import Speech
from desk.ui.words import last
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesResponse
from rapport.cases.v1.clock_pb2 import Clock
from rapport.cases.v1.promise_pb2 import Promise
from rapport.customer.v1.attribute_pb2 import AttributeValue, TypedValue
from rapport.customer.v1.customer_merge_service_pb2 import ListCustomerMergesResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.loyalty.v1.purchase_service_pb2 import ListPurchasesResponse
from rapport.notifications.v1.notice_service_pb2 import ListNoticesResponse

_AFTER = "/successor"
_PROFILE, _LANGUAGE = "profile.", "attributes/profile.language-code"


def things(parts: Parts, say: Speech) -> Mapping[str, str]:
    """What each resource that the parts of a page tell of is called, by its name."""
    opened = parts.of("cases", Cases).cases
    titles = [case for part in ("titles", "resolved") for case in parts.of(part, ListCasesResponse).cases]
    listed = {each.name: each for each in parts.of("promises", Promised).promises}
    known = {name: promise_of(each, say) for name, each in listed.items()}
    known |= {
        f"{name}{_AFTER}": known[each.successor] for name, each in listed.items() if each.successor in known
    }
    known |= {case.name: title_of(case, say) for case in titles}
    for case, items in opened:
        known |= {case.name: title_of(case, say, items)} | {item.name: say.about(item) for item in items}
    notices = parts.of("notices", ListNoticesResponse).notices
    known |= {each.name: _notice(each, listed, say) for each in notices}
    return known | _of_customer(parts, say)


def called(known: Mapping[str, str], resource: str, fact: str) -> str:
    """What a fact is about: of a promise that moved the one that is promised now; of a note its case."""
    after = known.get(f"{resource}{_AFTER}") if fact == "PromiseRenegotiated" else ""
    return after or known.get(resource) or known.get(resource.rpartition("/notes/")[0], "")


def title_of(case: Any, say: Speech, items: Iterable[Any] = ()) -> str:
    """What a case is called, wherever that is: as people wrote it, or its topic and what its work is of."""
    if case.display_name:
        return f"{case.display_name[:1].upper()}{case.display_name[1:]}"
    of = {each.reference for each in items if each.reference}
    title = say.titled(case.topic)
    return f"{title}, {say.thing(of.pop())}" if len(of) == 1 else title


def thing_of(each: Any, say: Speech) -> str:
    """What a case, a promise, work, a customer, a handle or a value is called where no other is named."""
    match each:
        case Case():
            return title_of(each, say)
        case Promise():
            return promise_of(each, say)
        case Customer():
            return each.display_name
        case Identifier():
            shown = handle(each, say)
            return f"{shown.kind} {shown.masked}"
        case AttributeValue():
            return attribute(each, say)
        case Clock():
            return metric_of(each, say)
    return say.about(each)


def lives_in(known: Customer) -> str:
    """The time zone in which a customer is known to live; empty where the installation's stands in."""
    is_known = known.time_zone_source != Customer.TIME_ZONE_SOURCE_INSTALLATION
    return known.effective_time_zone if is_known else ""


def zone_because(known: Customer, say: Speech) -> str:
    """How the time zone of a customer is known, where that is not what somebody said; empty where it is."""
    return say(_ZONES[known.time_zone_source]) if known.time_zone_source in _ZONES else ""


_ZONES: Mapping[int, str] = {
    Customer.TIME_ZONE_SOURCE_CHOSEN: N_("chosen by them"),
    Customer.TIME_ZONE_SOURCE_COUNTRY: N_("by their country"),
    Customer.TIME_ZONE_SOURCE_INSTALLATION: N_("the installation's, for nobody said theirs"),
}
_METRICS = {
    "FIRST_RESPONSE": N_("First answer"),
    "NEXT_RESPONSE": N_("Next answer"),
    "RESOLUTION": N_("Done by"),
    "SILENCE": N_("Told nothing"),
    "DELAY_NOTIFICATION": N_("Word of a delay"),
    "NEXT_PROMISE": N_("Another promise"),
}


def metric_of(each: Clock, say: Speech) -> str:
    """What a clock measures."""
    return say(_METRICS.get(value_name(each, "metric"), N_("Time")))


def is_of_profile(attribute: str) -> bool:
    """Whether it is a field of the profile: `UpdateCustomer` changes it, and nobody pins a value of it."""
    return last(attribute).startswith(_PROFILE)


def attribute(each: AttributeValue, say: Speech) -> str:
    """What a field of the profile is called in forms, or what its department calls it."""
    if is_of_profile(each.attribute):
        return say.titled(last(each.attribute).removeprefix(_PROFILE).replace("-", "_"))
    return say(each.display_name)


def value_of(each: TypedValue, attribute: str, say: Speech) -> str:
    """A value as people write it; empty for none."""
    match kind := each.WhichOneof("kind"):
        case "boolean":
            return say("yes") if each.boolean else say("no")
        case "whole_number" | "decimal":
            return say.number(Decimal(str(getattr(each, kind))))
        case "date":
            return say.partly(each.date)
        case "code":
            return say.titled(each.code)
    return say.language_of(each.text) if attribute == _LANGUAGE else each.text


def promise_of(each: Any, say: Speech) -> str:
    """`Delivery of order 5021, Tue 1 Dec 14:30`."""
    return f"{say.about(each)}, {say.due(each)}"


def _notice(each: Any, promises: Mapping[str, Any], say: Speech) -> str:
    """What a message is about, and the date that it tells."""
    promise, told = promises.get(each.promise), each.variables.get("new_date", "")
    about = say.about(promise) if promise else say.code(each.kind)
    return f"{about}, {_date(told, say)}" if told else about


def _date(told: str, say: Speech) -> str:
    try:
        if len(told) == len("2026-03-02"):
            return say.day(date.fromisoformat(told))
        return say.moment(datetime.fromisoformat(told))
    except ValueError:
        return told


def _of_customer(parts: Parts, say: Speech) -> dict[str, str]:
    known: dict[str, str] = {}
    for merge in parts.of("merges", ListCustomerMergesResponse).customer_merges:
        known[merge.name] = merge.merged_display_name
    for each in parts.of("customer", Customer).identifiers:
        known[each.name] = thing_of(each, say)
    for given in parts.of("view", CustomerView).loyalty.goodwill:
        known[given.goodwill] = say.count(given.points, "{n} point", "{n} points")
    for bought in parts.of("purchases", ListPurchasesResponse).purchases:
        known[bought.name] = say.thing(bought.reference) if "/" in bought.reference else ""
    return known


@dataclass(frozen=True)
class Handle:
    """A way to reach the customer, its value masked."""

    name: str
    kind: str
    masked: str
    verified: bool = False  # the customer proved that they have it
    shared: bool = False  # others are known to have it, too


def page_of_call(item: Any) -> str:
    """Where a call is made that a piece of work is, a path; empty for other work, and when it is over."""
    is_over = value_name(item, "state") == "FINISHED"
    return "" if is_over or not item.HasField("call") else item.name.replace("workItems/", "calls/")


def masked(kind: str, value: str) -> str:
    """Enough of a handle to tell it from another, too little to use it."""
    if kind == "EMAIL":
        local, _, domain = value.partition("@")
        return f"{_begun(local)}@{domain}"
    if kind in ("PHONE", "FAX"):
        return f"… {value[len(value) - min(3, len(value) // 2) :]}"
    return _begun(value)


def _begun(text: str) -> str:
    """Two characters, and at most half of what there is."""
    return f"{text[: min(2, len(text) // 2)]}…"


def handle(identifier: Any, say: Speech) -> Handle:
    """A way to reach a customer, as it is shown."""
    kind = value_name(identifier, "type")
    told = say.titled(kind.lower()), masked(kind, identifier.value)
    return Handle(identifier.name, *told, identifier.HasField("verification"), identifier.shared)


def address(customer: Any) -> str:
    """Where a customer lives, as far as anybody may see."""
    ordered = sorted(customer.addresses, key=lambda each: not each.primary)
    if not ordered:
        return ""
    postal = ordered[0].postal_address
    return ", ".join(filter(None, (postal.locality, postal.region_code)))
