"""What customers allow and prefer."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from chassis.api import etags
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, NotFound, invalid
from chassis.facts import fact_of
from customer.domain.consents import CHANNEL_IDS, Consent, ConsentState, Preferences
from customer.domain.facts import ConsentUpdated, PreferencesUpdated
from customer.domain.names import customer_name
from customer.domain.timeline import Channel
from customer.store import consents as store
from customer.store.customers import LOCKED_CUSTOMER


class Said(TypedDict, total=False):
    """What can be noted of what a customer said. Without a time they say it now."""

    state: ConsentState
    source: str
    wording_version: str
    effective_time: datetime | None


async def update_consent(
    tx: Transaction, *, customer_id: UUID, consent_id: str, changes: Said, allow_missing: bool, etag: str
) -> Consent:
    """Note what the customer said. Every time it is said is kept, with who noted it.

    NotFound; FailedPrecondition CONSENT_SUPERSEDED for what was said before what is known.
    """
    await _lock(tx, customer_id)
    consent = await store.CONSENT.maybe(tx, customer_id=customer_id, id=consent_id)
    before = consent.state if consent else "UNSPECIFIED"
    said_at = changes.get("effective_time") or tx.now
    if consent is None:
        consent = await _new(tx, customer_id, consent_id, changes, allow_missing)
    elif said_at < consent.effective_time:
        raise _superseded(consent)
    etags.match(etag, consent.version, "consent.etag")
    for field, value in (changes | {"effective_time": said_at}).items():
        setattr(consent, field, value)
    consent.version, consent.update_time = consent.version + 1, tx.now
    tx.record(fact_of(ConsentUpdated, consent, previous_state=before), version=consent.version)
    await store.APPEND_CONSENT.run(tx, **values(consent), actor=tx.call.principal.subject)
    await tx.defer(store.SAVE_CONSENT, **values(consent))
    return consent


async def _new(
    tx: Transaction, customer_id: UUID, consent_id: str, changes: Said, allow_missing: bool
) -> Consent:
    """A consent of which nothing is said yet."""
    purpose_id, _, channel = consent_id.partition(".")
    if channel not in CHANNEL_IDS:
        raise invalid("consent.name", "INVALID_NAME", f"must end with .{', .'.join(CHANNEL_IDS)}")
    if not allow_missing:
        raise NotFound(f"{customer_name(customer_id)}/consents/{consent_id}")
    if "state" not in changes:
        raise invalid("consent.state", "REQUIRED", "must be given")
    if await store.PURPOSE.maybe(tx, id=purpose_id) is None:
        raise NotFound(f"purposes/{purpose_id}")
    denied = ConsentState.DENIED
    now = tx.now
    return Consent(
        customer_id, consent_id, purpose_id, CHANNEL_IDS[channel], denied, "", "", now, now, now, version=0
    )


def _superseded(held: Consent) -> FailedPrecondition:
    """What a customer said last holds, in whatever order it is noted."""
    known = held.effective_time.isoformat()
    return FailedPrecondition(
        "CONSENT_SUPERSEDED",
        f"{held.name} says what the customer said at {known}: what they said before that is past.",
        {"consent": held.name, "effective_time": known},
    )


class PreferencesChanges(TypedDict, total=False):
    """What can be preferred."""

    channels: list[Channel]


async def update_preferences(
    tx: Transaction, *, customer_id: UUID, changes: PreferencesChanges, etag: str
) -> Preferences:
    """Set the preferred channels, best first."""
    await _lock(tx, customer_id)
    preferences = await preferences_of(tx, customer_id)
    etags.match(etag, preferences.version, "preferences.etag")
    channels = list(dict.fromkeys(changes.get("channels", preferences.channels)))
    if channels != preferences.channels:
        preferences.channels = list(channels)
        preferences.version, preferences.update_time = preferences.version + 1, tx.now
        tx.record(fact_of(PreferencesUpdated, preferences), version=preferences.version)
        await tx.defer(store.SAVE_PREFERENCES, **values(preferences))
    return preferences


async def preferences_of(on: Executor, customer_id: UUID) -> Preferences:
    """How a customer wants to be reached; nothing, before they say so."""
    found = await store.PREFERENCES_OF.maybe(on, customer_id=customer_id)
    return found or Preferences(customer_id, [], None, 0)


async def _lock(tx: Transaction, customer_id: UUID) -> None:
    """One change of a customer's consents at a time. NotFound."""
    if await LOCKED_CUSTOMER.maybe(tx, id=customer_id) is None:
        raise NotFound(customer_name(customer_id))
