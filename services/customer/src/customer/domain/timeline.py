"""The timeline: everything that happened with one customer. Only whose a contact is may be said anew."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition
from customer.domain.attachments import AttachedFile
from customer.domain.facts import TimelineEntryAssigned
from customer.names import CUSTOMER, ENTRY

INTERACTION = "rapport.customer.v1.InteractionRecorded"  # what an entry that is no fact of others says


class Channel(StrEnum):
    """The touch points. UNSPECIFIED stands for facts that have none."""

    UNSPECIFIED = "UNSPECIFIED"
    VOICE = "VOICE"
    IVR = "IVR"
    EMAIL = "EMAIL"
    CHAT = "CHAT"
    SMS = "SMS"
    WEB = "WEB"
    APP = "APP"
    SOCIAL = "SOCIAL"
    FAX = "FAX"
    LETTER = "LETTER"
    FIELD_VISIT = "FIELD_VISIT"
    IN_PERSON = "IN_PERSON"


class Direction(StrEnum):
    """Who spoke first."""

    UNSPECIFIED = "UNSPECIFIED"
    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"


@dataclass(slots=True)
class TimelineEntry:
    """An interaction, or a fact of any department. `id` of a fact is the id of its event.

    `service` is the id of the service that told it, `department` the name of whose it is; `amount` is
    what was paid, of a purchase; `actor` is who acted as tokens name them. `assigned_customer_id` is whose a
    person said that it is, None when it is of whom it was recorded with. `outcome_code` is how a contact
    ended and `duration` how long it took, where somebody said so. `attachment_ids`, with blanks between, are
    of files of the customer with whom it was recorded: text, for rows are inserted as arrays of columns.
    """

    id: UUID
    customer_id: UUID
    occur_time: datetime
    event_type: str
    service: str
    resource: str
    reference: str
    channel: Channel
    direction: Direction
    topic: str
    summary: str
    department: str
    actor: str
    trace_id: str
    amount: Decimal | None = None
    currency_code: str = ""
    reason_code: str = ""
    assigned_customer_id: UUID | None = None
    version: int = 1
    outcome_code: str = ""
    duration: timedelta | None = None
    attachment_ids: str = ""

    name = ENTRY.named("customer_id", "id")
    assigned_customer = CUSTOMER.named("assigned_customer_id")

    @property
    def whose_id(self) -> UUID:
        """By which name it is on a timeline: as it was recorded, unless a person said otherwise."""
        return self.assigned_customer_id or self.customer_id

    @property
    def customer(self) -> str:
        """Whose it is."""
        return CUSTOMER.format(self.whose_id)

    def assign(self, customer_id: UUID) -> TimelineEntryAssigned:
        """Be of that customer, who is another than now."""
        before = self.customer
        self.assigned_customer_id = None if customer_id == self.customer_id else customer_id
        self.version += 1
        return TimelineEntryAssigned(
            timeline_entry=self.name, customer=self.customer, previous_customer=before
        )

    def require_contact(self) -> None:
        """Refuse for what a service told: whose that is, it says. FailedPrecondition NOT_A_CONTACT."""
        if self.event_type != INTERACTION:
            told = f"{self.name} is a fact of the service {self.service}: only a contact is assigned."
            about = {"resource": self.name, "service": self.service}
            raise FailedPrecondition("NOT_A_CONTACT", told, about)


@dataclass(slots=True)
class ShownEntry(TimelineEntry):
    """An entry with what is known of its files, in their order."""

    files: list[AttachedFile] = field(default_factory=list)
