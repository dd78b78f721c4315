"""A case's work: whatever is asked, begun, blocked, handed over, delayed and done, it is as the model says.

Drawn are histories of one case: parts that wait for each other, forecasts, hand-overs, promises, the clock.
The model is dictionaries and a recursion; it derives what the service propagates. Times are whole hours.
`RAPPORT_MODEL_EXAMPLES` sets how many histories are tried.
"""

import os
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chassis.api.messages import moment, timestamp
from chassis.grpc.status import reason
from rapport.cases.v1 import case_pb2, promise_pb2, work_item_pb2
from rapport.cases.v1 import case_service_pb2 as case_pb
from rapport.cases.v1 import handoff_service_pb2 as handoff_pb
from rapport.cases.v1 import promise_service_pb2 as promise_pb
from rapport.cases.v1 import work_item_service_pb2 as pb
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.handoff_service_pb2_grpc import HandoffServiceStub
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1.states_pb2 import PromiseState
from tests.model.conftest import START, World

DEPARTMENTS = ("delivery", "billing", "warehouse")
LEAD_H = 24
which, hours = st.integers(0, 5), st.integers(1, 96)
ADD = st.tuples(st.just("add"), st.sets(which, max_size=3), st.integers(0, 48), hours | st.none())
STEPS = st.one_of(
    ADD,
    st.tuples(st.sampled_from(["start", "block", "unblock", "finish"]), which),
    st.tuples(st.just("forecast"), which, hours),
    st.tuples(st.just("hand_over"), which, st.sampled_from(DEPARTMENTS)),
    st.tuples(st.sampled_from(["depend", "part"]), which, which),
    st.tuples(st.just("wait"), st.integers(1, 30)),
    st.tuples(st.sampled_from(["resolve", "reopen"])),
)
HISTORIES = st.builds(
    lambda first, then: first + then, st.lists(ADD, min_size=2, max_size=4), st.lists(STEPS, max_size=14)
)


class Model:
    """What people did, and what follows."""

    def __init__(self) -> None:
        self.now, self.is_open = 0, True
        self.items: list[dict[str, Any]] = []

    def add(self, after: set[int], takes: int, due: int | None) -> None:
        line = {"from": "front-desk", "to": "delivery", "at": self.now, "blocks": []}
        self.items.append(
            {
                "after": after,
                "takes": takes,
                "due": due and self.now + due,
                "made": self.now,
                "ledger": [line],
            }
        )

    def end(self, item: dict[str, Any]) -> int | None:
        """When it was done, or is expected to be: what was said, or what it waits for plus its own time."""
        if "done" in item:
            return int(item["done"])
        ends = [at for each in item["after"] if (at := self.end(self.items[each])) is not None]
        known = [max(ends) + item["takes"]] if ends else []
        return max(known + ([item["said"]] if "said" in item else []), default=None)

    def waits_for(self, item: int, other: int) -> bool:
        return item == other or any(self.waits_for(each, other) for each in self.items[item]["after"])

    def promise(self, item: dict[str, Any]) -> str:
        """What became of what was promised on it."""
        due, end = item["due"], self.end(item)
        if "done" in item:
            return "KEPT" if item["done"] <= due else "KEPT_LATE"
        if self.now >= due:
            return "BROKEN"
        is_soon = self.now >= due - min(LEAD_H, (due - item["made"]) / 2)
        is_late = end is not None and end > due
        return "AT_RISK" if is_soon or is_late or self.is_held(item) else "OPEN"

    def is_held(self, item: dict[str, Any]) -> bool:
        """Whether it cannot go on, or waits for what cannot."""
        before = [self.items[each] for each in item["after"]]
        return "done" not in item and ("blocked" in item or any(map(self.is_held, before)))


