"""`delivery-receipt`: what a provider reports of a message of ours, in JSON, signed as all webhooks are."""

from collections.abc import Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from desk.edge.webhooks.contact import Contact, Delivery, NotUnderstood, Receipt, reference
from desk.edge.webhooks.kind import KIB, Kind, Line, read

PROVIDER = r"^providers/[a-z0-9]+(-[a-z0-9]+)*$"


class DeliveryReceipt(BaseModel):
    """One receipt."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Line = Field("", description="the sender's own, of this webhook")
    message: str = Field(min_length=1, max_length=320, description="the key that we gave the message")
    provider: str = Field(
        pattern=PROVIDER, description="who took it, as attempts have it: `providers/gateway`"
    )
    delivery: Delivery
    complaint: bool = Field(False, description="its reader said that it was not wanted")
    code: Line = Field("", description="the provider's own code")
    recipient: str = Field("", max_length=320, description="the address")
    time: AwareDatetime | None = Field(None, description="when that was, RFC 3339")


def receipt(bodies: Sequence[bytes]) -> Receipt:
    """The receipt. NotUnderstood."""
    told = read(DeliveryReceipt, bodies[0])
    return Receipt(
        told.provider,
        told.message,
        told.delivery,
        told.complaint,
        reference(told.code),
        told.recipient,
        told.time,
    )


def contact(bodies: Sequence[bytes], region_code: str) -> Contact:
    """None: of a message that is none of ours nobody can say whose it is. NotUnderstood."""
    raise NotUnderstood("message: must be the key of a message of ours")


DECLARED = (Kind("delivery-receipt", contact, body_max_bytes=64 * KIB, receipt=receipt),)
