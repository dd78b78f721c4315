"""Programs and units: making and renaming them."""

from typing import TypeVar

from chassis.api import etags
from chassis.db.statement import Statement, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, ResourceExists
from loyalty.domain.ledger import OWN, Account
from loyalty.domain.program import Program, Unit
from loyalty.names import PROGRAM
from loyalty.store.ledger import OPEN_ACCOUNTS
from loyalty.store.programs import GET_PROGRAM, INSERT_PROGRAM, INSERT_UNIT

Named = TypeVar("Named", Program, Unit)


async def create_program(tx: Transaction, program: Program) -> Program:
    """Make a program. AlreadyExists."""
    if await INSERT_PROGRAM.maybe(tx, **values(program)) is None:
        raise ResourceExists(program.name)
    return program


async def create_unit(tx: Transaction, unit: Unit) -> Unit:
    """Make a unit, with the program's own accounts in it. NotFound without the program; AlreadyExists."""
    await require_program(tx, unit.program)
    if await INSERT_UNIT.maybe(tx, **values(unit)) is None:
        raise ResourceExists(unit.name)
    await OPEN_ACCOUNTS.rows(tx, [Account.of_program(unit, kind, tx.now) for kind in OWN])
    return unit


async def rename(
    tx: Transaction,
    found: Named | None,
    changes: Named,
    fields: list[str],
    etag: str,
    update: Statement[None],
) -> Named:
    """Give a program or unit, locked, the `fields` of `changes`. NotFound; Aborted when the etag is stale."""
    if found is None:
        raise NotFound(changes.name)
    etags.match(etag, found.version, f"{type(found).__name__.lower()}.etag")
    if "display_name" in fields:
        found.display_name = changes.display_name
        found.version += 1
        found.update_time = tx.now
        await update.run(tx, **values(found), **{f"new_{k}": v for k, v in values(found).items()})
    return found


async def require_program(tx: Transaction, program: str) -> None:
    """NotFound when there is no such program."""
    if await GET_PROGRAM.maybe(tx, id=program) is None:
        raise NotFound(PROGRAM.format(program))
