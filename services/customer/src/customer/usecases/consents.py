"""What contact with customers is for, and what they allow and prefer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.api import etags
from chassis.api.entities import created, found, own_department, owned, save
from chassis.db.database import Database
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, invalid
from chassis.facts import changed, fact_of
from chassis.zones import time_zone
from customer.domain.consents import (
    CHANNEL_IDS,
    Consent,
    ConsentState,
    Preferences,
    Said,
    preferred,
)
from customer.domain.contact import Contact, choose_contact
from customer.domain.customers import Customer
from customer.domain.facts import ConsentUpdated, PreferencesUpdated, PurposeCreated, PurposeUpdated
from customer.domain.purposes import Default, LegalBasis, Purpose
from customer.domain.quiet import Pause, QuietHours, quiet_at
from customer.domain.suppressions import AddressKey, suppressed
from customer.domain.timeline import Channel
from customer.names import CONSENT, PURPOSE
from customer.store import consents as store
from customer.store.consents import INSERT_PURPOSE, LOCK_PURPOSE, UPDATE_PURPOSE
from customer.store.tables import identifiers_of
from customer.usecases.customers import lock_customer
from customer.usecases.suppressions import holding


class PurposeChanges(TypedDict, total=False):
    """What of a purpose can be put otherwise."""

    display_name: str
    description: str
    legal_basis: LegalBasis | None
    category: str


async def create_purpose(
    tx: Transaction,
    *,
    purpose_id: str,
    display_name: str,
    description: str,
    department_id: str | None,
    contact_default: Default,
    legal_basis: LegalBasis | None,
    category: str,
) -> Purpose:
    """Create a purpose.

    AlreadyExists RESOURCE_EXISTS, PermissionDenied NOT_OWNER, InvalidArgument INVALID_LEGAL_BASIS.
    """
    owner = own_department(tx, department_id, "purpose.department")
    purpose = Purpose(
        purpose_id,
        display_name,
        description,
        owner,
        contact_default,
        tx.now,
        tx.now,
        version=1,
        legal_basis=legal_basis,
        category=category,
    )
    purpose.require_lawful()
    tx.require_owner(purpose)
    await created(tx, INSERT_PURPOSE, purpose)
    tx.record(fact_of(PurposeCreated, purpose), version=purpose.version)
    return purpose


async def update_purpose(tx: Transaction, *, purpose_id: str, changes: PurposeChanges, etag: str) -> Purpose:
    """Change how a purpose is called, described, lawful and kept apart.

    PermissionDenied NOT_OWNER, InvalidArgument INVALID_LEGAL_BASIS.
    """
    purpose = await owned(tx, PURPOSE, LOCK_PURPOSE, purpose_id, etag=etag)
    if fields := changed(purpose, changes):
        purpose.require_lawful()
        await save(tx, UPDATE_PURPOSE, purpose, fact_of(PurposeUpdated, purpose, updated_fields=fields))
    return purpose


_NEVER = datetime.min.replace(tzinfo=UTC)


async def update_consent(
    tx: Transaction,
    *,
    customer_id: UUID,
    consent_id: str,
    consent: Said,
    changes: Said,
    allow_missing: bool,
    etag: str,
) -> Consent:
    """Note `changes` to what the customer said, or the first that they say, as `consent` gives it.

    Every time it is said is kept, with who noted it. NotFound; FailedPrecondition CONSENT_SUPERSEDED.
    """
    await lock_customer(tx, customer_id)
    held = await store.OWN_CONSENT.maybe(tx, customer_id=customer_id, id=consent_id)
    before = held.state if held else "UNSPECIFIED"
    if held is None:
        held, changes = await _new(tx, customer_id, consent_id, consent, allow_missing), consent
    etags.match(etag, held.name, held.version)
    noted = held.noted(changes, tx.now)
    if noted == held:
        return held
    noted.version, noted.update_time = held.version + 1, tx.now
    tx.record(fact_of(ConsentUpdated, noted, previous_state=before), version=noted.version)
    await store.APPEND_CONSENT.run(tx, **values(noted), actor=tx.call.principal.subject)
    await tx.defer(store.SAVE_CONSENT, **values(noted))
    return noted


async def _new(
    tx: Transaction, customer_id: UUID, consent_id: str, consent: Said, allow_missing: bool
) -> Consent:
    """A consent of which nothing is said yet."""
    purpose_id, _, channel = consent_id.partition(".")
    if channel not in CHANNEL_IDS:
        raise invalid("consent.name", "INVALID_NAME", f"must end with .{', .'.join(CHANNEL_IDS)}")
    if not allow_missing:
        raise NotFound(CONSENT.format(customer_id, consent_id))
    if "state" not in consent:
        raise invalid("consent.state", "REQUIRED", "must be given")
    await found(tx, PURPOSE, store.PURPOSE, purpose_id)
    unsaid = ConsentState.DENIED, "", "", _NEVER
    return Consent(
        customer_id, consent_id, purpose_id, CHANNEL_IDS[channel], *unsaid, tx.now, tx.now, version=0
    )


class PreferencesChanges(TypedDict, total=False):
    """What can be preferred."""

    channels: list[Channel]
    quiet_hours: list[QuietHours]
    pauses: list[Pause]


async def update_preferences(
    tx: Transaction, *, customer_id: UUID, changes: PreferencesChanges, etag: str
) -> Preferences:
    """Set the preferred channels, best first, and when the customer wants quiet."""
    await lock_customer(tx, customer_id)
    preferences = await preferences_of(tx, customer_id)
    etags.match(etag, preferences.name, preferences.version)
    preferences.customer_id = customer_id
    if "channels" in changes:
        changes["channels"] = list(dict.fromkeys(changes["channels"]))
    if fields := changed(preferences, changes):
        preferences.update_time = tx.now
        told = fact_of(PreferencesUpdated, preferences, updated_fields=fields)
        tx.record(told, version=preferences.version)
        await tx.defer(store.SAVE_PREFERENCES, **values(preferences))
    return preferences


async def preferences_of(on: Executor, customer_id: UUID) -> Preferences:
    """How a customer wants to be reached, and when not; nothing, before they say so."""
    held = preferred(await store.PREFERENCES_OF.all(on, customer_id=customer_id))
    return held or Preferences(customer_id, [], None, 0)


async def check_contact(
    on: Database,
    addresses: AddressKey,
    customer: Customer,
    name_id: UUID,
    purpose_id: str,
    channels: Sequence[Channel],
    *,
    urgent: bool,
) -> Contact:
    """Whether and where a customer, by the name `name_id`, may be contacted now. NotFound for the purpose."""
    # By the name that was asked for: they may just be told apart from the customer who was found.
    standings = await store.STANDINGS.all(on, customer_id=name_id, purpose_id=purpose_id)
    if not standings:
        raise NotFound(PURPOSE.format(purpose_id))
    preferences = await preferences_of(on, name_id)
    identifiers = (await identifiers_of(on, [name_id]))[name_id]
    purpose, hashes = standings[0], addresses.hashes_of(identifiers)
    kept = suppressed(
        identifiers,
        hashes,
        [
            each
            for each in await holding(on, [*hashes.values()])
            if each.keeps_from(purpose.legal_basis, purpose.category, urgent=urgent)
        ],
    )
    contact = choose_contact(standings, channels, preferences.channels, identifiers, kept)
    if urgent:
        contact = contact.past_quiet()
    else:
        zone = time_zone(customer.time_zone) or ZoneInfo("UTC")
        quiet = quiet_at(preferences.quiet_hours, preferences.pauses, zone, on.clock.now())
        contact = contact.unless(quiet, {"time_zone": zone.key, "preferences": preferences.name})
    return contact
