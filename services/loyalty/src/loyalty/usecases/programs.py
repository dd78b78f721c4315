"""Programs and units: making and renaming them."""

from typing import TypedDict

from chassis.api.entities import created, found, write
from chassis.db.transaction import Transaction
from chassis.facts import changed
from loyalty.domain.ledger import OWN, Account
from loyalty.domain.program import Program, Unit
from loyalty.names import PROGRAM, UNIT
from loyalty.store import programs as store
from loyalty.store.ledger import OPEN_ACCOUNTS


class Changes(TypedDict, total=False):
    """What is new of a program or unit."""

    display_name: str


async def create_program(tx: Transaction, *, program_id: str, display_name: str) -> Program:
    """Make a program. AlreadyExists."""
    program = Program(program_id, display_name, 1, tx.now, tx.now)
    await created(tx, store.INSERT_PROGRAM, program)
    return program


async def create_unit(tx: Transaction, *, program_id: str, unit_id: str, display_name: str) -> Unit:
    """Make a unit, with the program's own accounts in it. NotFound without the program; AlreadyExists."""
    await found(tx, PROGRAM, store.GET_PROGRAM, program_id)
    unit = Unit(program_id, unit_id, display_name, 1, tx.now, tx.now)
    await created(tx, store.INSERT_UNIT, unit)
    await OPEN_ACCOUNTS.rows(tx, [Account.of_program(unit, kind, tx.now) for kind in OWN])
    return unit


async def update_program(tx: Transaction, *, program_id: str, etag: str, changes: Changes) -> Program:
    """Rename a program. NotFound; Aborted when the etag is stale."""
    program = await found(tx, PROGRAM, store.LOCK_PROGRAM, program_id, etag=etag)
    if changed(program, changes):
        await write(tx, store.UPDATE_PROGRAM, program)
    return program


async def update_unit(tx: Transaction, *, program_id: str, unit_id: str, etag: str, changes: Changes) -> Unit:
    """Rename a unit. NotFound; Aborted when the etag is stale."""
    unit = await found(tx, UNIT, store.LOCK_UNIT, program_id, unit_id, etag=etag)
    if changed(unit, changes):
        await write(tx, store.UPDATE_UNIT, unit)
    return unit
