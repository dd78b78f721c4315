"""Whom a policy would have told of what happened, and whom not, and why: nothing is sent or kept."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from chassis.events.envelope import Event
from chassis.zones import time_zone
from notifications.domain.customer_date import CustomerDate
from notifications.domain.days import hour_of
from notifications.domain.policy import NoticePolicy
from notifications.domain.pressure import PERIOD
from notifications.domain.reasons import Reason
from notifications.domain.trigger import hears, turn
from notifications.usecases import conditions
from notifications.usecases.timing import Timing, telling, timing

EVENTS_MAX = 300
FOLLOWING_MAX = 1_500  # events that came after them, of all types together
ROWS_MAX = 100
NOT_KNOWN = "not-known"


class Outcome(StrEnum):
    """What would have come of an event."""

    TOLD = "TOLD"
    DEFERRED = "DEFERRED"
    NOT_TOLD = "NOT_TOLD"


@dataclass(frozen=True, slots=True)
class Row:
    """One event, and what would have come of it; `reason_code` says why not at once."""

    event_id: str
    occur_time: datetime
    customer: str
    subject: str
    outcome: Outcome = Outcome.TOLD
    reason_code: str = ""
    notice_policy: str = ""
    schedule_time: datetime | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    when: Timing | None = None

    def but(self, why: str, outcome: Outcome = Outcome.NOT_TOLD, by: str = "") -> "Row":
        """The same, not told, or not yet."""
        when = self.schedule_time if outcome is not Outcome.NOT_TOLD else None
        return replace(self, outcome=outcome, reason_code=why, notice_policy=by, schedule_time=when)

    def until(self, open_time: datetime) -> "Row":
        """The same, sent no earlier than that."""
        return replace(self, schedule_time=max(self.schedule_time or open_time, open_time))

    def there(self, zone: str) -> "Row":
        """The same, sent at the hour of its day, if it has one, where the customer lives."""
        if self.when is None or not self.when.send_on:
            return self
        day, years, there = self.when, self.when.years or 0, time_zone(zone) or UTC
        if years and hour_of(day.send_on, day.day_offset, 0, there, years) <= self.occur_time:
            years += 1  # the first that begins after it
        at = hour_of(day.send_on, day.day_offset, day.send_hour, there, years)
        return replace(self, schedule_time=max(at, self.occur_time))


@dataclass(frozen=True, slots=True)
class Count:
    """What would have come of so many events."""

    outcome: Outcome
    reason_code: str
    looked_at_count: int


def rehearse(policy: NoticePolicy, others: Iterable[NoticePolicy], events: Sequence[Event[Any]]) -> list[Row]:
    """What would have come of a policy's events by themselves, oldest first; `others` are in force."""
    rivals = sorted((each for each in others if each.id != policy.id), key=turn)
    return [_row(policy, rivals, event) for event in sorted(events, key=_in_order)]


def on_date(told: CustomerDate, customer: str, zone: str, on: date) -> Row:
    """A customer who has a date on a day, told at the hour where they live."""
    at = hour_of(on.isoformat(), told.offset_days, told.send_hour, time_zone(zone) or UTC)
    return Row("", datetime.combine(on, time(), UTC), customer, "", schedule_time=at)


def after(
    policy: NoticePolicy, rows: Iterable[Row], events: Iterable[Event[Any]], known: datetime | None
) -> list[Row]:
    """The same by what happened until each would have been sent: newer events, and those that cancel it.

    `events` are all of these until `known`, None for all there were; what was to be sent later nobody knows.
    """
    of_subject = defaultdict[str, list[Event[Any]]](list)
    for each in sorted((each for each in events if each.data is not None), key=_in_order):
        of_subject[conditions.subject_of(policy, each.resource, each.data)].append(each)
    return [_after(policy, row, of_subject[row.subject], known) for row in rows]


def _in_order(event: Event[Any]) -> tuple[datetime, UUID]:
    return event.time, event.id


def _row(policy: NoticePolicy, rivals: Sequence[NoticePolicy], event: Event[Any]) -> Row:
    customer = conditions.customer_of(policy, event.data)
    subject = conditions.subject_of(policy, event.resource, event.data)
    row = Row(str(event.id), event.time, customer, subject)
    if not hears(policy, event.shown.department):
        return row.but("other-department")
    if not customer or not subject:
        return row.but("no-customer" if not customer else "no-value")
    if not conditions.holds(policy, event.data):
        return row.but("condition")
    if first := next((each for each in rivals if _tells_first(each, policy, event, customer)), None):
        return row.but("merged", by=first.name)
    if (variables := conditions.filled(policy, event.data)) is None:
        return row.but("no-value")
    when = timing(policy, event)
    if when is None:
        return row.but("no-date")
    if when.expire_time <= event.time:
        return row.but("date-past")
    begin = max(when.schedule_time, event.time)
    return replace(row, schedule_time=begin, variables=variables, when=when)


def _tells_first(rival: NoticePolicy, policy: NoticePolicy, event: Event[Any], customer: str) -> bool:
    return (
        turn(rival) < turn(policy)
        and rival.event_type == event.type
        and hears(rival, event.shown.department)
        and conditions.customer_of(rival, event.data) == customer
        and conditions.holds(rival, event.data)
        and telling(rival, event, event.time) is not None
    )


def _after(policy: NoticePolicy, row: Row, events: Iterable[Event[Any]], known: datetime | None) -> Row:
    if row.schedule_time is None:
        return row
    for each in events:
        if not row.occur_time < each.time <= row.schedule_time:
            continue
        cancels = each.type in policy.cancel_event_types
        if not cancels and not hears(policy, each.shown.department):
            continue
        whose = conditions.counts_for(policy, each.data)
        if whose in ("", row.customer):
            return row.but(Reason.CAUSE_GONE if cancels else Reason.SUPERSEDED)
    return row.but(NOT_KNOWN) if known is not None and known <= row.schedule_time else row


def pressed(rows: Iterable[Row], most: int) -> list[Row]:
    """Those beyond the most that a customer would be told within a week, by this policy, are deferred."""
    told, found = defaultdict[str, list[datetime]](list), list[Row]()
    for row in rows:
        if row.outcome is Outcome.TOLD and row.schedule_time is not None:
            before = [at for at in told[row.customer] if row.schedule_time - at < PERIOD]
            if len(before) >= most:
                found.append(row.but(Reason.CONTACT_PRESSURE, Outcome.DEFERRED))
                continue
            told[row.customer].append(row.schedule_time)
        found.append(row)
    return found


def counted(rows: Iterable[Row]) -> list[Count]:
    """How many of each, the most frequent first."""
    counts = Counter((row.outcome, row.reason_code) for row in rows)
    return [Count(outcome, why, count) for (outcome, why), count in counts.most_common()]
