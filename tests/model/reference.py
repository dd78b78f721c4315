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


Due = date | datetime
Truth = tuple[int, Due]


def day_of(due: Due) -> date:
    """The day that people speak of."""
    return due.astimezone(ZONE).date() if isinstance(due, datetime) else due


def end_of(due: Due) -> datetime:
    """The promised moment, or the midnight after the promised day."""
    return due if isinstance(due, datetime) else datetime.combine(due + DAY, time.min, ZONE)


def late(due: Due, at: datetime) -> bool:
    return at > due if isinstance(due, datetime) else day_of(at) > due


class Story:
    """One promise and those that replaced it.

    Attributes:
        chain: the promises, oldest first: `due`, `made` and `state` of each.
        forecast: when the work is expected to finish.
        beliefs: the days of which the customer may think that one was promised; more than one in doubt.
    """

    def __init__(self, due: Due, now: datetime) -> None:
        self.chain: list[dict[str, Any]] = []
        self.forecast: datetime | None = None
        self._promise(due, now, now)
        self.beliefs = {day_of(due)}

    @property
    def tip(self) -> dict[str, Any]:
        return self.chain[-1]

    def truth(self) -> Truth | None:
        """What could be told now: of which promise, and by when. None when nothing is waited for."""
        if self.tip["state"] in ENDED:
            return None
        due = self.tip["due"]
        if not self._is_late():
            return len(self.chain), due
        return len(self.chain), self.forecast if isinstance(due, datetime) else day_of(self.forecast)

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
        self.tip["kept"] = now

    def withdrawn(self) -> None:
        """It is taken back; one that was broken is shown as broken still."""
        self.tip["broken"] = self.tip["state"] == "BROKEN"
        self.tip["state"] = "WITHDRAWN"

    def renegotiated(self, due: Due, now: datetime) -> None:
        """A person agreed on it with the customer."""
        self.tip["state"] = "RENEGOTIATED"
        self._promise(due, now, now)
        self.beliefs = {day_of(due)}

    def told(self, truth: Truth, at: datetime) -> None:
        """The customer was told `at` what was true when it was asked for. A told delay moves the promise.

        What was kept after that was kept as the successor. It is moot when a person was faster.
        """
        of, due = truth
        kept = self.tip.get("kept")
        moot = of < len(self.chain) or self.tip["state"] == "WITHDRAWN" or (kept and kept < at)
        self.beliefs = self.beliefs | {day_of(due)} if moot else {day_of(due)}
        if moot or due == self.tip["due"]:
            return
        self.tip["state"] = "BROKEN" if at > end_of(self.tip["due"]) else "RENEGOTIATED"
        self._promise(due, at, at)
        if kept:
            self.kept(kept)

    def perhaps_told(self, truth: Truth) -> None:
        """A message was handed over, and its answer was lost."""
        self.beliefs = self.beliefs | {day_of(truth[1])}

    def _promise(self, due: Due, made: datetime, now: datetime) -> None:
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
