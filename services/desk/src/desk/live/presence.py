"""Who else has a customer's page open, on whichever replica. It is said, and locks nothing."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Sequence

from chassis.events.broadcast import Broadcast
from chassis.timeouts import woken
from desk.live.stream import AGAIN_MS

SAID_EVERY_S = 15.0
LASTS_S = 40.0  # of two words one may be lost
LINGERS_S = AGAIN_MS[1] / 1000 + 2.5  # whose page is loaded again, or whose stream comes back, has not left
_HERE, _LEFT = "here", "left"


class Presence:
    """Tells who looks at the same customer.

    Words between replicas hold the names of an agent and of a customer (ids), nothing more. Nothing is kept:
    a word that is lost costs some seconds, and so does a replica that ends without one.
    """

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._open: Counter[tuple[str, str]] = Counter()  # pages here, by customer and agent
        self._until: dict[str, dict[str, float]] = {}  # of customers that are looked at here, by agent
        self._watching: dict[str, set[asyncio.Event]] = defaultdict(set)
        broadcast.listen(self._hear)

    async def others(self, customer: str, agent: str) -> AsyncGenerator[Sequence[str], None]:
        """All others who have the page open, `agents/{agent}`: now, and whenever that changes.

        While it is iterated, `agent` has it open. Ends when it is closed.
        """
        wake, told, said = asyncio.Event(), None, float("-inf")
        self._watching[customer].add(wake)
        self._open[customer, agent] += 1
        try:
            while True:
                wake.clear()
                if time.monotonic() - said >= SAID_EVERY_S:
                    said = time.monotonic()
                    self._say(_HERE, customer, agent)
                if (others := self._others(customer, agent)) != told:
                    told = others
                    yield others
                await woken(wake, self._next(customer, said + SAID_EVERY_S))
        finally:
            self._watching[customer].discard(wake)
            self._open[customer, agent] -= 1
            if not self._open[customer, agent]:
                del self._open[customer, agent]
                self._say(_LEFT, customer, agent)
            if not self._watching[customer]:
                del self._watching[customer]
                self._until.pop(customer, None)

    def _others(self, customer: str, agent: str) -> Sequence[str]:
        now = time.monotonic()
        known = self._until.get(customer, {})
        return sorted(each for each, until in known.items() if until > now and each != agent)

    def _next(self, customer: str, say: float) -> float:
        """Seconds until something is to be said, or somebody is no more believed to be there."""
        now = time.monotonic()
        ends = [until for until in self._until.get(customer, {}).values() if until > now]
        return max(0.01, min([say, *ends]) - now)

    def _say(self, word: str, customer: str, agent: str) -> None:
        self._note(word, customer, agent)
        self._broadcast.send(f"{word} {customer} {agent}".encode())

    def _hear(self, message: bytes) -> None:
        word, _, about = message.decode(errors="replace").partition(" ")
        customer, _, agent = about.partition(" ")
        if word not in (_HERE, _LEFT):
            return
        is_new = self._note(word, customer, agent)
        if word == _LEFT and (customer, agent) in self._open:  # one of their pages
            self._say(_HERE, customer, agent)
        elif word == _HERE and is_new:  # who comes is told who is there
            for ours in [each for at, each in self._open if at == customer]:
                self._say(_HERE, customer, ours)

    def _note(self, word: str, customer: str, agent: str) -> bool:
        """Believe a word. Whether it tells of somebody who was not known to be there."""
        if customer not in self._watching:
            return False
        known, now = self._until.setdefault(customer, {}), time.monotonic()
        is_new = known.get(agent, 0.0) <= now
        if word == _HERE:
            known[agent] = now + LASTS_S
        elif not is_new:
            known[agent] = now + LINGERS_S
        if is_new or word == _LEFT:
            for each in self._watching[customer]:
                each.set()
        return is_new
