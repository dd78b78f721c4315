"""Merging customers who are one, and taking them apart when they are not.

A merge is a link: nothing moves. The names that are one are kept in `alias_groups`, which every service
projects; merges and their undoing are decided one after another, under one lock.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from chassis import ids
from chassis.api.entities import found
from chassis.db.aliases import groups_of, regroup
from chassis.db.statement import LOCK_NAME, Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import fact_of
from customer.domain.customers import Customer
from customer.domain.facts import CustomerMergeUndone, CustomersMerged
from customer.domain.matches import Pair, pair_of
from customer.domain.merges import CustomerMerge, MergeState, check_mergeable, survivors
from customer.domain.timeline import TimelineEntry
from customer.names import CUSTOMER, CUSTOMER_MERGE
from customer.store import merges as store
from customer.store.tables import LOCKED_CUSTOMERS
from customer.usecases.customers import save
from customer.usecases.hot_views import HotViews
from customer.usecases.match_decisions import people_of, say_two
from customer.usecases.prospects import regrouped
from customer.usecases.taking_back import take_back
from customer.usecases.views import locked_views, render, save_views

_LOCK = "customer-merges"
_A_MILLISECOND = timedelta(milliseconds=1)


async def create_merge(
    tx: Transaction,
    hot: HotViews,
    *,
    customer_id: UUID,
    merged_customer_id: UUID,
    reason_code: str,
    comment: str,
    older_survives: bool,
) -> CustomerMerge:
    """Merge two customers who are one.

    NotFound; AlreadyExists MERGED_ALREADY; FailedPrecondition OTHER_TYPE, TOO_MANY_NAMES.
    """
    if older_survives and merged_customer_id < customer_id:  # UUIDv7: in the order of creation
        customer_id, merged_customer_id = merged_customer_id, customer_id
    return await merge_customers(
        tx,
        hot,
        survivor_id=customer_id,
        merged_id=merged_customer_id,
        reason_code=reason_code,
        comment=comment,
    )


async def merge_customers(
    tx: Transaction, hot: HotViews, *, survivor_id: UUID, merged_id: UUID, reason_code: str, comment: str = ""
) -> CustomerMerge:
    """Have two names be one customer's, as `create_merge`. The transaction has locked no customer before."""
    await decide_alone(tx)
    groups = await groups_of(tx, [survivor_id, merged_id])
    customers = await _locked(tx, groups.members)
    for asked in (survivor_id, merged_id):
        if groups.survivors[asked] not in customers:
            raise NotFound(CUSTOMER.format(asked))
    survivor, led_on = (customers[groups.survivors[asked]] for asked in (survivor_id, merged_id))
    check_mergeable(survivor, led_on, len(groups.everybody))
    sequence = await _next(tx)
    merge = CustomerMerge(
        ids.uuid7(tx.now),
        survivor_id,
        merged_id,
        reason_code,
        comment,
        MergeState.MERGED,
        tx.call.principal.subject,
        tx.now,
        undo_actor="",
        undo_reason_code="",
        undo_time=None,
        sequence=sequence,
        known_by=sequence,
        version=1,
    )
    await store.INSERT_MERGE.rows(tx, [merge])
    whose = dict.fromkeys(groups.everybody, survivor.id)
    told = {"customer": survivor.name, "merged_customer": led_on.name}
    tx.record(fact_of(CustomersMerged, merge, **told, **_said(whose, merge.sequence)), version=merge.version)
    await _regroup(tx, hot, whose, merge.sequence, [survivor])
    return merge


