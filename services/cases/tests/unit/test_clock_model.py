"""Clocks through everything that happens to them, against a model that looks at the wall clock each minute.

Pauses by hand and by blocked work, cases that are settled and reopened, calendars and policies that change,
in zones whose clocks do.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.domain.clock import Clock, ClockState
from cases.domain.clock_policy import ClockMetric, ClockPolicy, Pause, Subject, Target
from cases.domain.reckoning import BusinessTime
from cases.domain.standstill import Standstill
from chassis.business_time import Calendar, read
from chassis.business_time.schedule import WEEKDAYS

MINUTE = timedelta(minutes=1)
SOMEBODY = UUID(int=1)
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe")
# Shortly before the clocks change there, forward and back.
BEGINS = [
    datetime(2026, 3, 7, 12, tzinfo=UTC),
    datetime(2026, 10, 31, 12, tzinfo=UTC),
    datetime(2026, 3, 28, 12, tzinfo=UTC),
    datetime(2026, 10, 24, 12, tzinfo=UTC),
    datetime(2026, 4, 4, 2, tzinfo=UTC),
    datetime(2026, 10, 3, 2, tzinfo=UTC),
]
VERBS = ("pause", "resume", "fulfill", "reopen", "block", "unblock", "work", "calendar", "policy", "look")


zone_of = cache(ZoneInfo)


@dataclass(frozen=True)
class Office:
    """Open from one hour to another on some weekdays, as the clock on the wall of a zone shows them."""

    zone: str
    opens: int
    closes: int
    days: frozenset[int]

    def is_open(self, at: datetime) -> bool:
        shown = at.astimezone(zone_of(self.zone))
        return shown.weekday() in self.days and self.opens <= shown.hour < self.closes


@cache
def compiled(office: Office) -> Calendar:
    """The same hours, as services reckon with them."""
    windows = [{"opens": f"{office.opens:02}:00", "closes": f"{office.closes:02}:00"}]
    hours = [{"days": [WEEKDAYS[day] for day in sorted(office.days)], "windows": windows}]
    return Calendar(read({"time_zone": office.zone, "hours": hours}))


OFFICES = st.builds(
    lambda zone, opens, hours, days: Office(zone, opens, min(opens + hours, 24), frozenset(days)),
    st.sampled_from(ZONES),
    st.integers(0, 20),
    st.integers(1, 10),
    st.sets(st.integers(0, 6), min_size=2),
)
STEPS = st.lists(
    st.tuples(st.integers(1, 700), st.sampled_from(VERBS), OFFICES, st.integers(1, 1200)), max_size=14
)


@dataclass
class Model:
    """What is to be said, by each minute in which it counted."""

    at: datetime
    office: Office
    minutes: int
    paused_by: str = ""
    done: bool = False
    blocked_since: datetime | None = None
    resumed: datetime | None = None  # by hand, and nothing since then
    counted: list[datetime] = field(default_factory=list)
    opened: list[datetime] = field(default_factory=list)  # those of them in which the office is open
    up: datetime | None = None

    @property
    def counts(self) -> bool:
        return not self.done and not self.paused_by

    @property
    def state(self) -> ClockState:
        if self.up is not None:
            return ClockState.BREACHED
        if self.done:
            return ClockState.FULFILLED
        return ClockState.PAUSED if self.paused_by else ClockState.RUNNING

    def wait(self, minutes: int) -> None:
        passed = [self.at + n * MINUTE for n in range(minutes)] if self.counts else []
        self.counted += passed
        self.opened += filter(self.office.is_open, passed)
        self.at += minutes * MINUTE
        self.look()

    def look(self) -> None:
        """Once time was up it stays so; until then what holds now says when."""
        if self.up is None and not self.done and len(self.opened) >= self.minutes:
            self.up = self.opened[self.minutes - 1] + MINUTE

    def see_work(self) -> None:
        """Stand still, or go on, as the work does, unless somebody who resumed it knows better."""
        if self.done or self.up is not None:
            return
        if self.blocked_since and not self.paused_by:
            known = self.resumed is not None and self.resumed > self.blocked_since
            self.paused_by = "" if known else "work"
            self.resumed = self.resumed if known else None
        elif self.paused_by == "work" and not self.blocked_since:
            self.paused_by, self.resumed = "", self.at

    def follow(self, office: Office, minutes: int) -> None:
        if not self.done and self.up is None:
            self.office, self.minutes = office, minutes
            self.opened = list(filter(office.is_open, self.counted))
            self.look()


def policy(version: int, minutes: int) -> ClockPolicy:
    """What gives so much time, and lets it stand still while the work is blocked."""
    now = BEGINS[0]
    about = ("p", version, "", "d", Subject.CASE, "true", 0, False, now, now)
    targets = [Target(ClockMetric.RESOLUTION, minutes, 0)]
    return ClockPolicy(*about, targets=targets, pauses=[Pause.WORK_BLOCKED])


def begun(model: Model) -> Clock:
    made = Clock(
        id=SOMEBODY,
        case_id=SOMEBODY,
        customer_id=SOMEBODY,
        department_id="d",
        metric=ClockMetric.RESOLUTION,
        clock_policy_id="p",
        policy_version=1,
        calendar_id="office",
        calendar_version=1,
        business_minutes=model.minutes,
        warning_minutes=0,
        start_time=model.at,
        update_time=model.at,
        pauses=[Pause.WORK_BLOCKED],
    )
    made.start(compiled(model.office))
    return made


def act(clock: Clock, model: Model, verb: str, office: Office, minutes: int) -> None:
    """Let the same happen to both, as far as it may."""
    calendar: BusinessTime = compiled(model.office)
    match verb:
        case "pause" if model.counts:
            clock.pause(model.at, "waiting-for-parts", calendar)
            model.paused_by, model.resumed = "hand", None
        case "resume" if model.paused_by:
            clock.resume(model.at, calendar)
            model.paused_by, model.resumed = "", model.at
        case "fulfill" if not model.done:
            clock.fulfill(model.at, calendar)
            model.done, model.paused_by, model.resumed = True, "", None
        case "reopen" if model.done:
            clock.reopen(model.at, calendar)
            model.done = False
        case "block" | "unblock" | "work":
            if verb != "work":
                model.blocked_since = model.at if verb == "block" else None
            still = Standstill("work-blocked", model.blocked_since) if model.blocked_since else None
            clock.stand_still(model.at, still, calendar)
            model.see_work()
        case "calendar":
            clock.follow(clock.calendar_version + 1, compiled(office))
            model.follow(office, model.minutes)
        case "policy":
            clock.go_by(policy(clock.policy_version + 1, minutes), 1, compiled(office), model.at)
            model.follow(office, minutes)
    clock.breach(model.at)


def check(begin: int, office: Office, minutes: int, steps: list[tuple[int, str, Office, int]]) -> None:
    model = Model(BEGINS[begin], office, minutes)
    clock = begun(model)
    for wait, verb, other, more in steps:
        model.wait(wait)
        clock.breach(model.at)
        act(clock, model, verb, other, more)
        assert (clock.state, clock.breach_time) == (model.state, model.up), verb
        calendar = compiled(model.office)
        if not clock.is_decided:
            assert replace(clock).mend(calendar) is None  # what it says follows from its history alone
        gone = len(model.opened)
        if not model.counts:  # while it does, more is gone than when it was last changed
            assert clock.elapsed_minutes == gone
        elif model.up is None:
            assert clock.due_time == calendar.add(model.at, (model.minutes - gone) * MINUTE)


ANY = (st.integers(0, len(BEGINS) - 1), OFFICES, st.integers(1, 1200), STEPS)


@settings(max_examples=200, deadline=None)
@given(*ANY)
def test_a_clock_is_what_the_wall_clock_says(
    begin: int, office: Office, minutes: int, steps: list[tuple[int, str, Office, int]]
) -> None:
    check(begin, office, minutes, steps)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None)
@given(*ANY)
def test_ten_thousand_clocks_are_what_the_wall_clock_says(
    begin: int, office: Office, minutes: int, steps: list[tuple[int, str, Office, int]]
) -> None:
    check(begin, office, minutes, steps)
