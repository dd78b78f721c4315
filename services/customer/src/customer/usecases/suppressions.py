"""Suppressing addresses, and releasing them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
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
from customer.store.consents import OWN_STOPS, SAVE_STOP
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
    apart: bool = False,
) -> Suppression:
    """Suppress an address; answers what holds already.

    `apart` from what else is said of whose it is: nothing of it says more of when that was than the day.

    InvalidArgument INVALID_EMAIL, INVALID_PHONE, INVALID_NAME, INVALID_CODE; NotFound the identifier;
    FailedPrecondition NO_ADDRESS_PEPPER, ADDRESS_DIFFERS.
    """
    matched = _judged(type, address) if address else ""
    if identifier:
        matched = await _of_identifier(tx, type, identifier, matched)
    suppression = Suppression(
        ids.of_day(tx.now) if apart else ids.uuid7(tx.now),
        addresses.hash_of(type, matched),
        addresses.id,
        type,
        reason,
        category,
        source,
        _noter(tx).subject,
        ids.day(tx.now) if apart else tx.now,
        release_actor="",
        release_reason_code="",
        release_time=None,
        version=1,
    )
    suppression.check()
    # Whoever else says it at this moment waits here, and whoever released it meanwhile is done by then.
    while await store.INSERT_SUPPRESSION.maybe(tx, **values(suppression)) is None:
        about = {"address_hash": suppression.address_hash, "reason": reason, "category": category}
        if held := await store.HOLDING.maybe(tx, **about):
            if not apart:
                await _outlast_stops(tx, (type, "", matched), category)
            return held
    with _apart(tx) if apart else nullcontext():
        tx.record(fact_of(SuppressionCreated, suppression), version=suppression.version)
    return suppression


async def _outlast_stops(tx: Transaction, key: Key, category: str) -> None:
    """Have what is said again hold by itself: a stop that suppressed it before is withdrawn without it."""
    for name in {name for _, name in await names_with(tx, [key])}:
        own = [each for each in await own_addresses(tx, name) if each.key == key]
        for stop in await OWN_STOPS.all(tx, customer_id=name):
            if any(stop.suppresses(each.id, category) for each in own):
                stop.forget([suppressed_by(each.id, category) for each in own])
                await SAVE_STOP.run(tx, **values(stop))


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
