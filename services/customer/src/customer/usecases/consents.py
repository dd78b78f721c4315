"""What customers allow and prefer."""

import secrets
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from chassis.api import etags
from chassis.api.entities import found
from chassis.db.statement import Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound, invalid
from chassis.facts import Changes, changed, fact_of
from customer.domain.consents import (
    CHANNEL_IDS,
    CONFIRM_WITHIN,
    DAY,
    Consent,
    ConsentState,
    Preferences,
    ShownPreferences,
    may_ask,
    preferred,
    request_ended,
)
from customer.domain.contact import PROVED
from customer.domain.facts import ConsentRequested, ConsentUpdated, PreferencesUpdated
from customer.domain.identifiers import Identifier
from customer.domain.suppressions import AddressKey
from customer.names import CONSENT, IDENTIFIER, PURPOSE, WORDING_VERSION
from customer.store import consents as store
from customer.store.tables import identifiers_of
from customer.usecases.customers import lock_customer, locked
from customer.usecases.identifiers import prove
from customer.usecases.welcoming import welcome_again


class Issued(NamedTuple):
    """What confirms a consent, and until when."""

    token: str
    expire_time: datetime


class Requested(NamedTuple):
    """A yes that is to be confirmed by who has the identifier; None where it was."""

    consent: Consent
    identifier: Identifier | None


DOUBLE_OPT_IN = "double-opt-in"  # how somebody proved that they have an address
NEVER = datetime.min.replace(tzinfo=UTC)


async def update_consent(
    tx: Transaction,
    *,
    customer_id: UUID,
    consent_id: str,
    consent: Changes[Consent],
    changes: Changes[Consent],
    allow_missing: bool,
    etag: str,
) -> Consent:
    """Note `changes` to what the customer said, or the first that they say, as `consent` gives it.

    Every time it is said is kept, with who noted it. NotFound; FailedPrecondition CONSENT_SUPERSEDED;
    ResourceExhausted CONSENT_ASKED_OFTEN.
    """
    await lock_customer(tx, customer_id)
    held = await store.OWN_CONSENT.maybe(tx, customer_id=customer_id, id=consent_id)
    before = held.state if held else ConsentState.UNSPECIFIED
    if held is None or held.state is ConsentState.UNSPECIFIED:
        version = held.version if held else 0
        held, changes = await _new(tx, customer_id, consent_id, consent, allow_missing), consent
        held.version = version
    etags.match(etag, held.name, held.version)
    noted = (await _said_under_stop(tx, held, changes)).noted(changes, tx.now)
    if changes.get("wording"):
        await _require_wording(tx, noted)
    asks = False
    if changes.get("state") is ConsentState.GRANTED and await _is_confirmed(tx, noted):
        holds = await store.CONSENT.maybe(tx, customer_id=customer_id, id=consent_id)
        asks = holds is None or holds.state is not ConsentState.GRANTED
        if holds and not asks and held.state is not ConsentState.GRANTED:
            return holds  # by another of their names; by this one they confirmed nothing
    if asks:
        asked = await store.ASKED.all(
            tx, customer_id=customer_id, id=consent_id, since=tx.now - CONFIRM_WITHIN
        )
        waits = held.awaits_confirmation(tx.now)
        (of_all,) = await store.ASKED_OF_ALL.one(tx, customer_id=customer_id, since=tx.now - DAY)
        if not may_ask([each["asked"] for each in asked], of_all, waits, tx.now):
            return held
        noted.await_confirmation(tx.now)
    if noted == held:
        return held
    told = fact_of(ConsentRequested, noted) if asks else fact_of(ConsentUpdated, noted, previous_state=before)
    return await _keep(tx, noted, held.version, told)


