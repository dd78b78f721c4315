"""What happens when two want to change the same thing at once, on the real database."""

import asyncio
from uuid import uuid4

import grpc
import pytest

from cases.store.tables import LOCK_AGENT
from chassis.api.messages import timestamp
from chassis.context import Call, acting, service_itself
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.case_service_pb2 import GetCaseRequest, MergeCasesRequest, ResolveCaseRequest
from rapport.cases.v1.directory_service_pb2 import GetAgentRequest, UpdateAgentRequest
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub
from rapport.cases.v1.handoff_service_pb2 import ListHandoffsRequest
from rapport.cases.v1.promise_service_pb2 import (
    BatchMakePromisesRequest,
    KeepPromiseRequest,
    MakePromiseRequest,
    RecordDelayNotificationRequest,
    RenegotiatePromiseRequest,
)
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import FinishWorkItemRequest
from rapport.common.v1 import states_pb2
from rapport_testing.batches import created, standing
from rapport_testing.running import reason

pytestmark = pytest.mark.together

State = states_pb2.PromiseState


async def together(*calls):
    """The answers of calls made at once: a message, or the reason of a refusal."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return [reason(answer) if isinstance(answer, grpc.aio.AioRpcError) else answer for answer in answers]


async def test_a_case_is_opened_for_an_agent_who_is_being_changed(desk):
    bob = await desk.agent("agents/bob")
    with acting(Call("change", service_itself("cases"))):
        async with desk.running.db.transaction() as tx, asyncio.timeout(5):
            await LOCK_AGENT.one(tx, id="bob")
            assert (await desk.open(owner=bob)).owner == bob


async def test_of_many_renegotiations_one_wins(desk):
    made = await desk.make(3)
    request = RenegotiatePromiseRequest(
        name=made.name, due_time=timestamp(desk.in_days(5)), reason_code="customer-agreed"
    )
    answers = await together(*(desk.promises.RenegotiatePromise(request) for _ in range(8)))
    assert sum(not isinstance(answer, str) for answer in answers) == 1
    assert answers.count("PROMISE_ENDED") == 7
    assert len(await desk.facts("PromiseRenegotiated")) == 1
    assert len(await desk.facts("PromiseMade")) == 2


async def test_a_case_is_never_resolved_with_work_left(desk):
    for _ in range(5):
        case = await desk.open()
        resolving = desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="delivered"))
        resolved, added = await together(resolving, desk.add(case.name))
        state = (await desk.cases.GetCase(GetCaseRequest(name=case.name))).state
        if state == states_pb2.CASE_STATE_RESOLVED:
            assert added == "CASE_RESOLVED"
        else:
            assert resolved == "WORK_ITEM_OPEN"


async def test_of_two_cases_that_are_merged_into_each_other_at_once_one_goes_on(desk):
    for _ in range(5):
        one, other = await desk.open(), await desk.open()
        answers = await together(
            *(
                desk.cases.MergeCases(
                    MergeCasesRequest(name=a.name, merged_cases=[b.name], reason_code="same")
                )
                for a, b in ((one, other), (other, one))
            )
        )
        assert answers.count("CASE_MERGED") == 1
        states = [(await desk.cases.GetCase(GetCaseRequest(name=each.name))).state for each in (one, other)]
        assert sorted(states) == [states_pb2.CASE_STATE_OPEN, states_pb2.CASE_STATE_MERGED]


async def test_a_chain_of_cases_that_is_merged_from_both_ends_at_once_ends_at_one(desk):
    for _ in range(5):
        first, second, third = [await desk.open() for _ in range(3)]
        answers = await together(
            *(
                desk.cases.MergeCases(
                    MergeCasesRequest(name=a.name, merged_cases=[b.name], reason_code="same")
                )
                for a, b in ((second, first), (third, second))
            )
        )
        found = [await desk.cases.GetCase(GetCaseRequest(name=each.name)) for each in (first, second)]
        first_came_late = "CASE_MERGED" in answers
        assert [each.merged_into for each in found] == ["" if first_came_late else third.name, third.name]


async def test_a_case_is_never_resolved_with_work_of_a_case_that_is_merged_into_it(desk):
    for _ in range(5):
        survivor, merged = await desk.open(), await desk.open()
        await desk.add(merged.name)
        await together(
            desk.cases.ResolveCase(ResolveCaseRequest(name=survivor.name, resolution="delivered")),
            desk.cases.MergeCases(
                MergeCasesRequest(name=survivor.name, merged_cases=[merged.name], reason_code="same")
            ),
        )
        settled = await desk.cases.GetCase(GetCaseRequest(name=survivor.name))
        other = await desk.cases.GetCase(GetCaseRequest(name=merged.name))
        assert (settled.state == states_pb2.CASE_STATE_RESOLVED) == (
            other.state == states_pb2.CASE_STATE_OPEN
        )


async def test_a_promise_made_while_its_work_is_forecast_late_is_at_risk_whoever_is_first(desk):
    for n in range(1, 6):
        work_item = await desk.add((await desk.open()).name)
        _, made = await together(
            desk.forecast(work_item.name, days=5), desk.make(3, work_item=work_item.name)
        )
        assert (await desk.get(made.name)).state == State.PROMISE_STATE_AT_RISK
        assert len(await desk.facts("PromiseAtRisk")) == n


async def test_of_many_promises_at_once_on_one_work_item_one_is_made(desk):
    work_item = await desk.add((await desk.open()).name)
    made = await together(*(desk.make(3, work_item=work_item.name, kind=f"delivery-{n}") for n in range(6)))
    assert made.count("PROMISE_EXISTS") == 5
    await desk.forecast(work_item.name, days=12)
    assert len(await desk.facts("PromiseAtRisk")) == 1


async def test_finishing_forecasting_keeping_and_renegotiating_at_once_end_a_promise_once(desk):
    for _ in range(5):
        work_item, made = await desk.promised_work(due_days=3)
        await together(
            desk.forecast(work_item.name, days=5),
            desk.promises.KeepPromise(KeepPromiseRequest(name=made.name)),
            desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=work_item.name)),
            desk.promises.RenegotiatePromise(
                RenegotiatePromiseRequest(
                    name=made.name, due_time=timestamp(desk.in_days(6)), reason_code="customer-agreed"
                )
            ),
        )
        ends = await desk.facts("PromiseKept", "PromiseRenegotiated")
        assert len([fact for fact in ends if fact.resource == made.name]) == 1


async def test_an_agent_whom_two_departments_make_at_once_belongs_to_one_of_them(desk):
    def make(department, name):
        agent = Agent(name=name, display_name="Anna", phone="1", department=f"departments/{department}")
        caller = desk.running.stub(
            DirectoryServiceStub, permissions=["cases.agents.write"], department=department
        )
        return caller.UpdateAgent(UpdateAgentRequest(agent=agent, allow_missing=True))

    for n in range(10):
        name = f"agents/anna-{n}"
        made, other = await together(make("delivery", name), make("billing", name))
        assert "NOT_OWNER" in (made, other)
        winner = other if made == "NOT_OWNER" else made
        assert await desk.directory.GetAgent(GetAgentRequest(name=name)) == winner


@pytest.mark.parametrize("size", [20])
async def test_the_same_import_twice_at_once_makes_every_promise_once(desk, size):
    request = BatchMakePromisesRequest(
        requests=[MakePromiseRequest(promise=desk.promise(), import_key=f"race:{i}") for i in range(size)]
    )
    first, second = await together(
        desk.promises.BatchMakePromises(request), desk.promises.BatchMakePromises(request)
    )
    assert standing(first) == standing(second)
    assert created(first) + created(second) == size
    assert len(await desk.facts("PromiseMade")) == size


async def test_the_same_request_twice_at_once_makes_one_promise(desk):
    request = MakePromiseRequest(promise=desk.promise(), request_id=str(uuid4()))
    first, second = await together(desk.promises.MakePromise(request), desk.promises.MakePromise(request))
    assert first == second
    assert len(await desk.facts("PromiseMade")) == 1


async def test_of_two_opposite_dependencies_at_once_one_is_a_circle(desk):
    for _ in range(5):
        case = (await desk.open()).name
        one, other = await desk.add(case), await desk.add(case)
        answers = await together(
            desk.item("AddPredecessor", one.name, predecessor=other.name),
            desk.item("AddPredecessor", other.name, predecessor=one.name),
        )
        assert answers.count("DEPENDENCY_CYCLE") == 1


async def test_a_delay_reaches_what_is_added_and_made_to_wait_meanwhile_whoever_is_first(desk):
    for _ in range(5):
        case = (await desk.open()).name
        first = await desk.add(case)
        second = await desk.add(case, predecessors=[first.name])
        third = await desk.add(case)
        _, waits, added = await together(
            desk.forecast(first.name, days=5),
            desk.item("AddPredecessor", third.name, predecessor=second.name),
            desk.add(case, predecessors=[second.name]),
        )
        for name in (second.name, waits.name, added.name):
            late = await desk.item("Get", name)
            assert late.forecast_finish_time == timestamp(desk.in_days(5)), name


async def test_forecasts_up_and_down_a_chain_at_once_neither_meet_nor_lose_one(desk):
    case = (await desk.open()).name
    chain = [await desk.add(case)]
    for _ in range(5):
        chain.append(await desk.add(case, predecessors=[chain[-1].name]))
    await together(*(desk.forecast(each.name, days=9 - n) for n, each in enumerate(chain)))
    for each in chain:
        late = await desk.item("Get", each.name)
        assert late.forecast_finish_time == timestamp(desk.in_days(9))


async def test_work_is_handed_over_to_one_of_two_at_once_and_finished_by_who_has_it(desk):
    for _ in range(5):
        item = await desk.add((await desk.open()).name)
        answers = await together(
            *(
                desk.item(
                    "HandOver", item.name, department=f"departments/{each}", reason_code="x", etag=item.etag
                )
                for each in ("billing", "warehouse")
            ),
            desk.item("Finish", item.name, etag=item.etag),
            desk.item("Block", item.name, reason_code="x", etag=item.etag),
        )
        assert sum(not isinstance(answer, str) for answer in answers) == 1
        lines = await desk.handoffs.ListHandoffs(ListHandoffsRequest(filter=f"work_item = {item.name}"))
        now = await desk.item("Get", item.name)
        assert lines.handoffs[-1].department == now.department
        assert sum(not line.HasField("end_time") for line in lines.handoffs) == (
            now.state != WorkItem.STATE_FINISHED
        )


async def test_a_promise_made_while_its_work_is_blocked_is_at_risk_whoever_is_first(desk):
    for _ in range(5):
        work_item = await desk.add((await desk.open()).name)
        _, made = await together(
            desk.item("Block", work_item.name, reason_code="supplier"),
            desk.make(3, work_item=work_item.name),
        )
        assert (await desk.get(made.name)).reason_code == "work-blocked"


async def test_a_person_who_tells_and_one_who_agrees_at_once_are_one_telling_and_one_successor(desk):
    for _ in range(5):
        made = await desk.make(3)
        await together(
            *(
                desk.promises.RecordDelayNotification(
                    RecordDelayNotificationRequest(name=made.name, channel="CHANNEL_VOICE")
                )
                for _ in range(4)
            ),
            desk.promises.RenegotiatePromise(
                RenegotiatePromiseRequest(
                    name=made.name, due_time=timestamp(desk.in_days(5)), reason_code="customer-agreed"
                )
            ),
        )
        facts = [fact for fact in await desk.facts() if fact.resource == made.name]
        kinds = [fact.data.DESCRIPTOR.name for fact in facts]
        assert kinds.count("PromiseDelayNotified") <= 1
        assert kinds.count("PromiseRenegotiated") == 1
        assert (await desk.get(made.name)).notified_early


async def test_of_a_hand_over_and_a_promise_on_the_work_at_once_whoever_is_first_counts(desk):
    for _ in range(5):
        item = await desk.add((await desk.open()).name)
        handed, made = await together(
            desk.item("HandOver", item.name, department="departments/billing", reason_code="not-ours"),
            desk.make(3, work_item=item.name),
        )
        assert handed.department == "departments/billing"
        assert made == "DEPARTMENT_MISMATCH" or made.department == "departments/delivery"
