"""`make bench-clocks`: two replicas handle clocks that are due in the same minute, among many that are not.

Each replica is a process with a pool as in production; the database commits durably. What is measured is from
their start until no clock is due, and what they cost while none is. Never fails.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import uvloop

from cases.service import service as cases
from cases.usecases.clock import clocks_due
from cases.usecases.clock_keeping import DUE_TIMER
from chassis import ids
from chassis.clock import Clock
from chassis.db.database import Database
from chassis.events.facts import FactCodec
from chassis.work.timers import TimerRunner, Together
from rapport_testing.wait import eventually
from tests.bench.platform import PINNED, platform

RUNNING, DUE, REPLICAS, IDLE_S = 100_000, 10_000, 2, 10
LIMIT_S = 300
CASE = UUID(int=1)


async def seed(connection: asyncpg.Connection) -> None:
    """The clocks of one case, most of which are due in a month, and their timers."""
    now = datetime.now(UTC)
    await connection.execute("SET session_replication_role = replica")  # of a case that is not there
    later, due = now + timedelta(days=30), now
    clocks, timers = [], []
    for number in range(RUNNING + DUE):
        clock_id, at = ids.uuid7(now), later if number < RUNNING else due
        start = at - timedelta(hours=1)
        clocks.append(
            (clock_id, CASE, CASE, "delivery", "RESOLUTION", "p", 1, "always", 1, 60, 0, start, now)
        )
        timers.append((ids.uuid7(now), DUE_TIMER, str(clock_id), at, str(clock_id), "", clock_id))
    await connection.execute(
        "CREATE TEMP TABLE given (id uuid, case_id uuid, customer_id uuid, department_id text, metric text,"
        " clock_policy_id text, policy_version bigint, calendar_id text, calendar_version bigint,"
        " business_minutes bigint, warning_minutes bigint, start_time timestamptz, update_time timestamptz)"
    )
    await connection.copy_records_to_table("given", records=clocks)
    await connection.execute(
        "INSERT INTO clocks (id, case_id, customer_id, department_id, metric, clock_policy_id,"
        " policy_version, calendar_id, calendar_version, business_minutes, warning_minutes, start_time,"
        " update_time, state, due_time, pause_reason_code, elapsed_minutes, warned, marks, mark_times,"
        " version)"
        " SELECT given.*, 'RUNNING', start_time + interval '1 hour', '', 0, false, '{STARTED}',"
        " ARRAY[start_time], 1 FROM given"
    )
    columns = ["id", "kind", "key", "due_at", "correlation_id", "traceparent", "causation_id"]
    await connection.copy_records_to_table("timers", records=timers, columns=columns)
    await connection.execute("ANALYZE clocks, timers")


async def replica(url: str) -> None:
    """What a replica does in time, until it is ended, on whichever core is free."""
    if PINNED:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    db = Database(url, "cases", FactCodec(cases.events), Clock(), pool_size=10)
    await db.open()
    await TimerRunner(db, {DUE_TIMER: Together(clocks_due)}).run()


async def measure() -> None:
    """Print how long it took, whether each was handled once, and what replicas cost that wait."""
    with tempfile.TemporaryDirectory(prefix="rapport-clocks-") as folder:
        async with platform(Path(folder)) as running:
            url = await running.infrastructure.fresh_database("cases", cases.migrations)
            async with running.infrastructure.superuser(url) as connection:
                await seed(connection)
                command = [sys.executable, "-m", "tests.bench.clocks", "--replica", url]
                begun = time.perf_counter()
                replicas = [subprocess.Popen(command) for _ in range(REPLICAS)]
                try:
                    await _report(connection, replicas, begun)
                finally:
                    for each in replicas:
                        each.kill()
                        each.wait()


async def _report(
    connection: asyncpg.Connection, replicas: list["subprocess.Popen[bytes]"], begun: float
) -> None:
    async def done() -> bool:
        left: int = await connection.fetchval("SELECT count(*) FROM timers WHERE due_at <= now()")
        return left == 0

    await eventually(done, timeout_s=LIMIT_S)
    took = time.perf_counter() - begun
    before = [_cpu_s(each.pid) for each in replicas]
    breached = await connection.fetchval("SELECT count(*) FROM clocks WHERE state = 'BREACHED'")
    told = await connection.fetchval("SELECT count(*) FROM outbox WHERE type LIKE '%ClockBreached'")
    print(f"{DUE:,} due among {RUNNING:,} running: {took:.1f} s with {REPLICAS} replicas, start included")
    print(f"breached {breached:,}, told {told:,} times")
    print(f"a replica took {max(before):.1f} s of a core")
    await asyncio.sleep(IDLE_S)
    share = [(_cpu_s(each.pid) - was) / IDLE_S for each, was in zip(replicas, before, strict=True)]
    print(f"while none is due a replica takes {max(share):.1%} of a core")


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure and print. The exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.clocks", description=__doc__)
    parser.add_argument(
        "--replica", metavar="URL", help="be a replica on this database, as it does by itself"
    )
    url = parser.parse_args().replica
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(replica(url) if url else measure())
    return 0


if __name__ == "__main__":
    sys.exit(main())
