"""What must come of a promise, whatever the order in which services hear of it.

The model hears of everything at once, and knows what the customer can believe. It has no events, no versions
and no notices: what the services end in must be what it ends in.
"""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
LIVE, ENDED = ("OPEN", "AT_RISK"), ("KEPT", "KEPT_LATE", "WITHDRAWN", "RENEGOTIATED")


def day_of(due: date | datetime) -> date:
    """The day that people speak of."""
    return due.astimezone(ZONE).date() if isinstance(due, datetime) else due


def end_of(due: date | datetime) -> datetime:
    """The promised moment, or the midnight after the promised day."""
    return due if isinstance(due, datetime) else datetime.combine(due + DAY, time.min, ZONE)


def late(due: date | datetime, at: datetime) -> bool:
    return at > due if isinstance(due, datetime) else day_of(at) > due


class Story:
    """One promise and those that replaced it.

    Attributes:
        chain: the promises, oldest first: `due`, `made` and `state` of each.
        forecast: when the work is expected to finish.
        beliefs: the days of which the customer may think that one was promised; more than one in doubt.

    """

    def __init__(self, due: date | datetime, now: datetime) -> None:
        self.chain: list[dict[str, Any]] = []
        self.forecast: datetime | None = None
        self._promise(due, now, now)
        self.beliefs = {day_of(due)}

    @property
    def tip(self) -> dict[str, Any]:
        return self.chain[-1]

    def expected(self) -> date | None:
        """The day that is true now; None when there is nothing to wait for."""
        if self.tip["state"] in ENDED:
            return None
        return day_of(self.forecast if self._is_late() else self.tip["due"])

    def forecasts(self, at: datetime, now: datetime) -> None:
        self.forecast = at
        self._compare(now)

    def passes(self, now: datetime) -> None:
        """The clock acts."""
        if self.tip["state"] == "OPEN" and now >= self._soon():
            self.tip["state"] = "AT_RISK"
        if self.tip["state"] in LIVE and now >= end_of(self.tip["due"]):
            self.tip["state"] = "BROKEN"

    def kept(self, now: datetime) -> None:
        self.tip["state"] = "KEPT_LATE" if late(self.tip["due"], now) else "KEPT"

    def withdrawn(self) -> None:
        self.tip["state"] = "WITHDRAWN"

    def renegotiated(self, due: date | datetime, now: datetime) -> None:
        """A person agreed on it with the customer."""
        self.tip["state"] = "RENEGOTIATED"
        self._promise(due, now, now)
        self.beliefs = {day_of(due)}

    def told(self, day: date, now: datetime) -> None:
        """The customer has a message that says so. A delay that is told moves the promise."""
        if self.expected() != day:  # it was true when it was asked for, and is too late now
            self.beliefs = self.beliefs | {day}
            return
        self.beliefs = {day}
        if self._is_late():
            self.tip["state"] = "BROKEN" if now > end_of(self.tip["due"]) else "RENEGOTIATED"
            moved = self.forecast if isinstance(self.tip["due"], datetime) else day
            self._promise(moved, now, now)

    def perhaps_told(self, day: date) -> None:
        """A message was handed over, and its answer was lost."""
        self.beliefs = self.beliefs | {day}

    def _promise(self, due: date | datetime | None, made: datetime, now: datetime) -> None:
        self.chain.append({"due": due, "made": made, "state": "OPEN"})
        self._compare(now)

    def _compare(self, now: datetime) -> None:
        if self.forecast is None or self.tip["state"] not in LIVE:
            return
        if self._is_late():
            self.tip["state"] = "AT_RISK"
        elif self.tip["state"] == "AT_RISK":
            self.tip["state"] = "AT_RISK" if now >= self._soon() else "OPEN"

    def _is_late(self) -> bool:
        return self.forecast is not None and late(self.tip["due"], self.forecast)

    def _soon(self) -> datetime:
        due = end_of(self.tip["due"])
        return due - min(DAY, (due - self.tip["made"]) / 2)
