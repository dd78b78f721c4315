"""How much one source may send."""

import asyncio

from chassis.errors import ResourceExhausted

BURST_S = 5.0  # what was not sent before may be sent together


class Pace:
    """An average rate for each source, as GCRA has it: a time until which the source has used its share."""

    def __init__(self) -> None:
        self._used: dict[str, float] = {}

    def take(self, source: str, per_second: float) -> None:
        """Count one. ResourceExhausted `OVERLOADED`, with when to try again."""
        now = asyncio.get_running_loop().time()
        until = max(now, self._used.get(source, now)) + 1 / per_second
        if until - now > max(BURST_S, 1 / per_second):
            described = f"This source may send {per_second:g} webhooks a second on average."
            raise ResourceExhausted("OVERLOADED", described, {"most": per_second}, retry_after_s=1)
        self._used[source] = until
