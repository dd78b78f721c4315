"""Files of customers: named after what is in them, and had by nobody until a scanner has found nothing."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition, invalid
from chassis.names import acted
from customer.domain.media_types import media_type, named
from customer.names import ATTACHMENT

MOST_OF_AN_ENTRY = 10
NAME_MAX = 100  # characters, as the contract has it
LARGEST_BYTES = 3_000_000  # fits into one message, also in REST, where three bytes are four characters
_PATH = re.compile(r"[/\\]")


class AttachmentState(StrEnum):
    """Whether its bytes are there, and may be had."""

    NOT_SCANNED = "NOT_SCANNED"
    SCANNING = "SCANNING"
    CLEAN = "CLEAN"
    INFECTED = "INFECTED"
    DELETED = "DELETED"


READABLE = (AttachmentState.NOT_SCANNED, AttachmentState.CLEAN)
GONE = (AttachmentState.INFECTED, AttachmentState.DELETED)


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """What an installation takes: bytes of one, and of all of a customer. Whether something `scans` them."""

    largest_bytes: int
    customer_bytes: int
    scans: bool


@dataclass(slots=True)
class AttachedFile:
    """What a timeline entry says of a file that it has."""

    customer_id: UUID
    attachment_id: UUID
    display_name: str
    media_type: str
    size_bytes: int
    state: AttachmentState

    attachment = ATTACHMENT.named("customer_id", "attachment_id")


@dataclass(slots=True)
class Attachment:
    """A file of a customer, without its bytes. `id` is made of the SHA-256, `actor` as tokens name it."""

    customer_id: UUID
    id: UUID
    sha256: str
    display_name: str
    media_type: str
    size_bytes: int
    state: AttachmentState
    department: str
    actor: str
    create_time: datetime
    scan_time: datetime | None = None
    delete_time: datetime | None = None
    version: int = 1

    name = ATTACHMENT.named("customer_id", "id")

    @property
    def uploader(self) -> str:
        """Who brought it, as contracts name them."""
        return acted(self.actor)

    def of_entry(self) -> AttachedFile:
        return AttachedFile(
            self.customer_id, self.id, self.display_name, self.media_type, self.size_bytes, self.state
        )

    def require_readable(self) -> None:
        """FailedPrecondition ATTACHMENT_NOT_READABLE unless its bytes may be had."""
        if self.state not in READABLE:
            told = f"The bytes of {self.name} may be had when it is NOT_SCANNED or CLEAN: it is {self.state}."
            about = {"resource": self.name, "state": self.state}
            raise FailedPrecondition("ATTACHMENT_NOT_READABLE", told, about)

    def require_there(self) -> None:
        """FailedPrecondition ATTACHMENT_DELETED of one that was deleted: nothing more refers to it."""
        if self.state is AttachmentState.DELETED:
            told = f"{self.name} was deleted: upload it again."
            raise FailedPrecondition("ATTACHMENT_DELETED", told, {"resource": self.name})

    def delete(self, now: datetime) -> None:
        """Be gone, but for that it was there."""
        self.state, self.display_name, self.delete_time = AttachmentState.DELETED, "", now
        self.version += 1

    def scanned(self, state: AttachmentState, now: datetime) -> None:
        """Be what a scanner said of it."""
        self.state, self.scan_time = state, now
        self.version += 1


@dataclass(slots=True)
class AttachmentContent:
    """The bytes of an attachment."""

    customer_id: UUID
    id: UUID
    content: bytes


def digest(content: bytes) -> tuple[UUID, str]:
    """The id of what has these bytes, and their SHA-256 in hexadecimal digits."""
    found = hashlib.sha256(content)
    number = int.from_bytes(found.digest()[:16])
    number = number & ~(0xF << 76) | (8 << 76)  # version 8, and the variant of RFC 9562
    number = number & ~(0x3 << 62) | (0x2 << 62)
    return UUID(int=number), found.hexdigest()


def check(display_name: str, content: bytes, limits: AttachmentLimits) -> tuple[str, str]:
    """The media type of a file that is taken, and what it is called.

    InvalidArgument INVALID_TEXT, REQUIRED, ATTACHMENT_TOO_LARGE, MEDIA_TYPE_REFUSED.
    """
    if _PATH.search(display_name):
        raise invalid("attachment.display_name", "INVALID_TEXT", "must be a name without / and \\")
    if not content:
        raise invalid("content", "REQUIRED", "must have at least one byte")
    if len(content) > limits.largest_bytes:
        raise invalid("content", "ATTACHMENT_TOO_LARGE", f"must be at most {limits.largest_bytes} bytes")
    found = media_type(content)
    if not found:
        told = (
            "must be a PDF, a picture, plain text, a mail, an office document without macros, or a recording"
        )
        raise invalid("content", "MEDIA_TYPE_REFUSED", told)
    return found, named(display_name, found, NAME_MAX)


def full(name: str, limits: AttachmentLimits, used_bytes: int) -> FailedPrecondition:
    """The refusal of what a customer has no room for."""
    most = limits.customer_bytes
    told = f"{name} has {used_bytes} bytes of attachments, of at most {most}: delete some first."
    about = {"resource": name, "used_bytes": str(used_bytes), "most_bytes": str(most)}
    return FailedPrecondition("ATTACHMENTS_FULL", told, about)
