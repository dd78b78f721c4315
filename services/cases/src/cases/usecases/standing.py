"""What customers are to us, and how pressing that makes their cases."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from cases.domain.case import Case
from cases.domain.priority import MISSED_WITHIN, Band, Harm, Standing
from cases.domain.told import latest
from cases.store import standings as store
from cases.store.queue import WAITING_OF
from cases.store.tables import UPDATE_CASE
from cases.usecases.deadlines import look_again
from chassis.api.entities import save
from chassis.context import Call
from chassis.db.statement import LOCK_NAMES, Executor
from chassis.db.transaction import Transaction

PRIORITY_TIMER = "case-priorities"
AT_ONCE = 100
_FIRST = UUID(int=0)


async def standing_of(on: Executor, customer_id: UUID, now: datetime) -> Standing:
    """What a customer is to us, by whichever of their names."""
    row = await store.STANDING.one(on, customer_id=customer_id, since=now - MISSED_WITHIN)
    bands = list(Band)
    held = [Band(each) for each in row["bands"]]
    return Standing(max(held, key=bands.index, default=Band.STANDARD), row["missed"])


async def values_changed(tx: Transaction, told: Sequence[tuple[store.CustomerStanding, Call]]) -> None:
    """Take in what loyalty told of customers, in whatever order it arrives, each as its own call."""
    if not told:
        return
    calls = {(standing.customer_id, standing.version): call for standing, call in told}
    last = latest(standing for standing, _ in told)
    # There may be no rows yet to lock.
    await LOCK_NAMES.run(tx, names=[f"customers/{each.customer_id}/standing" for each in last])
    rows = await store.STANDINGS_TOLD.all(tx, customer_ids=[each.customer_id for each in last])
    versions = {row.customer_id: row.version for row in rows}
    newer = [each for each in last if each.version > versions.get(each.customer_id, 0)]
    await store.PUT_STANDINGS.rows(tx, newer)
    bands = {row.customer_id: row.band for row in rows}
    moved = {
        each.customer_id: calls[each.customer_id, each.version]
        for each in newer
        if each.band != bands.get(each.customer_id, Band.STANDARD)
    }
    for customer_id, call in moved.items():
        tx.act(call)
        await prioritize_again(tx, customer_id)
    for row in await WAITING_OF.all(tx, customer_ids=list(moved)) if moved else ():
        tx.act(moved[row["customer_id"]])
        await look_again(tx, row["id"])


async def prioritize_again(tx: Transaction, customer_id: UUID) -> None:
    """Look soon at how pressing the cases of a customer are, once for all that happened until then."""
    await tx.schedule(PRIORITY_TIMER, f"{customer_id}/{_FIRST}", tx.now)


async def weigh_again(
    tx: Transaction, case: Case, merged: Iterable[Case], caused_by: UUID | None = None
) -> None:
    """Say how pressing a case is by now, with what was merged into it."""
    standing = await standing_of(tx, case.customer_id, tx.now)
    if prioritized := case.prioritize(standing, [each.harm for each in merged]):
        await save(tx, UPDATE_CASE, case, prioritized, caused_by=caused_by)


async def prioritize_some(tx: Transaction, key: str) -> None:
    """Look at some open cases of a customer, and come back for the rest."""
    customer, _, after = key.partition("/")
    customer_id = UUID(customer)
    standing = await standing_of(tx, customer_id, tx.now)
    cases = await store.LOCK_OPEN_CASES_OF.all(tx, customer_id=customer_id, after=UUID(after), limit=AT_ONCE)
    merged = defaultdict[UUID, list[Harm]](list)
    for row in await store.HARMS_MERGED_INTO.all(tx, ids=[case.id for case in cases]):
        merged[row["survivor_id"]].append(Harm(row["harm"]))
    for case in cases:
        if prioritized := case.prioritize(standing, merged[case.id]):
            await save(tx, UPDATE_CASE, case, prioritized)
    if len(cases) == AT_ONCE:
        await tx.schedule(PRIORITY_TIMER, f"{customer_id}/{cases[-1].id}", tx.now)
