"""Links to customers' own pages: tokens made of a name under a key, and known again without being kept.

A message that was sent years ago still opens the pages, and no row was written for it. Keys follow each
other: the first makes tokens, all of them open. See docs/adr/0088-a-customers-link-is-made-and-not-kept.md.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chassis.errors import FailedPrecondition, Refusal
from customer.names import CUSTOMER, SELF_SERVICE_LINK

KEY_LEAST = 32  # characters
KEYS_MOST = 8
_MAC_BYTES = 20  # 160 bits
_ID_BYTES = 16
TOKEN_LENGTH = (_ID_BYTES + _MAC_BYTES) // 3 * 4
_PURPOSE = b"rapport customer link 1\0"  # so that no other use of the key makes the same


class LinkNotFound(Refusal, code="NOT_FOUND"):
    """It opens nothing: wrong, revoked or of nobody, which nobody is told."""

    def __init__(self) -> None:
        super().__init__("SELF_SERVICE_LINK_NOT_FOUND", "This link opens nothing, or nothing any more.")


@dataclass(slots=True)
class LinkGeneration:
    """How often a customer's links were taken back: what was made before is of a generation that is over."""

    customer_id: UUID
    generation: int
    update_time: datetime

    name = SELF_SERVICE_LINK.named("customer_id")
    customer = CUSTOMER.named("customer_id")


@dataclass(slots=True)
class Holder:
    """A customer by the very name that a link was made for, and the generation that opens."""

    id: UUID
    language_code: str
    generation: int

    name = CUSTOMER.named("id")


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """Makes tokens and knows them again, by keys of which the first is in use; without any, no links."""

    keys: tuple[str, ...] = field(repr=False)

    def token(self, customer_id: UUID, generation: int) -> str:
        """What the link of a customer holds. FailedPrecondition `NO_SELF_SERVICE_LINK_KEYS`."""
        if not self.keys:
            told = "This installation makes no links for customers: RAPPORT_LINK_KEYS is not set."
            raise FailedPrecondition("NO_SELF_SERVICE_LINK_KEYS", told)
        mac = _mac(self.keys[0], customer_id, generation)
        return base64.urlsafe_b64encode(customer_id.bytes + mac).decode()

    def opens(self, token: str, linked: Holder | None) -> bool:
        """Whether a token is the customer's now, by any key. It takes as long for one as for another."""
        customer_id, mac = parsed(token)
        generation = linked.generation if linked else 0
        found = False
        for key in self.keys:
            found |= hmac.compare_digest(mac, _mac(key, customer_id, generation))
        return found and linked is not None and linked.id == customer_id


def parsed(token: str) -> tuple[UUID, bytes]:
    """The name that a token speaks of, and what is to prove it. LinkNotFound for what no token looks like."""
    try:
        held = base64.urlsafe_b64decode(token.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        raise LinkNotFound() from None
    # Written in one way alone: the other alphabet, and what is in neither, are read as well.
    if len(token) != TOKEN_LENGTH or base64.urlsafe_b64encode(held).decode() != token:
        raise LinkNotFound()
    return UUID(bytes=held[:_ID_BYTES]), held[_ID_BYTES:]


def _mac(key: str, customer_id: UUID, generation: int) -> bytes:
    of = _PURPOSE + customer_id.bytes + generation.to_bytes(8, "big")
    return hmac.digest(key.encode(), of, "sha256")[:_MAC_BYTES]
