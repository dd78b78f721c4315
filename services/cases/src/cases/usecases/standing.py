"""What customers are to us, and how pressing that makes their cases."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from cases.domain.case import Case
from cases.domain.priority import MISSED_WITHIN, Band, Harm, Standing
from cases.store import standings as store
from cases.store.queue import WAITING_OF
from cases.store.tables import UPDATE_CASE
from cases.usecases.deadlines import look_again
from chassis.api.entities import save
from chassis.db.statement import LOCK_NAME, Executor, values
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


async def value_changed(tx: Transaction, customer_id: UUID, band: Band, version: int) -> None:
    """Take in what loyalty told of a customer, whatever the order in which it arrives."""
    await LOCK_NAME.run(tx, name=f"customers/{customer_id}/standing")  # there may be no row yet to lock
    known = await store.STANDING_TOLD.maybe(tx, customer_id=customer_id)
    if known is not None and known.version >= version:
        return
    standing = store.CustomerStanding(customer_id, band, version, tx.now)
    await tx.defer(store.PUT_STANDING, **values(standing))
    if band != (known.band if known else Band.STANDARD):
        await prioritize_again(tx, customer_id)
        for row in await WAITING_OF.all(tx, customer_id=customer_id):
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
