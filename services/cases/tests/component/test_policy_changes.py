"""A policy that changes: for what comes after it, and for clocks that run, if that is asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cases.usecases import clock_policy as usecases
from chassis.api.messages import moment
from chassis.work.timers import TimerRunner
from rapport.cases.v1 import clock_policy_pb2
from rapport.cases.v1 import clock_policy_service_pb2 as pb
from rapport.cases.v1 import clock_service_pb2 as clocks_pb
from rapport.cases.v1.case_service_pb2 import ResolveCaseRequest
from rapport_testing.wait import eventually

Policy = clock_policy_pb2.ClockPolicy
HOUR = timedelta(hours=1)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def targets(minutes: int, metric: str = "RESOLUTION", **fields: Any) -> list[Any]:
    return [Policy.Target(metric=f"CLOCK_METRIC_{metric}", business_minutes=minutes, **fields)]


async def create(desk: Any, minutes: int = 240) -> None:
    sent = Policy(
        department="departments/platform",
        subject="SUBJECT_CASE",
        condition="true",
        targets=targets(minutes),
    )
    await desk.clock_policies.CreateClockPolicy(
        pb.CreateClockPolicyRequest(clock_policy_id="p", clock_policy=sent)
    )


async def update(desk: Any, apply: bool = True, **fields: Any) -> Any:
    request = pb.UpdateClockPolicyRequest(
        clock_policy=Policy(name="clockPolicies/p", **fields),
        update_mask={"paths": list(fields)},
        apply_to_running=apply,
    )
    return await desk.clock_policies.UpdateClockPolicy(request)


async def clocks(desk: Any, *cases: Any) -> list[Any]:
    found = (await desk.clocks.ListClocks(clocks_pb.ListClocksRequest(page_size=1000))).clocks
    return [each for each in found if not cases or each.case in [case.name for case in cases]]


async def versions(desk: Any, *expected: int) -> bool:
    return [each.policy_version for each in await clocks(desk)] == list(expected)


async def test_clocks_that_run_keep_what_they_were_started_with_unless_the_change_says_otherwise(desk):
    await create(desk)
    await desk.open()
    await update(desk, apply=False, targets=targets(60))
    await desk.open()
    assert await versions(desk, 1, 2)
    await update(desk, pauses=["PAUSE_WORK_BLOCKED"], targets=targets(120, warning_minutes=30))
    await eventually(lambda: versions(desk, 3, 3))
    found = await clocks(desk)
    assert {(moment(each.due_time), each.business_minutes, each.warning_minutes) for each in found} == {
        (NINE + 2 * HOUR, 120, 30)
    }
    assert [list(each.pauses) for each in found] == [[Policy.PAUSE_WORK_BLOCKED]] * 2
    told = await desk.facts("ClockUpdated")
    assert {moment(each.data.previous_due_time) for each in told} == {NINE + HOUR, NINE + 4 * HOUR}


async def test_what_is_done_or_late_and_what_has_no_target_any_more_stays(desk):
    await create(desk, 60)
    done, late = await desk.open(), await desk.open()
    await desk.cases.ResolveCase(ResolveCaseRequest(name=done.name, resolution="delivered"))
    desk.clock.advance(HOUR)

    async def is_late() -> bool:
        return (await clocks(desk, late))[0].state == 4

    await eventually(is_late)
    await desk.open()
    await update(desk, targets=targets(300))
    await eventually(lambda: versions(desk, 1, 1, 2))
    await update(desk, targets=targets(30, "SILENCE"))
    await desk.open()
    await update(desk, targets=targets(40, "SILENCE"))
    await eventually(lambda: versions(desk, 1, 1, 2, 4))


async def test_a_clock_that_is_late_by_a_shorter_time_is_breached_with_when_it_was_up(desk):
    await create(desk)
    await desk.open()
    desk.clock.advance(2 * HOUR)
    await update(desk, targets=targets(60))

    async def is_late() -> bool:
        (clock,) = await clocks(desk)
        return clock.state == 4 and moment(clock.breach_time) == NINE + HOUR

    assert await eventually(is_late)


async def test_a_version_is_applied_once_by_however_many_replicas_a_page_at_a_time(desk, monkeypatch):
    monkeypatch.setattr(usecases, "FOLLOWING", 2)
    await create(desk)
    for _ in range(7):
        await desk.open()
    other = TimerRunner(desk.running.db, {usecases.APPLY_TIMER: usecases.clocks_go_by})
    await update(desk, targets=targets(60))

    async def applied() -> bool:
        await other.fire()
        return await versions(desk, *[2] * 7)

    await eventually(applied)
    desk.clock.advance(timedelta(minutes=5))  # when those are looked for that were being started meanwhile

    async def looked_again() -> bool:
        async with desk.running.db.connection() as connection:
            timers = "SELECT count(*) FROM timers WHERE kind = $1"
            return bool(await connection.fetchval(timers, usecases.APPLY_TIMER) == 0)

    await eventually(looked_again)
    assert len(await desk.facts("ClockUpdated")) == 7


async def test_a_clock_that_was_being_started_by_the_version_before_goes_by_the_new_one_a_little_later(desk):
    await create(desk)
    await update(desk, targets=targets(60))
    await desk.open()
    async with desk.running.db.connection() as connection:  # as one that had read the version before
        await connection.execute("UPDATE clocks SET policy_version = 1")
    desk.clock.advance(timedelta(minutes=5))
    assert await eventually(lambda: versions(desk, 2))


async def test_a_later_version_that_is_not_applied_is_not_applied_by_one_before_it(desk, monkeypatch):
    monkeypatch.setattr(usecases, "MEANWHILE", timedelta(days=9))
    await create(desk)
    await desk.open()
    await update(desk, targets=targets(60))
    await update(desk, apply=False, targets=targets(30))
    await eventually(lambda: versions(desk, 2))


async def test_who_is_concerned_by_a_change_and_by_how_much_is_told_before(desk):
    await create(desk)
    early, _, done = [await desk.open() for _ in range(3)]
    await desk.cases.ResolveCase(ResolveCaseRequest(name=done.name, resolution="delivered"))
    desk.clock.advance(2 * HOUR)
    late = await desk.open()

    async def preview(**fields: Any) -> Any:
        sent = Policy(subject="SUBJECT_CASE", condition="true", **fields)
        request = pb.PreviewClockPolicyRequest(name="clockPolicies/p", clock_policy=sent)
        return await desk.clock_policies.PreviewClockPolicy(request)

    shorter = await preview(targets=targets(60))
    counts = (shorter.clock_count, shorter.checked_count, shorter.moved_count, shorter.earlier_count)
    assert (counts, shorter.later_count, shorter.breached_count) == ((3, 3, 3, 3), 0, 2)
    assert [each.case for each in shorter.moves][::2] == [early.name, late.name]
    assert moment(shorter.moves[0].new_due_time) == NINE + HOUR
    longer = await preview(targets=targets(300))
    assert (longer.earlier_count, longer.later_count, longer.breached_count) == (0, 3, 0)
    other = await preview(targets=targets(60, "SILENCE"))
    assert (other.clock_count, other.checked_count, other.moved_count) == (3, 3, 0)
    assert {each.policy_version for each in await clocks(desk)} == {1}


async def test_a_preview_looks_at_so_many_clocks_and_says_so(desk, monkeypatch):
    monkeypatch.setattr("cases.usecases.clock_preview.CHECKED_MAX", 2)
    monkeypatch.setattr("cases.usecases.clock_preview.AT_ONCE", 1)
    monkeypatch.setattr("cases.usecases.clock_preview.MOVES_MAX", 1)
    await create(desk)
    for _ in range(3):
        await desk.open()
    sent = Policy(subject="SUBJECT_CASE", condition="true", targets=targets(60))
    told = await desk.clock_policies.PreviewClockPolicy(
        pb.PreviewClockPolicyRequest(name="clockPolicies/p", clock_policy=sent)
    )
    assert (told.clock_count, told.checked_count, told.moved_count, len(told.moves)) == (3, 2, 2, 1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"condition": "case.topik == 'x'"}, "INVALID_ARGUMENT INVALID_RULE"),
        ({"targets": targets(60, calendar="calendars/none")}, "NOT_FOUND RESOURCE_NOT_FOUND"),
        ({"name": "clockPolicies/other"}, "NOT_FOUND RESOURCE_NOT_FOUND"),
    ],
)
async def test_a_preview_refuses_what_a_change_would(desk, refused, fields, reason):
    await create(desk)
    name = fields.pop("name", "clockPolicies/p")
    sent = Policy(**{"subject": "SUBJECT_CASE", "condition": "true", "targets": targets(60)} | fields)
    request = pb.PreviewClockPolicyRequest(name=name, clock_policy=sent)
    assert await refused(desk.clock_policies.PreviewClockPolicy(request)) == reason
