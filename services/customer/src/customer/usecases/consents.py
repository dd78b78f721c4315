"""What customers allow and prefer."""

from collections.abc import Sequence
from uuid import UUID

from chassis.api import etags
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.facts import fact_of
from customer.domain.consents import Consent, ConsentStatus, Preferences, Purpose
from customer.domain.facts import ConsentChanged, PreferencesChanged
from customer.domain.names import customer_name
from customer.domain.timeline import Channel
from customer.store.consents import APPEND_CONSENT, CONSENT, PREFERENCES_OF, SAVE_CONSENT, SAVE_PREFERENCES
from customer.store.customers import LOCKED_CUSTOMER


async def set_consent(
    tx: Transaction,
    customer_id: UUID,
    purpose: Purpose,
    channel: Channel,
    status: ConsentStatus,
    wording_version: str,
) -> Consent:
    """Note what the customer said. Every time it is said is kept, with who noted it. NotFound."""
    await _lock(tx, customer_id)
    held = await CONSENT.maybe(tx, customer_id=customer_id, purpose=purpose, channel=channel)
    version = held.version + 1 if held else 1
    consent = Consent(customer_id, purpose, channel, status, wording_version, tx.now, version)
    tx.record(fact_of(ConsentChanged, consent), version=version)
    await APPEND_CONSENT.run(tx, **values(consent), actor=tx.call.principal.subject)
    await tx.defer(SAVE_CONSENT, **values(consent))
    return consent


async def update_preferences(
    tx: Transaction, customer_id: UUID, channels: Sequence[Channel] | None, etag: str
) -> Preferences:
    """Set the preferred channels, best first; None leaves them. NotFound; Aborted ETAG_MISMATCH."""
    await _lock(tx, customer_id)
    preferences = await PREFERENCES_OF.maybe(tx, customer_id=customer_id) or Preferences(customer_id, [], 0)
    etags.match(etag, preferences.version, "preferences.etag")
    if channels is not None and list(channels) != preferences.channels:
        preferences.channels = list(channels)
        preferences.version += 1
        tx.record(fact_of(PreferencesChanged, preferences), version=preferences.version)
        await tx.defer(SAVE_PREFERENCES, **values(preferences))
    return preferences


async def _lock(tx: Transaction, customer_id: UUID) -> None:
    """One change of a customer's consents at a time. NotFound."""
    if await LOCKED_CUSTOMER.maybe(tx, id=customer_id) is None:
        raise NotFound(customer_name(customer_id))
