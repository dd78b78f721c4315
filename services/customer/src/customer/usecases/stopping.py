"""Stopping everything that a customer does not need: purposes of now and later, and imports.

Whoever says so, by their link or to a colleague, says the same.

What is allowed now is denied, a row for each, so that whoever reads consents reads it; all of them at once,
for departments may have hundreds of purposes. What is not said yet, of purposes that are created later too,
is denied by the stop itself. And their own addresses are suppressed by category, which holds for whoever is
made of them anew.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of
from customer.domain.consents import CHANNEL_IDS, ConsentState, Said, ShownPreferences
from customer.domain.contact import REACHED_BY
from customer.domain.facts import ConsentUpdated, ContactStopped, ContactStopWithdrawn
from customer.domain.links import LinkKeys
from customer.domain.purposes import Default, Purpose
from customer.domain.stops import ContactStop, suppressed_by
from customer.domain.suppressions import AddressKey, SuppressionReason
from customer.domain.timeline import Channel
from customer.store import consents as store
from customer.usecases.consents import deny_all, preferences_of, shown, unsaid
from customer.usecases.customers import lock_customer
from customer.usecases.opening import linked
from customer.usecases.suppressions import create_suppression, holding, own_addresses
from customer.usecases.welcoming import welcome_withdrawn

# By which we write and call: there it is said also of what nobody allowed, for people to see.
_TOLD = {*REACHED_BY, Channel.APP, Channel.LETTER}


async def stoppable(on: Executor) -> list[Purpose]:
    """The purposes that customers can do without."""
    return [each for each in await store.ALL_PURPOSES.all(on) if not each.essential]


async def stop_self_service_contact(
    tx: Transaction, keys: LinkKeys, addresses: AddressKey, *, token: str, source: str
) -> ShownPreferences:
    """Note by their link that a customer wants nothing but what they have of us. LinkNotFound."""
    holder = await linked(tx, keys, token)
    proof = f"selfServiceLinks/{holder.generation}"
    return await stop_contact(tx, addresses, customer_id=holder.id, source=source, proof=proof)


async def stop_contact(
    tx: Transaction, addresses: AddressKey, *, customer_id: UUID, source: str, proof: str
) -> ShownPreferences:
    """Note that a customer wants nothing but what they have of us. NotFound."""
    await lock_customer(tx, customer_id)
    preferences = await preferences_of(tx, customer_id)
    stop = ContactStop(customer_id, tx.now, tx.call.principal.subject, source, proof)
    purposes = await stoppable(tx)
    await _deny(tx, customer_id, purposes, {"source": source, "proof": proof})
    tx.record(fact_of(ContactStopped, stop), version=preferences.version)
    if addresses.pepper:
        categories = sorted({each.category for each in purposes if each.category})
        stop.suppressed = await _suppress(tx, addresses, customer_id, categories, source)
    await store.SAVE_STOP.run(tx, **values(stop))
    preferences.customer_id = customer_id
    return await shown(tx, preferences)


async def withdraw_contact_stop(
    tx: Transaction, addresses: AddressKey, *, customer_id: UUID, stop_time: datetime, reason_code: str
) -> ShownPreferences:
    """Have a stop of that very name be none. NotFound; FailedPrecondition NOT_STOPPED: none of then holds.

    What a later stop of theirs would have denied and suppressed as well stays so.
    """
    await lock_customer(tx, customer_id)
    preferences = await preferences_of(tx, customer_id)
    preferences.customer_id = customer_id
    stops = {each.stop_time: each for each in await store.OWN_STOPS.all(tx, customer_id=customer_id)}
    if (stop := stops.pop(stop_time, None)) is None:
        told = f"{preferences.customer} said nothing then by which contact is stopped, by that very name."
        raise FailedPrecondition("NOT_STOPPED", told, {"resource": preferences.customer})
    stop.withdraw_time = tx.now
    await store.SAVE_STOP.run(tx, **values(stop))
    tx.because(reason_code)
    told_of = fact_of(ContactStopWithdrawn, stop, reason_code=reason_code)
    tx.record(told_of, version=preferences.version)
    last = max(stops, default=stop_time)
    if last <= stop_time:
        await _take_back(tx, customer_id, stop_time)
    if stops:  # the last of which holds it from now on
        stops[last].suppressed += stop.suppressed
        await store.SAVE_STOP.run(tx, **values(stops[last]))
    else:
        await welcome_withdrawn(tx, addresses, stop)
    return await shown(tx, preferences)


async def _deny(tx: Transaction, customer_id: UUID, purposes: Sequence[Purpose], said: Said) -> None:
    """Note a no to what is allowed, and to all that is not said yet of which people look at the rows."""
    own = {each.id: each for each in await store.OWN_CONSENTS.all(tx, customer_id=customer_id)}
    holds = {each.id: each for each in await store.HOLDING.all(tx, customer_id=customer_id)}
    denied = []
    for purpose in purposes:
        for channel in CHANNEL_IDS:
            consent_id = f"{purpose.id}.{channel}"
            known = [each[consent_id] for each in (own, holds) if consent_id in each]
            known = [each for each in known if each.state is not ConsentState.UNSPECIFIED]
            silent = purpose.contact_default is Default.ALLOWED or CHANNEL_IDS[channel] in _TOLD
            allowed = any(
                each.state is ConsentState.GRANTED or each.awaits_confirmation(tx.now) for each in known
            )
            if allowed or (silent and not known):
                nothing = unsaid(customer_id, purpose.id, channel, tx.now)
                denied.append((own.get(consent_id, nothing), consent_id in own))
    await deny_all(tx, denied, said)


async def _take_back(tx: Transaction, customer_id: UUID, effective_time: datetime) -> None:
    """Have what was denied at that time, of a customer who is locked, be again what was said before it."""
    about = {"customer_id": customer_id, "effective_time": effective_time}
    before = {each.id: each for each in await store.SAID_BEFORE.all(tx, **about)}
    rows = []
    for held in await store.DENIED_AT.all(tx, **about):
        noted = replace(before.get(held.id, replace(held, state=ConsentState.UNSPECIFIED)))
        noted.kept(held.version + 1, tx.now)
        tx.record(fact_of(ConsentUpdated, noted, previous_state=held.state), version=noted.version)
        rows.append({**values(noted), "actor": tx.call.principal.subject})
    await store.APPEND_CONSENTS.rows(tx, rows)
    await store.SAVE_CONSENTS.rows(tx, rows)


async def _suppress(
    tx: Transaction, addresses: AddressKey, customer_id: UUID, categories: Sequence[str], source: str
) -> list[str]:
    """Suppress the addresses of that very name, for whoever is made of them anew; those that were not yet."""
    own = await own_addresses(tx, customer_id)
    hashes = addresses.hashes_of(own)
    held = {
        (each.address_hash, each.category)
        for each in await holding(tx, [*hashes.values()])
        if each.reason is SuppressionReason.UNSUBSCRIBED
    }
    suppressed = list[str]()
    for identifier in sorted(own, key=lambda each: hashes[each.id]):  # rows in one order
        for category in categories:
            await create_suppression(
                tx,
                addresses,
                type=identifier.type,
                reason=SuppressionReason.UNSUBSCRIBED,
                category=category,
                source=source,
                address="",
                identifier=identifier.name,
                apart=True,
            )
            if (hashes[identifier.id], category) not in held:
                suppressed.append(suppressed_by(identifier.id, category))
    return suppressed
