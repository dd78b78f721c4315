"""The timeline: everything that happened with one customer, never changed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

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
    what was paid, of a purchase; `actor` is who acted as tokens name them.
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

    name = ENTRY.named("customer_id", "id")
    customer = CUSTOMER.named("customer_id")
