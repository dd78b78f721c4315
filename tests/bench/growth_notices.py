"""`make bench-growth`: whether a notice costs as much where a million were sent as where a thousand were.

Those that were sent before are copies of one that was, each to a customer of its own about a thing of its
own, with its attempt, its work and what its policy heard. Never fails.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop

from tests.bench.notices import NOTICES, ROUNDS, WARM, Sender, by_libraries, sender
from tests.bench.platform import platform

SIZES = (1_000, 10_000, 100_000, 1_000_000)
_COPIES: dict[str, dict[str, str]] = {  # of each table what is another's in a copy
    "notices": {
        "id": "copies.id",
        "customer": "'customers/' || copies.customer",
        "subject": "copies.subject",
        "trigger_event": "copies.event",
        "request_event": "copies.event",
    },
    "attempts": {"notice": "copies.id", "provider_key": "'<' || copies.id || '@acme.example>'"},
    "work": {"id": "copies.id", "key": "copies.id::text"},
    "trigger_marks": {"subject": "copies.subject", "event_id": "copies.event"},
}


async def grow(connection: Any, size: int) -> None:
    """Have so many notices that were sent."""
    missing = size - await connection.fetchval("SELECT count(*) FROM notices")
    await connection.execute("DROP TABLE IF EXISTS copies")
    await connection.execute(
        "CREATE TEMP TABLE copies AS SELECT uuidv7(interval '-1 day') AS id, gen_random_uuid() AS customer,"
        " 'programs/main/tierStandings/' || gen_random_uuid() AS subject, uuidv7(interval '-1 day') AS event"
        f" FROM generate_series(1, {missing})",
        timeout=600,
    )
    for table, others in _COPIES.items():
        columns = await connection.fetch(
            "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'public'"
            f" AND table_name = '{table}' AND is_generated = 'NEVER'"
        )
        names = [row["name"] for row in columns]
        told = ", ".join(others.get(name, f'one."{name}"') for name in names)
        into = ", ".join(f'"{name}"' for name in names)
        await connection.execute(
            f"INSERT INTO {table} ({into}) SELECT {told}"
            f" FROM (SELECT * FROM {table} LIMIT 1) AS one CROSS JOIN copies",
            timeout=1800,
        )
        await connection.execute(f"VACUUM ANALYZE {table}", timeout=600)


async def _measured(sending: Sender) -> str:
    runs, loops = [], []
    await sending.notices(WARM)
    for _ in range(ROUNDS):
        loops.append(await sending.loop(NOTICES // 2, by_libraries))
        runs.append(await sending.notices(NOTICES))
    service_us, database_us, took_us = (statistics.median(each) for each in zip(*runs, strict=True))
    ratio = statistics.median(loop / run[0] for loop, run in zip(loops, runs, strict=True))
    return f"{ratio:.2f} | {service_us:,.0f} us | {database_us:,.0f} us | {1e6 / took_us:.0f}/s"


async def _run(sizes: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory(prefix="rapport-growth-") as folder:
        async with platform(Path(folder)) as running, sender(running) as sending:
            await sending.notices(WARM)
            print("| notices in the table | of the loop | CPU of the service | of PostgreSQL | rate |")
            print("|---|---|---|---|---|")
            for size in sizes:
                async with running.infrastructure.superuser(sending.service.database_url) as connection:
                    await grow(connection, size)
                print(f"| {size:,} | {await _measured(sending)} |", flush=True)


def main() -> int:
    """Measure and print. The exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth_notices", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="numbers of notices")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(parser.parse_args().sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
