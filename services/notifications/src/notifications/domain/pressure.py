"""How many messages a customer is sent: in a week by all departments together, and in a day by one sender."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

PERIOD, DAY = timedelta(days=7), timedelta(days=1)
_SOON = timedelta(minutes=1)  # by when it is known what becomes of those that are under way


@dataclass(frozen=True, slots=True)
class Budget:
    """How many messages a customer is sent at most within `PERIOD`, by whomever."""

    of_all: int
    by_category: Mapping[str, int]  # of purposes; one that is not here has what all have together

    def of(self, category: str) -> int:
        """How many for purposes of a category."""
        return min(self.of_all, self.by_category.get(category, self.of_all))


@dataclass(frozen=True, slots=True)
class Contact:
    """A message that a customer was sent lately, or is being sent."""

    category: str
    send_time: datetime | None  # None while it is not over


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


def room_for(category: str, contacts: Sequence[Contact], budget: Budget, now: datetime) -> datetime | None:
    """As `room_at`, among all `contacts`, and those of its category."""
    alike = [each for each in contacts if each.category == category]
    rooms = [
        _room_among(contacts, budget.of_all, now),
        _room_among(alike, budget.of(category), now),
    ]
    return max(filter(None, rooms), default=None)


def _room_among(contacts: Sequence[Contact], most: int, now: datetime) -> datetime | None:
    sent = sorted((each.send_time for each in contacts if each.send_time), reverse=True)
    return room_at(sent, len(contacts) - len(sent), most, now)


def crowd(going: Sequence[datetime], at: datetime) -> int:
    """How many of these messages fall into one `DAY` with another at `at`: of all such days the most.

    Args:
        going: when others go, from `DAY` before to `DAY` after `at`.
        at: when this one does.
    """
    ordered = sorted([*going, at])
    return max(bisect_left(ordered, begin + DAY) - i - 1 for i, begin in enumerate(ordered) if begin <= at)
