"""Order does not matter: any history of a promise ends as the model says, and the customer is told so.

Drawn are what people, departments, the clock, the mail server and the broker do, and where sending is held
while the rest goes on. `RAPPORT_MODEL_EXAMPLES` sets how many histories are tried.
"""

import os
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type import date_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.api.messages import date_of, enum_name, moment, timestamp, value_name
from chassis.grpc.status import reason
from rapport.cases.v1 import (
    case_pb2,
    case_service_pb2,
    promise_pb2,
    promise_service_pb2,
    work_item_pb2,
    work_item_service_pb2,
)
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1 import states_pb2
from rapport.customer.v1 import customer_pb2, customer_service_pb2, identifier_pb2, view_service_pb2
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.notifications.v1 import notice_pb2, notice_service_pb2
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport.notifications.v1.notifications_events_pb2 import NoticeSent
from tests.model.conftest import START, World
from tests.model.post import ACCEPT, ANSWERED, ASKED, LATER, LOSE, REFUSE, SLEEP, Attempt
from tests.model.reference import ENDED, ZONE, Story, day_of, end_of

TICK = timedelta(seconds=1)
REFUSED = {"PROMISE_ENDED", "INVALID_TIME", "WORK_ITEM_FINISHED", "INVALID_ARGUMENT"}
days = st.integers(1, 9)
which = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("forecast"), days),
    st.tuples(st.just("deliver"), which),
    st.tuples(
        st.just("send"),
        st.sampled_from([ACCEPT, LOSE, SLEEP, LATER, REFUSE]),
        st.sampled_from(["", ASKED, ANSWERED]),
    ),
    st.tuples(st.just("release")),
    st.tuples(st.just("passes"), st.sampled_from([1, 30, 80])),
    st.tuples(st.just("keep")),
    st.tuples(st.just("finish")),
    st.tuples(st.just("withdraw")),
    st.tuples(st.just("renegotiate"), days),
    st.tuples(st.just("repeat"), which),
    st.tuples(st.just("department_tells")),
)
HISTORIES = st.lists(STEPS, min_size=3, max_size=15)


