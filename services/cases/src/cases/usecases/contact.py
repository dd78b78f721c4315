"""What the customer said about a case, and what they were told, for the clocks that wait for it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from cases.domain.case import Case, CaseState
from cases.domain.clock import Clock
from cases.domain.clock_policy import ClockMetric
from cases.domain.contact import Contact, Contacts
from cases.domain.standstill import waits_for_work
from cases.store import clocks as store
from cases.usecases.case_link import locked_groups
from cases.usecases.clock_keeping import calendar_of, save_clock, start_again
from cases.usecases.escalation import keep_answers
from cases.usecases.reply import look_at_reply
from chassis.db.statement import values
from chassis.db.transaction import Transaction

RESPONSES = (ClockMetric.FIRST_RESPONSE, ClockMetric.NEXT_RESPONSE)


async def case_contacted(tx: Transaction, about_id: UUID, contact: Contact) -> bool:
    """Take in a contact about a case, or about a promise or a work item of one; False when there is none.

    What a customer says of a resolved case starts no clock until it is reopened, for a thank-you waits for no
    answer; somebody is asked to look at it.
    """
    about = await store.CASE_ABOUT.maybe(tx, id=about_id)
    cases = await locked_groups(tx, [about.id]) if about else {}
    if contact.agent and not contact.inbound:
        await keep_answers(tx, list(cases), about_id, contact.agent, contact.at)
    if about is None:
        return False
    case = cases[cases[about.id].survivor_id or about.id]  # that is read for all of them
    contact = contact.seen_by(case.department_id, cases[about.id].department_id)
    contacts = await store.CONTACTS.maybe(tx, case_id=case.id) or Contacts(case.id)
    contacts.take_in(contact)
    await tx.defer(store.PUT_CONTACTS, **values(contacts))
    if contact.inbound and case.state is not CaseState.OPEN:
        if not contacts.is_answered(contact.at):
            await look_at_reply(tx, case, contact)
        return True
    clocks = await store.LOCK_CLOCKS_NOT_DONE_BY.all(tx, case_ids=list(cases), at=contact.at)
    if contact.inbound:
        await _let_go_on(tx, clocks, contact)
    else:
        await _told(tx, case, clocks, contact)
    waiting = [clock for clock in clocks if clock.metric in RESPONSES and _waits(clock)]
    await _wait_for_answer(tx, case, waiting, contacts)
    return True


async def case_reopened(tx: Transaction, case: Case, resolve_time: datetime, caused_by: UUID) -> None:
    """What the customer said since a case was resolved waits for an answer, now that it was not settled."""
    if contacts := await store.CONTACTS.maybe(tx, case_id=case.id):
        contacts.settle(resolve_time)
        await tx.defer(store.PUT_CONTACTS, **values(contacts))
        await _wait_for_answer(tx, case, [], contacts, caused_by)


async def _wait_for_answer(
    tx: Transaction, case: Case, waiting: Sequence[Clock], contacts: Contacts, caused_by: UUID | None = None
) -> None:
    """One clock runs for an answer, since the customer first said what nobody has answered."""
    since = contacts.unanswered_since
    if since is None:
        return
    if not waiting:
        await start_again(tx, case, ClockMetric.NEXT_RESPONSE, since, caused_by)
    for clock in waiting:
        if clock.metric is ClockMetric.NEXT_RESPONSE and clock.case_id == case.id:
            await save_clock(tx, clock, clock.start_earlier(since, await calendar_of(tx, clock)))


def _waits(clock: Clock) -> bool:
    return clock.work_item_id is None and clock.fulfill_time is None


async def _let_go_on(tx: Transaction, clocks: Sequence[Clock], contact: Contact) -> None:
    """Whatever waited for the customer waits no more, also work on the case, unless that is blocked."""
    for clock in clocks:
        blocked = waits_for_work(clock.pauses, clock.pause_reason_code)
        if clock.pause_time and clock.pause_time <= contact.at and not blocked:
            await save_clock(tx, clock, clock.resume(contact.at, await calendar_of(tx, clock)))


async def _told(tx: Transaction, case: Case, clocks: Sequence[Clock], contact: Contact) -> None:
    """The customer was told something: it answers what they said, and the silence begins anew."""
    answered = {ClockMetric.SILENCE, *(RESPONSES if contact.by_person else ())}
    for clock in clocks:
        if clock.metric not in answered or clock.work_item_id:
            continue
        before, calendar = clock.fulfill_time, await calendar_of(tx, clock)
        fulfilled = clock.answer(contact.at, calendar)
        await save_clock(tx, clock, fulfilled)
        if fulfilled and clock.metric is ClockMetric.SILENCE and clock.case_id == case.id:
            begun = await start_again(tx, case, ClockMetric.SILENCE, contact.at)
            if begun and before:  # which ends with what they were told next, of which word came first
                await save_clock(tx, begun, begun.answer(before, await calendar_of(tx, begun)))
