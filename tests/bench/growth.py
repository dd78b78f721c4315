"""`make bench-growth`: whether a search of a million customers takes as long as one of ten thousand.

Names have the skew of real ones: few that many have, many that few have. What is searched for is drawn from
the customers that are there, so a name that one in a hundred has is asked for once in a hundred times. Each
size has a database of its own, in a cluster that is removed afterwards. Never fails.
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
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop

from chassis import ids
from customer.service import service as customer
from customer.store.tables import CUSTOMERS, IDENTIFIERS
from rapport.customer.v1.customer_service_pb2 import SearchCustomersRequest
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from tests.bench.platform import Platform, Started, platform

SIZES = (10_000, 1_000_000)
QUERIES = 300  # of each kind
WARM_UP = 30
KIND_LIMIT_S = 60
COPIED_AT_ONCE = 20_000
_SEED = 20_260_301
_BEGUN = datetime(2020, 1, 1, tzinfo=UTC)

_GIVEN = """
    Maria Anna Peter Michael Thomas Andreas Ursula Wolfgang Claudia Sabine Klaus Susanne Stefan
    Christian Petra Monika Martin Karin Frank Birgit Matthias Daniel Andrea Julia Katharina
    Alexander Sebastian Hannah Lukas Leonie Felix Friedrich Charlotte Emilia Mohammed Ayşe Mehmet
    Fatma Agnieszka Tomasz Katarzyna Olga Sergej Дмитрий Елена Søren François Zoë José Inés Nguyễn
    Linh Giulia Lorenzo Jürgen Jörg Günther Käthe Bärbel Roswitha Ottilie Adalbert
"""
_COMMON = """
    Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Bauer Richter
    Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Werner Krause
    Lehmann Maier Köhler Herrmann Yilmaz Kaya Nowak Kowalski Ivanova Смирнова Nguyen García Rossi
    Jensen Dubois
"""
_FRONT = """
    Berg Wald Stein Bach Feld Hof Brunn Eich Linden Birk Buch Tann Rosen Sommer Winter Herbst Mai
    Nacht Morgen Abend Gold Silber Eisen Kupfer Zinn Kessel Schmied Müh Back Brau Fass Wagen Rad
    Sattel Leder Schuh Tuch Weber Seiler Fisch Vogel Hirsch Wolf Bär Fuchs Hase Lerch Falk Adler
    Stern Mond Sonnen Regen Schnee Wind Donner Hagel Kalt Warm Lang Kurz
"""
_BACK = """
    mann er bach feld hof ler meier stein berg wald burger thal au heim hausen dorf stetter inger
    ner ling holz brink kamp sen son
"""
_CITIES = """
    Berlin Hamburg München Köln Frankfurt Stuttgart Düsseldorf Leipzig Dortmund Essen Bremen Dresden
    Hannover Nürnberg Duisburg Bochum Wuppertal Bielefeld Bonn Münster Karlsruhe Mannheim Augsburg
    Wiesbaden Gelsenkirchen Aachen Braunschweig Chemnitz Kiel Krefeld Halle Magdeburg Freiburg
    Oberhausen Lübeck Erfurt Mainz Rostock Kassel Hagen
"""
_TRADES = """
    Logistik Bau Technik Handel Reisen Druck Gartenbau Elektro Immobilien Verlag
"""


@dataclass(frozen=True)
class Person:
    """A customer to be, and what there is to search by."""

    id: UUID
    given: str
    family: str
    company: str
    city: str
    number: int

    @property
    def email(self) -> str:
        """Their address."""
        return f"c{self.number}@example.com"

    @property
    def phone(self) -> str:
        """Their number, in E.164."""
        return f"+4930{10_000_000 + self.number}"


class Drawn:
    """Values of which the first are drawn far more often than the last, as names are (Zipf's law)."""

    def __init__(self, values: Sequence[str], chance: random.Random) -> None:
        self._values, self._chance = values, chance
        self._cumulated = list(accumulate(1 / (rank + 8) for rank in range(len(values))))

    def some(self, count: int) -> list[str]:
        """So many."""
        return self._chance.choices(self._values, cum_weights=self._cumulated, k=count)


def people(count: int) -> list[Person]:
    """So many customers, the same each time; one in ten is a company."""
    chance = random.Random(_SEED)
    fronts, backs = _FRONT.split(), _BACK.split()
    families = [*_COMMON.split(), *(front + back for front in fronts for back in backs)]
    double = [f"{one}-{other}" for one, other in zip(families, reversed(families), strict=True)]
    rare = [f"{front}{middle}{back}" for front in fronts for middle in ("en", "s", "er") for back in backs]
    chance.shuffle(rare)
    drawn = [
        Drawn(values, chance).some(count)
        for values in (_GIVEN.split(), [*families, *rare, *double], _TRADES.split(), _CITIES.split())
    ]
    made = []
    for n, (given, family, trade, city) in enumerate(zip(*drawn, strict=True)):
        company = f"{family} {trade} GmbH" if n % 10 == 0 else ""
        at = _BEGUN + timedelta(seconds=n)
        made.append(Person(ids.uuid7(at), given, family, company, city, n))
    return made


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
}


async def load(running: Platform, started: Started, made: Sequence[Person]) -> None:
    """Make the customers, by COPY; the indexes after that, which is faster."""
    async with running.infrastructure.superuser(started.database_url) as connection:
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
    ))) AS word WHERE length(word) BETWEEN 3 AND 20 AND word !~ '[0-9]'
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
        at = _BEGUN + timedelta(seconds=each.number)
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
            at = _BEGUN + timedelta(seconds=each.number, milliseconds=position)
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


async def measured(running: Platform, size: int) -> dict[str, float]:
    """Milliseconds that half of the searches of each kind take at most, of so many customers, over gRPC."""
    began = time.monotonic()
    made = people(size)
    started = await running.service(customer)
    await load(running, started, made)
    print(f"{size:,} customers made in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    stub = running.stub(CustomerServiceStub, started.address)
    chance = random.Random(_SEED)
    return {kind: await _median_ms(running, stub, made, query, chance) for kind, query in KINDS.items()}


async def _median_ms(
    running: Platform,
    stub: Any,
    made: Sequence[Person],
    query: Callable[[Person, random.Random], str],
    chance: random.Random,
) -> float:
    took: list[float] = []
    end = time.monotonic() + KIND_LIMIT_S
    for n in range(WARM_UP + QUERIES):
        request = SearchCustomersRequest(query=query(chance.choice(made), chance))
        began = time.perf_counter()
        await stub.SearchCustomers(request, timeout=30, metadata=running.identity)
        if n >= WARM_UP:
            took.append((time.perf_counter() - began) * 1000)
        if took and time.monotonic() > end:
            break
    return statistics.median(took)


async def _run(sizes: Sequence[int]) -> dict[int, dict[str, float]]:
    found = {}
    with tempfile.TemporaryDirectory(prefix="rapport-growth-") as folder:
        async with platform(Path(folder)) as running:
            for size in sizes:
                found[size] = await measured(running, size)
                await running.clear()
    return found


def main() -> int:
    """Measure and print. The exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="numbers of customers")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_run(parser.parse_args().sizes))
    first, *_, last = found
    print("| searched for | " + " | ".join(f"of {size:,}" for size in found) + " | ratio |")
    print("|---|" + "---|" * (len(found) + 1))
    for kind in KINDS:
        times = " | ".join(f"{found[size][kind]:.1f} ms" for size in found)
        print(f"| {kind} | {times} | {found[last][kind] / found[first][kind]:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
