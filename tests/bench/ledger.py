"""`make bench-ledger`: transfers that all move one account, or one of fifty, or of a hundred thousand.

Each client is a call of `post_together` on a connection of its own, as in a service without what gRPC costs;
beside them pgbench's own TPC-B-like transaction, on the same server and with as many clients. The database
commits durably. Never fails.
"""

import argparse
import asyncio
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import sqlalchemy as sa
import uvloop

from chassis.clock import Clock
from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import Statement
from chassis.errors import Aborted
from chassis.events.facts import FactCodec
from chassis.work.timers import TimerRunner
from loyalty.domain.ledger import Leg, Order
from loyalty.service import service as loyalty
from loyalty.store.lots import LOTS
from loyalty.usecases.lots_due import LOTS_TIMER, see_to_lots
from loyalty.usecases.posting import post_together
from loyalty.usecases.shards import expect_shards
from tests.bench.platform import measured_here, platform

CLIENTS, SECONDS, TOGETHER = 16, 5.0, (1, 16)
MEMBERS = 100_000
PARTNERS = 50
POINTS = "programs/main/accounts/points"
DUE_LOTS = Statement[Any](sa.select(LOTS.c.id).where(LOTS.c.due_time <= sa.func.now()).limit(1))
_ISSUED = [f"{POINTS}-issued"]
_FIFTY = [f"{POINTS}-partner-p{n}" for n in range(PARTNERS)]


def member(n: int) -> str:
    """The account of the nth."""
    return f"programs/main/accounts/{UUID(int=n + 1)}"


async def seed(connection: asyncpg.Connection) -> None:
    """Members with an account each, and fifty accounts of the program's own that are one row each."""
    await connection.execute(
        """
        INSERT INTO memberships
        SELECT id, 'main', id, now(), now(), 1
        FROM (SELECT lpad(to_hex(n), 32, '0')::uuid AS id FROM generate_series(1, $1::int) n) made
        """,
        MEMBERS,
    )
    await connection.execute(
        """
        INSERT INTO accounts (id, name, type, program_id, unit_id, membership_id, customer_id, create_time,
                              update_time)
        SELECT id, 'programs/main/accounts/' || id, 'MEMBERSHIP', 'main', 'points', id, id, now(), now()
        FROM memberships
        """
    )
    await connection.execute(
        """
        INSERT INTO accounts (id, name, type, program_id, unit_id, create_time, update_time)
        SELECT gen_random_uuid(), name, 'PARTNER', 'main', 'points', now(), now() FROM unnest($1::text[]) name
        """,
        _FIFTY,
    )
    # What members hold to begin with; where it is from is of no account here.
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(
        """
        WITH given AS (
            UPDATE accounts SET balance = 1000000, version = 1 WHERE type = 'MEMBERSHIP' RETURNING id
        ), posted AS (INSERT INTO transfers SELECT id, 2, 'bench', NULL, id, now() FROM given)
        INSERT INTO entries SELECT id, 1, id, 0, 1000000, 1000000 FROM given
        """
    )
    await connection.execute("RESET session_replication_role")
    await connection.execute("VACUUM ANALYZE accounts, entries, transfers")


async def transfers(db: Database, through: list[str], together: int) -> tuple[float, float]:
    """Transfers a second from these accounts to members, drawn at random, `together` in each transaction.

    And how much of a core this process took.
    """
    draw, posted = random.Random(7), 0
    begun, used = time.perf_counter(), time.process_time()

    async def client() -> None:
        nonlocal posted
        while time.perf_counter() - begun < SECONDS:
            orders, calls = [], []
            for _ in range(together):
                giver, getter = draw.choice(through), member(draw.randrange(MEMBERS))
                while getter == giver:
                    getter = member(draw.randrange(MEMBERS))
                orders.append(Order([Leg(giver, -1), Leg(getter, 1)], "bench"))
                calls.append(Call("bench", service_itself("loyalty"), request_id=str(uuid4())))
            with acting(calls[0]), suppress(Aborted):  # who waits for a lock for a second
                async with db.transaction() as tx:
                    outcomes = await post_together(tx, orders, calls)
                posted += sum(1 for each in outcomes if not isinstance(each, Exception))

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())
    took = time.perf_counter() - begun
    return posted / took, (time.process_time() - used) / took


