"""How long to wait before trying again."""

import random
from dataclasses import dataclass

_DOUBLINGS_MAX = 30


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses in seconds: from `first`, doubling, to `longest`, of which the share `by_chance` is random."""

    first: float
    longest: float
    by_chance: float = 0.5

    def wait(self, failures: int) -> float:
        """The pause after so many failures. Chance keeps what failed together from coming back together."""
        full = min(self.longest, self.first * 2.0 ** min(max(failures - 1, 0), _DOUBLINGS_MAX))
        return full * (1 - self.by_chance * (1 - random.random()))  # noqa: S311 - to spread, not to hide


RETRIES = Backoff(1.0, 300.0, by_chance=0.2)
"""Of an event or a timer, which is kept until it is done."""
