"""What each service's code says of its tables is what its migrations make, and its lists have indexes."""

import pkgutil
from collections.abc import AsyncIterator
from importlib import import_module
from types import ModuleType

import asyncpg
import pytest
import sqlalchemy as sa

from chassis.api import filters
from chassis.api.listing import Listing
from chassis.db import schema
from deploy.services import TELLING as SERVICES
from rapport_testing.infrastructure import Infrastructure
from tests.contracts.tables import drift, without_index


@pytest.fixture
async def database(name: str, infrastructure: Infrastructure) -> AsyncIterator[asyncpg.Connection]:
    """A service's database, as its migrations make it."""
    service = import_module(f"{name}.service").service
    url = await infrastructure.fresh_database(name, service.migrations)
    async with infrastructure.superuser(url) as connection:
        yield connection
    await infrastructure.drop_database(url)


def modules(name: str) -> list[ModuleType]:
    """Those of a service's store."""
    store = import_module(f"{name}.store")
    return [import_module(f"{name}.store.{found.name}") for found in pkgutil.iter_modules(store.__path__)]


@pytest.mark.parametrize("name", [*SERVICES, "desk"])
async def test_tables_are_described_as_they_are_made(name: str, database: asyncpg.Connection) -> None:
    described = {v for module in modules(name) for v in vars(module).values() if isinstance(v, sa.MetaData)}
    assert described
    assert await drift(database, *described, schema.METADATA) == []


@pytest.mark.parametrize("name", SERVICES)
async def test_every_list_and_filter_has_an_index(name: str, database: asyncpg.Connection) -> None:
    every = [*modules(name), import_module("chassis.operations.store")]
    listings = {id(v): v for module in every for v in vars(module).values() if isinstance(v, Listing)}
    assert listings
    lacking = [line for each in listings.values() for line in await without_index(database, each)]
    assert not lacking, "\n".join(lacking)


@pytest.mark.parametrize("name", ["loyalty"])
async def test_every_kind_of_difference_is_found(name: str, database: asyncpg.Connection) -> None:
    await database.execute("CREATE TABLE a (id uuid PRIMARY KEY, n bigint NOT NULL, t text, u text)")
    await database.execute("CREATE TABLE b (id uuid PRIMARY KEY)")
    described = sa.MetaData()
    a = sa.Table(
        "a",
        described,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("t", sa.Text, nullable=False),
        sa.Column("v", sa.Text),
    )
    sa.Table("c", described, sa.Column("id", sa.Uuid, primary_key=True))
    service = import_module("loyalty.store.tables").METADATA
    assert await drift(database, described, service, schema.METADATA) == [
        "a.id is described as uuid NOT NULL and made as uuid NOT NULL KEY",
        "a.n is described as integer NOT NULL and made as bigint NOT NULL",
        "a.t is described as text NOT NULL and made as text",
        "a.u is described as None and made as text",
        "a.v is described as text and made as None",
        "b is made and not described",
        "c is described and not made",
    ]
    listing = Listing(
        sa.select(a).where(a.c.t == sa.bindparam("t")),
        a.c.n,
        a.c.id,
        row=dict,
        filters={"u": filters.text(sa.column("u")), "n": filters.number(a.c.n)},
    )
    await database.execute("CREATE INDEX ON a (t, n DESC, id DESC)")
    assert await without_index(database, listing) == ["a: u needs an index on (t, u, n, id)"]
    listing.walks = True
    assert await without_index(database, listing) == []
    await database.execute("CREATE INDEX ON a (t, u, n, id)")
    assert await without_index(database, listing) == []
