"""What merged cases owe the customer: what is owed for any of them; and each is given back its own."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from cases.usecases import case_link
from chassis.context import Call, acting, service_itself
from chassis.db.aliases import regroup
from chassis.db.database import Database
from rapport.cases.v1 import clock_service_pb2 as clocks_pb
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import (
    GetCaseRequest,
    MergeCasesRequest,
    ReopenCaseRequest,
    ResolveCaseRequest,
    UnmergeCaseRequest,
    UpdateCaseRequest,
)
from rapport.cases.v1.handoff_service_pb2 import ListHandoffsRequest
from rapport.cases.v1.promise_service_pb2 import ListPromisesRequest
from rapport.common.v1 import states_pb2

RUNNING, FULFILLED = "RUNNING", "FULFILLED"
P1, P3 = states_pb2.CASE_PRIORITY_P1, states_pb2.CASE_PRIORITY_P3
MINUTE = timedelta(minutes=1)


async def get(desk: Any, case: Case) -> Case:
    return await desk.cases.GetCase(GetCaseRequest(name=case.name))


async def merge(desk: Any, survivor: Case, *merged: Case) -> Case:
    names = [each.name for each in merged]
    request = MergeCasesRequest(name=survivor.name, merged_cases=names, reason_code="reported-twice")
    return await desk.cases.MergeCases(request)


async def unmerge(desk: Any, case: Case) -> Case:
    request = UnmergeCaseRequest(name=case.name, reason_code="another-concern")
    return await desk.cases.UnmergeCase(request)


async def resolve(desk: Any, case: Case) -> None:
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="delivered"))


async def test_what_is_of_merged_cases_is_listed_with_the_case_that_goes_on(desk):
    await desk.keep_times("RESOLUTION")
    survivor, merged, other = [await desk.open() for _ in range(3)]
    for case in (merged, other):
        await desk.add(case.name)
        await desk.make(3, case=case.name)
    await merge(desk, survivor, merged)
    of = f"case = {survivor.name}"
    handoffs = (await desk.handoffs.ListHandoffs(ListHandoffsRequest(filter=of))).handoffs
    promises = (await desk.promises.ListPromises(ListPromisesRequest(filter=of))).promises
    clocks = (await desk.clocks.ListClocks(clocks_pb.ListClocksRequest(filter=of))).clocks
    assert [each.case for each in (*handoffs, *promises)] == [merged.name] * 2
    assert [each.case for each in clocks] == [survivor.name, merged.name]


async def test_who_is_taken_out_of_a_settled_case_has_the_time_that_was_left(desk):
    await desk.keep_times("RESOLUTION", "SILENCE")
    survivor, merged, below = [await desk.open() for _ in range(3)]
    await merge(desk, merged, below)
    await merge(desk, survivor, merged)
    await resolve(desk, survivor)
    assert await desk.clock_states(merged.name, "RESOLUTION") == [FULFILLED]
    await unmerge(desk, merged)
    assert await desk.clock_states(merged.name, "RESOLUTION") == [RUNNING]
    assert await desk.clock_states(merged.name, "SILENCE") == [FULFILLED, RUNNING]
    assert await desk.clock_states(below.name, "RESOLUTION") == [RUNNING]
    assert await desk.clock_states(survivor.name, "RESOLUTION") == [FULFILLED]


async def test_who_is_taken_out_of_an_open_case_waits_for_word_once(desk):
    await desk.keep_times("RESOLUTION", "SILENCE")
    survivor, told, untold = [await desk.open() for _ in range(3)]
    await merge(desk, survivor, told)
    await desk.contacted(told.name, "OUTBOUND")
    await merge(desk, survivor, untold)
    for case, silence in ((told, [FULFILLED, RUNNING]), (untold, [RUNNING])):
        await unmerge(desk, case)
        assert await desk.clock_states(case.name, "SILENCE") == silence


async def test_what_was_settled_before_it_was_merged_stays_so(desk):
    await desk.keep_times("RESOLUTION")
    survivor, settled = await desk.open(), await desk.open()
    await resolve(desk, settled)
    await merge(desk, survivor, settled)
    await resolve(desk, survivor)
    await desk.cases.ReopenCase(ReopenCaseRequest(name=survivor.name))
    await unmerge(desk, settled)
    assert await desk.clock_states(survivor.name, "RESOLUTION") == [RUNNING]
    assert await desk.clock_states(settled.name, "RESOLUTION") == [FULFILLED]


async def test_a_case_is_as_pressing_as_the_worst_that_was_merged_into_it(desk):
    survivor, worse = await desk.open(), await desk.open()
    await merge(desk, survivor, worse)
    severe = Case(name=worse.name, harm="HARM_SEVERE")
    await desk.cases.UpdateCase(UpdateCaseRequest(case=severe, update_mask={"paths": ["harm"]}))
    found = await get(desk, survivor)
    assert (found.priority, list(found.priority_reasons)) == (P1, ["harm-severe"])
    assert (await unmerge(desk, worse)).priority == P1
    assert (await get(desk, survivor)).priority == P3
    assert (await merge(desk, survivor, worse)).priority == P1
    [*_, merged] = await desk.facts("CaseMerged")
    [*_, told] = await desk.facts("CasePrioritized")
    assert (told.resource, told.causation_id) == (survivor.name, merged.id)


async def test_the_answer_to_a_merged_case_lets_work_go_on_that_waits_for_the_customer(desk):
    await desk.keep_times("RESOLUTION", subject="WORK_ITEM")
    survivor, merged = await desk.open(), await desk.open()
    item = await desk.add(merged.name)
    await merge(desk, survivor, merged)
    listing = clocks_pb.ListClocksRequest(filter=f'work_item = "{item.name}"')
    [clock] = (await desk.clocks.ListClocks(listing)).clocks
    await desk.clocks.PauseClock(
        clocks_pb.PauseClockRequest(name=clock.name, reason_code="waiting-for-customer")
    )
    await desk.contacted(survivor.name)
    assert await desk.clock_states(merged.name, "RESOLUTION") == [RUNNING]


async def test_two_customers_are_not_taken_apart_while_their_cases_are_merged(
    desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes them apart waits, and so sees the merge."""
    one, other = uuid4(), uuid4()
    db: Database = desk.running.db
    with acting(Call("projector", service_itself("cases"))):
        async with db.transaction() as tx:
            await regroup(tx, {one: one, other: one}, 1, tx.now)
        first, second = [await desk.open(customer=f"customers/{each}") for each in (one, other)]
        decided, go_on = asyncio.Event(), asyncio.Event()
        link = case_link.link

        async def held(*args: Any, **fields: Any) -> Any:
            decided.set()
            await go_on.wait()
            return await link(*args, **fields)

        monkeypatch.setattr(case_link, "link", held)
        merging = asyncio.ensure_future(merge(desk, first, second))
        await decided.wait()

        async def apart() -> None:
            async with db.transaction() as tx:
                await regroup(tx, {one: one, other: other}, 2, tx.now)
                await case_link.unmerge_across(tx, [one, other])

        parting = asyncio.ensure_future(apart())
        done, _ = await asyncio.wait([parting], timeout=0.2)
        assert not done
        go_on.set()
        await asyncio.gather(merging, parting)
    assert (await get(desk, second)).state == states_pb2.CASE_STATE_OPEN
