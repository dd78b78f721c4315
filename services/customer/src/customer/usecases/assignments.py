"""A person says whose a contact is that was recorded while two customers were taken for one."""

from uuid import UUID

from chassis.api.entities import found
from chassis.db.aliases import groups_of
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, invalid
from customer.domain.timeline import ShownEntry, TimelineEntry
from customer.names import CUSTOMER, ENTRY
from customer.store.timeline import LOCKED_ENTRY, UPDATE_ENTRY
from customer.usecases.hot_views import HotViews
from customer.usecases.merges import recorded_meanwhile
from customer.usecases.views import locked_views, render, save_views


async def assign_entry(
    tx: Transaction,
    hot: HotViews,
    *,
    customer_id: UUID,
    timeline_entry_id: UUID,
    assigned_customer_id: UUID,
    etag: str,
) -> ShownEntry:
    """Have a contact be of the one of the two whose it is, unless it is.

    NotFound; InvalidArgument NOT_OF_MERGE; FailedPrecondition NOT_A_CONTACT, NOT_RECORDED_MEANWHILE;
    Aborted ETAG_MISMATCH.
    """
    entry = await found(tx, ENTRY, LOCKED_ENTRY, customer_id, timeline_entry_id, etag=etag)
    entry.require_contact()
    await _require_of_merge(tx, entry, assigned_customer_id)
    if assigned_customer_id == entry.whose_id:
        return entry
    rows, groups = await locked_views(tx, {entry.whose_id, assigned_customer_id})
    fact = entry.assign(assigned_customer_id)
    await UPDATE_ENTRY.run(tx, **values(entry))  # before the views are drawn of it
    tx.record(fact, version=entry.version)
    await save_views(tx, rows, await render(tx, rows, groups))
    tx.after_commit(lambda: hot.committed(groups.everybody))
    return entry


async def _require_of_merge(tx: Transaction, entry: TimelineEntry, customer_id: UUID) -> None:
    """Refuse what is not in doubt, and for whom it cannot be. NOT_RECORDED_MEANWHILE, NOT_OF_MERGE."""
    merges = await recorded_meanwhile(tx, entry)
    if not merges:
        told = f"{entry.name} was not recorded while a merge held that was undone: it is whose it says."
        raise FailedPrecondition("NOT_RECORDED_MEANWHILE", told, {"resource": entry.name})
    two = [each for merge in merges for each in (merge.customer_id, merge.merged_customer_id)]
    whose = (await groups_of(tx, [*two, customer_id])).survivors
    if whose[customer_id] not in {whose[each] for each in two}:
        allowed = ", ".join(dict.fromkeys(CUSTOMER.format(whose[each]) for each in two))
        raise invalid("assigned_customer", "NOT_OF_MERGE", f"must be one of {allowed}")
