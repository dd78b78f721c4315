"""Looking at what a customer says of a case that was resolved, or of none."""

from uuid import UUID

from prometheus_client import Counter

from cases.domain.case import Case
from cases.domain.contact import Contact
from cases.domain.deadline import deadline_of
from cases.domain.facts import WorkItemCreated
from cases.domain.promise_clock import PromiseClock
from cases.domain.reply import KIND, brings_up, is_reply
from cases.domain.work_item import WorkItem, WorkItemState
from cases.store.tables import LOCK_WORK_ITEMS_OF_CASE
from cases.usecases.routing import route
from cases.usecases.standing import standing_of
from cases.usecases.topic import defaults_of
from cases.usecases.work_item import end, keep_new
from chassis import ids
from chassis.db.transaction import Transaction
from chassis.facts import fact_of

REPLIES = Counter(
    "rapport_case_replies",
    "What customers said of resolved cases or of none: new work to look at it, known when there is some, "
    "late when its topic says that it is too late to bring the case up.",
    ["outcome"],
)
for _each in ("new", "known", "late"):
    REPLIES.labels(_each)  # told from the start, so that a first one is seen


async def look_at_reply(tx: Transaction, case: Case, contact: Contact) -> None:
    """Ask who answers for a resolved case, which is locked, to look at what the customer said of it.

    Whoever has that work reopens the case, which ends it, or finishes it. However much work a case has, the
    customer is heard.
    """
    if case.resolve_time is None or not is_reply(contact, case.owner, case.resolve_time):
        return
    if not brings_up(contact.at, case.resolve_time, (await defaults_of(tx, case.topic)).reply_days):
        _count(tx, "late")
        return
    await look_at(tx, case)


async def look_at(tx: Transaction, case: Case) -> None:
    """Ask who answers for a case, which is locked, to look at what the customer said, unless somebody is."""
    items = await LOCK_WORK_ITEMS_OF_CASE.all(tx, case_id=case.id)
    if any(_waits(each) for each in items):
        _count(tx, "known")
        return
    work_item = WorkItem(
        ids.uuid7(tx.now), case.id, case.customer_id, case.department_id, KIND, "", tx.now, tx.now
    )
    work_item.be_due(deadline_of(tx.now, (await standing_of(tx, case.customer_id, tx.now)).band))
    await route(tx, work_item, None, [], "")
    created_id = tx.record(fact_of(WorkItemCreated, work_item), version=work_item.version)
    await keep_new(tx, case, work_item, items, created_id)
    _count(tx, "new")


async def reply_was_seen(tx: Transaction, clock: PromiseClock, case: Case, caused_by: UUID) -> None:
    """A case, which is locked, was reopened: whoever did that has looked at it."""
    items = await LOCK_WORK_ITEMS_OF_CASE.all(tx, case_id=case.id)
    for work_item in filter(_waits, items):
        await end(tx, clock, work_item, items, tx.now, caused_by)


def _waits(work_item: WorkItem) -> bool:
    return work_item.kind == KIND and work_item.state is not WorkItemState.FINISHED


def _count(tx: Transaction, outcome: str) -> None:
    tx.after_commit(REPLIES.labels(outcome).inc)
