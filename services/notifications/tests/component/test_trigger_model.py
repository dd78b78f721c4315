"""Whatever events come, how often and in which order: what a dictionary says is what the database has."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from google.protobuf.duration_pb2 import Duration

from chassis import ids
from chassis.context import Call, acting, service_itself
from chassis.events.envelope import Event
from notifications.usecases.trigger import react
from rapport.loyalty.v1.loyalty_events_pb2 import VoucherIssued, VoucherUsed
from rapport.notifications.v1 import notice_service_pb2
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.running import Running

VOUCHERS = 2


@dataclass(frozen=True)
class Told:
    """An event about a voucher: issued, for so many percent, or used."""

    voucher: int
    version: int
    percent_off: int | None  # None: used


def history(random: Random) -> list[Told]:
    """What happened to vouchers: one thing at each version of each."""
    return [
        Told(voucher, version, random.choice((None, 0, 1, 1)))
        for voucher in range(VOUCHERS)
        for version in random.sample(range(1, 7), random.randint(0, 4))
    ]


def deliveries(random: Random, happened: list[Told], each: int) -> Iterator[list[Told]]:
    """Each event so many times, in any order, some together."""
    told = happened * each
    random.shuffle(told)
    while told:
        size = random.randint(1, 5)
        yield list(dict.fromkeys(told[:size]))
        told = told[size:]


class Model:
    """What a policy on vouchers for one percent or more, which is sent a day later, has asked for."""

    def __init__(self) -> None:
        self.latest: dict[int, int] = {}  # by voucher, the newest version that was heard
        self.notices: dict[tuple[int, int], str] = {}  # by voucher and version, why it is not sent; ""

    def hear(self, told: Told) -> None:
        if told.version <= self.latest.get(told.voucher, 0):
            return
        self.latest[told.voucher] = told.version
        why = "cause-gone" if told.percent_off is None else "superseded"
        for (voucher, version), ended in self.notices.items():
            if voucher == told.voucher and not ended:
                self.notices[voucher, version] = why
        if told.percent_off:
            self.notices[told.voucher, told.version] = ""


class World:
    """A running service that hears events without a broker, and so without an inbox."""

    def __init__(self, running: Running, desk: Any) -> None:
        self.running, self.desk = running, desk
        self.begin()

    def begin(self) -> None:
        """Other vouchers, of another customer."""
        self.customer = f"customers/{uuid4()}"
        self.vouchers = [f"vouchers/{uuid4()}" for _ in range(VOUCHERS)]
        self.ids: dict[Told, UUID] = {}

    async def hear(self, events: list[Told]) -> None:
        db = self.running.db
        with acting(Call("notifications-triggers-loyalty", service_itself(db.service))):
            async with db.transaction() as tx:
                await react(tx, 1000, [self._event(each) for each in events])

    def _event(self, told: Told) -> Event[Any]:
        # The times tell another order than the versions: those of a resource count.
        now = self.running.app.clock.now() + timedelta(seconds=10 - told.version)
        event_id = self.ids.setdefault(told, ids.uuid7(now))
        message = VoucherUsed if told.percent_off is None else VoucherIssued
        voucher = self.vouchers[told.voucher]
        return Event(
            id=event_id,
            type=message.DESCRIPTOR.full_name,
            source="loyalty",
            resource=voucher,
            resource_version=told.version,
            time=now,
            actor="service:loyalty",
            correlation_id=str(event_id),
            causation_id=event_id,
            traceparent="",
            data=message(
                voucher=voucher,
                customer=self.customer,
                percent_off=told.percent_off or 0,
                item=str(told.version),
            ),
        )

    async def notices(self) -> dict[tuple[int, int], str]:
        """What there is, by voucher and version."""
        rows = await self._all()
        assert len({self._of(row) for row in rows}) == len(rows)
        return {self._of(row): row.reason_code for row in rows}

    async def _all(self) -> list[Any]:
        request = notice_service_pb2.ListNoticesRequest(filter=f"customer = {self.customer}")
        return list((await self.desk.notices.ListNotices(request)).notices)

    def _of(self, row: Any) -> tuple[int, int]:
        return self.vouchers.index(row.subject), int(row.variables["version"])


@pytest.fixture
async def world(desk: Any) -> World:
    text = TemplateText(subject="A voucher", body="Version {{ version }}. {{ contact_name }}")
    await desk.create_template("voucher", text, variables=[{"name": "version"}])
    await desk.create_policy(
        "vouchers",
        event_type="rapport.loyalty.v1.VoucherIssued",
        condition="event.percent_off > 0",
        template="templates/voucher",
        variables={"version": "event.item"},
        after=Duration(seconds=86400),
        cancel_event_types=["rapport.loyalty.v1.VoucherUsed"],
    )
    return World(desk.running, desk)


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_told_of_a_history_is_what_a_dictionary_says(world: World, seed: int) -> None:
    random = Random(seed)
    for _ in range(15):
        world.begin()
        model = Model()
        for batch in deliveries(random, history(random), each=random.choice((1, 2, 10))):
            await world.hear(batch)
            # In one transaction they are heard in their order, whichever came first.
            for told in sorted(batch, key=lambda each: each.version):
                model.hear(told)
        assert await world.notices() == model.notices


async def test_each_event_ten_times_in_any_order_makes_one_notice_that_waits(world: World) -> None:
    random = Random(7)
    for _ in range(10):
        world.begin()
        happened = [Told(voucher, version, 1) for voucher in range(VOUCHERS) for version in (1, 2, 3)]
        for batch in deliveries(random, happened, each=10):
            await world.hear(batch)
        waiting = [told for told, why in (await world.notices()).items() if not why]
        assert sorted(waiting) == [(voucher, 3) for voucher in range(VOUCHERS)]


async def test_what_was_told_once_is_not_told_again_by_another_policy(world: World) -> None:
    told = Told(0, 1, 1)
    await world.hear([told])
    fields = {"template": "templates/voucher", "variables": {"version": "event.item"}}
    await world.desk.create_policy("a-first", event_type="rapport.loyalty.v1.VoucherIssued", **fields)
    await world.hear([told])
    assert await world.notices() == {(0, 1): ""}
