"""A notice in the inbox that its customer reads in an app."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifications.names import INBOX_MESSAGE


@dataclass(slots=True)
class InboxMessage:
    """What the customer reads, personal: the one text of a notice that is kept, until `expire_time`."""

    id: UUID
    customer_id: UUID
    notice: str
    key: str  # by which handing it over again is known: that of the notice's attempts
    subject: str
    body: str
    html: str  # "" where the template has none
    language_code: str
    create_time: datetime
    expire_time: datetime
    read_time: datetime | None = None

    name = INBOX_MESSAGE.named("customer_id", "id")
