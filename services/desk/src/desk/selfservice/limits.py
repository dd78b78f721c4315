"""How much one address and one link may ask: wrong links are counted by address, the rest by link.

Nobody guesses a token: whoever tries is told to stop. A good link opens all the same, for many customers may
be behind one address, such as their mail provider's. Kept in this process, bounded.
"""

import hashlib
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

from starlette.requests import Request

from chassis.errors import Refusal

KNOWN_MAX = 10_000
_PREFIX_BITS = 64  # of an IPv6 address is whose network it is


class TooMuch(Refusal, code="RESOURCE_EXHAUSTED"):
    """More was asked than one address or link may."""

    def __init__(self, seconds: float) -> None:
        super().__init__("OVERLOADED", "Too much was asked at once.", retry_after_s=seconds)


class Room:
    """For requests that are answered at one time: `most` of all links, `each` of one."""

    def __init__(self, most: int, each: int) -> None:
        self._left, self._each = most, each
        self._by: Counter[str] = Counter()

    @contextmanager
    def taken(self, link: str) -> Iterator[None]:
        """While one is answered. TooMuch."""
        if not self._left or self._by[link] >= self._each:
            raise TooMuch(1.0)
        self._left -= 1
        self._by[link] += 1
        try:
            yield
        finally:
            self._left += 1
            self._by -= Counter([link])


class Often:
    """Counts what each does, `most` times in `seconds`; of too many the first are forgotten."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._now = most, seconds, now
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()  # since when, how often

    def left_s(self, who: str) -> float:
        """In how many seconds `who` may again; 0 for now."""
        since, count = self._counts.get(who, (0.0, 0))
        left = since + self._seconds - self._now()
        return left if count >= self._most and left > 0 else 0.0

    def count(self, who: str) -> None:
        """Once more."""
        since, count = self._counts.pop(who, (0.0, 0))
        if not count or since + self._seconds <= self._now():
            since, count = self._now(), 0
        self._counts[who] = since, count + 1
        if len(self._counts) > KNOWN_MAX:
            self._counts.popitem(last=False)


class Limits:
    """Of one replica."""

    def __init__(self, proxies: int) -> None:
        self._proxies = proxies
        self._key = secrets.token_bytes(32)
        self.wrong = Often(30, 600)  # by address
        self.sent = Often(60, 3600)  # by link and form
        self.looked = Often(60, 60)  # by link

    def link(self, token: str) -> str:
        """What a link is counted by, from which nobody gets back to it."""
        return hashlib.blake2b(token.encode(), key=self._key, digest_size=16).hexdigest()

    def address(self, request: Request) -> str:
        """Whose address asks: as the last of our proxies saw it; of IPv6 the network."""
        found = request.client.host if request.client else ""
        if self._proxies:
            headers = ",".join(request.headers.getlist("x-forwarded-for"))  # a proxy may add one of its own
            told = [each.strip() for each in headers.split(",")]
            found = told[-self._proxies] if len(told) >= self._proxies else found
        try:
            address = ip_address(found)
        except ValueError:
            return "unknown"
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(IPv6Address(int(address) >> (128 - _PREFIX_BITS) << (128 - _PREFIX_BITS)))
        return str(address)
