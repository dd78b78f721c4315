"""Stopping everything that a customer does not need: purposes of now and later, and imports.

Whoever says so, by their link or to a colleague, says the same.

What is allowed now is denied, a row for each, so that whoever reads consents reads it; all of them at once,
for departments may have hundreds of purposes. What is not said yet, of purposes that are created later too,
is denied by the stop itself. And their own addresses are suppressed by category, which holds for whoever is
made of them anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of
from customer.domain.consents import CHANNEL_IDS, Consent, ConsentState, ShownPreferences
from customer.domain.contact import REACHED_BY
from customer.domain.facts import ContactStopped, ContactStopWithdrawn
from customer.domain.links import LinkKeys
from customer.domain.purposes import Default, Purpose
from customer.domain.stops import ContactStop
from customer.domain.suppressions import AddressKey
from customer.domain.timeline import Channel
from customer.store import consents as store
from customer.store.suppressions import LOCK_UNSUBSCRIBED
from customer.usecases.consents import NEVER, keep_all, preferences_of, shown, unsaid
from customer.usecases.customers import lock_customer
from customer.usecases.opening import linked
from customer.usecases.suppressions import own_addresses, release_by_stop, suppress_by_stop

STOP_WITHDRAWN = "stop-withdrawn"
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
    """Note that a customer wants nothing but what they have of us. NotFound.

    Said again of the same source before anything else is said it is the same stop.
    """
    await lock_customer(tx, customer_id)
    preferences = await preferences_of(tx, customer_id)
    stops = await store.OWN_STOPS.all(tx, customer_id=customer_id)
    own = {each.id: each for each in await store.OWN_CONSENTS.all(tx, customer_id=customer_id)}
    holds = {each.id: each for each in await store.HOLDING.all(tx, customer_id=customer_id)}
    said = max((each.effective_time for each in (*own.values(), *holds.values())), default=NEVER)
    # Clocks differ, and who waited for the customer has an earlier now: it is said after all that is known.
    last = max([said, *(each.stop_time for each in stops)])
    now = max(tx.now, last + timedelta(microseconds=1)) if last > NEVER else tx.now
    stop = ContactStop(customer_id, now, tx.call.principal.subject, source, proof)
    same = (each for each in stops if each.withdraw_time is None and stop.repeats(each))
    if (before := next(same, None)) and said <= before.stop_time:
        stop = before
    else:
        tx.record(fact_of(ContactStopped, stop), version=preferences.version)
    purposes = await stoppable(tx)
    await _deny(tx, stop, purposes, own, holds)
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

    All is as if it had never been said: what other stops deny and suppress stays so, and whatever else was
    said.
    """
    await lock_customer(tx, customer_id)
    preferences = await preferences_of(tx, customer_id)
    preferences.customer_id = customer_id
    own = await own_addresses(tx, customer_id)
    hashes = addresses.hashes_of(own)
    # Locked before the stop is read: whoever says it for themselves at this moment has it forget that.
    suppressed = await LOCK_UNSUBSCRIBED.all(tx, hashes=sorted(set(hashes.values())))
    known = await store.OWN_STOPS.all(tx, customer_id=customer_id)
    stops = {each.stop_time: each for each in known if each.withdraw_time is None}
    if (stop := stops.pop(stop_time, None)) is None:
        told = f"{preferences.customer} said nothing then by which contact is stopped, by that very name."
        raise FailedPrecondition("NOT_STOPPED", told, {"resource": preferences.customer})
    stop.withdraw_time = tx.now
    tx.because(reason_code)
    told_of = fact_of(ContactStopWithdrawn, stop, reason_code=reason_code)
    tx.record(told_of, version=preferences.version)
    await _take_back(tx, stop, [*stops.values()])
    was, stop.suppressed = replace(stop), []
    await store.SAVE_STOP.run(tx, **values(stop))
    for each in suppressed:
        same = [i for i in own if hashes[i.id] == each.address_hash and was.suppresses(i.id, each.category)]
        if same:
            await release_by_stop(tx, each, same, STOP_WITHDRAWN)
    return await shown(tx, preferences)


async def _deny(
    tx: Transaction,
    stop: ContactStop,
    purposes: Sequence[Purpose],
    own: Mapping[str, Consent],
    holds: Mapping[str, Consent],
) -> None:
    """Note a no to what is allowed, and to all that is not said yet of which people look at the rows."""
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
                held = own.get(consent_id) or unsaid(stop.customer_id, purpose.id, channel, tx.now)
                denied.append((held, held.stopped(stop)))
    await keep_all(tx, denied)


async def _take_back(tx: Transaction, stop: ContactStop, others: Sequence[ContactStop]) -> None:
    """Have what it denies be what was said last, or denied by the first of the others since then."""
    about = {"customer_id": stop.customer_id}
    said = {each.id: each for each in await store.ALL_SAID.all(tx, **about)}
    noted = []
    for held in await store.DENIED_BY.all(tx, **about, stop_time=stop.stop_time):
        before = said.get(held.id) or replace(held, state=ConsentState.UNSPECIFIED, stop_time=None)
        since = NEVER if before.state is ConsentState.UNSPECIFIED else before.effective_time
        later = [each for each in others if each.stop_time > since]
        first = min(later, key=lambda each: each.stop_time, default=None)
        noted.append((held, before.stopped(first) if first else replace(before)))
    await keep_all(tx, noted)


async def _suppress(
    tx: Transaction, addresses: AddressKey, customer_id: UUID, categories: Sequence[str], source: str
) -> list[str]:
    """Suppress the addresses of that very name, for whoever is made of them anew; what stops alone do."""
    own = await own_addresses(tx, customer_id)
    hashes = addresses.hashes_of(own)
    suppressed = list[str]()
    for identifier in sorted(own, key=lambda each: hashes[each.id]):  # rows in one order
        suppressed += await suppress_by_stop(tx, addresses, identifier, categories, source)
    return suppressed