async def undo_merge(
    tx: Transaction, hot: HotViews, *, customer_merge_id: UUID, reason_code: str, etag: str
) -> CustomerMerge:
    """Take two customers apart who are two.

    Each has what is of their names, and the merges that hold without this one. Links that were made for any
    of these names open nothing any more. NotFound; Aborted
    ETAG_MISMATCH; FailedPrecondition UNDONE_ALREADY.
    """
    await decide_alone(tx)
    merge = await found(tx, CUSTOMER_MERGE, store.LOCKED_MERGE, customer_merge_id, etag=etag)
    groups = await groups_of(tx, [merge.customer_id])
    merge.undo(tx.call.principal.subject, reason_code, tx.now)
    whose = await _without(tx, groups.everybody, merge)
    merge.known_by = sequence = await _next(tx)
    await store.SAVE_MERGE.run(tx, **values(merge))
    told = {
        "customer": CUSTOMER.format(groups.survivors[merge.customer_id]),
        "merged_customer": CUSTOMER.format(whose[merge.merged_customer_id]),
        "reason_code": reason_code,
    }
    undone = tx.record(
        fact_of(CustomerMergeUndone, merge, **told, **_said(whose, sequence)), version=merge.version
    )
    # Before anybody matches them again: they are two, as whoever took them apart says.
    pair = pair_of(merge.customer_id, merge.merged_customer_id)
    await say_two(tx, pair, people_of(pair, whose), reason_code=reason_code, caused_by=undone)
    customers = await _locked(tx, set(whose.values()))
    await take_back(tx, whose)  # which may be in the mailbox of the other
    await _regroup(tx, hot, whose, sequence, list(customers.values()))
    return merge


async def merge_of(on: Executor, pair: Pair) -> CustomerMerge:
    """The merge of two that was made of their candidate, which is LINKED."""
    holding = await store.HOLDING_MERGES.all(on, customer_ids=list(pair))
    return next(each for each in holding if {each.customer_id, each.merged_customer_id} == {*pair})


async def decide_alone(tx: Transaction) -> None:
    """Have nobody else merge or undo until the transaction ends. It has locked no customer before."""
    await LOCK_NAME.run(tx, name=_LOCK)


async def names_beside(on: Executor, merge: CustomerMerge) -> list[UUID]:
    """The names that survived beside those that a merge led on: those of its `customer` without it."""
    groups = await groups_of(on, [merge.customer_id])
    whose = await _without(on, groups.everybody, merge)
    return [name for name, survivor in whose.items() if survivor == whose[merge.customer_id]]


async def recorded_meanwhile(on: Executor, entry: TimelineEntry) -> list[CustomerMerge]:
    """The merges that were undone, and held when an entry was recorded with a name that survived."""
    undone = await store.UNDONE_MERGES.all(on, customer_id=entry.customer_id)
    return [
        merge
        for merge in undone
        if is_within(entry.id, merge) and entry.customer_id in await names_beside(on, merge)
    ]


def is_within(entry_id: UUID, merge: CustomerMerge) -> bool:
    """Whether what has that id was recorded while a merge held that was undone."""
    return merge.undo_time is not None and (ids.floor(merge.create_time) <= entry_id < past(merge.undo_time))


def past(moment: datetime) -> UUID:
    """The id that whatever was recorded until then comes before: an id's time is no finer than this."""
    return ids.floor(moment + _A_MILLISECOND)


async def _without(on: Executor, names: Collection[UUID], merge: CustomerMerge) -> dict[UUID, UUID]:
    """Whose each of the names of a customer is when `merge` does not hold."""
    holding = await store.HOLDING_MERGES.all(on, customer_ids=list(names))
    return survivors(names, (each for each in holding if each.id != merge.id))


async def _next(tx: Transaction) -> int:
    sequence: int = (await store.NEXT_SEQUENCE.one(tx))["sequence"]
    return sequence


async def _locked(tx: Transaction, customer_ids: Collection[UUID]) -> dict[UUID, Customer]:
    return {each.id: each for each in await LOCKED_CUSTOMERS.all(tx, ids=sorted(customer_ids))}


def _said(whose: Mapping[UUID, UUID], sequence: int) -> dict[str, object]:
    return {
        "customers": [CUSTOMER.format(name) for name in whose],
        "survivors": [CUSTOMER.format(survivor) for survivor in whose.values()],
        "sequence": sequence,
    }


async def _regroup(
    tx: Transaction, hot: HotViews, whose: Mapping[UUID, UUID], sequence: int, changed: list[Customer]
) -> None:
    """Keep whose each name is, and draw the views. Who was changed by it counts a change."""
    # Before it is so: whoever draws one of them now comes first.
    rows, _ = await locked_views(tx, list(whose))
    await regroup(tx, whose, sequence, tx.now)
    await save_views(tx, rows, await render(tx, rows, await groups_of(tx, list(whose))))
    await regrouped(tx, whose, changed)
    for customer in changed:
        customer.touch(tx.now)
    await save(tx, changed)
    tx.after_commit(lambda: hot.committed(list(whose)))
