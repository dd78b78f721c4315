"""Podman as root, and the names that its network's DNS knows."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NETWORK = "rapport-images"
_DNS = Path("/run/containers/networks")


class Failed(Exception):
    """What a real cluster would have shown as a pod that does not get on."""


def podman(*arguments: str, check: bool = True) -> str:
    """Run podman and return what it wrote. Failed with what it said, when it fails."""
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise Failed(f"podman {' '.join(arguments[:3])}...: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout.strip()


def publish(container: str, names: list[str]) -> None:
    """Make names lead to a container beside its own, or, without names, to it no more.

    Podman gives a container its aliases for as long as it runs, and a headless Service its name to those that
    are ready: so this writes names where podman's DNS server reads them, a line for each container.
    """
    with _line(container) as words:
        own = words[-1].split(",")
        words[-1] = ",".join([own[0], *names, own[-1]])


@contextmanager
def _line(container: str) -> Iterator[list[str]]:
    with (_DNS / "aardvark.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = _DNS / "aardvark-dns" / NETWORK
        lines = [line.split(" ") for line in file.read_text().splitlines()]
        for words in lines:
            if words[-1].split(",")[0] == container:
                yield words
                break
        else:
            yield ["", ","]  # it has just ended, and its names with it
        whole = (
            _DNS / f"{NETWORK}.new"
        )  # the server must not read half a file: it ends when it finds no names
        whole.write_text("".join(" ".join(words) + "\n" for words in lines))
        whole.replace(file)
        os.kill(int((_DNS / "aardvark-dns" / "aardvark.pid").read_text()), signal.SIGHUP)
