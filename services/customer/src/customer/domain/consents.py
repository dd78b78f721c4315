"""Consent and preferences, and the one question a sender asks: may I, and where."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from customer.domain.identifiers import Identifier, IdentifierType, Quality
from customer.domain.names import consent_name, customer_name, preferences_name
from customer.domain.timeline import Channel


class Purpose(StrEnum):
    """What a contact is for."""

    SERVICE = "SERVICE"
    MARKETING = "MARKETING"


class ConsentStatus(StrEnum):
    """What the customer said. Before they say anything the purpose's default holds."""

    GRANTED = "GRANTED"
    DENIED = "DENIED"


# What we promised or must tell is welcome until refused; advertising is not until asked for.
ALLOWED_UNASKED = {Purpose.SERVICE: True, Purpose.MARKETING: False}

# The handles by which a channel reaches somebody.
REACHED_BY = {
    Channel.EMAIL: IdentifierType.EMAIL,
    Channel.SMS: IdentifierType.PHONE,
    Channel.VOICE: IdentifierType.PHONE,
    Channel.FAX: IdentifierType.FAX,
}


@dataclass(slots=True)
class Consent:
    """What a customer said about one purpose on one channel."""

    customer_id: UUID
    purpose: Purpose
    channel: Channel
    status: ConsentStatus
    wording_version: str
    update_time: datetime
    version: int

    @property
    def name(self) -> str:
        """`customers/{uuid}/consents/{purpose}.{channel}`."""
        return consent_name(self.customer_id, self.key)

    @property
    def customer(self) -> str:
        """`customers/{uuid}`."""
        return customer_name(self.customer_id)

    @property
    def key(self) -> str:
        """The last segment of its name: `service.email`, `marketing.field-visit`."""
        return f"{self.purpose}.{self.channel}".lower().replace("_", "-")


@dataclass(slots=True)
class Preferences:
    """How a customer wants to be reached: channels, best first. Version 0 has never been set."""

    customer_id: UUID
    channels: list[str]
    version: int

    @property
    def name(self) -> str:
        """`customers/{uuid}/preferences`."""
        return preferences_name(self.customer_id)

    @property
    def customer(self) -> str:
        """`customers/{uuid}`."""
        return customer_name(self.customer_id)


@dataclass(frozen=True, slots=True)
class Contact:
    """Where to send, or why not to: `consent-denied` or `no-address`."""

    allowed: bool
    reason_code: str = ""
    channel: Channel = Channel.UNSPECIFIED
    address: str = ""


def choose_contact(
    purpose: Purpose,
    offered: Sequence[Channel],
    preferred: Sequence[str],
    consents: Iterable[Consent],
    identifiers: Sequence[Identifier],
) -> Contact:
    """The first channel that the customer allows and can be reached on.

    Channels the customer prefers come first, in their order; then the rest of `offered`, best first. A
    customer who never said is taken to prefer e-mail.
    """
    said = {consent.channel: consent.status for consent in consents if consent.purpose == purpose}
    wishes = list(preferred) or [Channel.EMAIL]
    ranked = sorted(offered, key=lambda channel: wishes.index(channel) if channel in wishes else len(wishes))
    permitted = [channel for channel in ranked if _allows(purpose, said.get(channel))]
    for channel in permitted:
        address = _address(channel, identifiers)
        if address:
            return Contact(True, channel=channel, address=address)
    return Contact(False, reason_code="no-address" if permitted else "consent-denied")


def _allows(purpose: Purpose, said: ConsentStatus | None) -> bool:
    return ALLOWED_UNASKED[purpose] if said is None else said == ConsentStatus.GRANTED


def _address(channel: Channel, identifiers: Sequence[Identifier]) -> str:
    """The best address on a channel: valid before possible, then the one we have had longest."""
    kind = REACHED_BY.get(channel)
    known = [i for i in identifiers if i.type == kind and i.normalized_value]
    best = min(known, key=lambda i: (i.quality != Quality.VALID, i.create_time, i.id), default=None)
    if best is None:
        return ""
    return (
        best.value.strip() if best.type == IdentifierType.EMAIL else best.normalized_value.partition(";")[0]
    )
