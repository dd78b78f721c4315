"""`make bench-queue`: whether the next work is found among a million that wait as soon as among ten thousand.

All waits in the lanes of one department: half needs nothing, the rest one of twenty skills or a team's. An
agent who has one of these skills and is in that team takes work, looks at the queue and reads its first page.
Each size has a service and a database of its own, and they take turns. Never fails.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from cases.service import service as cases
from rapport.cases.v1.queue_service_pb2 import GetQueueRequest, ListQueuedWorkRequest, TakeNextWorkRequest
from rapport.cases.v1.queue_service_pb2_grpc import QueueServiceStub
from tests.bench.platform import Platform, platform

SIZES = (10_000, 1_000_000)
TURNS, AT_ONCE, WARM_UP = 10, 20, 30
DEPARTMENT, AGENT = "departments/delivery", "agents/bench"
SKILLS = 20

_AGENT = """
    INSERT INTO agents (id, display_name, phone, email, department_id, create_time, update_time, inactive,
                        version, team_ids, skills)
    VALUES ('bench', 'Bench', '', 'bench@example.com', 'delivery', now(), now(), false,
            1, '{returns}', '{skill-7}')
"""
_ID = "(lpad(to_hex(1760000000 + n / 65536), 8, '0') || '-' || lpad(to_hex(n % 65536), 4, '0')"
_CASE_ID, _ITEM_ID = (f"{_ID} || '-7000-8000-00000000000{end}')::uuid" for end in (1, 2))
_CASES = f"""
    INSERT INTO cases (id, customer_id, topic, display_name, owner_id, department_id, open_time, update_time,
                       state, resolution, reopen_count, version)
    SELECT {_CASE_ID}, gen_random_uuid(), 'late-delivery', '', 'front-desk', 'front-desk', now(), now(),
           'OPEN', '', 0, 1
    FROM generate_series(0, $1::int - 1, 100) AS n
"""
_WORK = f"""
    INSERT INTO work_items (id, case_id, customer_id, department_id, kind, reference, create_time,
                            update_time, state, forecast_reason_code, version, deadline_time, rank_time,
                            queue_time, team_id, required_skills, lane)
    SELECT {_ITEM_ID}, {_CASE_ID.replace("n ", "(n / 100 * 100) ")}, gen_random_uuid(), 'delivery', 'deliver',
           '', now(), now(), 'PENDING', '', 1, due, due - (n % 4) * interval '1 hour', now(),
           CASE WHEN n % 4 = 1 THEN 'returns' END,
           CASE WHEN n % 4 = 3 THEN ARRAY['skill-' || n / 4 % {SKILLS}] ELSE '{{}}' END,
           CASE n % 4 WHEN 1 THEN 'team:returns' WHEN 3 THEN 'skill:skill-' || n / 4 % {SKILLS} ELSE '' END
    FROM generate_series(0, $1::int - 1) AS n,
        LATERAL (SELECT now() + interval '1 minute' * (n::bigint * 7919 % 10000) AS due) AS deadline
"""


@dataclass
class Size:
    """So much work that waits, with its service, and what each call took."""

    stub: Any
    identity: Any
    took_ms: list[float] = field(default_factory=list)

    async def call(self, kind: str, count: int) -> None:
        """Do one thing so often."""
        for _ in range(count):
            began = time.perf_counter()
            await KINDS[kind](self)
            self.took_ms.append((time.perf_counter() - began) * 1000)

    async def take(self) -> None:
        """Take the next work. What was taken is taken."""
        request = TakeNextWorkRequest(name=AGENT)
        taken = await self.stub.TakeNextWork(request, timeout=30, metadata=self.identity)
        assert taken.HasField("work"), taken.nothing

    async def count(self) -> None:
        """Look at the queue."""
        request = GetQueueRequest(name=f"{DEPARTMENT}/queue")
        await self.stub.GetQueue(request, timeout=30, metadata=self.identity)

    async def page(self) -> None:
        """Read what comes first."""
        request = ListQueuedWorkRequest(parent=f"{DEPARTMENT}/queue", page_size=50)
        await self.stub.ListQueuedWork(request, timeout=30, metadata=self.identity)


KINDS: dict[str, Callable[[Size], Awaitable[None]]] = {
    "TakeNextWork": Size.take,
    "GetQueue": Size.count,
    "ListQueuedWork, 50": Size.page,
}


async def _made(running: Platform, count: int) -> Size:
    began = time.monotonic()
    started = await running.service(cases)
    async with running.infrastructure.superuser(started.database_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND tablename = 'work_items' AND indexdef NOT LIKE 'CREATE UNIQUE%'"
        )
        for index in indexes:  # made after the rows, which is faster
            await connection.execute(f"DROP INDEX {index['indexname']}")
        await connection.execute(_AGENT)
        for statement in (_CASES, _WORK):
            await connection.execute(statement, count, timeout=1800)
        for index in indexes:
            await connection.execute(index["indexdef"], timeout=1800)
        await connection.execute("VACUUM ANALYZE cases, work_items, agents", timeout=1800)
    print(f"{count:,} waiting, made in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return Size(running.stub(QueueServiceStub, started.address), running.identity)


async def _run(counts: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory(prefix="rapport-queue-") as folder:
        async with platform(Path(folder)) as running:
            sizes = [await _made(running, count) for count in counts]
            heads = " | ".join(f"of {count:,}" for count in counts)
            print(f"| call | {heads} | ratio |\n{'|---' * (len(counts) + 2)}|", flush=True)
            for kind in KINDS:
                for each in sizes:
                    await each.call(kind, WARM_UP)
                    each.took_ms.clear()
                for _ in range(TURNS):
                    for each in sizes:
                        await each.call(kind, AT_ONCE)
                medians = [statistics.median(each.took_ms) for each in sizes]
                cells = " | ".join(f"{each:.1f} ms" for each in medians)
                print(f"| {kind} | {cells} | {medians[-1] / medians[0]:.1f} |", flush=True)


def main() -> int:
    """Measure and print. The exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.queue", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="how much work waits")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(parser.parse_args().sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
