"""Free ports on loopback, below the range from which the kernel serves outgoing connections."""

import random
import socket
import urllib.request

# Above 32767 an outgoing connection may hold the port, and a bind fails at random.
LOWEST, HIGHEST = 10_000, 32_767

LOOPBACK = "127.0.0.1"

# Opens our own addresses: a proxy that the user has set is for the world outside.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


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


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_port(preferred: int | None = None) -> int:
    """A free port: the preferred one (that of the last start) if it is still free.

    Picked at random, so that two stacks which start at the same time do not race for the same one.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    for _ in range(1000):
        port = random.randint(LOWEST, HIGHEST)  # noqa: S311
        if is_free(port):
            return port
    raise OSError("no free port between 10000 and 32767 on 127.0.0.1")
