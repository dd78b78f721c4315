"""Whose time runs, and until when: a clock goes with its case or its work."""

from datetime import timedelta
from typing import Any

import pytest

from rapport.cases.v1 import clock_service_pb2 as pb
from rapport.cases.v1.case_service_pb2 import AssignCaseRequest, ResolveCaseRequest
from rapport_testing.wait import eventually

BILLING = "departments/billing"


async def clock_of(desk: Any, **about: str) -> Any:
    wanted = " AND ".join(f'{field} = "{value}"' for field, value in about.items())
    (clock,) = (await desk.clocks.ListClocks(pb.ListClocksRequest(filter=wanted))).clocks
    return clock


@pytest.mark.parametrize("settled", [False, True])
async def test_the_clocks_of_a_case_go_with_it_also_when_it_is_settled(desk, settled):
    await desk.keep_times("RESOLUTION")
    bob = await desk.agent("agents/bob", BILLING)
    case = await desk.open()
    if settled:
        await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="delivered"))
    await desk.cases.AssignCase(AssignCaseRequest(name=case.name, owner=bob))
    clock = await clock_of(desk, case=case.name)
    assert clock.department == BILLING
    ([told], [assigned]) = [await desk.facts(each) for each in ("ClockUpdated", "CaseAssigned")]
    assert (told.data.clock, told.data.department, told.causation_id) == (clock.name, BILLING, assigned.id)
    assert told.data.previous_department == "departments/front-desk"


async def test_work_that_is_handed_over_stands_still_for_nobody_any_more(desk):
    await desk.keep_times("RESOLUTION", subject="WORK_ITEM")
    item = await desk.add((await desk.open()).name)
    clock = await clock_of(desk, work_item=item.name)
    await desk.clocks.PauseClock(pb.PauseClockRequest(name=clock.name, reason_code="waiting-for-parts"))
    await desk.item("HandOver", item.name, department=BILLING, reason_code="not-ours")
    assert await desk.clock_states(item.case, "RESOLUTION") == ["RUNNING"]
    assert (await clock_of(desk, work_item=item.name)).department == BILLING


@pytest.mark.parametrize(
    ("subject", "settled"),
    [
        ("CASE", "UPDATE cases SET state = 'RESOLVED', resolve_time = $1"),
        ("WORK_ITEM", "UPDATE work_items SET state = 'FINISHED', finish_time = $1"),
    ],
)
async def test_what_was_settled_without_its_clock_is_not_late(desk, subject, settled):
    """As the release before does it, while a rollout lasts."""
    await desk.keep_times("RESOLUTION", subject=subject)
    case = await desk.open()
    await desk.add(case.name)
    async with desk.running.db.connection() as connection:
        await connection.execute(settled, desk.clock.now() + timedelta(minutes=30))
    desk.clock.advance(timedelta(minutes=61))

    async def is_done():
        return await desk.clock_states(case.name, "RESOLUTION") == ["FULFILLED"]

    assert await eventually(is_done)
    assert await desk.facts("ClockBreached") == []
