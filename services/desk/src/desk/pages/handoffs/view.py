"""What the page says of a report of hand-offs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from desk.pages.departments.periods import Period
from desk.ui import words
from desk.ui.picture import Part, stacked
from desk.ui.speech import Speech
from rapport.cases.v1.handoff_service_pb2 import HandoffReport

_MINUTES_MAX = 120  # what is more is said in hours: a working day is no day


@dataclass(frozen=True)
class End:
    """A department at an end of a hand-off, and the page of what it has to do with."""

    title: str
    href: str


@dataclass(frozen=True)
class Line:
    """A pair of departments."""

    giver: End
    getter: End
    pair: HandoffReport.Pair
    waited: str  # the medians: by the clock, and while the one who got the work was open
    waited_open: str
    worked: str
    worked_open: str
    parts: Sequence[Part]
    spoken: str


@dataclass(frozen=True)
class Report:
    """The page."""

    cases: int
    still_open: int
    whole: str  # how long cases took, as a median
    parts: Sequence[Part]  # of all their time
    working: str  # its share in which somebody worked
    spoken: str
    lines: Sequence[Line]


def report(found: HandoffReport, shown: Period, topic: str, department: str, say: Speech) -> Report:
    """All in all, and the pairs that a department is one of, or all; who was waited for longest is first."""
    pairs = [
        pair
        for pair in found.pairs
        if f"departments/{department}" in (pair.requesting_department, pair.department) or not department
    ]
    most = max((_whole(pair) for pair in pairs), default=0) or 1

    def end(name: str) -> End:
        code = words.last(name)
        return End(say.titled(code), shown.url("/handoffs", topic=topic, department=code))

    share = found.work_seconds / found.end_to_end_seconds if found.end_to_end_seconds else 0.0
    working = say.percent(share)
    return Report(
        found.case_count,
        found.open_case_count,
        say.lasting(timedelta(seconds=found.median_end_to_end_seconds)),
        stacked({"work": found.work_seconds, "wait": found.wait_seconds}, found.end_to_end_seconds or 1),
        working,
        say("{share} of the time somebody worked", share=working),
        [_line(pair, end(pair.requesting_department), end(pair.department), most, say) for pair in pairs],
    )


def _line(pair: HandoffReport.Pair, giver: End, getter: End, most: int, say: Speech) -> Line:
    waited, worked, blocked = (
        say.lasting(timedelta(seconds=seconds)) if seconds else "0"
        for seconds in (pair.wait_seconds, pair.work_seconds, pair.blocked_seconds)
    )
    return Line(
        giver,
        getter,
        pair,
        say.lasting(timedelta(seconds=pair.median_wait_seconds)),
        _open(pair.median_wait_business_minutes, say),
        say.lasting(timedelta(seconds=pair.median_work_seconds)) if pair.work_seconds else "",
        _open(pair.median_work_business_minutes, say) if pair.work_seconds else "",
        stacked(
            {"wait": pair.wait_seconds, "work": pair.work_seconds, "blocked": pair.blocked_seconds}, most
        ),
        say(
            "together: waited {waited}, worked {worked}, could not go on {blocked}",
            waited=waited,
            worked=worked,
            blocked=blocked,
        ),
    )


def _whole(pair: HandoffReport.Pair) -> int:
    return pair.wait_seconds + pair.work_seconds + pair.blocked_seconds


def _open(minutes: int, say: Speech) -> str:
    """`open 45 minutes`, `open 20 hours`: how much of a time a department was open."""
    if minutes < _MINUTES_MAX:
        return say.count(minutes, "open {n} minute", "open {n} minutes")
    return say.count(round(minutes / 60), "open {n} hour", "open {n} hours")