class Drive:
    """Does each step to the service and to the model, which says whether it is refused."""

    def __init__(self, world: World) -> None:
        self.world, self.model = world, Model()
        self.cases = world.stub(CaseServiceStub, "cases")
        self.work = world.stub(WorkItemServiceStub, "cases")
        self.promises = world.stub(PromiseServiceStub, "cases")
        self.handoffs = world.stub(HandoffServiceStub, "cases")
        self.names: list[str] = []
        self.promised: dict[int, str] = {}

    async def begin(self) -> None:
        await self.world.begin()
        case = case_pb2.Case(customer=f"customers/{uuid4()}", topic="move", owner="agents/front-desk")
        self.case = await self.cases.OpenCase(case_pb.OpenCaseRequest(case=case))

    async def do(self, step: tuple[Any, ...]) -> None:
        kind, *about = step
        if kind not in ("add", "wait", "resolve", "reopen"):
            if not self.names:
                return
            about[0] %= len(self.names)
        await getattr(self, kind)(*about)

    async def call(self, refusal: str, method: str, i: int, **fields: Any) -> bool:
        """Whether the service does it, as the model says: `refusal` is the reason, or empty."""
        request = getattr(pb, f"{method}Request")(name=self.names[i], **fields)
        assert await refused(getattr(self.work, method)(request)) == refusal, (method, i)
        return not refusal

    def of(self, i: int) -> tuple[dict[str, Any], str]:
        item = self.model.items[i]
        return item, "WORK_ITEM_FINISHED" if "done" in item else ""

    async def add(self, after: set[int], takes: int, due: int | None) -> None:
        if not self.model.is_open or len(self.names) == 6:
            return
        after = {each % len(self.names) for each in after} if self.names else set()
        item = work_item_pb2.WorkItem(
            case=self.case.name,
            department="departments/delivery",
            kind="leg",
            predecessors=[self.names[each] for each in after],
            duration_minutes=takes * 60,
        )
        made = await self.work.CreateWorkItem(pb.CreateWorkItemRequest(work_item=item))
        self.model.add(after, takes, due)
        self.names.append(made.name)
        if due is not None:
            promise = promise_pb2.Promise(
                customer=self.case.customer,
                department="departments/delivery",
                kind="leg",
                work_item=made.name,
                due_time=timestamp(self.world.clock.now() + timedelta(hours=due)),
            )
            request = promise_pb.MakePromiseRequest(promise=promise)
            self.promised[len(self.names) - 1] = (await self.promises.MakePromise(request)).name

    async def start(self, i: int) -> None:
        item, over = self.of(i)
        refusal = "WORK_ITEM_STARTED" if over or "start" in item["ledger"][-1] else ""
        refusal = refusal or ("WORK_ITEM_BLOCKED" if "blocked" in item else "")
        if await self.call(refusal, "StartWorkItem", i):
            item["ledger"][-1]["start"] = self.model.now

    async def block(self, i: int) -> None:
        item, over = self.of(i)
        refusal = over or ("WORK_ITEM_BLOCKED" if "blocked" in item else "")
        if await self.call(refusal, "BlockWorkItem", i, reason_code="customer"):
            item["blocked"] = True
            item["ledger"][-1]["blocks"].append([self.model.now, None])

    async def unblock(self, i: int) -> None:
        item, _ = self.of(i)
        refusal = "" if "blocked" in item else "WORK_ITEM_NOT_BLOCKED"
        if await self.call(refusal, "UnblockWorkItem", i):
            self.goes_on(item)

    def goes_on(self, item: dict[str, Any]) -> None:
        if item.pop("blocked", False):
            item["ledger"][-1]["blocks"][-1][1] = self.model.now

    async def finish(self, i: int) -> None:
        item, over = self.of(i)
        if await self.call(over, "FinishWorkItem", i):
            self.goes_on(item)
            item["done"] = item["ledger"][-1]["end"] = self.model.now

    async def hand_over(self, i: int, department: str) -> None:
        item, over = self.of(i)
        last = item["ledger"][-1]
        refusal = over or ("SAME_DEPARTMENT" if last["to"] == department else "")
        fields = {"department": f"departments/{department}", "reason_code": "next-step"}
        if await self.call(refusal, "HandOverWorkItem", i, **fields):
            self.goes_on(item)
            last["end"] = self.model.now
            line = {"from": last["to"], "to": department, "at": self.model.now, "blocks": []}
            item["ledger"].append(line)

    async def forecast(self, i: int, ahead: int) -> None:
        item, over = self.of(i)
        at = timestamp(self.world.clock.now() + timedelta(hours=ahead))
        if await self.call(over, "ForecastWorkItem", i, forecast_finish_time=at, reason_code="weather"):
            item["said"] = self.model.now + ahead

    async def depend(self, i: int, on: int) -> None:
        on %= len(self.names)
        item, over = self.of(i)
        refusal = over or ("DEPENDENCY_CYCLE" if self.model.waits_for(on, i) else "")
        if await self.call(refusal, "AddPredecessor", i, predecessor=self.names[on]):
            item["after"].add(on)

    async def part(self, i: int, on: int) -> None:
        on %= len(self.names)
        item, over = self.of(i)
        before = self.model.end(item)
        if await self.call(over, "RemovePredecessor", i, predecessor=self.names[on]):
            item["after"].discard(on)
            if self.model.end(item) is None and before is not None:
                item["said"] = before  # what was expected stands until there is another word

    async def wait(self, ahead: int) -> None:
        self.world.clock.advance(timedelta(hours=ahead))
        self.model.now += ahead
        await self.world.fire()

    async def resolve(self) -> None:
        unfinished = sum("done" not in item for item in self.model.items)
        refusal = "WORK_ITEM_OPEN" if unfinished else ""
        request = case_pb.ResolveCaseRequest(name=self.case.name, resolution="done")
        await self.settle(refusal if self.model.is_open else "CASE_RESOLVED", self.cases.ResolveCase(request))

    async def reopen(self) -> None:
        request = case_pb.ReopenCaseRequest(name=self.case.name)
        await self.settle("CASE_OPEN" if self.model.is_open else "", self.cases.ReopenCase(request))

    async def settle(self, refusal: str, call: Any) -> None:
        assert await refused(call) == refusal
        self.model.is_open ^= not refusal

    async def compare(self) -> None:
        """Everything is as the model says."""
        for i, item in enumerate(self.model.items):
            seen = await self.work.GetWorkItem(pb.GetWorkItemRequest(name=self.names[i]))
            assert seen.department == f"departments/{item['ledger'][-1]['to']}"
            if "done" not in item:
                at = seen.forecast_finish_time
                told = hour(at) if seen.HasField("forecast_finish_time") else None
                assert told == self.model.end(item), i
            if name := self.promised.get(i):
                promise = await self.promises.GetPromise(promise_pb.GetPromiseRequest(name=name))
                assert PromiseState.Name(promise.state) == f"PROMISE_STATE_{self.model.promise(item)}", i
                assert promise.department == "departments/delivery"
            request = handoff_pb.ListHandoffsRequest(filter=f"work_item = {self.names[i]}")
            ledger = (await self.handoffs.ListHandoffs(request)).handoffs
            assert [shown(line) for line in ledger] == item["ledger"], i
            assert seen.handoff_count == len(item["ledger"]) - 1
            told_again = [line for n, line in enumerate(ledger) if line.returned]
            had = [line["to"] for line in item["ledger"]]
            assert len(told_again) == seen.return_count == sum(to in had[:n] for n, to in enumerate(had))


