"""PostgreSQL and NATS for a test run: a pair of servers for each worker, a database for each start."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import nats

from chassis.db.migrate import migrate
from rapport_testing.beside import Beside
from rapport_testing.engines.nats import Nats
from rapport_testing.engines.postgres import Postgres, owner_of

# Durability costs time and proves nothing in a test that never pulls the plug.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
ROOM = 2 * 1024**3  # of which a worker needs a quarter; a container may have next to none


@contextlib.contextmanager
def in_memory(otherwise: Path) -> Iterator[Path]:
    """A folder in memory, where there is room: making a database is writing a thousand files.

    What a worker that was killed has left there is removed.
    """
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        yield otherwise
        return
    for left in MEMORY.glob("rapport-of-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"rapport-of-{os.getpid()}-", dir=MEMORY))
    folder.chmod(0o755)  # PostgreSQL may run as another
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Infrastructure:
    """Real servers on loopback, stopped at the end of the run.

    `postgres_url` is the superuser's; `nats_url` is without users, for permissions have tests of their own.
    """

    def __init__(self, folder: Path, options: Mapping[str, str] = FAST, binaries: Path | None = None) -> None:
        self.postgres = Postgres(folder / "postgres", options=options, binaries=binaries)
        self.nats = Nats(folder / "nats")
        self._shared_nats = Nats(folder / "shared-nats")
        self._is_shared = False
        self._templates: set[str] = set()
        self._spare: dict[str, tuple[str, Future[None]]] = {}  # of each service, made before it is needed
        self._beside: Beside | None = None

    def start(self) -> None:
        self.postgres.start()
        self.nats.start()
        self.postgres_url = self.postgres.url
        self.nats_url = self.nats.url

    def stop(self) -> None:
        if self._beside is not None:
            self._beside.stop()
        if self._is_shared:
            self._shared_nats.stop()
        self.nats.stop()
        self.postgres.stop()

    def shared_nats_url(self) -> str:
        """Another broker, where streams stay while those of a test come and go; begun when asked for."""
        if not self._is_shared:
            self._shared_nats.start()
            self._is_shared = True
        return self._shared_nats.url

    def database_url(self, name: str) -> str:
        """The superuser's URL to another database."""
        return urlunsplit(urlsplit(self.postgres_url)._replace(path=f"/{name}"))

    async def execute(self, sql: str) -> None:
        connection = await asyncpg.connect(self.postgres_url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def fresh_database(self, service: str, migrations: Path) -> str:
        """The URL of a new, migrated database: a copy of a template that is migrated once.

        It is that of the service's role, which may do what it may in production; `database_url` has the
        superuser's.
        """
        if service in self._templates:
            name, made = self._spare.get(service) or self._begin(service)
            self._spare[service] = self._begin(service)
        else:
            await self._make_template(service, migrations)
            name, made = self._begin(service)
        await asyncio.wrap_future(made)
        return urlunsplit(urlsplit(self.postgres.url_for(service))._replace(path=f"/{name}"))

    async def _make_template(self, service: str, migrations: Path) -> None:
        await self.postgres.create_database(service)
        await migrate(self.postgres.url_for(service, owner_of(service)), migrations, service)
        async with self.superuser(self.database_url(service)) as template:  # else each start would make them
            await template.execute("SELECT make_partitions(parent) FROM keeping")
        self._templates.add(service)

    def _begin(self, service: str) -> tuple[str, Future[None]]:
        """Have a copy of the template made: its name, and what ends with it."""
        name = f"{service}_{uuid4().hex[:12]}"
        copied = f"TEMPLATE {service} OWNER {owner_of(service)} STRATEGY FILE_COPY"
        return name, self._administrator().begin(f"CREATE DATABASE {name} {copied}")

    def _administrator(self) -> Beside:
        self._beside = self._beside or Beside(self.postgres_url)
        return self._beside

    @contextlib.asynccontextmanager
    async def superuser(self, url: str) -> AsyncIterator[asyncpg.Connection]:
        """A superuser's connection to the database of a URL: to arrange what a service may not do itself."""
        connection = await asyncpg.connect(self.database_url(urlsplit(url).path[1:]))
        try:
            yield connection
        finally:
            await connection.close()

    @contextlib.asynccontextmanager
    async def failover(self, url: str) -> AsyncIterator[None]:
        """The database cuts off who is connected, and refuses everybody for the time of the block."""
        name = urlsplit(url).path[1:]
        async with self.superuser(self.postgres_url) as admin:
            await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            yield
            await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')

    async def analyze(self, url: str, table: str) -> None:
        """Have the planner know a table's rows, which a service cannot ask for."""
        async with self.superuser(url) as connection:
            await connection.execute(f"ANALYZE {table}")

    async def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        await self.execute(_drop(url))

    def leave_database(self, url: str) -> None:
        """Have a fresh database dropped while others go on."""
        self._administrator().begin(_drop(url))

    async def drop_streams(self, nats_url: str = "") -> None:
        """Remove every stream and consumer of a broker, so that the next test starts with none."""
        connection: Any = await nats.connect(nats_url or self.nats_url)
        try:
            js = connection.jetstream()
            for stream in await js.streams_info():
                with contextlib.suppress(nats.js.errors.NotFoundError):
                    await js.delete_stream(stream.config.name)
        finally:
            await connection.close()


def _drop(url: str) -> str:
    return f"DROP DATABASE IF EXISTS {urlsplit(url).path[1:]} WITH (FORCE)"
