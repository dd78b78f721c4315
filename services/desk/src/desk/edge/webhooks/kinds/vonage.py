"""`vonage-status`: what Vonage reports of a text message, by its Messages API, version 1."""

from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from desk.edge.webhooks.contact import Contact, Delivery, NotUnderstood, Receipt, reference
from desk.edge.webhooks.kind import KIB, Glance, Kind, Line, read

# `submitted` is on its way. Why it did not arrive it does not say so that an address could be blamed for it.
_DELIVERIES: dict[str, Delivery] = {
    "submitted": "DELAYED",
    "delivered": "DELIVERED",
    "read": "DELIVERED",
    "rejected": "TEMPORARY_FAILURE",
    "undeliverable": "TEMPORARY_FAILURE",
}


PROVIDER = "providers/vonage"


class Fault(BaseModel):
    """Why a message did not arrive."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: Line = Field("", description="its code")


class MessageStatus(BaseModel):
    """How it is with a message."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_uuid: str = Field(min_length=1, max_length=64, description="its own id of the message")
    client_ref: str = Field(min_length=1, max_length=100, description="the key that we gave the message")
    status: Literal["submitted", "delivered", "read", "rejected", "undeliverable"]
    to: Line = Field("", description="the number, without +")
    timestamp: AwareDatetime | None = Field(None, description="when that was, RFC 3339")
    error: Fault | None = None


def receipt(bodies: Sequence[bytes]) -> Receipt:
    """The receipt. NotUnderstood."""
    told = read(MessageStatus, bodies[0])
    code = reference(told.error.title) if told.error else ""
    number = f"+{told.to.removeprefix('+')}" if told.to else ""
    return Receipt(PROVIDER, told.client_ref, _DELIVERIES[told.status], False, code, number, told.timestamp)


def glance(body: bytes, region_code: str) -> Glance:
    """It says each status of a message once, and again when we did not answer. NotUnderstood."""
    told = read(MessageStatus, body)
    return Glance(f"{told.message_uuid} {told.status}")


def contact(bodies: Sequence[bytes], region_code: str) -> Contact:
    """None: of a message that is none of ours nobody can say whose it is. NotUnderstood."""
    raise NotUnderstood("client_ref: must be the key of a message of ours")


DECLARED = (
    Kind("vonage-status", contact, body_max_bytes=64 * KIB, glance=glance, receipt=receipt, by_jwt=True),
)
