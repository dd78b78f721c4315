"""Since when services do not answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Silence:
    """That a service does not answer.

    Attributes:
        since: when it was asked first of those times that it did not answer.
        heard: when it answered last; None when it never did while this desk runs.

    """

    since: datetime
    heard: datetime | None


class Memory:
    """When each service answered, as this process of the desk saw it.

    Args:
        memory: of the process.
        what: was asked; of other questions it is remembered apart.

    """

    def __init__(self, memory: dict[Any, Any], what: str) -> None:
        self._memory, self._what = memory, what

    def note(self, service: str, is_silent: bool, now: datetime) -> Silence | None:
        """Remember how it went with a service, and say since when it is silent."""
        heard, since = self._memory.get((self._what, service), (None, None))
        heard, since = (heard, since or now) if is_silent else (now, None)
        self._memory[self._what, service] = heard, since
        return Silence(since, heard) if since else None
