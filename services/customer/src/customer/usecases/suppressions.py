"""Suppressing addresses, and releasing them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from chassis import ids
from chassis.api.entities import found, save
from chassis.api.handles import INVALID_REASONS, judge
from chassis.context import Principal
from chassis.db.database import Database
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, invalid
from chassis.facts import fact_of
from chassis.settings import WrongSettings
from customer.domain.facts import SuppressionCreated, SuppressionReleased
from customer.domain.identifiers import Identifier, IdentifierType, Key
from customer.domain.stops import suppressed_by
from customer.domain.suppressions import ADDRESSES, AddressKey, Suppression, SuppressionReason, same_address
from customer.names import IDENTIFIER, SUPPRESSION
from customer.store import suppressions as store
from customer.store import tables
from customer.store.consents import FORGET_SUPPRESSED, SUPPRESSING
from customer.store.identifiers import names_with


async def create_suppression(
    tx: Transaction,
    addresses: AddressKey,
    *,
    type: IdentifierType,
    reason: SuppressionReason,
    category: str,
    source: str,
    address: str,
    identifier: str,
) -> Suppression:
    """Suppress an address; answers what holds already, which holds by itself then, whatever stops say.

    InvalidArgument INVALID_EMAIL, INVALID_PHONE, INVALID_NAME, INVALID_CODE; NotFound the identifier;
    FailedPrecondition NO_ADDRESS_PEPPER, ADDRESS_DIFFERS.
    """
    matched = _judged(type, address) if address else ""
    if identifier:
        matched = await _of_identifier(tx, type, identifier, matched)
    key = type, "", matched
    made = _made(tx, addresses, key, reason, category, source)
    made.check()
    held = await _held(tx, made)
    if held is made:
        tx.record(fact_of(SuppressionCreated, made), version=made.version)
    if reason is SuppressionReason.UNSUBSCRIBED:
        await FORGET_SUPPRESSED.run(tx, **(await _having(tx, key)).stopped(category))
    return held


async def suppress_by_stop(
    tx: Transaction, addresses: AddressKey, identifier: Identifier, categories: Sequence[str], source: str
) -> list[str]:
    """Suppress an address for a stop; of which categories stops alone do so, and nobody's own word.

    It is apart from what else is said of whose it is: nothing of it says more of when that was than the day.
    """
    key = identifier.type, "", identifier.normalized_value
    having, by_stops = None, list[str]()
    for category in categories:
        made = _made(tx, addresses, key, SuppressionReason.UNSUBSCRIBED, category, source, by_day=True)
        held = await _held(tx, made)
        having = having or await _having(tx, key)
        if held is made:
            await FORGET_SUPPRESSED.run(tx, **having.stopped(category))  # what held, and was released since
            with _apart(tx):
                tx.record(fact_of(SuppressionCreated, made), version=made.version)
        elif await SUPPRESSING.maybe(tx, **having.stopped(category)) is None:
            continue
        by_stops.append(suppressed_by(identifier.id, category))
    return by_stops


async def release_by_stop(
    tx: Transaction, suppression: Suppression, identifiers: Sequence[Identifier], reason_code: str
) -> None:
    """Release what a stop suppressed, which suppresses it no more; not what another stop suppresses."""
    for each in identifiers:  # of one address: a number with and without extension
        having = await _having(tx, (each.type, "", each.normalized_value))
        if await SUPPRESSING.maybe(tx, **having.stopped(suppression.category)):
            return
    await release_suppression(tx, suppression_id=suppression.id, reason_code=reason_code, etag="", apart=True)


def _made(
    tx: Transaction,
    addresses: AddressKey,
    key: Key,
    reason: SuppressionReason,
    category: str,
    source: str,
    *,
    by_day: bool = False,
) -> Suppression:
    return Suppression(
        ids.of_day(tx.now) if by_day else ids.uuid7(tx.now),
        addresses.hash_of(key[0], key[2]),
        addresses.id,
        key[0],
        reason,
        category,
        source,
        _noter(tx).subject,
        ids.day(tx.now) if by_day else tx.now,
        release_actor="",
        release_reason_code="",
        release_time=None,
        version=1,
    )


async def _held(tx: Transaction, made: Suppression) -> Suppression:
    """What holds of it from now on: this, or what held already; nobody says more of it meanwhile."""
    about = {"address_hash": made.address_hash, "reason": made.reason, "category": made.category}
    # Whoever else says it at this moment waits here, and whoever released it meanwhile is done by then.
    while await store.INSERT_SUPPRESSION.maybe(tx, **values(made)) is None:
        if held := await store.HOLDING.maybe(tx, **about):
            return held
    return made


@dataclass(frozen=True, slots=True)
class _Having:
    """Who has an address, by whichever name, and the identifiers that it is."""

    names: list[UUID]
    identifiers: set[UUID]

    def stopped(self, category: str) -> dict[str, list[Any]]:
        """How their stops say that they suppress it."""
        return {
            "names": self.names,
            "suppressed": [suppressed_by(each, category) for each in self.identifiers],
        }


async def _having(on: Executor, key: Key) -> _Having:
    names = sorted({name for _, name in await names_with(on, [key])})
    known = (await tables.identifiers_of(on, names)).values()
    return _Having(names, {each.id for theirs in known for each in theirs if each.key == key})


def _noter(tx: Transaction) -> Principal:
    """Who noted it: of what a customer says by their link who serves their pages."""
    principal = tx.call.principal
    is_customer = principal.subject.startswith("customer:")
    return principal.via if is_customer and principal.via else principal


@contextmanager
def _apart(tx: Transaction) -> Iterator[None]:
    """Have it be an act by itself: nothing leads from a suppression to the customer whose word it was."""
    call = tx.call
    apart = replace(call, request_id="", cause_id=None, correlation_id="", traceparent="", purpose="")
    tx.act(replace(apart, principal=_noter(tx)), by_day=True)
    yield
    tx.act(call)


def _judged(type: IdentifierType, address: str) -> str:
    """An address as it is matched."""
    matched = judge(type, address, "").normalized_value
    if not matched:
        raise invalid("suppression.address", *INVALID_REASONS[type])
    return matched


async def _of_identifier(on: Executor, type: IdentifierType, name: str, address: str) -> str:
    """The address that an identifier is: the one that is given, if any is."""
    identifier = await found(on, IDENTIFIER, tables.IDENTIFIER, *IDENTIFIER.ids(name))
    if identifier.type is not type or not identifier.normalized_value:
        raise invalid(
            "suppression.identifier", "INVALID_NAME", f"must be one by which somebody is reached, {type}"
        )
    if address and not same_address(address, identifier.normalized_value):
        raise FailedPrecondition("ADDRESS_DIFFERS", f"{name} is another address.", {"resource": name})
    return identifier.normalized_value


async def release_suppression(
    tx: Transaction, *, suppression_id: UUID, reason_code: str, etag: str, apart: bool = False
) -> Suppression:
    """Have a suppression hold no more, `apart` as `create_suppression`.

    NotFound; FailedPrecondition SUPPRESSION_RELEASED.
    """
    suppression = await found(tx, SUPPRESSION, store.LOCK_SUPPRESSION, suppression_id, etag=etag)
    now = max(suppression.create_time, ids.day(tx.now)) if apart else tx.now
    suppression.release(_noter(tx).subject, reason_code, now)
    with _apart(tx) if apart else nullcontext():
        await save(tx, store.UPDATE_SUPPRESSION, suppression, fact_of(SuppressionReleased, suppression))
    return suppression


async def holding(on: Executor, hashes: Sequence[str]) -> list[Suppression]:
    """What holds of the addresses with these hashes, the oldest first."""
    return await store.HOLDING_OF.all(on, hashes=[*hashes]) if hashes else []


async def own_addresses(on: Executor, customer_id: UUID) -> list[Identifier]:
    """The addresses of that very name."""
    known = (await tables.identifiers_of(on, [customer_id]))[customer_id]
    return [
        each
        for each in known
        if each.customer_id == customer_id and each.type in ADDRESSES and each.normalized_value
    ]


async def require_key(db: Database, addresses: AddressKey) -> None:
    """WrongSettings when addresses are suppressed under another key, by which none of them would be found."""
    newest = await store.NEWEST.maybe(db)
    if newest is not None and newest.key_id != addresses.id:
        told = (
            "RAPPORT_ADDRESS_PEPPER must be the key under which addresses are suppressed: it never changes."
        )
        raise WrongSettings(told)
