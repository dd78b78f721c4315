"""Ports on loopback, below the range from which the kernel serves outgoing connections.

Fixed ones, the services' of each stack from its base on, are below 10000; those that are taken at random, by
stacks for all else and by tests, are above.
"""

import os
import random
import socket
import urllib.request
from collections import deque
from collections.abc import Iterable, Mapping

from rapport_testing.engines.process import StackError, WrongUse

# Above 32767 an outgoing connection may hold the port, and a bind fails at random.
LOWEST, HIGHEST = 10_000, 32_767
PORT_BASE = 7000
LOWEST_BASE, HIGHEST_BASE = 1024, LOWEST - 200
HTTP_OFFSET = 100
OPENED = (1070, 1080)  # from the base: what people open, the provider's and the desk's
# No browser opens these, for other protocols speak there (https://fetch.spec.whatwg.org/#port-blocking).
REFUSED = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6679}
)
REFUSED |= {6697, 10080}

LOOPBACK = "127.0.0.1"
_chance = random.SystemRandom()
_given: deque[int] = deque(maxlen=1000)

# Opens our own addresses: a proxy that the user has set is for the world outside.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def port_base(environ: Mapping[str, str]) -> int:
    """Where the fixed ports of a stack begin. WrongUse."""
    base = number(environ, "RAPPORT_PORT_BASE", PORT_BASE, LOWEST_BASE, HIGHEST_BASE)
    if not browsers_open(base):
        raise WrongUse(f"RAPPORT_PORT_BASE must be another than {base}: browsers refuse a port of its pages.")
    return base


def browsers_open(base: int) -> bool:
    """Whether browsers open the pages of a stack with this base."""
    return REFUSED.isdisjoint(base + offset for offset in OPENED)


def number(environ: Mapping[str, str], name: str, usual: int, lowest: int, highest: int) -> int:
    """What a variable says. WrongUse when that is no number in its range."""
    told = environ.get(name) or str(usual)
    if not (told.isascii() and told.isdigit() and lowest <= int(told) <= highest):
        raise WrongUse(f"{name} must be a number from {lowest} to {highest}.")
    return int(told)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on a port, as far as this user may know: a program, and the stack it belongs to."""
    import psutil

    for process in psutil.process_iter():
        try:
            listens = any(
                each.status == psutil.CONN_LISTEN and each.laddr.port == port
                for each in process.net_connections("tcp")
            )
            if listens:
                home = process.environ().get("RAPPORT_HOME", "")
                whose = f", of the stack in {home}" if home else ""
                return f"{process.name()} (process {process.pid}{whose})"
        except psutil.Error:  # another user's, or gone
            continue
    return "another program"


def taken(port: int, service: str, usual: Iterable[int]) -> tuple[str, str]:
    """Who has a service's port, in words, and what to do: a base from which all of `usual` are free."""
    offsets = [each - PORT_BASE + more for each in usual for more in (0, HTTP_OFFSET)]
    bases = range(PORT_BASE + 200, HIGHEST_BASE, 200)
    good = [base for base in bases if browsers_open(base)]
    free = next((base for base in good if all(is_free(base + offset) for offset in offsets)), good[0])
    return (
        f"Port {port}, which {service} needs, is taken by {holder(port)}.",
        f"Stop that, or choose other ports: RAPPORT_PORT_BASE={free}",
    )


def require(needed: Iterable[tuple[int, str]], usual: Iterable[int]) -> None:
    """Each port is free, and needed by one service alone. StackError, with what to do."""
    whose: dict[int, str] = {}
    for port, service in needed:
        if (other := whose.setdefault(port, service)) != service:
            raise StackError(
                f"Port {port} is needed by {other} and by {service}: give one another in its service.py."
            )
        if not is_free(port):
            raise StackError(" ".join(taken(port, service, usual)))


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_port(preferred: int | None = None) -> int:
    """A free port: the preferred one (that of the last start) if it is still free.

    Picked at random, so that two stacks which start at the same time do not race for the same one; by the
    system, for a test may have seeded `random`, and Hypothesis does. Who picks several before listening on
    the first gets as many, and workers of pytest share none.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    lowest, highest = _part(os.environ)
    for _ in range(1000):
        port = _chance.randint(lowest, highest)
        if port not in REFUSED and port not in _given and is_free(port):
            _given.append(port)
            return port
    raise OSError(f"no free port between {lowest} and {highest} on 127.0.0.1")


def _part(environ: Mapping[str, str]) -> tuple[int, int]:
    """The ports among which this process picks: a part of all for each of pytest's workers."""
    worker = environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    count = environ.get("PYTEST_XDIST_WORKER_COUNT", "")
    if not (worker.isdecimal() and count.isdecimal()):
        return LOWEST, HIGHEST
    size = (HIGHEST + 1 - LOWEST) // max(int(count), 1)
    lowest = LOWEST + int(worker) * size
    return lowest, lowest + size - 1
