"""What rules of advice look at, and what they find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from chassis.api.messages import moment
from chassis.zones import time_zone
from customer.domain.advice import AdviceRule
from rapport.common.v1 import states_pb2

DAY = timedelta(days=1)
DAYS_AHEAD = 6  # of a birthday, and of the day of the first purchase
_TOLD = (
    states_pb2.NOTICE_STATE_REQUESTED,
    states_pb2.NOTICE_STATE_SENDING,
    states_pb2.NOTICE_STATE_SENT,
    states_pb2.NOTICE_STATE_DELIVERED,
    states_pb2.NOTICE_STATE_UNKNOWN,
)
_NOTIFIED = "rapport.cases.v1.PromiseDelayNotified"
_CONTACT = "rapport.customer.v1.InteractionRecorded"


@dataclass(frozen=True, slots=True)
class Known:
    """What lies beside a view, by the customer's names."""

    birth_date: str = ""  # as ISO 8601 has it, as far as it is known
    unreached: Sequence[tuple[str, datetime]] = ()  # addresses and numbers, and since when
    waiting: Sequence[tuple[str, datetime, datetime]] = ()  # consents: since when, and until when
    zone: str = "UTC"  # in which they live if nobody knows


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do, from when to when, and what shows that."""

    rule: AdviceRule
    since: datetime
    evidence: str = ""  # the thing that it is about; "" of rules that are of no thing
    occasion: str = ""  # what makes another one of it, of the same thing
    until: datetime | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """The same for the same cause, under whichever of the customer's names."""
        return advice_id(self.rule, self.evidence, self.occasion)

    def holds(self, now: datetime) -> bool:
        """Whether there is cause for it then."""
        return self.since <= now and (self.until is None or now < self.until)


def advice_id(rule: AdviceRule, evidence: str = "", occasion: str = "") -> UUID:
    """What the answer to advice is found by."""
    return uuid5(NAMESPACE_URL, f"advice/{rule}/{evidence}/{occasion}")


@dataclass(frozen=True, slots=True)
class Seen:
    """A view, what lies beside it, and when it is looked at."""

    view: Any
    known: Known
    now: datetime
    told: set[str]  # promises of which the customer was told that they slip, or is being told
    zone: ZoneInfo  # where they live

    @classmethod
    def of(cls, view: Any, known: Known, now: datetime) -> Self:
        """What rules look at."""
        told = {each.promise for each in view.notices if each.state in _TOLD}
        told |= {each.resource for each in view.latest_timeline_entries if each.event_type == _NOTIFIED}
        return cls(view, known, now, told, time_zone(view.time_zone) or ZoneInfo(known.zone))

    def contacted(self) -> datetime | None:
        """When there was contact last, as far as a view shows that."""
        for each in self.view.latest_timeline_entries:
            if each.event_type == _CONTACT:
                return moment(each.occur_time)
        return None

    def next_day(self, month_day: str) -> tuple[date, datetime, datetime]:
        """The next day of that name, such as `03-14`, and from when to when it is near."""
        today = self.now.astimezone(self.zone).date()
        day = _day(today.year, month_day)
        if day < today:
            day = _day(today.year + 1, month_day)
        return day, self._midnight(day - DAYS_AHEAD * DAY), self._midnight(day + DAY)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


def _day(year: int, month_day: str) -> date:
    try:
        return date.fromisoformat(f"{year}-{month_day}")
    except ValueError:  # the 29th of February is the last of it
        return date(year, 2, 28)