class Drive:
    """Does each step to the services and to the model, and looks at whatever leaves for the customer."""

    def __init__(self, world: World, of_day: bool, seed: int) -> None:
        self.world, self.of_day, self.chance = world, of_day, Random(seed)
        self.now = world.clock.now
        self.cases = world.stub(CaseServiceStub, "cases")
        self.items = world.stub(WorkItemServiceStub, "cases")
        self.promises = world.stub(PromiseServiceStub, "cases")
        self.customers = world.stub(CustomerServiceStub, "customer")
        self.views = world.stub(ViewServiceStub, "customer")
        self.notices = world.stub(NoticeServiceStub, "notifications")
        self.handed: dict[str, list[str]] = {}  # the answers to each Message-ID
        self.last: Any = None  # the latest attempt by which the customer was told something, perhaps
        self.raced = False  # whether something was told that had ceased to be true since the owner was asked

    async def begin(self) -> None:
        world = self.world
        await world.begin()
        email = identifier_pb2.Identifier(type="TYPE_EMAIL", value=f"{uuid4().hex}@example.com")
        self.customer = (
            await self.customers.CreateCustomer(
                customer_service_pb2.CreateCustomerRequest(
                    customer=customer_pb2.Customer(
                        display_name="Maria", time_zone="Europe/Berlin", identifiers=[email]
                    )
                )
            )
        ).name
        case = case_pb2.Case(
            customer=self.customer,
            topic="delivery",
            owner="agents/front-desk",
        )
        case = await self.cases.OpenCase(case_service_pb2.OpenCaseRequest(case=case))
        item = work_item_pb2.WorkItem(case=case.name, department="departments/delivery", kind="deliver")
        self.item = (
            await self.items.CreateWorkItem(work_item_service_pb2.CreateWorkItemRequest(work_item=item))
        ).name
        due = self._due(3)
        promise = promise_pb2.Promise(
            customer=self.customer,
            work_item=self.item,
            case=case.name,
            department="departments/delivery",
            kind="delivery",
            **self._due_fields(due),
        )
        if self.of_day:
            promise.time_zone = str(ZONE)
        await self.promises.MakePromise(promise_service_pb2.MakePromiseRequest(promise=promise))
        self.story = Story(due, self.now())
        world.post.begin(self)
        await world.broker.collect()

    async def do(self, step: tuple[Any, ...]) -> None:
        self.world.clock.advance(TICK)
        await getattr(self, step[0])(*step[1:])
        await self.world.broker.collect()

    # What people and departments do.

    async def forecast(self, day: int) -> None:
        at = START + timedelta(days=day)
        request = work_item_service_pb2.ForecastWorkItemRequest(
            name=self.item, forecast_finish_time=timestamp(at), reason_code="carrier-delay"
        )
        if await self._accepted(self.items.ForecastWorkItem(request)):
            self.story.forecasts(at, self.now())

    async def keep(self) -> None:
        request = promise_service_pb2.KeepPromiseRequest(name=(await self._tip()).name)
        if await self._accepted(self.promises.KeepPromise(request)):
            self.story.kept(self.now())

    async def finish(self) -> None:
        before = (await self._tip()).state
        if (
            await self._accepted(
                self.items.FinishWorkItem(work_item_service_pb2.FinishWorkItemRequest(name=self.item))
            )
            and enum_name(states_pb2.PromiseState.DESCRIPTOR, before) not in ENDED
            and self.story.tip["state"] != "WITHDRAWN"
        ):
            self.story.kept(self.now())

    async def withdraw(self) -> None:
        request = promise_service_pb2.WithdrawPromiseRequest(
            name=(await self._tip()).name, reason_code="customer-cancelled"
        )
        if await self._accepted(self.promises.WithdrawPromise(request)):
            self.story.withdrawn()

    async def renegotiate(self, day: int) -> None:
        due = self._due(day)
        request = promise_service_pb2.RenegotiatePromiseRequest(
            name=(await self._tip()).name, reason_code="carrier-delay", **self._due_fields(due)
        )
        if await self._accepted(self.promises.RenegotiatePromise(request)):
            self.story.renegotiated(due, self.now())

    async def department_tells(self) -> None:
        moments = [self.now().isoformat(), (self.now() + timedelta(days=4)).isoformat()]
        notice = notice_pb2.Notice(
            customer=self.customer,
            kind="own-words",
            template="templates/delay",
            promise=(await self._tip()).name,
            variables={"reason": "weather", "old_date": moments[0], "new_date": moments[1], "reference": ""},
        )
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await self.notices.SendNotice(notice_service_pb2.SendNoticeRequest(notice=notice))
        assert reason(refusal.value) == "TEMPLATE_NOT_SENDABLE"

    # What the clock, the broker and the mail server do.

    async def passes(self, hours: int) -> None:
        self.world.clock.advance(timedelta(hours=hours))
        self.story.passes(self.now())
        await self.world.fire()

    async def deliver(self, index: int) -> None:
        await self.world.broker.deliver(index)

    async def repeat(self, index: int) -> None:
        await self.world.broker.repeat(index)

    async def send(self, answer: str, hold: str) -> None:
        await self.world.post.send(answer, hold)

    async def release(self) -> None:
        await self.world.post.release()

    # What must hold.

    def asked(self, attempt: Attempt) -> None:
        attempt.truth = self.story.truth()

    def handed_over(self, attempt: Attempt) -> None:
        """The mail server has it: only now can the customer know."""
        assert attempt.notice
        assert attempt.mail
        before = self.handed.setdefault(attempt.mail.message_id, [])
        assert {ACCEPT, REFUSE}.isdisjoint(before), f"handed over again after {before}"
        assert len([answer for answer in before if answer != LATER]) <= 1
        before.append(attempt.answer)
        if attempt.notice.notice_policy:
            self._tells(attempt)

    def _tells(self, attempt: Attempt) -> None:
        day, story, truth = attempt.day, self.story, attempt.truth
        assert truth, f"{day} is told of what has ended"
        assert day == day_of(truth[1])
        assert story.beliefs != {day}, f"the customer knows of {day}"
        if self.last and self.last.mail.message_id != attempt.mail.message_id:
            assert (self.last.truth[0], self.last.day) != (truth[0], day), "the same again, as something new"
        attempt.time = self.now()
        if attempt.answer not in (REFUSE, LATER):
            self.last = attempt
        if attempt.answer == ACCEPT:
            self.raced |= story.truth() != truth
            story.told(truth, self.now())
        elif attempt.answer in (LOSE, SLEEP):
            story.perhaps_told(truth)

    async def woke(self, attempt: Attempt, settled: Callable[[], Awaitable[None]]) -> None:
        """An answer comes after all. Unless something newer was to be told by then, it counts as of then."""
        before = self._sent(attempt)
        await settled()
        await self.world.broker.collect()
        new = [sent for sent in self._sent(attempt) if sent not in before]
        if attempt.truth and any(
            attempt.truth[1] == self.story.tip["due"] or sent.HasField("told_promise") for sent in new
        ):
            self.story.told(attempt.truth, attempt.time)
            self.story.beliefs |= {self.last.day}

    def _sent(self, attempt: Attempt) -> list[NoticeSent]:
        facts = self.world.broker.facts.values()
        name = NoticeSent.DESCRIPTOR.full_name
        sent = [NoticeSent.FromString(fact["data"]) for fact in facts if fact["type"] == name]
        return [fact for fact in sent if fact.notice == attempt.notice.name]

    async def settle(self) -> None:
        """Everything arrives and everything is sent; then everything arrives once more."""
        broker, post = self.world.broker, self.world.post
        self.settled_at = self.now()
        while post.held:
            await post.release()
        busy = True
        while busy:
            await broker.collect()
            busy = await broker.everything(self.chance)
            self.world.clock.advance(timedelta(minutes=5))
            self.story.passes(self.now())
            await self.world.fire()
            while await post.send(ACCEPT):
                busy = True
        await broker.again(self.chance)
        assert not broker.waiting, "something old is news again"
        await broker.read(self.chance)

    async def check(self) -> None:
        promises = await self._promises()
        self._check_the_end(promises[-1])
        for promise in promises[:-1]:
            assert self._state(promise) in ("RENEGOTIATED", "BROKEN")
        await self._check_the_customer_knows(promises[-1])
        view = await self.views.GetCustomerView(
            view_service_pb2.GetCustomerViewRequest(name=f"{self.customer}/view")
        )
        await self._check_the_view(view, promises)
        self._check_goodwill(view, promises)

    def _check_the_end(self, promise: Any) -> None:
        tip = self.story.tip
        assert self._state(promise) == ("BROKEN" if tip.get("broken") else tip["state"])
        if tip["state"] != "WITHDRAWN":  # told and taken back at once: no successor is made
            due = date_of(promise.due_date) if self.of_day else moment(promise.due_time)
            assert due == tip["due"]

    async def _check_the_customer_knows(self, promise: Any) -> None:
        """The customer knows what is true, unless that could not be told, or nobody knows whether it was."""
        truth = self.story.truth()
        if truth is None or end_of(truth[1]) < self.now() or self.raced:
            return
        untold = (states_pb2.NOTICE_STATE_UNKNOWN, states_pb2.NOTICE_STATE_FAILED)
        known = [
            notice.state
            for notice in await self._notices()
            if notice.promise == promise.name
            and notice.kind in ("promise-at-risk", "promise-recovered")
            and notice.state != states_pb2.NOTICE_STATE_SUPPRESSED
        ]
        if not known or known[0] not in untold:
            assert self.story.beliefs == {day_of(truth[1])}

    async def _notices(self) -> list[Any]:
        """Newest first."""
        request = notice_service_pb2.ListNoticesRequest(filter=f"customer = {self.customer}")
        return list((await self.notices.ListNotices(request)).notices)

    async def _check_the_view(self, view: Any, promises: list[Any]) -> None:
        shown = {part.promise: part for part in view.promises}
        assert shown.keys() == {promise.name for promise in promises}
        for promise in promises:
            part = shown[promise.name]
            assert f'"{part.source.resource_version}"' == promise.etag
            assert part.state == promise.state
            for field in ("due_time", "due_date", "successor"):
                assert getattr(part, field) == getattr(promise, field), field
            if not promise.successor and self._state(part) not in ENDED:
                assert part.forecast_time == promise.forecast_time
        live = [promise for promise in promises if self._state(promise) in ("OPEN", "AT_RISK")]
        assert view.open_promise_count == len(live)
        notices = await self._notices()
        states = {notice.name: value_name(notice, "state") for notice in notices}
        assert {part.notice: value_name(part, "state") for part in view.notices} == states
        assert not {"REQUESTED", "SENDING"} & {*states.values()}, "something is not settled"

    def _check_goodwill(self, view: Any, promises: list[Any]) -> None:
        """The longest delay that a notice told is made up for, whatever led to it."""
        days = [day_of(moment(promise.due_time)) for promise in promises]
        told = [
            min(100 * (after - days[0]).days, 500)
            for promise, after in zip(promises, days[1:], strict=False)
            if promise.notice
        ]
        grants = [grant.points for grant in view.loyalty.goodwill]
        assert sum(grants) == max([0, *told])
        assert sum(part.balance for part in view.loyalty.balances) == sum(grants)

    async def _accepted(self, call: Any) -> bool:
        try:
            await call
        except grpc.aio.AioRpcError as refusal:
            if reason(refusal) not in REFUSED:
                raise
            return False
        return True

    async def _promises(self) -> list[Any]:
        """The chain, oldest first."""
        request = promise_service_pb2.ListPromisesRequest(filter=f"customer = {self.customer}")
        found = {p.predecessor: p for p in (await self.promises.ListPromises(request)).promises}
        chain = [found.pop("")]
        while chain[-1].name in found:
            chain.append(found.pop(chain[-1].name))
        assert not found
        return chain

    async def _tip(self) -> Any:
        return (await self._promises())[-1]

    @staticmethod
    def _state(promise: Any) -> str:
        return value_name(promise, "state")

    def _due(self, day: int) -> date | datetime:
        at = START + timedelta(days=day)
        return day_of(at) if self.of_day else at

    @staticmethod
    def _due_fields(due: date | datetime) -> dict[str, Any]:
        if isinstance(due, datetime):
            return {"due_time": timestamp(due)}
        return {"due_date": date_pb2.Date(year=due.year, month=due.month, day=due.day)}


