"""Stopping everything that a customer does not need, by their link: purposes of now and later, and imports.

What is allowed now is denied, a row for each, so that whoever reads consents reads it; all of them at once,
for departments may have hundreds of purposes. What is not said yet, of purposes that are created later too,
is denied by the stop itself. And their own addresses are suppressed by category, which holds for whoever is
made of them anew.
"""

from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from customer.domain.consents import CHANNEL_IDS, ConsentState, ContactStop, Said
from customer.domain.contact import INBOX, REACHED_BY
from customer.domain.links import LinkKeys
from customer.domain.purposes import Default, Purpose
from customer.domain.suppressions import AddressKey, SuppressionReason
from customer.domain.timeline import Channel
from customer.store import consents as store
from customer.usecases.consents import deny_all, unsaid
from customer.usecases.customers import lock_customer
from customer.usecases.opening import linked
from customer.usecases.suppressions import create_suppression, own_addresses

# By which we write and call: there it is said also of what nobody allowed, for people to see.
_TOLD = {*REACHED_BY, INBOX, Channel.LETTER}


async def stoppable(on: Executor) -> list[Purpose]:
    """The purposes that customers can do without."""
    return [each for each in await store.ALL_PURPOSES.all(on) if not each.essential]


async def stop_self_service_contact(
    tx: Transaction, keys: LinkKeys, addresses: AddressKey, *, token: str, source: str
) -> None:
    """Note that a customer wants nothing but what they have of us. LinkNotFound."""
    holder = await linked(tx, keys, token)
    await lock_customer(tx, holder.id)
    own = {each.id: each for each in await store.OWN_CONSENTS.all(tx, customer_id=holder.id)}
    holds = {each.id: each for each in await store.HOLDING.all(tx, customer_id=holder.id)}
    await store.INSERT_STOP.run(tx, **values(ContactStop(holder.id, tx.now)))
    tx.touch(holder.name)
    said: Said = {"source": source, "proof": f"selfServiceLinks/{holder.generation}"}
    purposes = await stoppable(tx)
    denied = []
    for purpose in purposes:
        for channel in CHANNEL_IDS:
            consent_id = f"{purpose.id}.{channel}"
            known = [each[consent_id] for each in (own, holds) if consent_id in each]
            silent = purpose.contact_default is Default.ALLOWED or CHANNEL_IDS[channel] in _TOLD
            allowed = any(
                each.state is ConsentState.GRANTED or each.awaits_confirmation(tx.now) for each in known
            )
            if allowed or (silent and not known):
                nothing = unsaid(holder.id, purpose.id, channel, tx.now)
                denied.append((own.get(consent_id, nothing), consent_id in own))
    await deny_all(tx, denied, said)
    if addresses.pepper:
        categories = sorted({each.category for each in purposes if each.category})
        own_ones = await own_addresses(tx, holder.id)
        hashes = addresses.hashes_of(own_ones)
        for identifier in sorted(own_ones, key=lambda each: hashes[each.id]):  # rows in one order
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
                )
