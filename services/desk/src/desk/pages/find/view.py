"""Who was found, why, and what could not be asked: a pure function of what the services answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chassis.api.messages import moment, value_name
from desk.pages.customer.loading import Names
from desk.pages.customer.things import masked
from desk.pages.find.searching import LEAST, MOST, Asked
from desk.pages.services import Parts
from desk.ui.speech import Speech
from rapport.cases.v1.promise_pb2 import Promise
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import SearchCustomersResponse

NUMBERS = ("PHONE", "FAX")
SURE_DIGITS = 7  # fewer at the end of a number tell nobody from another
HANDLES_SHOWN = 3
_ASKED_OF = {"customers": "customer", "promises": "cases"}


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
    def sure(self) -> str:
        """The one who is meant; empty while anybody else may be."""
        alone = len(self.hits) == 1 and not self.more and not self.troubles
        return self.hits[0].customer if alone and self.hits[0].is_sure else ""


def unasked(typed: str, say: Speech) -> Results | None:
    """Why nothing is asked for a text; None for one that is."""
    if len(typed) > MOST:
        return Results(words=say("Too long: at most {most} characters are looked for.", most=MOST))
    if len(typed.strip()) < LEAST:
        return Results(words=say("Too short: at least {least} characters.", least=LEAST))
    return None


def results(asked: Asked, parts: Parts, names: Names, say: Speech) -> Results:
    """What to show of what was found."""
    found = parts.of("customers", SearchCustomersResponse)
    hits = []
    if parts.has("owner"):
        owner = parts.of("owner", Customer)
        hits.append(_hit(owner, say.code(asked.resource.partition("/")[0]), True, names, say))
    for promise, customer in parts.of("promises", list[tuple[Promise, Customer]]):
        what = promise.display_name or say.code(promise.kind)
        why = say("promised: {what}, {about}", what=what, about=promise.reference)
        hits.append(_hit(customer, why, True, names, say))
    for match in found.matches:
        hits.append(_hit(match.customer, *_matched(match, asked.text, say), names, say))
    more = found.next_page_token
    troubles = list(_troubles(parts, say))
    told = ""
    if not hits and not troubles and asked.resource:
        told = say("There is nothing of that name, or it is of nobody whom you may see.")
    elif not hits and not troubles:
        told = say("Nobody is found by that. Try less of it: the last digits, or how the name begins.")
    elif more:
        told = say("These are not all: more of the name, or a number, says who it is.")
    return Results(_each_once(hits), troubles, told, more)


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
            return f"{say.code(kind.lower())} {masked(kind, each.value)}", whole
    return say("name"), False


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
        if part.refusal is None or part.refusal.code == "NOT_FOUND":
            continue
        service = say.titled(_ASKED_OF[name]) if name in _ASKED_OF else say("The service")
        if part.away:
            yield say("{service} does not answer: somebody may be missing here. Try again.", service=service)
        else:
            yield f"{service}: {say.refusal(part.refusal)}"
