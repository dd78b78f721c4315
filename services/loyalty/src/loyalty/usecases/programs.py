"""Programs and units: making and renaming them."""

from typing import TypedDict

from chassis.api import etags
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, ResourceExists
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
    if await store.INSERT_PROGRAM.maybe(tx, **values(program)) is None:
        raise ResourceExists(program.name)
    return program


async def create_unit(tx: Transaction, *, program_id: str, unit_id: str, display_name: str) -> Unit:
    """Make a unit, with the program's own accounts in it. NotFound without the program; AlreadyExists."""
    await require_program(tx, program_id)
    unit = Unit(program_id, unit_id, display_name, 1, tx.now, tx.now)
    if await store.INSERT_UNIT.maybe(tx, **values(unit)) is None:
        raise ResourceExists(unit.name)
    await OPEN_ACCOUNTS.rows(tx, [Account.of_program(unit, kind, tx.now) for kind in OWN])
    return unit


async def update_program(tx: Transaction, *, program_id: str, etag: str, changes: Changes) -> Program:
    """Rename a program. NotFound; Aborted when the etag is stale."""
    program = await store.LOCK_PROGRAM.maybe(tx, id=program_id)
    if program is None:
        raise NotFound(PROGRAM.format(program_id))
    etags.match(etag, program.version, "program.etag")
    if _rename(tx, program, changes):
        await store.UPDATE_PROGRAM.run(tx, **values(program))
    return program


async def update_unit(tx: Transaction, *, program_id: str, unit_id: str, etag: str, changes: Changes) -> Unit:
    """Rename a unit. NotFound; Aborted when the etag is stale."""
    unit = await store.LOCK_UNIT.maybe(tx, program_id=program_id, id=unit_id)
    if unit is None:
        raise NotFound(UNIT.format(program_id, unit_id))
    etags.match(etag, unit.version, "unit.etag")
    if _rename(tx, unit, changes):
        await store.UPDATE_UNIT.run(tx, **values(unit))
    return unit


def _rename(tx: Transaction, named: Program | Unit, changes: Changes) -> bool:
    """Whether anything is new."""
    if changes.get("display_name", named.display_name) == named.display_name:
        return False
    named.display_name = changes["display_name"]
    named.version += 1
    named.update_time = tx.now
    return True


async def require_program(tx: Transaction, program_id: str) -> None:
    """NotFound when there is no such program."""
    if await store.GET_PROGRAM.maybe(tx, id=program_id) is None:
        raise NotFound(PROGRAM.format(program_id))
