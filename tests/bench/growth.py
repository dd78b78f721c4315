"""`make bench-growth`: whether a search of a million customers takes as long as one of ten thousand.

What is searched for is drawn from the customers that are there, so a name that one in a hundred has is asked
for once in a hundred times; and what many have is asked for by itself. Each size has a service and a database
of its own, in a cluster that is removed afterwards; they take turns, so that whatever else the machine does
meets both. Never fails.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop

from chassis import ids
from customer.service import service as customer
from customer.store.tables import CUSTOMERS, IDENTIFIERS
from rapport.customer.v1.customer_service_pb2 import SearchCustomersRequest
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from tests.bench.growth_people import BEGUN, CITIES, COMMON, GIVEN, SEED, TRADES, Person, people
from tests.bench.platform import Platform, Started, platform

SIZES = (10_000, 1_000_000)
TURNS, AT_ONCE = 10, 20  # of each kind so many searches, one after another, and so often
WARM_UP = 30
KIND_LIMIT_S = 60


def _mistaken(word: str, chance: random.Random) -> str:
    """The word with a letter left out, taken for another, or in another place."""
    i = chance.randrange(1, len(word) - 1)
    left_out, taken = word[:i] + word[i + 1 :], word[:i] + "e" + word[i + 1 :]
    return chance.choice([left_out, taken, word[:i] + word[i + 1] + word[i] + word[i + 2 :]])


KINDS: dict[str, Callable[[Person, random.Random], str]] = {
    "an e-mail address": lambda person, _: person.email,
    "a customer number": lambda person, _: f"crm:{person.number}",
    "a phone number": lambda person, _: person.phone,
    "the last 7 digits of a number": lambda person, _: person.phone[-7:],
    "given and family name": lambda person, _: f"{person.given} {person.family}",
    "family name, beginning of given name": lambda person, _: f"{person.family} {person.given[:3]}",
    "family name": lambda person, _: person.family,
    "the first 4 letters of a family name": lambda person, _: person.family[:4],
    "family name and city": lambda person, _: f"{person.family} {person.city}",
    "company": lambda person, _: person.company or f"{person.family} GmbH",
    "city": lambda person, _: person.city,
    "family name misspelt, given name": lambda person, chance: (
        f"{_mistaken(person.family, chance)} {person.given}"
    ),
    "family name misspelt": lambda person, chance: _mistaken(person.family, chance),
    "2 letters": lambda person, _: person.family[:2],
    "a given name that many have": lambda person, chance: chance.choice(GIVEN.split()[:5]),
    "a family name that many have": lambda person, chance: chance.choice(COMMON.split()[:5]),
    "both": lambda person, chance: f"{chance.choice(GIVEN.split()[:5])} {chance.choice(COMMON.split()[:5])}",
    "the legal form of companies": lambda person, _: "GmbH",
    "a trade and the legal form": lambda person, chance: f"{chance.choice(TRADES.split())} GmbH",
    "a city that many live in": lambda person, chance: chance.choice(CITIES.split()[:3]),
    "two words that many have, and nobody both": lambda person, chance: (
        f"GmbH {chance.choice(GIVEN.split()[:5])}"
    ),
}


async def load(running: Platform, started: Started, made: Sequence[Person]) -> None:
    """Make the customers, by COPY; the indexes after that, which is faster."""
    async with running.infrastructure.superuser(started.database_url) as connection:
        await connection.execute("SET session_replication_role = replica")  # nobody is to be compared
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND tablename IN ('customers', 'identifiers') AND indexdef NOT LIKE 'CREATE UNIQUE%'"
        )
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['indexname']}")
        for table, rows in ((CUSTOMERS, _customers(made)), (IDENTIFIERS, _identifiers(made))):
            columns = [column.name for column in table.columns]
            records = (tuple(row[name] for name in columns) for row in rows)
            await connection.copy_records_to_table(table.name, records=records, columns=columns, timeout=1800)
        await connection.execute("SET maintenance_work_mem = '512MB'")
        for index in indexes:
            await connection.execute(index["indexdef"], timeout=1800)
        await connection.execute(_LEARN, timeout=1800)
        await connection.execute("VACUUM ANALYZE customers, identifiers, search_words", timeout=1800)


_LEARN = """
    INSERT INTO search_words
    SELECT DISTINCT word FROM customers, unnest(tsvector_to_array(words_of(
        given_name || ' ' || family_name || ' ' || organization_name || ' ' || cities_of(addresses)
    ))) AS word
    ON CONFLICT DO NOTHING
