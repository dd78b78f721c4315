"""What somebody means by what they typed, told from how it is written; who may know it, and who was found."""

import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from chassis.api.messages import moment, value_name
from desk.pages.customer.loading import Names
from desk.pages.customer.things import masked
from desk.pages.membership.holding import found_in, programs
from desk.pages.services import Part, Parts, Services, any_of, ask
from desk.ui.speech import Speech
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest, ListPromisesRequest
from rapport.cases.v1.work_item_service_pb2 import GetWorkItemRequest
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import (
    GetCustomerRequest,
    SearchCustomersRequest,
    SearchCustomersResponse,
)
from rapport.loyalty.v1.goodwill_service_pb2 import GetGoodwillRequest
from rapport.loyalty.v1.purchase_service_pb2 import GetPurchaseRequest
from rapport.notifications.v1.notice_service_pb2 import GetNoticeRequest

LEAST, MOST = 2, 200
# Whose a resource is says the service that has it. People paste these from logs, letters and addresses.
_RESOURCE = re.compile(
    r"(?<![A-Za-z])(?:customers|cases|promises|notices|goodwill|workItems|purchases)"
    r"/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])"
)
_ORDER = re.compile(r"(?:orders?\s*[/#:]?\s*|#\s*)([A-Z0-9][\w.-]*)", re.ASCII | re.IGNORECASE)
_BARE = re.compile(r"\d{3,9}", re.ASCII)  # of more digits no shop numbers its orders, and every phone is
_CODED = re.compile(r"(?=.*[A-Z])(?=.*\d)[A-Z0-9]+(?:[.-][A-Z0-9]+)*", re.ASCII | re.IGNORECASE)
_CARD = re.compile(r"(?=(?:\D*\d){4})[A-Z0-9][A-Z0-9 -]{3,63}", re.ASCII | re.IGNORECASE)
_REFERENCE = re.compile(r"[a-z][a-z-]*/[\w.:/#-]{1,80}", re.ASCII)
PATIENCE_S = 2.0
PROMISES_MAX = 20  # of one reference
# By its collection, what tells a resource that is some customer's.
_TOLD_BY: Mapping[str, tuple[Callable[[Services], Any], Callable[..., Any]]] = {
    "cases": (lambda to: to.cases.GetCase, GetCaseRequest),
    "promises": (lambda to: to.promises.GetPromise, GetPromiseRequest),
    "workItems": (lambda to: to.work_items.GetWorkItem, GetWorkItemRequest),
    "notices": (lambda to: to.notices.GetNotice, GetNoticeRequest),
    "goodwill": (lambda to: to.goodwill.GetGoodwill, GetGoodwillRequest),
    "purchases": (lambda to: to.purchases.GetPurchase, GetPurchaseRequest),
}
NUMBERS = ("PHONE", "FAX")
SURE_DIGITS = 7  # fewer at the end of a number tell nobody from another
HANDLES_SHOWN = 3
_ASKED_OF = {"customers": "customer", "promises": "cases"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be asked for."""

    # For the customer service: a handle or a name; empty when nothing else than `resource` is meant.
    text: str = field(default="", repr=False)
    resource: str = ""  # the name of a resource, `cases/{uuid}`
    reference: str = ""  # what promises may be about, `orders/5021`
    perhaps: str = ""  # the same of what may be an order's number, or no order's at all: `AB-5021`

    @property
    def references(self) -> Sequence[str]:
        if self.perhaps:
            return f"orders/{self.perhaps}", self.perhaps
        return (self.reference,) if self.reference else ()


def classify(typed: str) -> Asked:
    """What is meant by a text of 2 to 200 characters.

    The name of a resource anywhere in it is that resource; `orders/5021`, `order 5021`, `#5021` and `5021`
    are an order, and a customer may have that number, too; `AB-5021` and `AB5021` may be one; all else is
    of a customer.
    """
    text = typed.strip()
    if resource := _RESOURCE.search(text):
        return Asked(resource=resource[0])
    if (order := _ORDER.fullmatch(text)) and any(map(str.isdigit, order[1])):
        return Asked(order[1], reference=f"orders/{order[1]}")
    if _BARE.fullmatch(text):
        return Asked(text, reference=f"orders/{text}")
    if _CODED.fullmatch(text):
        return Asked(text, perhaps=text)
    return Asked(text, reference=text if _REFERENCE.fullmatch(text) else "")


async def search(
    services: Services, asked: Asked, page_size: int, page_token: str = "", *, is_call: bool = False
) -> Parts:
    """Everything that is found.

    The parts are `owner`, the customer whose the resource is; or `customers`, a page of matches, and with the
    first page `promises`, each with its customer, and `card`, whose card has that number: a caller's is none.
    """
    if asked.resource:
        return await ask(PATIENCE_S, owner=_owner(services, asked.resource))
    request = SearchCustomersRequest(query=asked.text, page_size=page_size, page_token=page_token)
    questions: dict[str, Awaitable[Any]] = {"customers": services.customers.SearchCustomers(request)}
    if asked.references and not page_token:
        questions["promises"] = _promised(services, asked.references)
    if _CARD.fullmatch(asked.text) and not page_token and not is_call:
        questions["card"] = _carried(services, asked.text)
    return await ask(PATIENCE_S, **questions)


async def _owner(services: Services, name: str) -> Customer:
    """The customer whose a resource is. grpc.aio.AioRpcError."""
    collection = name.partition("/")[0]
    if collection in _TOLD_BY:
        rpc, request = _TOLD_BY[collection]
        found = await rpc(services)(request(name=name))
        return await _owner(services, found.case if collection == "workItems" else found.customer)
    return await services.customers.GetCustomer(GetCustomerRequest(name=name))


async def _carried(services: Services, number: str) -> Sequence[Customer]:
    """Who has a card of that number, in any program. grpc.aio.AioRpcError."""
    found = await found_in(services, await programs(services), card_number=number)
    return list((await services.known(each.customer for each in found)).values())


async def _promised(services: Services, references: Sequence[str]) -> Sequence[tuple[Any, Customer]]:
    """The promises about something, each with whom it was made to."""
    request = ListPromisesRequest(filter=any_of("reference", references), page_size=PROMISES_MAX)
    promises = (await services.promises.ListPromises(request)).promises
    customers = await services.known(each.customer for each in promises)
    return [(each, customers[each.customer]) for each in promises if each.customer in customers]


@dataclass(frozen=True)
class Hit:
    """A customer who may be meant."""

    customer: str  # `customers/{uuid}`
    title: str = field(repr=False)  # what people call them
    detail: str  # since when, and who answers for them
    handles: str  # how they may be reached, masked
    why: str  # what was found of them
    is_sure: bool  # whether that is of nobody else, when nobody else is found


@dataclass(frozen=True)
class Results:
    """What a search brought."""

    hits: Sequence[Hit] = ()  # who may be meant, the likeliest first
    troubles: Sequence[str] = ()  # what could not be asked or was refused
    words: str = ""  # what to do when nobody is found, or too many
    more: str = ""  # the token of the next page; empty on the last

    @property
    def only(self) -> str:
        """The one who is found; empty when that is nobody, or somebody else may be missing."""
        alone = len(self.hits) == 1 and not self.more and not self.troubles
        return self.hits[0].customer if alone else ""

    @property
    def sure(self) -> str:
        """The one who is meant; empty while anybody else may be."""
        return self.only if self.hits and self.hits[0].is_sure else ""


def unasked(typed: str, say: Speech) -> Results | None:
    """Why nothing is asked for a text; None for one that is."""
    if len(typed) > MOST:
        return Results(words=say("Too long: at most {most} characters are looked for.", most=MOST))
    if len(typed.strip()) < LEAST:
        return Results(words=say("Too short: at least {least} characters.", least=LEAST))
    return None


def results_of(asked: Asked, parts: Parts, names: Names, say: Speech) -> Results:
    found = parts.of("customers", SearchCustomersResponse)
    hits = []
    if parts.has("owner"):
        owner = parts.of("owner", Customer)
        hits.append(_hit(owner, say.code(asked.resource.partition("/")[0]), True, names, say))
    for promise, customer in parts.of("promises", list[tuple[Promise, Customer]]):
        what = promise.display_name or say.code(promise.kind)
        why = say("promised: {what}, {about}", what=what, about=promise.reference)
        hits.append(_hit(customer, why, True, names, say))
    for customer in parts.of("card", list[Customer]):
        hits.append(_hit(customer, say("card … {end}", end=asked.text[-4:]), True, names, say))
    for match in found.matches:
        hits.append(_hit(match.customer, *_matched(match, asked.text, say), names, say))
    more = found.next_page_token
    troubles = list(_troubles(parts, say))
    told = ""
    if not hits and not troubles and asked.resource:
        told = say("There is nothing of that name, or it is of nobody whom you may see.")
    elif not hits and not troubles:
        told = say(
            "Nobody is found by that. Try less of a name or number: how it begins, or its last digits."
            " An order is found by the whole of its number."
        )
    elif more:
        told = say("These are not all: more of the name, or a number, says who it is.")
    if not hits:
        told = " ".join(filter(None, (told, _of_card(parts, say))))
    return Results(_each_once(hits), troubles, told, more)


def _of_card(parts: Parts, say: Speech) -> str:
    """Why no card of that number is found, where that is not that there is none.

    It is no trouble of who types anything else: they are found, or become a customer, without loyalty.
    """
    part = parts.get("card", Part())
    if part.away:
        return say("No card is found now: loyalty does not answer.")
    if part.refusal and part.refusal.reason == "CARD_BLOCKED":
        return say.refusal(part.refusal)
    return ""


def _hit(customer: Any, why: str, is_sure: bool, names: Names, say: Speech) -> Hit:
    manager = customer.relationship_manager and names(customer.relationship_manager)
    reached = [masked(value_name(each, "type"), each.value) for each in customer.identifiers[:HANDLES_SHOWN]]
    since = say("recorded {day}", day=say.on(moment(customer.create_time)))
    return Hit(
        customer=customer.name,
        title=customer.display_name or say("A customer without a name"),
        detail=", ".join(filter(None, (since, manager))),
        handles=", ".join(reached),
        why=why,
        is_sure=is_sure,
    )


def _matched(match: Any, text: str, say: Speech) -> tuple[str, bool]:
    """Why a customer is found, and whether nobody else can be meant."""
    for each in match.customer.identifiers:
        if each.name == match.identifier:
            kind = value_name(each, "type")
            whole = kind not in NUMBERS or sum(map(str.isdigit, text)) >= SURE_DIGITS
            return f"{say.code(kind.lower())} {masked(kind, each.value)}", whole and not each.shared
    return _in_words(match.customer, text, say), False


_LETTERS = str.maketrans({"æ": "ae", "ø": "o"})


def _words_of(text: str) -> Sequence[str]:
    """The words of a text without case and accents, as the customer service compares them."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    return re.findall(r"\w+", "".join(each for each in plain if not unicodedata.combining(each)))


def _in_words(customer: Customer, text: str, say: Speech) -> str:
    """Where the words stand that were typed, or which they were taken for: `company Nordwerk, town Kiel`."""
    person, firm = customer.person, customer.organization.legal_name or customer.person.organization_name
    towns = dict.fromkeys(each.postal_address.locality for each in customer.addresses)
    names = [customer.display_name, person.given_name, person.additional_name, person.family_name]
    told = {
        firm: say("company {name}", name=firm),
        **{town: say("town {name}", name=town) for town in towns},
        " ".join(names): say("name"),
    }
    places = [(word, why) for place, why in told.items() for word in _words_of(place)]
    found = []
    for typed in _words_of(text):
        if stands := next((why for word, why in places if word.startswith(typed)), ""):
            found.append(stands)
        elif near := get_close_matches(typed, [word for word, _ in places], 1):
            found.append(say("{where}, spelt nearly so", where=dict(places)[near[0]]))
    return ", ".join(dict.fromkeys(found)) or say("name")


def _each_once(hits: Iterable[Hit]) -> Sequence[Hit]:
    """A customer once, with everything that was found of them."""
    known: dict[str, Hit] = {}
    for hit in hits:
        if before := known.get(hit.customer):
            why = before.why if hit.why in before.why else f"{before.why}; {hit.why}"
            hit = replace(before, why=why, is_sure=before.is_sure or hit.is_sure)
        known[hit.customer] = hit
    return list(known.values())


def _troubles(parts: Parts, say: Speech) -> Iterable[str]:
    for name, part in parts.items():
        if part.refusal is None or part.refusal.code == "NOT_FOUND" or name == "card":
            continue
        service = say.titled(_ASKED_OF[name]) if name in _ASKED_OF else say("The service")
        if part.away:
            yield say("{service} does not answer: somebody may be missing here. Try again.", service=service)
        else:
            yield f"{service}: {say.refusal(part.refusal)}"
