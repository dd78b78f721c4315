"""How many messages a customer is sent at most in a week, by all departments together."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from notifications.domain.notice import Notice
from notifications.domain.template import SERVICE

PERIOD = timedelta(days=7)
CONTACT_PRESSURE = "contact-pressure"
_SOON = timedelta(minutes=1)  # by when it is known what becomes of those that are under way


def is_exempt(notice: Notice) -> bool:
    """Whether it is part of what the customer has of us, or urgent: counted, and never kept back."""
    return notice.urgent or notice.purpose == SERVICE


def room_at(sent: Sequence[datetime], under_way: int, most: int, now: datetime) -> datetime | None:
    """When there is room for another message; None when there is now.

    Args:
        sent: when messages were sent within `PERIOD`, the latest first.
        under_way: how many are being sent.
        most: how many there may be, 1 or more.
        now: by the service's clock.
    """
    if len(sent) + under_way < most:
        return None
    last = most - under_way - 1  # once this one is over there is room
    return sent[last] + PERIOD if last >= 0 else now + _SOON
