"""Points of members as dictionaries, and what drives the real ledger with the same history.

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
from datetime import UTC, date, datetime, timedelta
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
from loyalty.domain.lots import Activation, Expiry, LotPolicy
from loyalty.domain.shards import SHARDS
from loyalty.service import service as loyalty
from loyalty.store.lots import LOTS, WRONG_LOTS
from loyalty.store.seals import WRONG_UNITS
from loyalty.store.tables import ACCOUNTS
from loyalty.usecases.lots_due import activate_lot, see_to_lots
from loyalty.usecases.membership_ends import close_membership, reopen_membership, transfer_points
from loyalty.usecases.memberships import account_of
from loyalty.usecases.posting import post_transfer, reverse_transfer
from loyalty.usecases.redemption import commit_reservation, expire_reservation, release_reservation, reserve
from rapport_testing.clock import ManualClock
from rapport_testing.infrastructure import Infrastructure, in_memory

START = datetime(2026, 3, 2, tzinfo=UTC)
ISSUED, REDEEMED = (f"programs/main/accounts/points-{kind}" for kind in ("issued", "redeemed"))
FOREVER, HELD_H, FIXED_DAY = 10**9, 10, 6
NOW, LATER, BY_HAND = Activation.IMMEDIATE, Activation.AFTER_DAYS, Activation.ON_ACTION
POLICIES: list[LotPolicy | None] = [
    None,
    LotPolicy(NOW, Expiry.AFTER_EARNING, expiry_days=2, grace_days=1),
    LotPolicy(LATER, Expiry.AFTER_EARNING, 1, 5),
    LotPolicy(BY_HAND, Expiry.AFTER_EARNING, expiry_days=3, grace_days=2),
    LotPolicy(NOW, Expiry.AFTER_ACTIVITY, expiry_days=2),
    LotPolicy(NOW, Expiry.FIXED_DATE, expiry_date=date(2026, 3, 2) + timedelta(days=FIXED_DAY)),
    LotPolicy(LATER, Expiry.NEVER, 2),
]
MEMBERS = 3
Lot = dict[str, Any]


class Model:
    """Members' points. Times are hours; a lot says what is left of it and when it ends."""

    def __init__(self) -> None:
        self.now = 0
        self.members: list[dict[str, Any]] = [
            {"plain": 0, "lots": [], "closed": False} for _ in range(MEMBERS)
        ]
        self.transfers: list[dict[str, Any]] = []
        self.reservations: list[dict[str, Any]] = []

    def end(self, days: int) -> int:
        return (self.now // 24 + days + 1) * 24

    def ended(self, lot: Lot) -> bool:
        return lot["state"] == "EXPIRED" or lot["ends"] <= self.now

    def usable(self, of: dict[str, Any]) -> list[Lot]:
        lots = [lot for lot in of["lots"] if lot["state"] == "ACTIVE" and lot["left"] and not self.ended(lot)]
        return sorted(lots, key=lambda lot: lot["ends"])

    def put(self, of: dict[str, Any], new: Lot, amount: int) -> Lot:
        kind = ("state", "activates", "ends", "activity", "grace", "late")
        waits = new["state"] == "PENDING" and new["activates"] is None
        alike = [each for each in of["lots"] if each["left"] and all(each[k] == new[k] for k in kind)]
        lot = new if waits or not alike else alike[0]
        if lot is new:
            of["lots"].append(new)
        lot["left"] += amount
        return lot

    def renew(self, of: dict[str, Any], drained: list[tuple[Lot, int]] | None = None) -> None:
        """What holds something, or held it until now, ends later."""
        for lot in of["lots"]:
            holds = lot["left"] or any(lot is each for each, _ in drained or ())
            if lot["activity"] and holds and not self.ended(lot):
                lot["ends"] = self.end(lot["activity"])

    def earn(self, member: int, amount: int, policy: LotPolicy | None) -> str:
        of, parts = self.members[member], []
        if of["closed"]:
            too_late = policy and policy.expiry_date and self.now >= (FIXED_DAY + 1) * 24
            return "EXPIRY_PASSED" if too_late else "MEMBERSHIP_CLOSED"
        if policy is None:
            of["plain"] += amount
        else:
            ends = self.end(policy.expiry_days) if policy.expiry_days else FOREVER
            ends = (FIXED_DAY + 1) * 24 if policy.expiry_date else ends
            if ends <= self.now:
                return "EXPIRY_PASSED"
            days = policy.activation_days
            new = {
                "state": "ACTIVE" if policy.activation is NOW else "PENDING",
                "activates": self.end(days - 1) if days else None,
                "ends": ends,
                "activity": policy.expiry_days if policy.expiry is Expiry.AFTER_ACTIVITY else 0,
                "grace": policy.grace_days,
                "late": False,
                "left": 0,
            }
            parts = [(self.put(of, new, amount), amount)]
        self.renew(of)
        self.transfers.append({"member": member, "earned": amount, "parts": parts, "undone": False})
        return ""

    def take(self, member: int, amount: int) -> tuple[list[tuple[Lot, int]], int] | None:
        of, parts = self.members[member], []
        if amount > of["plain"] + sum(lot["left"] for lot in self.usable(of)):
            return None
        for lot in self.usable(of):
            part = min(lot["left"], amount)
            if part:
                lot["left"], amount = lot["left"] - part, amount - part
                parts.append((lot, part))
        of["plain"] -= amount
        return parts, amount

    def spend(self, member: int, amount: int) -> str:
        if self.members[member]["closed"]:
            return "MEMBERSHIP_CLOSED"
        taken = self.take(member, amount)
        if taken is None:
            return "INSUFFICIENT_BALANCE"
        self.renew(self.members[member], taken[0])
        self.transfers.append({"member": member, "earned": 0, "taken": taken, "undone": False})
        return ""

    def give(self, member: int, other: int, amount: int) -> str:
        """From one member to another, what ends first, with its ends."""
        if self.members[member]["closed"] or self.members[other]["closed"]:
            return "MEMBERSHIP_CLOSED"
        taken = self.take(member, amount)
        if taken is None:
            return "INSUFFICIENT_BALANCE"
        parts, plain = taken
        for lot, part in parts:
            self.put(self.members[other], lot | {"left": 0}, part)
        self.members[other]["plain"] += plain
        self.renew(self.members[member], parts)
        self.renew(self.members[other])
        return ""

    def close(self, member: int, other: int | None) -> str:
        """All that a member has goes to another, with its ends, or is forfeited."""
        of = self.members[member]
        if of["closed"] or (other is not None and self.members[other]["closed"]):
            return "MEMBERSHIP_CLOSED"
        sides = {member} if other is None else {member, other}
        if any(each["state"] == "RESERVED" and each["member"] in sides for each in self.reservations):
            return "RESERVATIONS_OPEN"
        for lot in [lot for lot in of["lots"] if lot["left"]]:
            if other is not None:
                self.put(self.members[other], lot | {"left": 0}, lot["left"])
            lot["left"] = 0
        if other is not None:
            self.members[other]["plain"] += of["plain"]
        of["plain"], of["closed"] = 0, True
        return ""

    def reopen(self, member: int) -> str:
        if not self.members[member]["closed"]:
            return "MEMBERSHIP_NOT_CLOSED"
        self.members[member]["closed"] = False
        return ""

    def give_back(self, member: int, taken: tuple[list[tuple[Lot, int]], int]) -> None:
        of = self.members[member]
        of["plain"] += taken[1]
        for lot, amount in taken[0]:
            if not self.ended(lot):
                lot["left"] += amount
            else:
                ends = self.now if lot["late"] else self.end(lot["grace"])  # grace is had once
                new = {"state": "ACTIVE", "activates": None, "ends": ends, "activity": 0, "late": True}
                self.put(of, new | {"grace": lot["grace"], "left": 0}, amount)

    def undo(self, i: int) -> str:
        transfer = self.transfers[i]
        member, amount = transfer["member"], transfer["earned"]
        of = self.members[member]
        if transfer["undone"]:
            return "ALREADY_REVERSED"
        if of["closed"]:
            return "MEMBERSHIP_CLOSED"
        if not amount:
            self.give_back(member, transfer["taken"])
        elif transfer["parts"] and transfer["parts"][0][0]["state"] == "PENDING":
            if transfer["parts"][0][0]["left"] < amount:  # gone when the membership was closed
                return "INSUFFICIENT_BALANCE"
            transfer["parts"][0][0]["left"] -= amount
        else:
            if amount > of["plain"] + sum(lot["left"] for lot in self.usable(of)):
                return "INSUFFICIENT_BALANCE"
            for lot, put in transfer["parts"]:
                part = min(lot["left"], put) if lot["state"] == "ACTIVE" else 0
                lot["left"], amount = lot["left"] - part, amount - part
            if not transfer["parts"]:
                part = min(of["plain"], amount)
                of["plain"], amount = of["plain"] - part, amount - part
            self.take(member, amount)
        transfer["undone"] = True
        return ""

    def reserve(self, member: int, amount: int) -> str:
        if self.members[member]["closed"]:
            return "MEMBERSHIP_CLOSED"
        taken = self.take(member, amount)
        if taken is None:
            return "INSUFFICIENT_BALANCE"
        self.renew(self.members[member], taken[0])
        made = {"member": member, "amount": amount, "taken": taken, "state": "RESERVED"}
        self.reservations.append(made | {"expires": self.now + HELD_H})
        return ""

    def end_reservation(self, i: int, state: str) -> str:
        held = self.reservations[i]
        if held["state"] != "RESERVED" or (state == "COMMITTED" and self.now >= held["expires"]):
            return "RESERVATION_ENDED"
        held["state"] = state
        if state == "COMMITTED":
            told = {"member": held["member"], "earned": 0, "taken": held["taken"], "undone": False}
            self.transfers.append(told)
        else:
            self.give_back(held["member"], held["taken"])
        return ""

    def activate(self, lot: Lot) -> str:
        if lot["state"] != "PENDING" or not lot["left"] or self.ended(lot):
            return "LOT_NOT_PENDING"
        lot["state"] = "ACTIVE"
        return ""

    def tick(self) -> None:
        for i, held in enumerate(self.reservations):
            if held["expires"] <= self.now:
                self.end_reservation(i, "EXPIRED")
        for lot in (lot for of in self.members for lot in of["lots"] if lot["left"]):
            if lot["ends"] <= self.now:
                lot["state"], lot["left"] = "EXPIRED", 0
            elif lot["activates"] is not None and lot["activates"] <= self.now:
                lot["state"] = "ACTIVE"

    def seen(self, member: int) -> tuple[int, int, int, Counter[tuple[str, int]]]:
        """What is active, pending and reserved, and what is left by state and end."""
        of, lots = self.members[member], Counter[tuple[str, int]]()
        for lot in of["lots"]:
            lots[lot["state"], lot["ends"]] += lot["left"]
        sums = {
            state: sum(n for (kind, _), n in lots.items() if kind == state) for state in ("ACTIVE", "PENDING")
        }
        held = sum(
            each["amount"]
            for each in self.reservations
            if each["member"] == member and each["state"] == "RESERVED"
        )
        return of["plain"] + sums["ACTIVE"], sums["PENDING"], held, +lots


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


def draw(of: random.Random) -> tuple[Any, ...]:
    """One step."""
    member, other, which = of.randrange(MEMBERS), of.randrange(MEMBERS), of.randrange(1000)
    amount = of.choice([1, 2, 5, 10, 25])
    steps: list[tuple[Any, ...]] = [
        ("earn", member, amount, of.randrange(len(POLICIES))),
        ("earn", member, amount, of.randrange(len(POLICIES))),
        ("spend", member, amount),
        ("reserve", member, amount),
        ("commit", which),
        ("release", which),
        ("undo", which),
        ("activate", member, which),
        ("wait", of.choice([1, 5, 12, 24, 30])),
        ("tick",),
        ("merge", member, other),
        ("give", member, other, amount),
        ("close", member, other),
        ("reopen", member),
        ("reopen", other),
    ]
    step = of.choice(steps)
    return ("crash", *step) if of.random() < 0.08 and step[0] not in ("wait", "tick") else step


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
                steps = random.Random(seed)
                history = [draw(steps) for _ in range(40)]
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