async def run(world: World, history: list[tuple[Any, ...]], of_day: bool, seed: int) -> Drive:
    drive = Drive(world, of_day, seed)
    await drive.begin()
    for step in history:
        await drive.do(step)
    await drive.settle()
    await drive.check()
    return drive


@settings(
    max_examples=int(os.environ.get("RAPPORT_MODEL_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(history=HISTORIES, of_day=st.booleans(), seed=st.integers(0, 1000))
async def test_any_history_ends_as_the_model_says(
    world: World, history: list[tuple[Any, ...]], of_day: bool, seed: int
) -> None:
    await run(world, history, of_day, seed)


AT_RISK = [("forecast", 5), ("deliver", 0)]
KEPT_HISTORIES = {
    "kept before the risk is heard of": [("forecast", 5), ("keep",), ("deliver", 1), ("send", ACCEPT, "")],
    "broken, and its forecast cannot be told": [*AT_RISK, ("send", REFUSE, ""), ("passes", 100)],
    "kept while the owner was asked": [*AT_RISK, ("send", ACCEPT, ASKED), ("keep",), ("release",)],
    "kept before the telling is recorded": [*AT_RISK, ("send", ACCEPT, ANSWERED), ("keep",), ("release",)],
    "withdrawn before it is recorded": [*AT_RISK, ("send", ACCEPT, ANSWERED), ("withdraw",), ("release",)],
    "a person is faster": [*AT_RISK, ("send", ACCEPT, ANSWERED), ("renegotiate", 7), ("release",)],
    "later still while it is sent": [
        *AT_RISK, ("send", ACCEPT, ANSWERED), ("forecast", 7), ("deliver", 0), ("release",)
    ],
    "recovered while sent, unheard": [*AT_RISK, ("send", ACCEPT, ASKED), ("forecast", 2), ("release",)],
    "told in time, recorded late": [*AT_RISK, ("send", ACCEPT, ANSWERED), ("passes", 100), ("release",)],
    "withdrawn when it was broken": [("passes", 100), ("withdraw",), ("forecast", 7), ("finish",)],
    "told late": [("forecast", 7), ("passes", 100), ("deliver", 0), ("send", ACCEPT, ""), ("keep",)],
    "lost twice, then recovered": [
        *AT_RISK, ("send", LOSE, ""), ("passes", 1), ("send", LOSE, ""), ("forecast", 2), ("deliver", 0)
    ],
    "lost, recovered, at risk again": [
        *AT_RISK, ("send", LOSE, ""), ("forecast", 2), ("deliver", 0), ("forecast", 5), ("deliver", 0)
    ],
    "the answer comes after the repeat": [
        *AT_RISK, ("send", SLEEP, ""), ("passes", 1), ("send", ACCEPT, ""), ("release",)
    ],
    "the answer comes after it was kept": [
        *AT_RISK, ("send", SLEEP, ""), ("keep",), ("deliver", 0), ("release",)
    ],
    "the answer comes after the recovery is heard of": [
        *AT_RISK, ("send", SLEEP, ""), ("passes", 1), ("forecast", 2), ("deliver", 0), ("release",)
    ],
    "the answer comes after a newer date": [
        *AT_RISK, ("send", SLEEP, ""), ("passes", 1), ("forecast", 7), ("deliver", 0), ("send", ACCEPT, ""),
        ("release",),
    ],
}  # fmt: skip


@pytest.mark.parametrize("history", KEPT_HISTORIES.values(), ids=KEPT_HISTORIES)
async def test_histories_that_were_hard(world: World, history: list[tuple[Any, ...]]) -> None:
    for of_day in (False, True):
        await run(world, history, of_day, seed=1)


async def test_the_story_as_it_should_go(world: World) -> None:
    drive = await run(
        world, [("forecast", 5), ("deliver", 0), ("send", ACCEPT, ""), ("deliver", 0)], False, 0
    )
    assert list(drive.handed.values()) == [[ACCEPT]]
    assert [promise["state"] for promise in drive.story.chain] == ["RENEGOTIATED", "OPEN"]
