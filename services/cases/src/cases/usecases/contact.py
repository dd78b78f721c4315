"""What the customer said about a case, and what they were told, for the clocks that wait for it."""

from collections.abc import Sequence
from uuid import UUID

from cases.domain.case import Case, CaseState
from cases.domain.clock import Clock
from cases.domain.clock_policy import ClockMetric
from cases.domain.contact import Contact, Contacts
from cases.store import clocks as store
from cases.usecases.case_link import locked_groups
from cases.usecases.keeping import calendar_of, save_clock, start_again
from chassis.db.statement import values
from chassis.db.transaction import Transaction

RESPONSES = (ClockMetric.FIRST_RESPONSE, ClockMetric.NEXT_RESPONSE)


async def case_contacted(tx: Transaction, about_id: UUID, contact: Contact) -> None:
    """Take in a contact about a case, or about a promise or a work item of one; of another it is not ours.

    What a customer says of a resolved case starts nothing: a thank-you waits for no answer, and what does is
    reopened.
    """
    about = await store.CASE_ABOUT.maybe(tx, id=about_id)
    if about is None:
        return
    cases = await locked_groups(tx, [about.id])
    case = cases[cases[about.id].survivor_id or about.id]  # that is read for all of them
    if contact.inbound and case.state is not CaseState.OPEN:
        return
    contacts = await store.CONTACTS.maybe(tx, case_id=case.id) or Contacts(case.id)
    contacts.take_in(contact)
    await tx.defer(store.PUT_CONTACTS, **values(contacts))
    every = await store.LOCK_CLOCKS_WAITING.all(tx, case_ids=list(cases))
    waiting = [clock for clock in every if not clock.work_item_id]
    if contact.inbound:
        await _let_go_on(tx, every, contact)
    else:
        waiting = await _told(tx, case, waiting, contact)
    since = contacts.unanswered_since
    if since and not any(clock.metric in RESPONSES for clock in waiting):
        await start_again(tx, case, ClockMetric.NEXT_RESPONSE, since)


async def _let_go_on(tx: Transaction, waiting: Sequence[Clock], contact: Contact) -> None:
    """Whatever waited for the customer waits no more, the work on the case as well."""
    for clock in waiting:
        if clock.pause_time and clock.pause_time <= contact.at:
            await save_clock(tx, clock, clock.resume(contact.at, await calendar_of(tx, clock)))


async def _told(tx: Transaction, case: Case, waiting: list[Clock], contact: Contact) -> list[Clock]:
    """The customer was told something: the silence begins anew. What still waits."""
    for clock in waiting:
        if clock.metric is ClockMetric.SILENCE or (contact.by_person and clock.metric in RESPONSES):
            fulfilled = clock.fulfill(contact.at, await calendar_of(tx, clock))
            await save_clock(tx, clock, fulfilled)
            if fulfilled and clock.metric is ClockMetric.SILENCE and clock.case_id == case.id:
                await start_again(tx, case, ClockMetric.SILENCE, contact.at)
    return [clock for clock in waiting if not clock.fulfill_time]
