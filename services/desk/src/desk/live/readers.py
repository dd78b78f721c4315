"""How many streams each person has open: one for each browser, not for each tab that a script opens."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

SEATS = (
    20  # for one person at one replica: each reader costs calls to every service whenever something changes
)


class Readers:
    """Who reads streams now."""

    def __init__(self) -> None:
        self._reading: Counter[str] = Counter()

    @contextmanager
    def seat(self, person: str) -> Iterator[bool]:
        """Whether there is a seat for another reader of `person`; then it is theirs in the block."""
        if self._reading[person] >= SEATS:
            yield False
            return
        self._reading[person] += 1
        try:
            yield True
        finally:
            self._reading[person] -= 1
            self._reading += Counter()  # who reads no more is forgotten
