"""Calendars that need no keeping."""

from datetime import datetime, timedelta


class Always:
    """Open at all times."""

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        return end - start

    def add(self, start: datetime, duration: timedelta) -> datetime:
        return start + duration


ALWAYS = Always()