async def issue_token(tx: Transaction, *, customer_id: UUID, consent_id: str, identifier: str) -> Issued:
    """Make what the customer confirms a yes with, who has the identifier.

    NotFound; FailedPrecondition CONSENT_NOT_REQUESTED; InvalidArgument INVALID_NAME.
    """
    held = await locked(tx, customer_id)
    _, identifier_id = IDENTIFIER.ids(identifier)
    to = _of(held.identifiers, identifier_id)
    if to is None:
        raise NotFound(identifier)
    consent = await store.OWN_CONSENT.maybe(tx, customer_id=customer_id, id=consent_id)
    if consent is None:
        raise NotFound(CONSENT.format(customer_id, consent_id))
    token = secrets.token_urlsafe()
    if (kind := PROVED.get(consent.channel)) and to.type is not kind:
        raise invalid("identifier", "INVALID_NAME", f"must be of {consent.channel}, {kind}")
    made = consent.token(_hash_of(token), identifier_id, tx.call.principal.subject, tx.now)
    await store.INSERT_TOKEN.run(tx, **values(made))
    tx.touch(consent.name)
    tx.touch(consent.customer)
    return Issued(token, made.expire_time)


async def confirm_consent(tx: Transaction, addresses: AddressKey, *, token: str) -> Consent:
    """Have a yes count, by what the customer was sent: they have what it was sent to.

    FailedPrecondition CONSENT_REQUEST_ENDED.
    """
    if (made := await store.TOKEN.maybe(tx, token_hash=_hash_of(token))) is None:
        raise request_ended()
    held = await locked(tx, made.customer_id)
    consent, identifier = await requested(tx, token, tx.now)
    if identifier is None:
        return consent
    await prove(tx, held, identifier, DOUBLE_OPT_IN)
    before = consent.state
    consent.confirm(made, tx.now)
    await welcome_again(tx, addresses, consent.customer_id, [consent])
    return await _keep(tx, consent, consent.version, fact_of(ConsentUpdated, consent, previous_state=before))


async def requested(on: Executor, token: str, now: datetime) -> Requested:
    """What a token confirms, or confirmed. FailedPrecondition CONSENT_REQUEST_ENDED."""
    made = await store.TOKEN.maybe(on, token_hash=_hash_of(token))
    if made is None:
        raise request_ended()
    about = {"customer_id": made.customer_id, "id": made.consent_id}
    consent = await store.OWN_CONSENT.maybe(on, **about)
    if consent is None:
        raise request_ended()
    if consent.confirmed_by(made):
        return Requested(consent, None)
    # Another name of theirs may have said no since.
    holds = await store.CONSENT.one(on, **about)
    overtaken = holds.state is ConsentState.DENIED and holds.effective_time > made.effective_time
    identifiers = (await identifiers_of(on, [made.customer_id]))[made.customer_id]
    sent_to = _of(identifiers, made.identifier_id)
    if overtaken or sent_to is None or not consent.waits_for(made, now):
        raise request_ended()
    return Requested(consent, sent_to)


def _of(identifiers: Sequence[Identifier], identifier_id: UUID) -> Identifier | None:
    return next((each for each in identifiers if each.id == identifier_id), None)


async def _said_under_stop(tx: Transaction, held: Consent, changes: Changes[Consent]) -> Consent:
    """What a word takes its place after: of a no of before the stop that denies it, what was said last."""
    said_at, no = changes.get("effective_time"), changes.get("state", held.state) is ConsentState.DENIED
    if held.stop_time is None or said_at is None or said_at >= held.stop_time or not no:
        return held
    said = await store.SAID.maybe(tx, customer_id=held.customer_id, id=held.id)
    if said is None or said.state is ConsentState.UNSPECIFIED:
        said = unsaid(held.customer_id, held.purpose_id, held.id.partition(".")[2], held.create_time)
    return said


async def keep_all(tx: Transaction, noted: Sequence[tuple[Consent, Consent]]) -> None:
    """Keep what is noted after what holds, of a customer who is locked: two statements however many."""
    rows = []
    for held, each in noted:
        each.kept(held.version + 1, tx.now)
        tx.record(fact_of(ConsentUpdated, each, previous_state=held.state), version=each.version)
        rows.append({**values(each), "actor": tx.call.principal.subject})
    await store.APPEND_CONSENTS.rows(tx, rows)
    await store.SAVE_CONSENTS.rows(tx, rows)


def unsaid(customer_id: UUID, purpose_id: str, channel: str, now: datetime) -> Consent:
    """A consent of which nothing is said yet, on a channel of CHANNEL_IDS."""
    nothing = ConsentState.UNSPECIFIED, "", "", NEVER
    consent_id = f"{purpose_id}.{channel}"
    return Consent(customer_id, consent_id, purpose_id, CHANNEL_IDS[channel], *nothing, now, now, version=0)


