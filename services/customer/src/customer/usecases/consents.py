"""What customers allow and prefer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.api import etags
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, NotFound, invalid
from chassis.facts import fact_of
from customer.domain.consents import Consent, ConsentState, Preferences
from customer.domain.facts import ConsentChanged, PreferencesChanged
from customer.domain.names import customer_name
from customer.domain.timeline import Channel
from customer.store import consents as store
from customer.store.customers import LOCKED_CUSTOMER


async def update_consent(
    tx: Transaction,
    said: tuple[UUID, str, Channel],
    changes: dict[str, Any],
    etag: str,
    *,
    allow_missing: bool,
) -> Consent:
    """Note what the customer said. Every time it is said is kept, with who noted it.

    NotFound; Aborted ETAG_MISMATCH; FailedPrecondition PURPOSE_NOT_FOUND, or CONSENT_SUPERSEDED for what was
    said before what is known.

    `said` is whose consent, to which purpose, on which channel; `changes` are the new values by field.
    """
    customer_id, purpose_id, channel = said
    await _lock(tx, customer_id)
    held = await store.CONSENT.maybe(tx, customer_id=customer_id, purpose_id=purpose_id, channel=channel)
    consent = held or Consent(*said, ConsentState.DENIED, "", "", tx.now, tx.now, version=0)
    if held is None:
        await _require_new(tx, consent, changes, allow_missing)
    etags.match(etag, consent.version, "consent.etag")
    changes = {"effective_time": tx.now} | changes
    if held is not None and changes["effective_time"] < held.effective_time:
        raise _superseded(held)
    for field, value in changes.items():
        setattr(consent, field, value)
    consent.version, consent.update_time = consent.version + 1, tx.now
    tx.record(fact_of(ConsentChanged, consent), version=consent.version)
    await store.APPEND_CONSENT.run(tx, **values(consent), actor=tx.call.principal.subject)
    await tx.defer(store.SAVE_CONSENT, **values(consent))
    return consent


async def _require_new(
    tx: Transaction, consent: Consent, changes: dict[str, Any], allow_missing: bool
) -> None:
    if not allow_missing:
        raise NotFound(consent.name)
    if "state" not in changes:
        raise invalid("consent.state", "REQUIRED", "must be given")
    if await store.PURPOSE.maybe(tx, id=consent.purpose_id) is None:
        raise no_purpose(consent.purpose)


def _superseded(held: Consent) -> FailedPrecondition:
    """What a customer said last holds, in whatever order it is noted."""
    known = held.effective_time.isoformat()
    return FailedPrecondition(
        "CONSENT_SUPERSEDED",
        f"{held.name} says what the customer said at {known}: what they said before that is past.",
        {"consent": held.name, "effective_time": known},
    )


def no_purpose(name: str) -> FailedPrecondition:
    """The refusal of a purpose that there is not."""
    told = f"There is no {name}: ListPurposes has all."
    return FailedPrecondition("PURPOSE_NOT_FOUND", told, {"purpose": name})


async def update_preferences(
    tx: Transaction, customer_id: UUID, channels: Sequence[Channel] | None, etag: str
) -> Preferences:
    """Set the preferred channels, best first; None leaves them. NotFound; Aborted ETAG_MISMATCH."""
    await _lock(tx, customer_id)
    found = await store.PREFERENCES_OF.maybe(tx, customer_id=customer_id)
    preferences = found or Preferences(customer_id, [], None, 0)
    etags.match(etag, preferences.version, "preferences.etag")
    if channels is not None and list(channels) != preferences.channels:
        preferences.channels = list(channels)
        preferences.version, preferences.update_time = preferences.version + 1, tx.now
        tx.record(fact_of(PreferencesChanged, preferences), version=preferences.version)
        await tx.defer(store.SAVE_PREFERENCES, **values(preferences))
    return preferences


async def _lock(tx: Transaction, customer_id: UUID) -> None:
    """One change of a customer's consents at a time. NotFound."""
    if await LOCKED_CUSTOMER.maybe(tx, id=customer_id) is None:
        raise NotFound(customer_name(customer_id))
