"""kubectl, the one from PATH: it knows the cluster and who we are there."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import DEVNULL, PIPE, STDOUT, Popen
from typing import IO

from rapport_tools.cli.failures import Exit, Failure

TIMEOUT_S = 60


def kubectl(*arguments: str) -> str:
    """What kubectl writes. Failure when it is not there, or ends with an error."""
    command = ["kubectl", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    except FileNotFoundError:
        raise Failure("kubectl is not on PATH.", Exit.WRONG_USE) from None
    except subprocess.TimeoutExpired:
        raise Failure(f"kubectl did not answer within {TIMEOUT_S} s.", Exit.UNREACHABLE) from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failure(f"kubectl {arguments[0]}: {said[-1] if said else done.returncode}", Exit.UNREACHABLE)
    return done.stdout


@contextmanager
def forwarded(namespace: str, service: str, port: int) -> Iterator[str]:
    """The address, on loopback, at which a port of a Service is reached within the block. Failure."""
    command = ["kubectl", "port-forward", "--namespace", namespace, f"service/{service}", f":{port}"]
    try:
        running = Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
    except FileNotFoundError:
        raise Failure("kubectl is not on PATH.", Exit.WRONG_USE) from None
    with running:
        try:
            said, rest = _address(running)
            if not rest:
                what = f"{service} in {namespace} is not reached by kubectl port-forward"
                raise Failure(f"{what}: {said or 'it says nothing'}.", Exit.UNREACHABLE)
            threading.Thread(target=_read_on, args=(running.stdout,), daemon=True).start()
            yield rest.split()[0]
        finally:
            running.terminate()


def _address(running: "Popen[bytes]") -> tuple[str, str]:
    """The last line that it says, and from where it forwards: what comes before that are warnings."""
    assert running.stdout is not None
    impatience = threading.Timer(TIMEOUT_S, running.terminate)
    impatience.start()
    said = ""
    try:
        for line in running.stdout:
            said = line.decode().strip().rstrip(".") or said
            _, found, rest = said.partition("Forwarding from ")
            if found:
                return said, rest
        return said, ""
    finally:
        impatience.cancel()


def _read_on(output: IO[bytes] | None) -> None:
    """It says something of every connection, and would wait when nobody read that."""
    assert output is not None
    with contextlib.suppress(ValueError):  # closed: the block has ended
        while output.read(4096):
            pass
