"""Why a clock is as it is, and step by step what counted until its time is up."""

from collections.abc import Iterator
from datetime import timedelta

from cases.domain.clock import COUNTING, BusinessTime, Clock, ClockState
from cases.domain.clock_policy import ClockPolicy
from chassis.facts import Told, Why, shown

MINUTE = timedelta(minutes=1)


def why_clock(clock: Clock, policy: ClockPolicy, calendar: BusinessTime, told: Told) -> Why:
    """Why `clock`, which this version of a policy started, is as it is."""
    steps = {f"step.{number}": step for number, step in enumerate(_steps(clock, calendar), 1)}
    condition = {"condition": policy.condition}
    return Why(_summary(clock), policy.name, str(policy.version), condition | steps)


def _summary(clock: Clock) -> str:
    had = f"it has {clock.business_minutes} minutes of business time from {shown(clock.start_time)}"
    gone = clock.elapsed_minutes
    due = shown(clock.due_time) if clock.due_time else ""
    done = shown(clock.fulfill_time) if clock.fulfill_time else ""
    late = f" It was done {done}." if done else ""
    return {
        ClockState.RUNNING: f"Running: {had}, which are over {due}.",
        ClockState.PAUSED: f"Paused ({clock.pause_reason_code}): {had}, and {gone} are gone.",
        ClockState.FULFILLED: f"Fulfilled {done}: {had}, and {gone} were gone.",
        ClockState.BREACHED: f"Breached: {had}, which were over {due}.{late}",
    }[clock.state]


def _steps(clock: Clock, calendar: BusinessTime) -> Iterator[str]:
    """What happened to it, and how much counted in between."""
    gone = timedelta()
    for mark, start, end in clock.history():
        yield f"{shown(start)}: {mark.lower()}"
        if end is not None:
            counted = calendar.elapsed(start, end)
            gone += counted if mark in COUNTING else timedelta()
            count = "counted" if mark in COUNTING else "of business time passed and did not count"
            yield f"until {shown(end)}: {counted // MINUTE} minutes {count}"
        elif mark in COUNTING:
            yield _last(clock, gone)


def _last(clock: Clock, gone: timedelta) -> str:
    left = clock.business_minutes * MINUTE - gone
    if left <= timedelta() or clock.due_time is None:
        return f"{-left // MINUTE} minutes too much have counted"
    return f"until {shown(clock.due_time)}: {left // MINUTE} minutes are left"
