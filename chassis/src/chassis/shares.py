"""What all callers share, and of which one caller gets a part: calls, bytes, streams, waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.errors import ResourceExhausted, overloaded


class Shares:
    """Places that callers take and give back: `most` together, `of_one` each, so that nobody takes all.

    `what` says what a place is for, in the plural, `refusal` makes of that and the number that is allowed
    what is raised when there is no place.
    """

    def __init__(
        self, most: int, of_one: int, what: str, refusal: Callable[[str, int], ResourceExhausted] = overloaded
    ) -> None:
        self._most, self._of_one = most, of_one
        self._what, self._refusal = what, refusal
        self._by_caller: dict[str, int] = {}
        self.taken = 0

    def check(self, caller: str) -> None:
        """Raise ResourceExhausted when there is no place for `caller`."""
        if self._by_caller.get(caller, 0) >= self._of_one:
            raise self._no_place("A caller may have", self._of_one)
        if self.taken >= self._most:
            raise self._no_place("This replica takes", self._most)

    def take(self, caller: str, amount: int = 1) -> None:
        """Take places while there is one: of what has a size, the last may be larger than what is left."""
        self.check(caller)
        self.taken += amount
        self._by_caller[caller] = self._by_caller.get(caller, 0) + amount

    def give_back(self, caller: str, amount: int = 1) -> None:
        self.taken -= amount
        left = self._by_caller.get(caller, 0) - amount
        if left:
            self._by_caller[caller] = left
        else:
            self._by_caller.pop(caller, None)

    @contextmanager
    def held(self, caller: str) -> Iterator[None]:
        """One place for the time of a block."""
        self.take(caller)
        try:
            yield
        finally:
            self.give_back(caller)

    def _no_place(self, who: str, most: int) -> ResourceExhausted:
        return self._refusal(f"{who} {most} {self._what} at once. Let one end, or try again.", most)