async def _keep(tx: Transaction, noted: Consent, version: int, told: Any) -> Consent:
    """Write what was noted to the ledger, as the version after."""
    noted.kept(version + 1, tx.now)
    tx.record(told, version=noted.version)
    await store.APPEND_CONSENT.run(tx, **values(noted), actor=tx.call.principal.subject)
    await tx.defer(store.SAVE_CONSENT, **values(noted))
    return noted


async def _is_confirmed(tx: Transaction, noted: Consent) -> bool:
    """Whether customers have to confirm a yes to the purpose on the channel."""
    purpose = await found(tx, PURPOSE, store.PURPOSE, noted.purpose_id)
    return noted.channel in purpose.double_opt_in_channels


async def _require_wording(tx: Transaction, noted: Consent) -> None:
    """Refuse a wording of another purpose, and one that nobody can have read. NotFound."""
    named = WORDING_VERSION.match(noted.wording)
    if named is None or named[0] != noted.purpose_id:
        allowed = (
            f"must be a version of a wording of {noted.purpose}, which ends with /versions/ and its number"
        )
        raise invalid("consent.wording", "INVALID_NAME", allowed)
    purpose_id, language, version = named
    about = {"purpose_id": purpose_id, "wording_id": language, "id": version}
    if await store.WORDING_VERSION.maybe(tx, **about) is None:
        raise NotFound(noted.wording)


def _hash_of(token: str) -> str:
    """What a token is found by: it is long enough for a hash without a key."""
    return sha256(token.encode()).hexdigest()


async def _new(
    tx: Transaction, customer_id: UUID, consent_id: str, consent: Changes[Consent], allow_missing: bool
) -> Consent:
    """A consent of which nothing is said yet."""
    purpose_id, _, channel = consent_id.partition(".")
    if channel not in CHANNEL_IDS:
        raise invalid("consent.name", "INVALID_NAME", f"must end with .{', .'.join(CHANNEL_IDS)}")
    if not allow_missing:
        name = CONSENT.format(customer_id, consent_id)
        raise NotFound(name, f"{name} was not found: what they say first is noted with allow_missing.")
    if "state" not in consent:
        raise invalid("consent.state", "REQUIRED", "must be given")
    await found(tx, PURPOSE, store.PURPOSE, purpose_id)
    return unsaid(customer_id, purpose_id, channel, tx.now)


async def update_preferences(
    tx: Transaction, *, customer_id: UUID, changes: Changes[Preferences], etag: str
) -> ShownPreferences:
    """Set the preferred channels, best first, and when the customer wants quiet."""
    await lock_customer(tx, customer_id)
    said = await store.PREFERENCES_OF.all(tx, customer_id=customer_id)
    preferences = preferred(said) or Preferences(customer_id, [], None, 0)
    etags.match(etag, preferences.name, preferences.version)
    preferences.customer_id = customer_id
    # By another name it was said for that name: their pages, by its link, are in it.
    own = next((each for each in said if each.customer_id == customer_id), None)
    preferences.language_code = own.language_code if own else ""
    preferences.time_zone = own.time_zone if own else ""
    if "channels" in changes:
        changes["channels"] = list(dict.fromkeys(changes["channels"]))
    if fields := changed(preferences, changes):
        preferences.update_time = tx.now
        told = fact_of(PreferencesUpdated, preferences, updated_fields=fields)
        tx.record(told, version=preferences.version)
        await tx.defer(store.SAVE_PREFERENCES, **values(preferences))
    return await shown(tx, preferences)


async def preferences_of(on: Executor, customer_id: UUID) -> Preferences:
    """How a customer wants to be reached, and when not; nothing, before they say so."""
    held = preferred(await store.PREFERENCES_OF.all(on, customer_id=customer_id))
    return held or Preferences(customer_id, [], None, 0)


async def shown(on: Executor, preferences: Preferences) -> ShownPreferences:
    """Preferences with that their customer wants nothing but what they have of us."""
    stop = await store.STOP.maybe(on, customer_id=preferences.customer_id)
    said = {each.name: getattr(preferences, each.name) for each in fields(Preferences)}
    return ShownPreferences(**said, contact_stop=stop)
