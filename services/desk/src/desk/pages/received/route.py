"""`/received`: what webhooks brought and a person has to decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import grpc
from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import RedirectResponse, Response

from chassis.api.text import no_line
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.visible import shows_something
from desk.language.catalogues import N_
from desk.pages.base import Look, Looking
from desk.pages.find.searching import unasked
from desk.store import received as store
from desk.store.received import UNDECIDED, Received, State
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest, SearchCustomersRequest

PERMISSION = "customer.timeline_entries.write"  # of the RPC that records what is decided
PAGE = 25
FOUND_MAX, NOTE_MAX = 10, 500
_FIRST = datetime.min.replace(tzinfo=UTC), UUID(int=0)
PAYLOAD_MAX = 2000  # of what cannot be understood
WHY: Mapping[str, str] = {
    "identifier-shared": N_("Several customers have this number. Whose is it?"),
    "identifiers-differ": N_("What it says belongs to several customers. Whose is it?"),
    "no-identifier": N_("Nothing in it says who it is."),
    "identifier-unusable": N_("Nobody can be looked for by that: perhaps its country's code is missing."),
    "unknown-customer": N_("Nobody has this address or number."),
    "customer-not-found": N_("The customer that the sender names is not there."),
    "source-gone": N_("Its sender is no longer set up."),
    "gave-up": N_("It could not be recorded for too long."),
    "not-understood": N_("It cannot be understood."),
}


@dataclass(frozen=True)
class Item:
    """One thing to decide."""

    received: Received
    why: str  # a person has to decide, in words
    words: str  # what it says, or the beginning of what came
    choices: Sequence[tuple[str, str]]  # customers who may be meant, and what they are called
    may_choose: bool  # whether it can be read, so that only whose it is has to be said


def _permit(look: Look) -> None:
    look.require(PERMISSION)


router = APIRouter(dependencies=[Depends(_permit)])


@router.get("/received")
async def listed(
    look: Look,
    after: UUID | None = None,
    late: bool = False,
    dropped: Annotated[int | None, Query(ge=0, le=PAGE)] = None,
) -> Response:
    """The oldest first; whether what somebody decided had been decided before, or how much was dropped."""
    last = await store.GET.maybe(look.db, id=after) if after else None
    time, key = (last.receive_time, last.id) if last else _FIRST
    waiting = await store.LIST_UNDECIDED.all(look.db, after=time, id=key, most=PAGE + 1)
    items = await _items(look, waiting[:PAGE])
    more = str(waiting[PAGE - 1].id) if len(waiting) > PAGE else ""
    said = look.say("That was decided already.") if late else ""
    done = look.say.count(dropped, "{n} is dropped.", "{n} are dropped.") if dropped is not None else ""
    return look.answer("pages/received/page.html", items=items, more=more, said=said, done=done, note="")


@router.post("/received/{key}/choose")
async def chosen(look: Look, key: UUID, customer: Annotated[str, Form()]) -> Response:
    await look.services.customers.GetCustomer(GetCustomerRequest(name=customer))  # whether they may see them
    async with look.db.transaction() as tx:
        done = await store.again(tx, await _locked(tx, key), look.viewer.principal.subject, customer)
    return _listed_again(done)


@router.post("/received/{key}/search")
async def searched(look: Look, key: UUID, q: Annotated[str, Form()] = "") -> Response:
    """The one thing, with those who may be meant."""
    if told := unasked(q, look.say):
        return await _one(look, key, told.words)
    request = SearchCustomersRequest(query=q.strip(), page_size=FOUND_MAX)
    matches = (await look.services.customers.SearchCustomers(request)).matches
    found = [match.customer.name for match in matches]
    return await _one(look, key, "" if found else look.say("Nobody is found by that."), found)


@router.post("/received/{key}/retry")
async def retried(look: Look, key: UUID) -> Response:
    async with look.db.transaction() as tx:
        done = await store.again(tx, await _locked(tx, key), look.viewer.principal.subject)
    return _listed_again(done)


@router.post("/received/{key}/drop")
async def dropped(look: Look, key: UUID, note: Annotated[str, Form()] = "") -> Response:
    """It is no contact, for a reason."""
    if told := _unsaid(look, note):
        return await _one(look, key, told, note=note)
    async with look.db.transaction() as tx:
        done = await store.drop(tx, await _locked(tx, key), look.viewer.principal.subject, note.strip())
    return _listed_again(done)


@router.post("/received/{key}/drop-alike")
async def dropped_alike(
    look: Look,
    key: UUID,
    alike: Annotated[list[UUID], Form(max_length=PAGE)],
    why: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Nor are those that were shown to wait for the same reason, as far as they still do."""
    if told := _unsaid(look, note):
        return await _one(look, key, told, note=note)
    by = look.viewer.principal.subject
    async with look.db.transaction() as tx:
        found = [
            await store.LOCK.maybe(tx, id=each) for each in sorted({*alike, key})
        ]  # nobody waits in a circle
        same = [each for each in found if each and each.reason_code == why]
        done = [await store.drop(tx, each, by, note.strip()) for each in same]
    return RedirectResponse(f"/received?dropped={sum(done)}", 303)


def _unsaid(look: Looking, note: str) -> str:
    """What to say to a reason that is none; empty for one."""
    if shows_something(note) and len(note) <= NOTE_MAX and not no_line(note):
        return ""
    return look.say("Say why, in at most {most} characters of plain text.", most=NOTE_MAX)


def _listed_again(done: bool) -> Response:
    """The list; it says so when somebody else was faster."""
    return RedirectResponse("/received" if done else "/received?late=1", 303)


async def _locked(tx: Transaction, key: UUID) -> Received:
    received = await store.LOCK.maybe(tx, id=key)
    if received is None:
        raise NotFound("a webhook")
    return received


async def _one(look: Looking, key: UUID, said: str, found: Sequence[str] = (), *, note: str = "") -> Response:
    """One thing by itself, with what is said of what was typed, and what was."""
    received = await store.GET.maybe(look.db, id=key)
    if received is None or received.state not in UNDECIDED:
        return _listed_again(False)
    items = await _items(look, [received], found)
    return look.answer("pages/received/page.html", items=items, more="", said=said, done="", note=note)


async def _items(look: Looking, waiting: list[Received], found: Sequence[str] = ()) -> list[Item]:
    """What is stored, with what customers are called, asked as whoever looks."""
    asked = [*(name for each in waiting for name in each.candidates), *found]
    try:
        known = await look.services.known(asked)
    except grpc.aio.AioRpcError:
        known = {}  # while nobody says, they can still be looked for
    items = []
    for each in waiting:
        words, code = each.words, each.reason_code
        if not words and (first := await store.FIRST_DELIVERY.maybe(look.db, received=each.id)):
            words = first.payload[:PAYLOAD_MAX].decode(errors="replace")
        meant = dict.fromkeys([*each.candidates, *found])
        choices = [(name, known[name].display_name) for name in meant if name in known]
        items.append(Item(each, WHY.get(code, code), words, choices, each.state is State.WAITING))
    return items
