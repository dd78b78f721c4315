"""What a customer's own pages show, asked of the services: of the very name of the link, for customers alone.

A list of one name finds what is of all names of a customer (docs/adr/0050-a-merge-is-a-link.md): what is of
another name is left out here, whatever the services answer
(docs/adr/0088-a-customers-link-is-made-and-not-kept.md).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chassis.api.messages import moment
from chassis.errors import Refusal
from desk.pages.services import Parts, Services, ask
from desk.settings import FRONT_DESK
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesRequest
from rapport.cases.v1.directory_service_pb2 import GetAgentRequest
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2 import ListNotesRequest
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import ListPromisesRequest
from rapport.common.v1.states_pb2 import (
    CASE_STATE_OPEN,
    PROMISE_STATE_AT_RISK,
    PROMISE_STATE_BROKEN,
    PROMISE_STATE_OPEN,
)
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest

_LIVE = (PROMISE_STATE_OPEN, PROMISE_STATE_AT_RISK)
LATE = timedelta(days=30)  # for which what we did not keep stands with what is due
PATIENCE_S = 3.0
PAGE, PAGES_MOST = 100, 3
CASES_SHOWN, NOTES_SHOWN, NOTED_CASES = 20, 20, 10


@dataclass
class Found:
    """What there is of a customer: promises and cases, who answers for them, what was written to them."""

    promises: Sequence[Promise] = ()
    cases: Sequence[Case] = ()
    manager: str = ""  # who looks after them in person, `agents/{agent}`
    signers: Sequence[str] = ()  # whom to name as who does, as messages are signed: the first who serves them
    agents: dict[str, Agent] = field(default_factory=dict)
    notes: dict[str, Sequence[Note]] = field(default_factory=dict)
    more: bool = False  # there is more than is shown
    trouble: Refusal | None = None  # why something is missing


async def find(services: Services, customer: str, now: datetime) -> Found:
    """Everything about one name of a customer. What does not come in time is missing, and said."""
    of = f'customer = "{customer}"'
    asked = await ask(
        PATIENCE_S,
        who=services.customers.GetCustomer(GetCustomerRequest(name=customer)),
        promises=_promises(services, of, now),
        cases=_pages(services.cases.ListCases, ListCasesRequest, "cases", of),
    )
    promises, more_promises = _own(asked, "promises", customer)
    promises.sort(key=lambda each: due_next(each, now))
    cases, more_cases = _own(asked, "cases", customer)
    concerns = [each for each in cases if each.kind != Case.KIND_PROBLEM]  # which is of many customers
    known = {each.name for each in concerns}
    concerns = [each for each in concerns if each.merged_into not in known]
    concerns.sort(key=lambda each: (each.state != CASE_STATE_OPEN, -each.open_time.ToNanoseconds()))
    found = Found(promises, concerns[:CASES_SHOWN])
    if asked.has("who"):
        manager, front_desk = asked.of("who", Customer).relationship_manager, services.front_desk
        found.manager = in_person(manager, front_desk)
        found.signers = signers(manager, found.cases, front_desk)
    found.more = more_promises or more_cases or len(concerns) > CASES_SHOWN
    found.trouble = next((part.refusal for part in asked.values() if part.refusal), None)
    await _around(services, found)
    return found


def in_person(agent: str, front_desk: str) -> str:
    """The agent; "" for who signs at last."""
    return "" if agent in (FRONT_DESK, front_desk) else agent


def signers(manager: str, cases: Sequence[Case], front_desk: str) -> Sequence[str]:
    """Who looks after them, in person; else who owns what is open, the latest first; else the front desk."""
    owners = [each.owner for each in cases if each.state == CASE_STATE_OPEN]
    people = [in_person(each, front_desk) for each in (manager, *owners)]
    return [each for each in (*people, front_desk, manager) if each]


async def _around(services: Services, found: Found) -> None:
    """Who answers for the customer and the cases, and what was written for them."""
    owners = sorted({*found.signers, *(each.owner for each in found.cases)} - {""})
    noted = [each.name for each in found.cases[:NOTED_CASES]]
    asked = await ask(
        PATIENCE_S,
        **{name: services.directory.GetAgent(GetAgentRequest(name=name)) for name in owners},
        **{name: _notes(services, name) for name in noted},
    )
    found.agents = {name: asked.of(name, Agent) for name in owners if asked.has(name)}
    found.notes = {name: asked.of(name, list[Note]) for name in noted}
    found.trouble = found.trouble or next((each.refusal for each in asked.values() if each.away), None)


async def _notes(services: Services, case: str) -> Sequence[Note]:
    """What was written for the customer on a case; nothing that is for colleagues, whatever is answered."""
    request = ListNotesRequest(parent=case, filter="visibility = CUSTOMER", page_size=PAGE)
    listed = await services.notes.ListNotes(request)
    shown = [each for each in listed.notes if each.visibility == Note.VISIBILITY_CUSTOMER]
    return shown[-NOTES_SHOWN:]


async def _promises(services: Services, of: str, now: datetime) -> tuple[list[Promise], bool]:
    """The promises, and whether there are more: of very many what is late, or due next, is among them.

    That is asked for by itself then: it is not behind hundreds that are due later, or were kept.
    """
    ask_for, request = services.promises.ListPromises, ListPromisesRequest
    rows, more = await _pages(ask_for, request, "promises", of)
    if more:
        since = (now - LATE).strftime("%Y-%m-%dT%H:%M:%SZ")
        live, broken = "(state = OPEN OR state = AT_RISK)", f'state = BROKEN AND due_time >= "{since}"'
        urgent = await asyncio.gather(
            _pages(ask_for, request, "promises", f"{of} AND {live}", order_by="due_time"),
            _pages(ask_for, request, "promises", f"{of} AND {broken}"),
        )
        rows = [*{each.name: each for each in (*rows, *urgent[0][0], *urgent[1][0])}.values()]
    return rows, more


async def _pages(
    call: Callable[[Any], Awaitable[Any]], request: Any, field_name: str, filter_: str, **how: str
) -> tuple[list[Any], bool]:
    """The first pages of a list, and whether there is more."""
    rows: list[Any] = []
    token = ""
    for _ in range(PAGES_MOST):
        page = await call(request(filter=filter_, page_size=PAGE, page_token=token, **how))
        rows += getattr(page, field_name)
        token = page.next_page_token
        if not token:
            break
    return rows, bool(token)


def _own(asked: Parts, name: str, customer: str) -> tuple[list[Any], bool]:
    """What is of that very name."""
    rows, more = asked[name].value or ([], False)
    return [each for each in rows if each.customer == customer], more


def due_next(promise: Promise, now: datetime) -> tuple[bool, int]:
    """Where a promise stands among others: what is late, or due next, comes first; then what was due last."""
    due, waits = promise.due_time.ToNanoseconds(), promise.state in _LIVE
    waits |= promise.state == PROMISE_STATE_BROKEN and moment(promise.due_time) > now - LATE
    return not waits, due if waits else -due
