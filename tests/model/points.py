"""What drives the real ledger with the same history as the model of members' points.

`make model-ledger OPERATIONS=1000000 SEED=7` tries histories of forty steps, each drawn by a seed, and says
which seed to go on with; one that is wrong stops it, and is the same again by its seed.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
import uvloop

from chassis import ids
from chassis.context import Call, acting, service_itself
from chassis.db.aliases import regroup
from chassis.db.database import Database
from chassis.db.statement import Statement
from chassis.db.tables import among
from chassis.errors import Refusal
from chassis.events.facts import FactCodec
from chassis.work.timers import Timer
from loyalty.domain.ledger import Leg
from loyalty.domain.shards import SHARDS
from loyalty.service import service as loyalty
from loyalty.store.lots import LOTS, WRONG_LOTS
from loyalty.store.seals import WRONG_UNITS
from loyalty.store.tables import ACCOUNTS
from loyalty.usecases.lots_due import activate_lot, see_to_lots
from loyalty.usecases.membership_ends import (
    close_membership,
    merge_memberships,
    reopen_membership,
    transfer_points,
    unmerge_membership,
)
from loyalty.usecases.memberships import account_of
from loyalty.usecases.posting import post_transfer, reverse_transfer
from loyalty.usecases.reservations import commit_reservation, expire_reservation, release_reservation, reserve
from rapport_testing.clock import ManualClock
from rapport_testing.infrastructure import Infrastructure, in_memory
from tests.model.points_reference import FOREVER, HELD_H, MEMBERS, POLICIES, Model

START = datetime(2026, 3, 2, tzinfo=UTC)
ISSUED, REDEEMED = (f"programs/main/accounts/points-{kind}" for kind in ("issued", "redeemed"))
_MEMBER, _WHICH, _AMOUNT = range(MEMBERS), range(1000), (1, 2, 5, 10, 25)
_ACTS: dict[str, tuple[Sequence[int], ...]] = {
    "earn": (_MEMBER, _AMOUNT, range(len(POLICIES))),
    "spend": (_MEMBER, _AMOUNT),
    "reserve": (_MEMBER, _AMOUNT),
    "commit": (_WHICH,),
    "release": (_WHICH,),
    "undo": (_WHICH,),
    "activate": (_MEMBER, _WHICH),
    "wait": ((1, 5, 12, 24, 30),),
    "tick": (),
    "merge": (_MEMBER, _MEMBER),
    "give": (_MEMBER, _MEMBER, _AMOUNT),
    "close": (_MEMBER, _MEMBER),
    "reopen": (_MEMBER,),
    "join": (_MEMBER, _MEMBER),
    "part": (_MEMBER,),
}


class Aborted(Exception):
    """The process dies before it commits."""


_HELD = Statement[Any](
    sa.select(ACCOUNTS.c.id, ACCOUNTS.c.customer_id, ACCOUNTS.c.type, ACCOUNTS.c.balance).where(
        among(ACCOUNTS.c.membership_id, "members")
    )
)
_OPEN = Statement[Any](
    sa.select(LOTS.c.account_id, LOTS.c.state, LOTS.c.ends, LOTS.c.remaining).where(
        among(LOTS.c.account_id, "ids"), LOTS.c.remaining > 0
    )
)
_NEWEST = Statement[Any](
    sa.select(LOTS.c.id).where(LOTS.c.account == sa.bindparam("account")).order_by(LOTS.c.id)
)
_DUE = Statement[Any](
    sa.select(sa.func.count()).where(LOTS.c.due_time <= sa.bindparam("now", type_=LOTS.c.due_time.type))
)


class Drive:
    """Does each step to the ledger and to the model, which says whether it is refused."""

    def __init__(self, db: Database, clock: ManualClock) -> None:
        self.db, self.clock, self.model = db, clock, Model()
        self.customers = [uuid4() for _ in range(MEMBERS)]
        self.accounts: list[str] = []
        self.transfers: list[UUID] = []
        self.reservations: list[UUID] = []
        self.ids: list[UUID] = []
        self.members: list[UUID] = []
        self.merges = 0
        self.crashes = False

    async def begin(self) -> None:
        self.clock.advance(START - self.clock.now())
        for customer in self.customers:
            made = await self.do(lambda tx, of=customer: account_of(tx, "main", of, "points"))
            self.accounts.append(made.name)
            self.ids.append(made.id)
            self.members.append(made.membership_id)

    async def do(self, act: Any) -> Any:
        """In a transaction, of which nothing is left when it crashes before the commit."""
        with acting(Call("model", service_itself("loyalty"))):
            async with self.db.transaction() as tx:
                done = await act(tx)
                if self.crashes:
                    raise Aborted
                return done

    async def both(self, act: Any, model: Any) -> Any:
        """Do it in both; what the ledger returns, None when it refused, as it had to, or crashed."""
        try:
            done, refused = await self.do(act), ""
        except Refusal as error:
            done, refused = None, error.reason
        except Aborted:
            return None
        if self.crashes and refused:
            return None
        assert refused == model(), (refused, "the model says otherwise")
        return done

    async def step(self, step: tuple[Any, ...]) -> None:
        kind, *about = step
        await getattr(self, kind)(*about)
        await self.compare()

    async def crash(self, *step: Any) -> None:
        self.crashes = True
        kind, *about = step
        try:
            await getattr(self, kind)(*about)
        finally:
            self.crashes = False

    async def earn(self, member: int, amount: int, policy: int) -> None:
        legs = [Leg(ISSUED, -amount), Leg(self.accounts[member], amount, POLICIES[policy])]
        done = await self.both(
            lambda tx: post_transfer(tx, legs=legs, reason_code="earned"),
            lambda: self.model.earn(member, amount, POLICIES[policy]),
        )
        if done:
            self.transfers.append(done.id)

    async def spend(self, member: int, amount: int) -> None:
        legs = [Leg(self.accounts[member], -amount), Leg(REDEEMED, amount)]
        done = await self.both(
            lambda tx: post_transfer(tx, legs=legs, reason_code="spent"),
            lambda: self.model.spend(member, amount),
        )
        if done:
            self.transfers.append(done.id)

    async def give(self, member: int, other: int, amount: int) -> None:
        if member == other:
            return
        both = {"membership_id": self.members[member], "receiving_membership_id": self.members[other]}
        named = {"receiving_membership_program_id": "main", "unit_program_id": "main", "unit_id": "points"}
        await self.both(
            lambda tx: transfer_points(
                tx, program_id="main", **both, **named, amount=amount, reason_code="gift"
            ),
            lambda: self.model.give(member, other, amount),
        )

    async def close(self, member: int, other: int) -> None:
        """To another, or forfeited where that would be the same."""
        into = None if member == other else other
        named = {
            "receiving_membership_program_id": None if into is None else "main",
            "receiving_membership_id": None if into is None else self.members[into],
        }
        await self.both(
            lambda tx: close_membership(
                tx, program_id="main", membership_id=self.members[member], **named, reason_code="wish"
            ),
            lambda: self.model.close(member, into),
        )

    async def join(self, member: int, other: int) -> None:
        if member == other:
            return
        both = {"membership_id": self.members[other], "merged_membership_id": self.members[member]}
        await self.both(
            lambda tx: merge_memberships(
                tx, program_id="main", merged_membership_program_id="main", **both, reason_code="same"
            ),
            lambda: self.model.join(member, other),
        )

    async def part(self, member: int) -> None:
        named = {"program_id": "main", "membership_id": self.members[member], "reason_code": "apart"}
        await self.both(lambda tx: unmerge_membership(tx, **named), lambda: self.model.part(member))

    async def reopen(self, member: int) -> None:
        named = {"program_id": "main", "membership_id": self.members[member], "reason_code": "wish"}
        await self.both(lambda tx: reopen_membership(tx, **named), lambda: self.model.reopen(member))

    async def undo(self, which: int) -> None:
        if self.transfers:
            i = which % len(self.transfers)
            await self.both(
                lambda tx: reverse_transfer(tx, transfer_id=self.transfers[i], reason_code="returned"),
                lambda: self.model.undo(i),
            )

    async def reserve(self, member: int, amount: int) -> None:
        asked = {"account": self.accounts[member], "amount": amount, "reason_code": "reward"}
        done = await self.both(
            lambda tx: reserve(tx, **asked, lifetime=timedelta(hours=HELD_H)),
            lambda: self.model.reserve(member, amount),
        )
        if done:
            self.reservations.append(done.id)

    async def commit(self, which: int) -> None:
        if self.reservations:
            i = which % len(self.reservations)
            done = await self.both(
                lambda tx: commit_reservation(tx, reservation_id=self.reservations[i], redeem_account=""),
                lambda: self.model.end_reservation(i, "COMMITTED"),
            )
            if done:
                self.transfers.append(done.end_transfer_id)

    async def release(self, which: int) -> None:
        if self.reservations:
            i = which % len(self.reservations)
            await self.both(
                lambda tx: release_reservation(tx, reservation_id=self.reservations[i]),
                lambda: self.model.end_reservation(i, "RELEASED"),
            )

    async def activate(self, member: int, which: int) -> None:
        lots = self.model.members[member]["lots"]
        found = [row["id"] for row in await _NEWEST.all(self.db, account=self.accounts[member])]
        if lots and len(lots) == len(found):
            i = which % len(lots)
            _, program, _, account = self.accounts[member].split("/")
            named = {"program_id": program, "account_id": account, "lot_id": found[i]}
            await self.both(lambda tx: activate_lot(tx, **named), lambda: self.model.activate(lots[i]))

    async def wait(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))
        self.model.now += hours

    async def merge(self, one: int, other: int) -> None:
        """Names of one customer: what each has stays where it is."""
        ones = dict.fromkeys([self.customers[one], self.customers[other]], self.customers[one])
        self.merges += 1
        try:
            await self.do(lambda tx: regroup(tx, ones, self.merges, tx.now))
        except Aborted:
            return

    async def tick(self) -> None:
        if self.crashes:
            return
        for held, i in zip(self.model.reservations, self.reservations, strict=True):
            if held["state"] == "RESERVED" and held["expires"] <= self.model.now:
                await self.do(lambda tx, i=i: expire_reservation(tx, i))
        while (await _DUE.one(self.db, now=self.clock.now()))[0]:
            for shard in range(SHARDS):
                timer = _timer(str(shard))
                await self.do(lambda tx, timer=timer: see_to_lots(tx, timer))
        self.model.tick()

    async def compare(self) -> None:
        """What members hold, and what of it when ends, is as the model says."""
        held = {
            (row["customer_id"], row["type"]): row["balance"]
            for row in await _HELD.all(self.db, members=self.members)
        }
        left: dict[UUID, Counter[tuple[str, int]]] = {each: Counter() for each in self.ids}
        for row in await _OPEN.all(self.db, ids=self.ids):
            ends = FOREVER if row["ends"].year == 9999 else (row["ends"] - START) // timedelta(hours=1)
            left[row["account_id"]][row["state"], ends] += row["remaining"]
        for member, customer in enumerate(self.customers):
            kinds = ("MEMBERSHIP", "PENDING", "RESERVED")
            got = (*(held.get((customer, kind), 0) for kind in kinds), left[self.ids[member]])
            assert got == self.model.seen(member), (member, got, self.model.seen(member))

    async def prove(self) -> None:
        """Nothing is lost or made."""
        assert await WRONG_UNITS.all(self.db) == []
        assert await WRONG_LOTS.all(self.db, ids=self.ids) == []


def _timer(key: str) -> Timer:
    return Timer(ids.uuid7(START), "model", key, START, 0, "", ids.uuid7(START), "")


def draw(of: random.Random, steps: int) -> list[tuple[Any, ...]]:
    """A history. What is done in it is drawn first: in some of them few things happen, again and again."""
    doing = of.sample(sorted(_ACTS), of.randint(4, len(_ACTS)))
    return [_step(of, of.choice(["earn", "earn", "spend", *doing])) for _ in range(steps)]


def _step(of: random.Random, kind: str) -> tuple[Any, ...]:
    step = (kind, *(of.choice(values) for values in _ACTS[kind]))
    return ("crash", *step) if of.random() < 0.08 and kind not in ("wait", "tick") else step


async def play(db: Database, clock: ManualClock, history: list[tuple[Any, ...]]) -> None:
    """A history, from its beginning."""
    drive = Drive(db, clock)
    await drive.begin()
    for step in history:
        await drive.step(step)
    await drive.prove()


async def run(operations: int, seed: int, seconds: float) -> int:
    """Histories of forty steps until there are enough of them, or no more time; 1 when one is wrong."""
    with tempfile.TemporaryDirectory(prefix="rapport-model-") as folder, in_memory(Path(folder)) as memory:
        infrastructure = Infrastructure(memory)
        infrastructure.start()
        try:
            url = await infrastructure.fresh_database("loyalty", loyalty.migrations)
            clock = ManualClock(START)
            db = Database(url, "loyalty", FactCodec(loyalty.events), clock, pool_size=2)
            await db.open()
            begun, done = time.monotonic(), 0
            while done < operations and time.monotonic() - begun < seconds:
                history = draw(random.Random(seed), 40)
                try:
                    await play(db, clock, history)
                except AssertionError as wrong:
                    print(f"seed {seed}: {wrong}\n{history}")
                    return 1
                done, seed = done + len(history), seed + 1
                if done % 4000 == 0:
                    print(f"{done:,} operations in {time.monotonic() - begun:.0f} s", flush=True)
            await db.close()
            print(f"{done:,} operations, none wrong; go on with SEED={seed}")
            return 0
        finally:
            infrastructure.stop()


def main() -> int:
    """As `make model-ledger` says."""
    parser = argparse.ArgumentParser(prog="python -m tests.model.points", description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3 * 3600)
    asked = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(asked.operations, asked.seed, asked.seconds))


if __name__ == "__main__":
    sys.exit(main())
