"""Weeks to look at, each choice of which is a URL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from chassis.errors import invalid
from desk.ui.speech import Speech

WEEK = timedelta(weeks=1)
PERIODS = 13, 26, 52  # weeks
_YEARS = range(1970, 9000)


def begin(on: date) -> datetime:
    """When a day begins as weeks of reports do."""
    return datetime.combine(on, time(), UTC)


@dataclass(frozen=True)
class Period:
    """Some weeks, each from Monday on."""

    first: date  # a Monday
    weeks: int

    @property
    def last(self) -> date:
        """The Monday of the last one."""
        return self.first + (self.weeks - 1) * WEEK

    @property
    def mondays(self) -> Sequence[date]:
        return [self.first + number * WEEK for number in range(self.weeks)]

    @property
    def until(self) -> date:
        """The day after the last."""
        return self.last + WEEK

    def url(self, page: str, **more: str) -> str:
        """Of the page of this period, with what else is chosen."""
        chosen = {name: value for name, value in more.items() if value}
        return f"{page}?{urlencode({'weeks': self.weeks, 'until': self.last.isoformat(), **chosen})}"


def period(weeks: int, until: date | None, today: date) -> Period:
    """So many weeks, up to that of a day; this one unless it is said. InvalidArgument for what cannot be."""
    if weeks not in PERIODS:
        raise invalid("weeks", "INVALID_FILTER", f"must be one of {', '.join(map(str, PERIODS))}")
    day = until or today
    if day.year not in _YEARS:
        raise invalid("until", "INVALID_FILTER", "must be a day such as 2026-03-01, from 1970 on")
    return Period(day - timedelta(days=day.weekday()) - (weeks - 1) * WEEK, weeks)


@dataclass(frozen=True)
class Choice:
    """Another period."""

    href: str
    label: str
    chosen: bool = False


def choices(page: str, shown: Period, say: Speech, **more: str) -> Sequence[Choice]:
    """Longer and shorter ones with the same end, and the ones before and after."""
    span, this = shown.weeks * WEEK, period(shown.weeks, None, say.today)
    made = [
        Choice(
            period(weeks, shown.last, say.today).url(page, **more),
            say.count(weeks, "{n} week", "{n} weeks"),
            weeks == shown.weeks,
        )
        for weeks in PERIODS
    ]
    made.append(Choice(Period(shown.first - span, shown.weeks).url(page, **more), say("Before that")))
    if shown.first < this.first:
        after = min(shown.first + span, this.first)
        made.append(Choice(Period(after, shown.weeks).url(page, **more), say("After that")))
    return made
