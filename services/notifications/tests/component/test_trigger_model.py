"""Whatever events come, how often and in which order: what a dictionary says is what the database has."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from google.protobuf.duration_pb2 import Duration

from chassis import ids
from chassis.context import Call, acting, current_call, service_itself
from chassis.db.aliases import regroup
from chassis.db.schema import WORK
from chassis.db.statement import Statement
from chassis.db.tables import among
from chassis.events.envelope import Event
from chassis.work import Outcome, Verdict, Work
from chassis.work.turn import Turn
from notifications.store.tables import GET_NOTICE
from notifications.usecases.attempt import Accepted, prepare
from notifications.usecases.marks import HEARD_FOR
from notifications.usecases.trigger import react
from rapport.loyalty.v1.loyalty_events_pb2 import VoucherIssued, VoucherUsed
from rapport.notifications.v1 import notice_service_pb2
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.running import Running

VOUCHERS = 2
CLAIM_ONE = Statement(
    sa.update(WORK)
    .where(WORK.c.key == sa.bindparam("key"), WORK.c.state == "PENDING")
    .values(state="CLAIMED", attempt=WORK.c.attempt + 1, lease_until=sa.func.now() + timedelta(hours=1))
    .returning(WORK),
    row=Work,
)
QUEUED = Statement(sa.select(WORK).where(among(WORK.c.key, "keys"), WORK.c.ended_at.is_(None)), row=Work)
NOBODY = 2  # names of customers: 0, 1 (whom 3 is, too), and of events that name none
NAMES = (0, 1, 3)


@dataclass(frozen=True)
class Told:
    """An event about a voucher: issued, for so many percent, or used; of a customer."""

    voucher: int
    version: int
    percent_off: int | None = 1  # None: used
    customer: int = 0


def history(random: Random, customers: Sequence[int]) -> list[Told]:
    """What happened to vouchers: one thing at each version of each. What was used is often of all."""
    told = []
    for voucher in range(VOUCHERS):
        for version in random.sample(range(1, 7), random.randint(0, 4)):
            percent = random.choice((None, 0, 1, 1))
            whose = customers if percent is not None else [*customers, *[NOBODY] * 3]
            told.append(Told(voucher, version, percent, random.choice(whose)))
    return told


def deliveries(random: Random, happened: list[Told], each: int) -> Iterator[list[Told]]:
    """Each event so many times, in any order, some together."""
    told = happened * each
    random.shuffle(told)
    while told:
        size = random.randint(1, 5)
        yield list(dict.fromkeys(told[:size]))
        told = told[size:]


@dataclass
class Asked:
    """A notice: where it is, and why it is not to be sent, "" while it is."""

    customer: int
    state: str = "REQUESTED"
    why: str = ""

    def withdraw(self, why: str) -> None:
        if self.state in ("REQUESTED", "SENDING", "UNKNOWN") and not self.why:
            self.why = why
            if self.state == "REQUESTED":
                self.state = "SUPPRESSED"

    def answer(self, answer: str) -> None:
        """What becomes of an attempt: `lost`, or what is known of it, however late."""
        if answer == "lost":
            self.state = "UNKNOWN"
        elif answer == "accepted":
            self.state, self.why = "SENT", ""
        else:
            self.state = "SUPPRESSED" if self.why else "REQUESTED"


@dataclass
class Model:
    """What a policy on vouchers for one percent or more, which is sent a day later, has asked for."""

    by_customer: bool = False  # each is told of a voucher by itself
    latest: dict[tuple[int, int], int] = field(default_factory=dict)  # by voucher and whom it concerned
    notices: dict[tuple[int, int], Asked] = field(default_factory=dict)  # by voucher and version

    def hear(self, told: Told) -> None:
        whose = self.person(told.customer) if self.by_customer else NOBODY
        if told.version <= self.newest(told.voucher, whose):
            return
        self.latest[told.voucher, whose] = told.version
        why = "cause-gone" if told.percent_off is None else "superseded"
        for (voucher, _), notice in self.notices.items():
            is_theirs = whose in (NOBODY, self.person(notice.customer))
            mine = self.latest.get((voucher, self.person(notice.customer)), 0)
            if voucher == told.voucher and is_theirs and mine <= told.version:
                notice.withdraw(why)
        if told.percent_off:
            self.notices[told.voucher, told.version] = Asked(told.customer)

    def person(self, customer: int) -> int:
        return 1 if customer == 3 else customer

    def newest(self, voucher: int, whose: int) -> int:
        return max(self.latest.get((voucher, each), 0) for each in (whose, NOBODY))

    def shown(self) -> dict[tuple[int, int], tuple[str, str]]:
        return {
            key: (each.state, each.why or ("outcome-unknown" if each.state == "UNKNOWN" else ""))
            for key, each in self.notices.items()
        }


class World:
    """A running service that hears events without a broker, and so without an inbox, and sends nothing."""

    def __init__(self, running: Running, desk: Any) -> None:
        self.running, self.desk = running, desk
        self.runner = running.lifecycle._work
        self.worker = self.runner._workers["notice-send"]
        self.worker.at_once = 0
        self.turns: dict[tuple[int, int], Any] = {}
        self.age = timedelta()  # how long ago it happened
        self.of_others = False  # whether every second event is about a resource that names the voucher

    async def begin(self, happened: Sequence[Told] = (), named: Sequence[int] = NAMES) -> None:
        """Other vouchers, of other customers; what happened is told by ids in the order of the versions.

        `named` are the customers whom events may name.
        """
        self.customers = {each: uuid4() for each in NAMES}
        self.named = named
        self.vouchers = [f"vouchers/{uuid4()}" for _ in range(VOUCHERS)]
        now = self.running.app.clock.now()
        self.ids: dict[Told, UUID] = {
            told: ids.uuid7(now) for told in sorted(happened, key=lambda each: each.version)
        }
        one, other = self.customers[1], self.customers[3]
        with acting(Call("aliases", service_itself("notifications"))):
            async with self.running.db.transaction() as tx:
                await regroup(tx, {one: one, other: one}, 1, now)

    async def hear(self, events: list[Told]) -> None:
        db = self.running.db
        with acting(Call("notifications-triggers-loyalty", service_itself(db.service))):
            async with db.transaction() as tx:
                await react(tx, 1000, [self._event(each) for each in events])

    def _event(self, told: Told) -> Event[Any]:
        # The times tell another order than the versions: who waited for another began before.
        now = self.running.app.clock.now() - self.age + timedelta(seconds=10 - told.version)
        event_id = self.ids.setdefault(told, ids.uuid7(now))
        message = VoucherUsed if told.percent_off is None else VoucherIssued
        voucher = self.vouchers[told.voucher]
        of_other = self.of_others and told.version % 2
        whose = self.customers.get(told.customer)
        return Event(
            id=event_id,
            type=message.DESCRIPTOR.full_name,
            source="loyalty",
            resource=f"voucherRedemptions/{uuid4()}" if of_other else voucher,
            resource_version=1 if of_other else told.version,
            time=now,
            actor="service:loyalty",
            correlation_id=str(event_id),
            causation_id=event_id,
            traceparent="",
            data=message(
                voucher=voucher,
                customer=f"customers/{whose}" if whose else "",
                percent_off=told.percent_off or 0,
                item=str(told.version),
            ),
        )

    async def hand_over(self, key: tuple[int, int]) -> None:
        """As a process that is about to write the last byte, and is stopped then."""
        db = self.running.db
        [row] = [row for row in await self._all() if self._of(row) == key]
        with acting(Call("test", service_itself(db.service))):
            async with db.transaction() as tx:
                work = await CLAIM_ONE.one(tx, key=row.name.removeprefix("notices/"))
        notice = await GET_NOTICE.one(db, id=UUID(work.key))
        current_call.set(self.runner._call(self.worker, work))
        delivery = await prepare(db, db.clock.now(), work, notice, "EMAIL", "en", "", "", [])
        await Turn(db, self.worker, work).hand_over("", delivery)
        self.turns[key] = work

    async def answer(self, key: tuple[int, int], answer: str) -> None:
        """What is known of the latest attempt, as whoever waited, or found its lease over, records it."""
        outcomes = {
            "lost": Outcome(Verdict.UNKNOWN, "no-answer"),
            "later": Outcome(Verdict.LATER, "451"),
            "accepted": Outcome(Verdict.DONE, result=Accepted("00", "250", self.running.app.clock.now())),
        }
        work = self.turns[key]
        current_call.set(self.runner._call(self.worker, work))
        await self.runner._settle(self.worker, work, work.attempt, outcomes[answer])

    async def notices(self) -> dict[tuple[int, int], tuple[str, str]]:
        """What there is, by voucher and version: its state, and the reason for it."""
        rows = await self._all()
        assert len({self._of(row) for row in rows}) == len(rows)
        return {self._of(row): (self.desk.state(row), row.reason_code) for row in rows}

    async def queued(self) -> set[tuple[int, int]]:
        """Of which notices an attempt is still to be made, or to be answered."""
        keys = {row.name.removeprefix("notices/"): self._of(row) for row in await self._all()}
        return {keys[work.key] for work in await QUEUED.all(self.running.db, keys=list(keys))}

    async def _all(self) -> list[Any]:
        rows = []
        for each in self.named:
            customer = f"customers/{self.customers[each]}"
            request = notice_service_pb2.ListNoticesRequest(filter=f"customer = {customer}")
            rows += (await self.desk.notices.ListNotices(request)).notices
        return list({row.name: row for row in rows}.values())

    def _of(self, row: Any) -> tuple[int, int]:
        return self.vouchers.index(row.subject), int(row.variables["version"])


POLICY = {
    "event_type": "rapport.loyalty.v1.VoucherIssued",
    "condition": "event.percent_off > 0",
    "template": "templates/voucher",
    "variables": {"version": "event.item"},
    "schedule": {"delay": Duration(seconds=86400)},
    "cancel_event_types": ["rapport.loyalty.v1.VoucherUsed"],
}


@pytest.fixture
async def world(desk: Any) -> World:
    text = TemplateText(subject="A voucher", body="Version {{ version }}. {{ contact_name }}")
    await desk.create_template("voucher", text, variables=[{"name": "version"}])
    return World(desk.running, desk)


def attempted(random: Random, model: Model) -> tuple[tuple[int, int], str] | None:
    """Something that can become of one of the notices now."""
    answers = {
        "REQUESTED": ["begin"],
        "SENDING": ["lost", "lost", "later", "accepted"],
        "UNKNOWN": ["later", "later", "accepted"],
    }
    able = [key for key, each in model.notices.items() if each.state in answers]
    if not able:
        return None
    key = random.choice(able)
    return key, random.choice(answers[model.notices[key].state])


async def attempt(world: World, model: Model, key: tuple[int, int], what: str) -> None:
    if what == "begin":
        await world.hand_over(key)
        model.notices[key].state = "SENDING"
    else:
        await world.answer(key, what)
        model.notices[key].answer(what)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("customers", "fields"),
    [
        pytest.param([0], {}, id="one-thing"),
        pytest.param([0], {"subject_field": "voucher"}, id="told-of-by-several"),
        pytest.param(NAMES, {"customer_field": "customer"}, id="each-customer"),
    ],
)
async def test_what_is_told_of_a_history_is_what_a_dictionary_says(
    world: World, customers: Sequence[int], fields: dict[str, str], seed: int
) -> None:
    await world.desk.create_policy("vouchers", **POLICY, **fields)
    world.of_others = "subject_field" in fields
    random = Random(seed)
    for _ in range(12):
        model, happened = Model("customer_field" in fields), history(random, customers)
        await world.begin(happened if world.of_others else (), customers)
        for batch in deliveries(random, happened, each=random.choice((1, 2, 4))):
            await world.hear(batch)
            # In one transaction they are heard in their order, whichever came first.
            for told in sorted(batch, key=lambda each: each.version):
                model.hear(told)
            while random.random() < 0.6 and (step := attempted(random, model)):
                await attempt(world, model, *step)
            assert await world.notices() == model.shown()
        under_way = {key for key, each in model.notices.items() if each.state in ("REQUESTED", "SENDING")}
        assert await world.queued() == under_way


async def test_each_event_ten_times_in_any_order_makes_one_notice_that_waits(world: World) -> None:
    await world.desk.create_policy("vouchers", **POLICY)
    random = Random(7)
    for _ in range(10):
        happened = [Told(voucher, version) for voucher in range(VOUCHERS) for version in (1, 2, 3)]
        await world.begin()
        for batch in deliveries(random, happened, each=10):
            await world.hear(batch)
        waiting = [told for told, (_, why) in (await world.notices()).items() if not why]
        assert sorted(waiting) == [(voucher, 3) for voucher in range(VOUCHERS)]


async def test_what_was_told_once_is_not_told_again_by_another_policy(world: World) -> None:
    await world.desk.create_policy("vouchers", **POLICY)
    told = Told(0, 1)
    await world.begin()
    await world.hear([told])
    fields = {"template": "templates/voucher", "variables": {"version": "event.item"}}
    await world.desk.create_policy("a-first", event_type="rapport.loyalty.v1.VoucherIssued", **fields)
    await world.hear([told])
    assert await world.notices() == {(0, 1): ("REQUESTED", "")}


@pytest.mark.parametrize("why", ["cause-gone", "superseded"])
async def test_what_is_gone_while_nobody_knows_whether_it_was_sent_is_never_sent_again(
    world: World, why: str
) -> None:
    await world.desk.create_policy("vouchers", **POLICY)
    await world.begin()
    await world.hear([Told(0, 1)])
    await world.hand_over((0, 1))
    await world.answer((0, 1), "lost")
    await world.hear([Told(0, 2, None if why == "cause-gone" else 0)])
    assert await world.notices() == {(0, 1): ("UNKNOWN", why)}
    [row] = await world._all()
    assert "since, so nothing more is tried" in (await world.desk.explain(row.name)).summary
    await world.answer((0, 1), "later")
    assert await world.notices() == {(0, 1): ("SUPPRESSED", why)}


async def test_of_many_at_once_in_several_processes_one_notice_waits(world: World) -> None:
    await world.desk.create_policy("vouchers", **POLICY)
    await world.begin()
    happened = [Told(0, version) for version in range(1, 5)]
    await asyncio.gather(*(world.hear([told]) for told in happened * 3))
    told = await world.notices()
    assert [key for key, (_, why) in told.items() if not why] == [(0, 4)]


@pytest.mark.parametrize("late", [False, True])
async def test_word_of_all_leaves_be_whoever_has_newer_of_their_own(world: World, late: bool) -> None:
    await world.desk.create_policy("vouchers", **POLICY, customer_field="customer")
    await world.begin()
    told = [Told(0, 1, customer=0), Told(0, 2, customer=1), Told(0, 4, customer=0), Told(0, 3, None, NOBODY)]
    for each in told if late else reversed(told):
        await world.hear([each])
    waiting = [key for key, (state, _) in (await world.notices()).items() if state == "REQUESTED"]
    assert waiting == [(0, 4)]


async def test_what_is_newer_by_another_name_of_the_customer_is_newer(world: World) -> None:
    await world.desk.create_policy("vouchers", **POLICY, customer_field="customer")
    await world.begin()
    for each in (Told(0, 1, customer=3), Told(0, 3, customer=1), Told(0, 2, customer=3)):
        await world.hear([each])
    assert await world.notices() == {(0, 1): ("SUPPRESSED", "superseded"), (0, 3): ("REQUESTED", "")}


async def test_what_happened_long_ago_changes_nothing_when_it_comes_now(world: World) -> None:
    await world.desk.create_policy("vouchers", **POLICY, expire_after=Duration(seconds=90 * 86400))
    await world.begin()
    world.desk.clock.advance(HEARD_FOR + timedelta(days=1))
    world.age = HEARD_FOR
    await world.hear([Told(0, 5), Told(1, 11)])
    assert list(await world.notices()) == [(0, 5)]
    await world.hear([Told(0, 12, None)])
    assert await world.notices() == {(0, 5): ("REQUESTED", "")}


async def test_what_is_over_by_the_time_it_goes_on_to_another_channel_is_not_sent_there(world: World) -> None:
    await world.desk.create_policy("vouchers", **POLICY)
    await world.begin()
    await world.hear([Told(0, 1)])
    await world.hand_over((0, 1))
    await world.answer((0, 1), "accepted")
    [row] = await world._all()
    [attempt] = await world.desk.attempts(row)
    with acting(Call("notifications-triggers-loyalty", service_itself("notifications"))):
        async with world.running.db.transaction() as tx:
            await react(tx, 1000, [world._event(Told(0, 2, None))])
            # Who has not heard of it yet, for that is not committed, has it go on.
            back = await world.desk.report(attempt.provider_key, "TEMPORARY_FAILURE")
            assert world.desk.state(back) == "REQUESTED"
    world.worker.at_once = 1
    over = await world.desk.reached(row.name, "SUPPRESSED")
    assert (over.reason_code, world.desk.gateway.asked) == ("superseded", [])
