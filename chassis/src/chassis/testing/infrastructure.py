"""PostgreSQL and NATS for a test run: a pair of servers for each worker, a database for each start."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import nats

from chassis.db.migrate import migrate
from chassis.local.nats import Nats
from chassis.local.postgres import Postgres

# Durability costs time and proves nothing in a test that never pulls the plug.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Infrastructure:
    """Real servers on loopback, stopped at the end of the run.

    Attributes:
        postgres_url: the superuser's, to the database `postgres`.
        nats_url: without users; permissions have tests of their own.

    """

    def __init__(self, folder: Path, options: Mapping[str, str] = FAST) -> None:
        self.postgres = Postgres(folder / "postgres", options=options)
        self.nats = Nats(folder / "nats")
        self._templates: dict[str, str] = {}

    def start(self) -> None:
        """Start both servers and wait until they answer."""
        self.postgres.start()
        self.nats.start()
        self.postgres_url = self.postgres.url
        self.nats_url = self.nats.url

    def stop(self) -> None:
        """Stop both servers."""
        self.nats.stop()
        self.postgres.stop()

    def database_url(self, name: str) -> str:
        """The superuser's URL to another database."""
        return urlunsplit(urlsplit(self.postgres_url)._replace(path=f"/{name}"))

    async def execute(self, sql: str) -> None:
        """Run one administrative statement."""
        connection = await asyncpg.connect(self.postgres_url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def fresh_database(self, service: str, migrations: Path) -> str:
        """The URL of a new, migrated database: a copy of a template that is migrated once."""
        template = self._templates.get(service)
        if template is None:
            template = f"template_{service}"
            await self.execute(f"CREATE DATABASE {template}")
            await migrate(self.database_url(template), migrations)
            self._templates[service] = template
        name = f"{service}_{uuid4().hex[:12]}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.database_url(name)

    async def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        await self.execute(f"DROP DATABASE IF EXISTS {urlsplit(url).path[1:]} WITH (FORCE)")

    async def drop_streams(self) -> None:
        """Remove every stream and consumer, so that the next test starts with none."""
        connection: Any = await nats.connect(self.nats_url)
        try:
            js = connection.jetstream()
            for stream in await js.streams_info():
                with contextlib.suppress(nats.js.errors.NotFoundError):
                    await js.delete_stream(stream.config.name)
        finally:
            await connection.close()
