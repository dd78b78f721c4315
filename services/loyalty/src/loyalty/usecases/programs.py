"""Programs, and what they count."""

from chassis.api.entities import created, found, write
from chassis.db.transaction import Transaction
from chassis.facts import Changes, changed
from loyalty.domain.ledger import OWN, Account
from loyalty.domain.lots import LotPolicy
from loyalty.domain.program import Program, Unit, UnitValue
from loyalty.domain.tiers import TierPolicy
from loyalty.names import PROGRAM, UNIT
from loyalty.store import tables as store
from loyalty.usecases.accounts import open_own
from loyalty.usecases.tiers import walk


async def create_program(
    tx: Transaction,
    *,
    program_id: str,
    display_name: str,
    time_zone: str,
    tier_policy: TierPolicy | None,
    expiry_notice_days: int,
) -> Program:
    """Make a program. AlreadyExists."""
    if tier_policy:
        tier_policy.check("program.tier_policy")
    zone = time_zone or "UTC"
    program = Program(program_id, display_name, 1, tx.now, tx.now, zone, tier_policy, expiry_notice_days)
    await created(tx, store.INSERT_PROGRAM, program)
    return program


async def create_unit(
    tx: Transaction,
    *,
    program_id: str,
    unit_id: str,
    display_name: str,
    lot_policy: LotPolicy | None,
    value: UnitValue | None,
) -> Unit:
    """Make a unit, with the program's own accounts in it. NotFound without the program; AlreadyExists."""
    if lot_policy:
        lot_policy.check("unit.lot_policy")
    if value:
        value.check("unit.value")
    await found(tx, PROGRAM, store.GET_PROGRAM, program_id)
    unit = Unit(program_id, unit_id, display_name, 1, tx.now, tx.now, lot_policy, value)
    await created(tx, store.INSERT_UNIT, unit)
    await open_own(tx, [Account.of_program(program_id, unit_id, kind, tx.now) for kind in OWN])
    return unit


async def update_program(
    tx: Transaction, *, program_id: str, etag: str, changes: Changes[Program]
) -> Program:
    """Change a program. What was earned keeps its end. NotFound; Aborted when the etag is stale."""
    if changes.get("time_zone") == "":
        changes["time_zone"] = "UTC"
    if policy := changes.get("tier_policy"):
        policy.check("program.tier_policy")
    program = await found(tx, PROGRAM, store.LOCK_PROGRAM, program_id, etag=etag)
    if new := changed(program, changes):
        await write(tx, store.UPDATE_PROGRAM, program)
        if "tier_policy" in new:
            await walk(tx, program_id)
    return program


async def update_unit(
    tx: Transaction, *, program_id: str, unit_id: str, etag: str, changes: Changes[Unit]
) -> Unit:
    """Change a unit, for what is earned from now on. NotFound; Aborted when the etag is stale."""
    if policy := changes.get("lot_policy"):
        policy.check("unit.lot_policy")
    if value := changes.get("value"):
        value.check("unit.value")
    unit = await found(tx, UNIT, store.LOCK_UNIT, program_id, unit_id, etag=etag)
    if changed(unit, changes):
        await write(tx, store.UPDATE_UNIT, unit)
    return unit