async def lots(connection: asyncpg.Connection) -> None:
    """A lot for each member, of ten of what they hold, that ended with the day before."""
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(
        """
        INSERT INTO lots
        SELECT id, id, name, 'ACTIVE', NULL, date_trunc('day', now()), 0, 0, 10, 10, date_trunc('day', now()),
            get_byte(uuid_send(id), 15) % 4, now(), now(), 1
        FROM accounts WHERE type = 'MEMBERSHIP'
        """
    )
    await connection.execute("INSERT INTO allocations SELECT id, id, 10 FROM lots")
    await connection.execute("RESET session_replication_role")
    await connection.execute("VACUUM ANALYZE lots")


async def expire(dbs: Sequence[Database]) -> tuple[float, float]:
    """Lots a second that two replicas, both in this process, end; and how much of a core they took."""
    for db in dbs:
        await expect_shards(db, LOTS_TIMER)
    begun, used = time.perf_counter(), time.process_time()
    while await DUE_LOTS.all(dbs[0]):
        await asyncio.gather(*(TimerRunner(db, {LOTS_TIMER: see_to_lots}).fire() for db in dbs))
    took = time.perf_counter() - begun
    return MEMBERS / took, (time.process_time() - used) / took


def pgbench(url: str, binaries: Path) -> float:
    """Transactions a second of TPC-B-like, at a scale at which its branches do not hold each other up."""
    environment = {**os.environ, "PGPASSWORD": urlsplit(url).password or ""}
    run = [str(binaries / "pgbench"), "-n"]
    subprocess.run(
        [*run, "-i", "-q", "-s", str(CLIENTS), url], check=True, capture_output=True, env=environment
    )
    load = [
        *run,
        "-b",
        "tpcb-like",
        "-c",
        str(CLIENTS),
        "-j",
        "2",
        "-M",
        "prepared",
        "-T",
        str(int(SECONDS)),
        url,
    ]
    told = subprocess.run(load, check=True, capture_output=True, text=True, env=environment).stdout
    found = re.search(r"tps = ([\d.]+)", told)
    return float(found[1]) if found else 0.0


async def measure(rounds: int) -> None:
    """Print a table: medians of the rounds, in which all take turns."""
    with tempfile.TemporaryDirectory(prefix="rapport-ledger-") as folder:
        async with platform(Path(folder)) as running:
            infrastructure = running.infrastructure
            url = await infrastructure.fresh_database("loyalty", loyalty.migrations)
            async with infrastructure.superuser(url) as connection:
                await seed(connection)
            await infrastructure.execute("CREATE DATABASE pgbench")
            other = infrastructure.database_url("pgbench")
            db = Database(url, "loyalty", FactCodec(loyalty.events), Clock(), pool_size=CLIENTS)
            await db.open()
            everybody = [member(n) for n in range(MEMBERS)]
            paths = {"one": _ISSUED, "fifty": _FIFTY, "100,000": everybody}
            found: dict[tuple[str, int], list[tuple[float, float]]] = {}
            baseline: list[float] = []
            for _ in range(rounds):
                with measured_here():
                    baseline.append(await asyncio.to_thread(pgbench, other, infrastructure.postgres._bin))
                    for together in TOGETHER:
                        for name, through in paths.items():
                            run = await transfers(db, through, together)
                            found.setdefault((name, together), []).append(run)
            async with infrastructure.superuser(url) as connection:
                await lots(connection)
            other_db = Database(url, "loyalty", FactCodec(loyalty.events), Clock(), pool_size=CLIENTS)
            await other_db.open()
            with measured_here():
                expired = await expire([db, other_db])
            async with infrastructure.superuser(url) as connection:
                told = await connection.fetchrow(
                    "SELECT count(*) FILTER (WHERE state = 'EXPIRED') ended, sum(remaining) held FROM lots"
                )
            await db.close()
            await other_db.close()
    _report(found, baseline)
    rate, share = expired
    print(f"{told['ended']:,} lots ended, {told['held']} left in them: {rate:,.0f}/s")
    print(f"CPU of each, in the service: {1e6 * share / rate:,.0f} us")


def _report(found: dict[tuple[str, int], list[tuple[float, float]]], baseline: list[float]) -> None:
    base = sorted(baseline)[len(baseline) // 2]
    print(f"pgbench, TPC-B-like, {CLIENTS} clients: {base:,.0f} transactions/s")
    print("| through accounts | together | transfers/s | of TPC-B | CPU of each, client's side |")
    print("|---|---|---|---|---|")
    for (name, together), runs in found.items():
        rate, share = sorted(runs)[len(runs) // 2]
        print(f"| {name} | {together} | {rate:,.0f} | {rate / base:.2f} | {1e6 * share / rate:,.0f} us |")


def main() -> int:
    """Measure and print. The exit code is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ledger", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured, 5 s each")
    rounds = parser.parse_args().rounds
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
