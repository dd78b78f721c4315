"""The folder of one local stack: `.rapport/`, or what RAPPORT_HOME names.

env           addresses and connection strings of the running stack, for `source` and for `rapport`
status.json   what runs, since when, how often it was restarted
currency      what RAPPORT_CURRENCY was when it last started; a start without goes on with it
lock          held by the supervisor as long as it lives
keys/         the local issuer's signing key and its jwks.json
tokens/       each service's own token
webhooks/     who may send webhooks to the desk
prepared.json what the last start prepared, so that the next need not
postgres/ nats/ mail/ logs/
"""

import fcntl
import json
import os
import shlex
import shutil
import time
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Any

from rapport_testing.engines.process import StackError, kept_secret, write_private

OF_A_STACK = {
    *("env", "status.json", "currency", "lock", "prepared.json", "keys", "tokens", "webhooks"),
    *("postgres", "nats", "mail", "logs"),
}
# The senders of webhooks that a local stack knows: one of each kind, whose secret is no secret.
WEBHOOK_SECRET = "local-stack-only-and-not-a-secret"  # noqa: S105 - in the README, for whoever tries it
WEBHOOK_KINDS = ("chat", "email", "event", "fax", "letter", "sms", "social", "telephony", "web-form")
LOOKED_AT_S = 1.0  # whoever looks whether a stack runs holds the lock for a moment


class Home:
    """Where one stack keeps everything. Two homes share nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.env_file = self.path / "env"
        self.logs = self.path / "logs"
        self.mail = self.path / "mail"
        self.keys = self.path / "keys"
        self.tokens = self.path / "tokens"
        self.webhooks = self.path / "webhooks"

    @classmethod
    def current(cls) -> "Home":
        """The home that RAPPORT_HOME names, or `./.rapport`."""
        return cls(Path(os.environ.get("RAPPORT_HOME") or ".rapport"))

    def create(self) -> None:
        """Make the folder; nothing in it is for other users."""
        self.path.mkdir(parents=True, exist_ok=True)
        for folder in (self.logs, self.mail, self.keys, self.tokens, self.webhooks):
            folder.mkdir(mode=0o700, exist_ok=True)
        for kind in WEBHOOK_KINDS:  # files of the user's own stay
            sender = {"kind": kind, "secrets": [WEBHOOK_SECRET]}
            (self.webhooks / f"{kind}.json").write_text(json.dumps(sender))

    def others(self) -> list[str]:
        """What lies in the folder and is not of a stack."""
        there = (each.name for each in self.path.iterdir() if each.suffix != ".new")
        return sorted(set(there) - OF_A_STACK)

    def remove(self) -> None:
        """Remove the folder. StackError when a stack runs on it."""
        with self.acquire():
            shutil.rmtree(self.path)

    def acquire(self) -> IO[str]:
        """Take the lock; it is given back when the returned file is closed or the process ends.

        StackError when another supervisor runs on this home.
        """
        lock = (self.path / "lock").open("a+")
        deadline = time.monotonic() + LOOKED_AT_S
        while not _locked(lock) and time.monotonic() < deadline and self.supervisor() is None:
            time.sleep(0.01)
        if not _locked(lock):
            lock.close()
            raise StackError(
                f"A stack is already running in {self.path} (process {self.supervisor() or '?'}). "
                "Stop it with `rapport down`, or give the other its own RAPPORT_HOME and RAPPORT_PORT_BASE."
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def supervisor(self) -> int | None:
        """The process id of the running supervisor; None when the stack is down."""
        try:
            with (self.path / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return int((self.path / "lock").read_text() or 0) or None
        return None

    def read_env(self) -> dict[str, str]:
        """What the last start wrote to `env`; empty when there was none."""
        if not self.env_file.exists():
            return {}
        lines = self.env_file.read_text().splitlines()
        words = (shlex.split(line, comments=True) for line in lines)
        return dict(word[-1].split("=", 1) for word in words if word)

    def write_env(self, values: Mapping[str, str]) -> None:
        """Write `env`, readable by its owner only: it holds passwords."""
        lines = [f"export {key}={shlex.quote(value)}\n" for key, value in values.items()]
        write_private(self.env_file, "".join(lines))

    def read_status(self) -> dict[str, Any]:
        path = self.path / "status.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def is_up(self) -> bool:
        """Whether a stack runs here and every service is ready."""
        ready = {unit["name"] for unit in self.read_status().get("units", []) if unit["state"] == "ready"}
        return (
            self.supervisor() is not None
            and {e.name for e in entry_points(group="rapport.services")} <= ready
        )

    def is_furnished(self) -> bool:
        """Whether it is up, and who signs in by a click was entered, with what they work with."""
        return self.is_up() and bool(self.read_status().get("furnished"))

    def write_status(self, status: Mapping[str, Any]) -> None:
        write_private(self.path / "status.json", json.dumps(status, indent=2))

    def currency(self) -> str:
        """The currency that was chosen for this home; "" when none was."""
        path = self.path / "currency"
        return path.read_text() if path.exists() else ""

    def keep_currency(self, code: str) -> None:
        """Go on with this currency when a start chooses none."""
        if code != self.currency():
            write_private(self.path / "currency", code)

    def secret(self, name: str) -> str:
        """A random secret of this home, made when first asked for."""
        return kept_secret(self.keys / name)


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