async def refused(call: Any) -> str:
    """Why a call is refused; empty when it is not."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return reason(error)
    return ""


def hour(at: Any) -> int:
    return (moment(at) - START) // timedelta(hours=1)


def shown(line: Any) -> dict[str, Any]:
    """A line of the ledger as the model keeps it."""
    blocks = [
        [hour(each.start_time), hour(each.end_time) if each.HasField("end_time") else None]
        for each in line.blocks
    ]
    ends = {"from": line.requesting_department, "to": line.department}
    made = {key: value.removeprefix("departments/") for key, value in ends.items()}
    made |= {"at": hour(line.hand_over_time), "blocks": blocks}
    for key, field in (("start", "start_time"), ("end", "end_time")):
        if line.HasField(field):
            made[key] = hour(getattr(line, field))
    return made


@given(history=HISTORIES)
@example([("add", set(), 0, 48), ("add", {0}, 30, 40), ("forecast", 0, 20), ("part", 1, 0)])
@example([("add", set(), 0, None), ("add", {0}, 5, 30), ("finish", 0)])
@example([("add", set(), 0, None), ("add", {0}, 0, 1), ("block", 0)])
@example([("add", set(), 0, 48), ("block", 0), ("wait", 30), ("unblock", 0), ("hand_over", 0, "billing")])
@settings(
    max_examples=int(os.environ.get("RAPPORT_MODEL_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
async def test_the_work_of_a_case_is_as_the_model_says(world: World, history: list[tuple[Any, ...]]) -> None:
    drive = Drive(world)
    await drive.begin()
    for step in history:
        await drive.do(step)
        await drive.compare()
