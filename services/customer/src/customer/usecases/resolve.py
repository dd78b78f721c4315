"""From handles to customers, creating those that are missing: once, however many ask at the same time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.errors import Aborted, NotFound
from customer.domain.identifiers import Draft, Handle, Identifier, Key, taken
from customer.domain.names import customer_name
from customer.store.identifiers import DELETE_IDENTIFIERS_OF, OWNERS
from customer.usecases.customers import Held, claim, insert_customers, prepare, refuse_taken


@dataclass(frozen=True, slots=True)
class Ask:
    """Whose handle is this? With `create`, make that customer when it is nobody's."""

    field: str
    handle: Handle
    create: Draft | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The customer that a handle belongs to."""

    customer_id: UUID
    created: bool


async def resolve_customers(
    tx: Transaction, asks: Sequence[Ask], relationship_manager: str
) -> list[Resolved]:
    """Answer every ask, in order; the first of several asks for one new handle creates the customer.

    NotFound for a handle that is nobody's and is not to create; AlreadyExists IDENTIFIER_TAKEN when a
    customer to be created has a further handle that is another's.
    """
    owners = await owners_of(tx, (ask.handle for ask in asks))
    planned: dict[UUID, Held] = {}
    first: dict[UUID, Ask] = {}
    for ask in asks:
        if _key(ask.handle) in owners:
            continue
        if ask.create is None:
            raise NotFound(f"The customer of {ask.field}")
        held = prepare(tx, Draft(ask.create.profile, (ask.handle, *ask.create.handles)), relationship_manager)
        for identifier in held.identifiers:
            if identifier.key and owners.setdefault(identifier.key, held.customer.id) != held.customer.id:
                raise taken(ask.field, customer_name(owners[identifier.key]))
        planned[held.customer.id], first[held.customer.id] = held, ask
    if planned:
        await _create(tx, planned, first, owners)
    creators = {id(ask): customer_id for customer_id, ask in first.items() if customer_id in planned}
    return [Resolved(owners[_key(ask.handle)], id(ask) in creators) for ask in asks]


async def owners_of(tx: Transaction, handles: Iterable[Handle | Identifier]) -> dict[Key, UUID]:
    """The customers that handles belong to, by key; a handle that is nobody's has no entry."""
    keys = {handle.key for handle in handles if handle.key}
    rows = await OWNERS.all(tx, types=[kind for kind, _ in keys], values=[value for _, value in keys])
    return {(row["type"], row["normalized_value"]): row["customer_id"] for row in rows}


async def _create(
    tx: Transaction, planned: dict[UUID, Held], first: dict[UUID, Ask], owners: dict[Key, UUID]
) -> None:
    """Create the planned customers, but for those whose handle somebody else has taken meanwhile."""
    lost = await claim(tx, [identifier for held in planned.values() for identifier in held.identifiers])
    beaten = {i.customer_id for i in lost if i.key == first[i.customer_id].handle.key}
    for identifier in lost:
        if identifier.customer_id not in beaten:
            await refuse_taken(tx, identifier, first[identifier.customer_id].field)
    if beaten:
        await DELETE_IDENTIFIERS_OF.run(tx, customer_ids=list(beaten))
        handles = [first[customer_id].handle for customer_id in beaten]
        winners = await owners_of(tx, handles)
        if len(winners) < len({handle.key for handle in handles}):
            raise Aborted("IDENTIFIER_TAKEN", "The identifier changed hands meanwhile: try again.")
        owners.update(winners)
        for customer_id in beaten:
            del planned[customer_id]
    if planned:
        await insert_customers(tx, list(planned.values()))


def _key(handle: Handle) -> Key:
    assert handle.key is not None, "a handle without a key resolves to nobody: refuse it before"
    return handle.key