"""


def _customers(made: Sequence[Person]) -> Any:
    defaults = {column.name: "" for column in CUSTOMERS.columns} | {
        "language_code": "de",
        "time_zone": "Europe/Berlin",
        "region_code": "DE",
        "relationship_manager": "agents/front-desk",
        "version": 1,
        "bought": False,
        "prospect": True,
    }
    for each in made:
        at = BEGUN + timedelta(seconds=each.number)
        postal = {"region_code": "DE", "locality": each.city}
        named = {"kind": "PERSON", "given_name": each.given, "family_name": each.family}
        yield {
            **defaults,
            **({"kind": "ORGANIZATION", "organization_name": each.company} if each.company else named),
            "id": each.id,
            "addresses": json.dumps([{"type": "TYPE_HOME", "postal_address": postal}], ensure_ascii=False),
            "create_time": at,
            "update_time": at,
        }


def _identifiers(made: Sequence[Person]) -> Any:
    defaults = {column.name: "" for column in IDENTIFIERS.columns} | {
        "quality": "VALID",
        "shared": False,
        "verify_time": None,
        "version": 1,
    }
    for each in made:
        number = f"{each.number}"
        handles = ("EMAIL", "", each.email), ("PHONE", "", each.phone), ("EXTERNAL_ID", "crm", number)
        for position, (kind, system, value) in enumerate(handles):
            at = BEGUN + timedelta(seconds=each.number, milliseconds=position)
            yield {
                **defaults,
                "id": ids.uuid7(at),
                "customer_id": each.id,
                "type": kind,
                "system": system,
                "value": value,
                "normalized_value": value,
                "create_time": at,
            }


@dataclass
class Size:
    """So many customers, with their service, and what searches of them took."""

    made: Sequence[Person]
    started: Started
    stub: Any
    chance: random.Random
    backends: Sequence[int]  # the processes of PostgreSQL that answer
    took_ms: list[float]
    cpu_s: float = 0.0

    async def search(self, identity: Any, query: Callable[[Person, random.Random], str], count: int) -> None:
        """Search so often."""
        service_s, backends_s = self.started.cpu_s(), [_scheduled_s(each) for each in self.backends]
        for _ in range(count):
            request = SearchCustomersRequest(query=query(self.chance.choice(self.made), self.chance))
            began = time.perf_counter()
            await self.stub.SearchCustomers(request, timeout=30, metadata=identity)
            self.took_ms.append((time.perf_counter() - began) * 1000)
        self.cpu_s += self.started.cpu_s() - service_s
        for each, before_s in zip(self.backends, backends_s, strict=True):
            self.cpu_s += max(_scheduled_s(each) - before_s, 0.0)  # less by all when it has ended

    def told(self) -> tuple[float, float]:
        """What half of the searches took at most, and the processor time of one, in ms; then forgotten."""
        found = statistics.median(self.took_ms), self.cpu_s * 1000 / len(self.took_ms)
        self.took_ms, self.cpu_s = [], 0.0
        return found


def _scheduled_s(process_id: int) -> float:
    try:
        return int(Path(f"/proc/{process_id}/schedstat").read_text().split()[0]) / 1e9
    except OSError:  # it has ended, or the system does not tell
        return 0.0


async def _size(running: Platform, size: int) -> Size:
    began = time.monotonic()
    made = people(size)
    started = await running.service(customer)
    await load(running, started, made)
    print(f"{size:,} customers made in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    stub = running.stub(CustomerServiceStub, started.address)
    return Size(made, started, stub, random.Random(SEED), (), [])


async def _backends(running: Platform, started: Started) -> list[int]:
    async with running.infrastructure.superuser(started.database_url) as connection:
        rows = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    return [row["pid"] for row in rows]


async def _measured(running: Platform, sizes: Sequence[Size], kind: str) -> list[tuple[float, float]]:
    """Of each size what `Size.told` tells of a kind of search."""
    for each in sizes:
        await each.search(running.identity, KINDS[kind], WARM_UP)
        each.told()
        each.backends = await _backends(running, each.started)
    end = time.monotonic() + KIND_LIMIT_S
    for _ in range(TURNS):
        for each in sizes:
            await each.search(running.identity, KINDS[kind], AT_ONCE)
        if time.monotonic() > end:
            break
    return [each.told() for each in sizes]


async def _run(counts: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory(prefix="rapport-growth-") as folder:
        async with platform(Path(folder)) as running:
            sizes = [await _size(running, count) for count in counts]
            heads = [f"of {count:,}" for count in counts]
            titles = ["searched for", *heads, "ratio", *(f"CPU {head}" for head in heads), "ratio"]
            print(f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|", flush=True)
            for kind in KINDS:
                told = await _measured(running, sizes, kind)
                cells = [cell for column in zip(*told, strict=True) for cell in _compared(column)]
                print(f"| {kind} | {' | '.join(cells)} |", flush=True)


def _compared(column: Sequence[float]) -> list[str]:
    """Milliseconds of each size, and of the last how often the first's."""
    return [*(f"{each:.1f} ms" for each in column), f"{column[-1] / max(column[0], 0.001):.1f}"]


def main() -> int:
    """Measure and print. The exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="numbers of customers")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(parser.parse_args().sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
