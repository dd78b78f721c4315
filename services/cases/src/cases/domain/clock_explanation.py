"""Why a clock is as it is, and step by step what counted until its time is up."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import islice, repeat

from cases.domain.clock import Clock, ClockState
from cases.domain.clock_policy import ClockPolicy
from cases.domain.marks import COUNTING
from chassis.business_time import Calendar, explain
from chassis.facts import Told, Why, shown

MINUTE = timedelta(minutes=1)
DAYS_MAX = 31  # that are told one by one, however often it stood still


def why_clock(
    clock: Clock, policy: ClockPolicy, calendar: Calendar, parts: Mapping[str, str], told: Told
) -> Why:
    """Why `clock`, which this version of a policy started, is as it is; with the parts of its condition."""
    steps = {f"step.{number}": step for number, step in enumerate(_steps(clock, calendar), 1)}
    condition = {"condition": policy.condition}
    return Why(_summary(clock), policy.name, str(policy.version), {**condition, **parts, **steps})


def _summary(clock: Clock) -> str:
    had = f"it has {clock.business_minutes} minutes of business time from {shown(clock.start_time)}"
    gone = clock.elapsed_minutes
    due = shown(clock.due_time) if clock.due_time else ""
    done = shown(clock.fulfill_time) if clock.fulfill_time else ""
    late = f" It was done {done}." if done else ""
    return {
        ClockState.RUNNING: f"Running: {had}, "
        + (f"which are over {due}." if due else "and its calendar does not open for so long."),
        ClockState.PAUSED: f"Paused ({clock.pause_reason_code}): {had}, and {gone} are gone.",
        ClockState.FULFILLED: f"Fulfilled {done}: {had}, and {gone} were gone.",
        ClockState.BREACHED: f"Breached: {had}, which were over {due}.{late}",
    }[clock.state]


def _steps(clock: Clock, calendar: Calendar) -> Iterator[str]:
    """What happened to it, and which hours of which days counted in between."""
    gone, days = timedelta(), 0
    reasons = clock.mark_reason_codes or repeat("")
    for (mark, start, end), reason in zip(clock.history(), reasons, strict=False):
        yield f"{shown(start)}: {mark.lower()}" + (f" ({reason})" if reason else "")
        counts = mark in COUNTING
        if counts and (until := end or clock.due_time) and start < until:
            told = [str(day) for day in islice(explain(calendar, start, until), DAYS_MAX - days)]
            days += len(told)
            yield from told
        if end is not None:
            counted = calendar.elapsed(start, end)
            gone += counted if counts else timedelta()
            count = "counted" if counts else "of business time passed and did not count"
            yield f"until {shown(end)}: {counted // MINUTE} minutes {count}"
        elif counts:
            yield _last(clock, gone)


def _last(clock: Clock, gone: timedelta) -> str:
    left = clock.business_minutes * MINUTE - gone
    if left <= timedelta() or clock.due_time is None:
        return f"{-left // MINUTE} minutes too much have counted"
    return f"until {shown(clock.due_time)}: {left // MINUTE} minutes are left"
