"""A clock: how long something has, in business time, and how much of that is gone.

A clock is what happened to it, its history; when its time is up follows from that and from its calendar.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from cases.domain.calendar import ALWAYS
from cases.domain.clock_policy import ClockMetric, ClockPolicy, Pause
from cases.domain.facts import (
    ClockBreached,
    ClockFulfilled,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    ClockUpdated,
    ClockWarned,
)
from cases.domain.marks import COUNTING, Mark
from cases.domain.reckoning import BusinessTime, reckoned
from cases.domain.standstill import Standstill, is_by_itself
from cases.names import CALENDAR, CASE, CLOCK, CLOCK_POLICY, CUSTOMER, DEPARTMENT, PROMISE, WORK_ITEM
from chassis.errors import FailedPrecondition
from chassis.facts import fact_of

MARKS_MAX = 1_000  # then it is paused no more


class ClockState(StrEnum):
    """Where a clock is."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    FULFILLED = "FULFILLED"
    BREACHED = "BREACHED"


@dataclass(slots=True)
class Clock:
    """How long a case, a work item or a promise has for one thing, and how much of that is gone.

    `marks` and `mark_times` are its history, in the order of time, with why; all other times are made of it.
    """

    id: UUID
    case_id: UUID | None
    customer_id: UUID
    department_id: str
    metric: ClockMetric
    clock_policy_id: str
    policy_version: int
    calendar_id: str
    calendar_version: int
    business_minutes: int
    warning_minutes: int
    start_time: datetime
    update_time: datetime
    work_item_id: UUID | None = None
    promise_id: UUID | None = None
    pauses: list[Pause] = field(default_factory=list)
    state: ClockState = ClockState.RUNNING
    due_time: datetime | None = None
    warning_time: datetime | None = None  # absent when it does not warn, or has warned
    pause_time: datetime | None = None
    pause_reason_code: str = ""
    fulfill_time: datetime | None = None
    breach_time: datetime | None = None
    elapsed_minutes: int = 0
    warned: bool = False
    marks: list[str] = field(default_factory=list)
    mark_times: list[datetime] = field(default_factory=list)
    mark_reason_codes: list[str] = field(default_factory=list)
    version: int = 1

    name = CLOCK.named("id")
    case = CASE.named("case_id")
    work_item = WORK_ITEM.named("work_item_id")
    promise = PROMISE.named("promise_id")
    customer = CUSTOMER.named("customer_id")
    department = DEPARTMENT.named("department_id")
    calendar = CALENDAR.named("calendar_id")
    clock_policy = CLOCK_POLICY.named("clock_policy_id")

    def start(self, calendar: BusinessTime) -> ClockStarted:
        """Begin to count, at `start_time`."""
        self._mark(Mark.STARTED, self.start_time)
        self._reckon(calendar)
        return fact_of(ClockStarted, self)

    def pause(self, at: datetime, reason_code: str, calendar: BusinessTime) -> ClockPaused:
        """Stop counting until somebody else has acted. Refused when it does not count, or too often."""
        if self.fulfill_time:
            raise self._refusal("CLOCK_FULFILLED", "is fulfilled: what is done needs no pause.")
        if self.pause_time:
            raise self._refusal("CLOCK_PAUSED", "is paused already: resume it first.")
        if len(self.marks) >= MARKS_MAX:
            raise self._refusal("CLOCK_PAUSED_TOO_OFTEN", f"was paused and resumed {len(self.marks)} times.")
        self._mark(Mark.PAUSED, at, reason_code)
        self.pause_time, self.pause_reason_code = self.mark_times[-1], reason_code
        self._changed(calendar)
        return fact_of(ClockPaused, self, reason_code=reason_code)

    def resume(self, at: datetime, calendar: BusinessTime) -> ClockResumed:
        """Count again. Refused when it is not paused (`CLOCK_NOT_PAUSED`)."""
        if not self.pause_time:
            raise self._refusal("CLOCK_NOT_PAUSED", f"is {self.state}: only a paused clock can be resumed.")
        return self._go_on(Mark.RESUMED, at, calendar)

    def reopen(
        self, at: datetime, calendar: BusinessTime, calendar_version: int | None = None
    ) -> ClockResumed | None:
        """Count again, as its case is open again: it has what it had left. Nothing when it counts.

        By the version of its calendar that holds by now, if one is given: while it was done it followed none.
        """
        if not self.fulfill_time:
            return None
        self.calendar_version = calendar_version or self.calendar_version
        return self._go_on(Mark.REOPENED, at, calendar)

    def fulfill(self, at: datetime, calendar: BusinessTime) -> ClockFulfilled | None:
        """What it measures was done at that moment, of which word may come late. Nothing when it was before.

        It was late when its time was up by then, whoever comes first, the word of it or the timer.
        """
        if self.fulfill_time or at < self.start_time:
            return None
        self._forget_after(at)
        self._mark(Mark.FULFILLED, at)
        self.fulfill_time, self.pause_time, self.pause_reason_code = at, None, ""
        self._changed(calendar)
        self.breach_time = self.due_time if self.due_time and self.due_time <= at else None
        self._settle()
        return fact_of(ClockFulfilled, self)

    def answer(self, at: datetime, calendar: BusinessTime) -> ClockFulfilled | None:
        """As `fulfill`, of what may be done several times: the first counts, whatever the order of word."""
        if self.fulfill_time and self.start_time <= at < self.fulfill_time:
            self.fulfill_time = None
        return self.fulfill(at, calendar)

    def follow(self, calendar_version: int, calendar: BusinessTime) -> ClockUpdated | None:
        """Go by a later version of its calendar from its start on, unless it is done or late: that stays."""
        if self.fulfill_time or self.breach_time or calendar_version <= self.calendar_version:
            return None
        before, self.calendar_version = self.due_time, calendar_version
        return self._moved(before, calendar)

    def go_by(
        self, policy: ClockPolicy, calendar_version: int, calendar: BusinessTime, at: datetime
    ) -> ClockUpdated | None:
        """Go by a later version of its policy from its start on, and by the calendar that this names.

        Nothing when it is done or late, which stays so, or when that version has no target for it. What
        stands still in a way that this version does not have counts again from now, `at`.
        """
        target = policy.target(self.metric)
        if self.is_decided or target is None or policy.version <= self.policy_version:
            return None
        before, self.policy_version = self.due_time, policy.version
        self.business_minutes, self.warning_minutes = target.business_minutes, target.warning_minutes
        self.warned = False  # of another end
        self.calendar_id, self.calendar_version = target.calendar_id or ALWAYS, calendar_version
        stood, self.pauses = self._stands_by_itself, policy.pauses_of(self.metric)
        if stood and not self._stands_by_itself:
            self._mark(Mark.RESUMED, at)
            self.pause_time, self.pause_reason_code = None, ""
        return self._moved(before, calendar)

    def stand_still(
        self, at: datetime, standstill: Standstill | None, calendar: BusinessTime
    ) -> ClockPaused | ClockResumed | None:
        """Stand still, or go on, as the work does. Nothing when that is so, it is done, or its time is up.

        Whoever resumed it since the work stood still, the customer or a person, knows better.
        """
        if self.is_decided or (self.due_time and self.due_time <= at):
            return None
        if standstill and not self.pause_time:
            resumed = self.marks[-1] == Mark.RESUMED and self.mark_times[-1] > standstill.since
            full = len(self.marks) >= MARKS_MAX
            return None if resumed or full else self.pause(at, standstill.reason_code, calendar)
        return self.resume(at, calendar) if self._stands_by_itself and not standstill else None

    def mend(self, calendar: BusinessTime) -> ClockUpdated | None:
        """Be what follows from its history. Nothing when it is."""
        before = self.state, self.due_time, self.warning_time, self.elapsed_minutes
        self._reckon(calendar)
        if before == (self.state, self.due_time, self.warning_time, self.elapsed_minutes):
            return None
        return self._moved(before[1], calendar)

    def start_earlier(self, at: datetime, calendar: BusinessTime) -> ClockUpdated | None:
        """Count since an earlier moment, of which word came late. Nothing when it is done, or late."""
        if self.fulfill_time or self.breach_time or at >= self.start_time:
            return None
        before, self.start_time = self.due_time, at
        self.mark_times = [at, *self.mark_times[1:]]
        return self._moved(before, calendar)

    def hand_over(self, department_id: str) -> ClockUpdated | None:
        """Be another department's, with what is left of its time. Nothing when it is theirs."""
        if department_id == self.department_id:
            return None
        before, self.department_id = self.department, department_id
        self.version += 1
        return fact_of(ClockUpdated, self, previous_due_time=self.due_time, previous_department=before)

    def warn(self, now: datetime) -> ClockWarned | None:
        """Its time is up soon, if that is so by now."""
        if self.state is not ClockState.RUNNING or not self.warning_time or self.warning_time > now:
            return None
        self.warned, self.warning_time = True, None
        self.version += 1
        return fact_of(ClockWarned, self)

    def breach(self, now: datetime) -> ClockBreached | None:
        """Its time is up, if that is so by now and it was not done.

        Also while it is paused: another calendar may say that it was up before that.
        """
        if self.is_decided or not self.due_time or self.due_time > now:
            return None
        self.breach_time = self.due_time
        self._settle()
        self.version += 1
        return fact_of(ClockBreached, self)

    @property
    def _stands_by_itself(self) -> bool:
        """Whether it is paused because of the work."""
        return is_by_itself(self.pauses, self.pause_reason_code)

    @property
    def is_decided(self) -> bool:
        """Whether it is done, or was up before."""
        return bool(self.fulfill_time or self.breach_time)

    def history(self) -> Iterator[tuple[Mark, datetime, datetime | None]]:
        """What happened to it, when, and until when it stayed so; the last is without an end."""
        ends = [*self.mark_times[1:], None]
        return zip(map(Mark, self.marks), self.mark_times, ends, strict=True)

    def spans(self) -> Iterator[tuple[datetime, datetime | None]]:
        """From when until when time counts; without an end while it still does."""
        return ((start, end) for mark, start, end in self.history() if mark in COUNTING)

    def _go_on(self, mark: Mark, at: datetime, calendar: BusinessTime) -> ClockResumed:
        self._mark(mark, at)
        self.fulfill_time, self.pause_time, self.pause_reason_code = None, None, ""
        self._changed(calendar)
        return fact_of(ClockResumed, self)

    def _mark(self, mark: Mark, at: datetime, reason_code: str = "") -> None:
        """Clocks of computers differ: nothing happens before what happened before it."""
        self.mark_reason_codes = [*self.mark_reason_codes, reason_code]
        self.marks = [*self.marks, mark]
        self.mark_times = [*self.mark_times, max([at, *self.mark_times[-1:]])]

    def _forget_after(self, at: datetime) -> None:
        """What was done before it was paused needed no pause."""
        kept = sum(time <= at for time in self.mark_times)
        self.marks, self.mark_times = self.marks[:kept], self.mark_times[:kept]
        self.mark_reason_codes = self.mark_reason_codes[:kept]

    def _changed(self, calendar: BusinessTime) -> None:
        self.version += 1
        self._reckon(calendar)

    def _moved(self, before: datetime | None, calendar: BusinessTime) -> ClockUpdated:
        self._changed(calendar)
        return fact_of(ClockUpdated, self, previous_due_time=before, previous_department="")

    def _reckon(self, calendar: BusinessTime) -> None:
        """When its time is up and how much is gone, by its history."""
        minute = timedelta(minutes=1)
        gone, self.due_time = reckoned(self.spans(), self.business_minutes * minute, calendar)
        self.elapsed_minutes = gone // minute
        self.warning_time = None
        if self.warning_minutes and not self.warned and not self.breach_time:
            early = (self.business_minutes - self.warning_minutes) * minute
            _, self.warning_time = reckoned(self.spans(), early, calendar)
        self._settle()

    def _settle(self) -> None:
        self.state = ClockState.RUNNING
        if self.breach_time:
            self.state = ClockState.BREACHED
        elif self.fulfill_time:
            self.state = ClockState.FULFILLED
        elif self.pause_time:
            self.state = ClockState.PAUSED

    def _refusal(self, reason: str, why: str) -> FailedPrecondition:
        return FailedPrecondition(reason, f"{self.name} {why}", {"resource": self.name})
