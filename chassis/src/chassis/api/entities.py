"""Rows of resources by name: found, locked for their owner, and written back with what happened."""

from typing import Any, TypeVar
from uuid import UUID

from chassis.api import etags
from chassis.db.statement import LOCK_NAME, Executor, Statement, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, ResourceExists, invalid
from chassis.names import Pattern

E = TypeVar("E")


async def found(on: Executor, pattern: Pattern, statement: Statement[E], *ids: Any, etag: str = "") -> E:
    """The row that a name names: by `id`, its own, and `case_id`, that of the case above it.

    NotFound; Aborted `ETAG_MISMATCH` when it has another version than the caller has read.
    """
    above = dict(zip(map("{}_id".format, pattern.variables[:-1]), ids, strict=False))
    row: Any = await statement.maybe(on, **above, id=ids[-1])
    if row is None:
        raise NotFound(pattern.format(*ids))
    if etag:
        etags.match(etag, row.name, row.version)
    return row  # type: ignore[no-any-return]  # a name and a version are all that is asked of it


async def owned(tx: Transaction, pattern: Pattern, lock: Statement[E], *ids: Any, etag: str = "") -> E:
    """As `found`, locked, for a caller of the department that owns it. PermissionDenied `NOT_OWNER`."""
    entity: Any = await found(tx, pattern, lock, *ids)
    tx.require_owner(entity)
    if etag:
        etags.match(etag, entity.name, entity.version)
    return entity  # type: ignore[no-any-return]  # as above


async def created(tx: Transaction, insert: Statement[Any], entity: Any) -> None:
    """Keep what is new, by an insert that returns nothing when it is there. AlreadyExists RESOURCE_EXISTS."""
    if await insert.maybe(tx, **values(entity)) is None:
        raise ResourceExists(entity.name)


async def create_version(
    tx: Transaction, latest: Statement[Any], insert: Statement[Any], entity: Any, fact: Any
) -> None:
    """Keep the first version of what is new. AlreadyExists RESOURCE_EXISTS."""
    await LOCK_NAME.run(tx, name=entity.name)
    if await latest.maybe(tx, id=entity.id) is not None:
        raise ResourceExists(entity.name)
    await save(tx, insert, entity, fact)


async def owned_version(
    tx: Transaction, pattern: Pattern, latest: Statement[E], *ids: Any, etag: str = ""
) -> E:
    """As `owned`, of the latest version: nobody else makes the next one meanwhile."""
    await LOCK_NAME.run(tx, name=pattern.format(*ids))
    return await owned(tx, pattern, latest, *ids, etag=etag)


async def write(tx: Transaction, update: Statement[Any], entity: Any) -> None:
    """Write what changed. An entity with an `update_time` was last changed now."""
    if hasattr(entity, "update_time"):
        entity.update_time = tx.now
    await tx.defer(update, **values(entity))


def own_department(tx: Transaction, department_id: str | None, field: str) -> str:
    """Whose what is new becomes: the department that is named, else the caller's. REQUIRED without either."""
    if owner := department_id or tx.call.principal.department:
        return owner
    raise invalid(field, "REQUIRED", "must be given by a caller who works for no department")


async def save(
    tx: Transaction, update: Statement[Any], entity: Any, fact: Any, caused_by: UUID | None = None
) -> UUID:
    """Write what changed, and record the fact, at the entity's version. Returns the event's id."""
    await write(tx, update, entity)
    return tx.record(fact, version=entity.version, caused_by=caused_by)
