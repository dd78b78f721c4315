"""What the pages say of a scorecard: the picture and the table are of the same figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from chassis.api.messages import date_of
from chassis.api.messages import day as date_message
from desk.pages.departments.periods import WEEK, Period
from desk.ui.picture import Part, stacked
from desk.ui.speech import Speech
from rapport.cases.v1.promise_service_pb2 import PromiseScorecard

Row = PromiseScorecard.Row
_COUNTS = [field.name for field in Row.DESCRIPTOR.fields if field.name.endswith("_count")]


@dataclass(frozen=True)
class Line:
    """What became of some promises, in figures and drawn."""

    label: str
    href: str
    counts: Row
    share: str  # of what ended, how much was kept; empty when nothing ended
    told: str  # of what was not kept as it was promised, how often the customer knew before it was due
    parts: Sequence[Part]
    told_part: Sequence[Part]
    spoken: str


@dataclass(frozen=True)
class Score:
    """Lines, all of them together, and what waits beside them."""

    lines: Sequence[Line]
    whole: Line
    most: int  # promises of one line: how long the picture is
    later: int = 0  # wait and are due after all the lines


def by_week(rows: Iterable[Row], shown: Period, department: str, say: Speech) -> Score:
    """Each week of a period, whether anything was due in it or not; what waits after it is later."""
    of = {date_of(row.week): row for row in rows}
    weeks = [
        (say.partly(date_message(monday)), _ledger(department, monday), of.get(monday, Row()))
        for monday in shown.mondays
    ]
    later = sum(row.open_count for day, row in of.items() if day > shown.last)
    return _score(weeks, later, say)


def _ledger(department: str, monday: date) -> str:
    """Where each promise of a week is."""
    days = {"since": monday.isoformat(), "until": (monday + WEEK - timedelta(days=1)).isoformat()}
    return f"/promises?{urlencode({'department': department, **days})}"


def by_department(rows: Iterable[Row], shown: Period, say: Speech) -> Score:
    """Each department that anything was due of."""
    found = [(say.named(row.department), shown.url(f"/{row.department}"), row) for row in rows]
    return _score(found, 0, say)


def by_team(rows: Iterable[Row], say: Speech) -> Score | None:
    """Each team of a department that anything was due of, and what was no team's; None where it has none."""
    found = [
        (say.named(row.team) if row.team else say("Of no team"), "", row)
        for row in sorted(rows, key=lambda each: (not each.team, each.team))
    ]
    return _score(found, 0, say) if any(row.team for _, _, row in found) else None


def _score(rows: Sequence[tuple[str, str, Row]], later: int, say: Speech) -> Score:
    most = max((_all(row) for _, _, row in rows), default=0) or 1
    whole = Row(**{name: sum(getattr(row, name) for _, _, row in rows) for name in _COUNTS})
    lines = [_line(*each, most, say) for each in rows]
    return Score(lines, _line(say("Together"), "", whole, _all(whole) or 1, say), most, later)


def _line(label: str, href: str, row: Row, most: int, say: Speech) -> Line:
    ended = row.kept_count + _missed(row)
    told = {"n": row.notified_early_count, "all": _missed(row)}
    return Line(
        label,
        href,
        row,
        say.percent(row.kept_count / ended) if ended else "",
        say("{n} of {all}", **told) if told["all"] else "",
        stacked(_drawn(row), most),
        stacked({"told": row.notified_early_count}, most),
        say(
            "{label}: {kept} kept, {late} kept late, {broken} not kept, {moved} put off, {waits} wait",
            label=label,
            kept=row.kept_count,
            late=row.kept_late_count,
            broken=row.broken_count,
            moved=row.renegotiated_count,
            waits=row.open_count,
        ),
    )


def _drawn(row: Row) -> dict[str, float]:
    return {
        "kept": row.kept_count,
        "late": row.kept_late_count,
        "broken": row.broken_count,
        "moved": row.renegotiated_count,
        "waits": row.open_count,
    }


def _missed(row: Row) -> int:
    """How many were not kept as they were promised."""
    return row.kept_late_count + row.broken_count + row.renegotiated_count


def _all(row: Row) -> int:
    return row.kept_count + _missed(row) + row.open_count
