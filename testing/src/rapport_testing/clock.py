"""A clock that tests own."""

from datetime import datetime, timedelta

from chassis.clock import Clock


class ManualClock(Clock):
    """A clock that moves only when told."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by
