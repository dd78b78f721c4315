"""`make bench-growth`, of cases: whether a search of a million takes as long as one of ten thousand.

Fifty cases have each name, however many there are: what is asked for has as many answers in both, but for
what says so. Each size has a service and a database of its own, and they take turns. Never fails.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from cases.service import service as cases
from rapport.cases.v1.case_service_pb2 import SearchCasesRequest
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from tests.bench.platform import Platform, Started, platform

SIZES = (10_000, 1_000_000)
TURNS, AT_ONCE, WARM_UP = 10, 20, 30
SEED, OF_A_NAME, WITH_WORK = 7, 50, 10

_TIME = "lpad(to_hex(1760000000 + n / 65536), 8, '0') || '-' || lpad(to_hex(n % 65536), 4, '0')"
_ID = f"({_TIME} || '-7000-8000-{{}}')"
_CASE_ID, _ITEM_ID = (f"{_ID.format(end)}::uuid" for end in ("000000000001", "000000000002"))
_MAKE = (
    f"""
    INSERT INTO cases (id, customer_id, topic, display_name, owner_id, department_id, open_time, update_time,
                       state, resolution, resolve_time, reopen_count, version)
    SELECT {_CASE_ID}, gen_random_uuid(), 'late-delivery',
           'The order of ' || translate(md5((n / {OF_A_NAME})::text), '0123456789', 'ghijklmnop'),
           'front-desk', 'front-desk', now(), now(), CASE n % 2 WHEN 0 THEN 'OPEN' ELSE 'RESOLVED' END, '',
           CASE n % 2 WHEN 0 THEN NULL ELSE now() END, 0, 1
    FROM generate_series(0, $1::int - 1) AS n
    """,
    f"""
    INSERT INTO work_items (id, case_id, customer_id, department_id, kind, reference, create_time,
                            update_time, state, forecast_reason_code, version)
    SELECT {_ITEM_ID}, {_CASE_ID}, gen_random_uuid(), 'delivery', 'deliver', 'orders/' || n, now(), now(),
           'PENDING', '', 1
    FROM generate_series(0, $1::int - 1, {WITH_WORK}) AS n
    """,
)


@dataclass
class Asked:
    """A case that is searched for."""

    name: str
    reference: str
    number: str


KINDS: dict[str, Callable[[Asked], dict[str, str]]] = {
    "a number": lambda case: {"query": case.number},
    "a reference": lambda case: {"query": case.reference},
    "a name that fifty have": lambda case: {"query": case.name},
    "its first 12 letters": lambda case: {"query": case.name[:12]},
    "that name and a topic of all": lambda case: {"query": f"{case.name} delivery"},
    "that name, of open ones": lambda case: {"query": case.name, "filter": "state = OPEN"},
    "what nobody has": lambda case: {"query": case.name[::-1]},
    "a word that all have (capped)": lambda case: {"query": "order"},
}


@dataclass
class Size:
    """So many cases, with their service, and what searches of them took."""

    stub: Any
    asked: Sequence[Asked]
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    took_ms: list[float] = field(default_factory=list)

    async def search(self, identity: Any, kind: str, count: int) -> None:
        """Search so often."""
        for _ in range(count):
            request = SearchCasesRequest(**KINDS[kind](self.chance.choice(self.asked)))
            began = time.perf_counter()
            await self.stub.SearchCases(request, timeout=30, metadata=identity)
            self.took_ms.append((time.perf_counter() - began) * 1000)


async def _made(running: Platform, count: int) -> Size:
    began = time.monotonic()
    started = await running.service(cases)
    asked = await _load(running, started, count)
    print(f"{count:,} cases made in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return Size(running.stub(CaseServiceStub, started.address), asked)


async def _load(running: Platform, started: Started, count: int) -> list[Asked]:
    """Make the cases; the indexes after that, which is faster."""
    async with running.infrastructure.superuser(started.database_url) as connection:
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND tablename IN ('cases', 'work_items') AND indexdef NOT LIKE 'CREATE UNIQUE%'"
        )
        for index in indexes:
            await connection.execute(f"DROP INDEX {index['indexname']}")
        for statement in _MAKE:
            await connection.execute(statement, count, timeout=1800)
        await connection.execute("SET maintenance_work_mem = '512MB'")
        for index in indexes:
            await connection.execute(index["indexdef"], timeout=1800)
        await connection.execute("VACUUM ANALYZE cases, work_items", timeout=1800)
        rows = await connection.fetch(
            "SELECT cases.id, cases.display_name, reference FROM work_items JOIN cases ON cases.id = case_id"
            " ORDER BY md5(reference) LIMIT 500"
        )
    return [Asked(row["display_name"].split()[-1], row["reference"], f"cases/{row['id']}") for row in rows]


async def _run(counts: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory(prefix="rapport-growth-") as folder:
        async with platform(Path(folder)) as running:
            sizes = [await _made(running, count) for count in counts]
            heads = " | ".join(f"of {count:,}" for count in counts)
            print(f"| searched for | {heads} | ratio |\n{'|---' * (len(counts) + 2)}|", flush=True)
            for kind in KINDS:
                for each in sizes:
                    await each.search(running.identity, kind, WARM_UP)
                    each.took_ms.clear()
                for _ in range(TURNS):
                    for each in sizes:
                        await each.search(running.identity, kind, AT_ONCE)
                medians = [statistics.median(each.took_ms) for each in sizes]
                cells = " | ".join(f"{each:.1f} ms" for each in medians)
                print(f"| {kind} | {cells} | {medians[-1] / medians[0]:.1f} |", flush=True)


def main() -> int:
    """Measure and print. The exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth_cases", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="numbers of cases")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(parser.parse_args().sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
