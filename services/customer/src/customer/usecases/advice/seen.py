"""What rules of advice look at, and what they find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter, itemgetter
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
_BAD_NEWS, _ALREADY_TOLD = "promise-at-risk", "already-told"  # of notices: a kind, and a reason
_EVER = datetime.min.replace(tzinfo=UTC)
_AT_RISK = "rapport.cases.v1.PromiseAtRisk"
RECOVERED = "rapport.cases.v1.PromiseRecovered"
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
    told: Mapping[str, datetime]  # when the customer was told last that a promise slips, or is being told
    zone: ZoneInfo  # where they live

    @classmethod
    def of(cls, view: Any, known: Known, now: datetime) -> Self:
        """What rules look at."""
        return cls(view, known, now, _told(view), time_zone(view.time_zone) or ZoneInfo(known.zone))

    def reaches(self, field: str, since: datetime) -> bool:
        """Whether a list of the view has all since then: it is whole, or what it shows last is older."""
        if field not in self.view.excerpts:
            return True
        shown = attrgetter(field)(self.view)
        return len(shown) > 0 and _time(shown[-1]) < since

    def is_untold(self, promise: Any) -> bool:
        """Whether it is known that nobody told them of a promise that slips what it says now.

        A recovery, and another forecast, make old news of what they were told before.
        """
        recovered, at_risk = self._last(RECOVERED, promise), self._last(_AT_RISK, promise)
        if promise.state == states_pb2.PROMISE_STATE_AT_RISK:
            at_risk = moment(promise.source.occur_time)
        said = max(recovered, at_risk)
        told = self.told.get(promise.promise)
        if told and told >= (said if promise.HasField("forecast_time") else recovered):
            return False
        return self.reaches("notices", said) and self.reaches("latest_timeline_entries", said)

    def _last(self, event_type: str, promise: Any) -> datetime:
        return max(
            (
                moment(each.occur_time)
                for each in self.view.latest_timeline_entries
                if each.event_type == event_type and each.resource == promise.promise
            ),
            default=_EVER,
        )

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


def _told(view: Any) -> dict[str, datetime]:
    """When they were told last, of each promise, that it slips: by a message, or by a person."""
    bad_news = [each for each in view.notices if each.kind == _BAD_NEWS]
    told = [(each.promise, _time(each)) for each in bad_news if each.state in _TOLD]
    told += [
        (each.resource, _time(each)) for each in view.latest_timeline_entries if each.event_type == _NOTIFIED
    ]
    known = {promise for promise, _ in told}  # of which the same was not said twice
    again = [each for each in bad_news if each.reason_code == _ALREADY_TOLD and each.promise in known]
    return dict(sorted([*told, *((each.promise, _time(each)) for each in again)], key=itemgetter(1)))


def _time(shown: Any) -> datetime:
    """When what a list shows happened, or changed last, which is what it is in the order of."""
    return moment(shown.source.occur_time if hasattr(shown, "source") else shown.occur_time)


def _day(year: int, month_day: str) -> date:
    try:
        return date.fromisoformat(f"{year}-{month_day}")
    except ValueError:  # the 29th of February is the last of it
        return date(year, 2, 28)
