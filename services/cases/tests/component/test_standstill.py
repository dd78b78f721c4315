"""Clocks that stand still with the work, when their policy says so."""

from datetime import timedelta
from typing import Any

from rapport.cases.v1 import clock_policy_pb2, clock_policy_service_pb2
from rapport.cases.v1 import clock_service_pb2 as pb
from rapport_testing.wait import eventually

HOUR = timedelta(hours=1)
RUNNING, PAUSED = "RUNNING", "PAUSED"
Policy = clock_policy_pb2.ClockPolicy


async def policy(desk: Any, subject: str, *pauses: str, metrics: Any = ("RESOLUTION",)) -> None:
    sent = Policy(
        department="departments/platform",
        subject=f"SUBJECT_{subject}",
        condition="true",
        targets=[Policy.Target(metric=f"CLOCK_METRIC_{each}", business_minutes=120) for each in metrics],
        pauses=[f"PAUSE_{each}" for each in pauses],
    )
    request = clock_policy_service_pb2.CreateClockPolicyRequest(
        clock_policy_id=f"stands-{subject[0].lower()}", clock_policy=sent
    )
    await desk.clock_policies.CreateClockPolicy(request)


async def clock_of(desk: Any, about: str) -> Any:
    kind = "work_item" if about.startswith("workItems/") else "case"
    listed = await desk.clocks.ListClocks(pb.ListClocksRequest(filter=f'{kind} = "{about}"'))
    return next(each for each in listed.clocks if bool(each.work_item) is (kind == "work_item"))


async def state(desk: Any, about: str) -> str:
    return _name(await clock_of(desk, about))


def _name(clock: Any) -> str:
    return type(clock).State.Name(clock.state).removeprefix("STATE_")


async def test_a_clock_of_work_stands_still_while_that_is_blocked_and_says_why(desk):
    await policy(desk, "WORK_ITEM", "WORK_BLOCKED")
    item = await desk.add((await desk.open()).name)
    desk.clock.advance(HOUR)
    await desk.item("Block", item.name, reason_code="no-parts")
    paused = await clock_of(desk, item.name)
    assert (_name(paused), paused.pause_reason_code, list(paused.pauses)) == (
        PAUSED,
        "work-blocked",
        [Policy.PAUSE_WORK_BLOCKED],
    )
    ([fact], [blocked]) = [await desk.facts(each) for each in ("ClockPaused", "WorkItemBlocked")]
    assert (fact.data.reason_code, fact.causation_id) == ("work-blocked", blocked.id)
    desk.clock.advance(5 * HOUR)
    await desk.item("Unblock", item.name)
    running = await clock_of(desk, item.name)
    assert running.due_time.ToDatetime() - running.start_time.ToDatetime() == 7 * HOUR
    told = await desk.clocks.ExplainClock(pb.ExplainClockRequest(name=running.name))
    assert any("paused (work-blocked)" in step for step in told.inputs.values())
    desk.clock.advance(HOUR)

    async def is_late() -> bool:
        return _name(await clock_of(desk, item.name)) == "BREACHED"

    assert await eventually(is_late)


async def test_without_such_a_policy_a_clock_runs_whatever_is_blocked(desk):
    await policy(desk, "WORK_ITEM")
    item = await desk.add((await desk.open()).name)
    await desk.item("Block", item.name, reason_code="no-parts")
    assert await state(desk, item.name) == RUNNING


async def test_what_waits_for_blocked_work_stands_still_with_it_also_when_it_is_new(desk):
    await policy(desk, "WORK_ITEM", "WORK_BLOCKED")
    case = (await desk.open()).name
    first = await desk.add(case)
    second = await desk.add(case, predecessors=[first.name])
    await desk.item("Block", first.name, reason_code="no-parts")
    third = await desk.add(case, predecessors=[second.name])
    assert [await state(desk, each.name) for each in (first, second, third)] == [PAUSED] * 3
    await desk.item("Finish", first.name)
    assert [await state(desk, each.name) for each in (first, second, third)] == [
        "FULFILLED",
        RUNNING,
        RUNNING,
    ]


async def test_a_clock_of_a_case_stands_still_only_while_none_of_its_work_can_go_on(desk):
    await policy(desk, "CASE", "WORK_BLOCKED")
    case = (await desk.open()).name
    first, second = await desk.add(case), await desk.add(case)
    await desk.item("Block", first.name, reason_code="no-parts")
    assert await state(desk, case) == RUNNING
    await desk.item("Finish", second.name)
    assert await state(desk, case) == PAUSED
    await desk.add(case)
    assert await state(desk, case) == RUNNING


async def test_what_waits_for_the_customer_goes_on_when_they_answer_or_the_work_does(desk):
    await policy(desk, "CASE", "CUSTOMER_ANSWER", metrics=("RESOLUTION", "SILENCE"))
    case = (await desk.open()).name
    item = await desk.add(case)
    await desk.item("Block", item.name, reason_code="no-parts")
    assert await desk.clock_states(case, "RESOLUTION") == [RUNNING]
    await desk.item("Unblock", item.name)
    await desk.item("Block", item.name, reason_code="customer-answer")
    states = [await desk.clock_states(case, each) for each in ("RESOLUTION", "SILENCE")]
    assert states == [[PAUSED], [RUNNING]]
    await desk.contacted(case)
    assert await desk.clock_states(case, "RESOLUTION") == [RUNNING]
    await desk.add(case)  # and nothing that happens to other work makes it wait again for what was said
    assert await desk.clock_states(case, "RESOLUTION") == [RUNNING]


async def test_what_is_blocked_goes_on_for_no_word_of_the_customer(desk):
    await policy(desk, "WORK_ITEM", "WORK_BLOCKED")
    item = await desk.add((await desk.open()).name)
    await desk.item("Block", item.name, reason_code="no-parts")
    await desk.contacted(item.name)
    assert await state(desk, item.name) == PAUSED


async def test_who_resumed_a_clock_knows_better_than_the_work(desk):
    await policy(desk, "WORK_ITEM", "WORK_BLOCKED")
    case = (await desk.open()).name
    item = await desk.add(case)
    await desk.item("Block", item.name, reason_code="no-parts")
    desk.clock.advance(HOUR)
    await desk.clocks.ResumeClock(pb.ResumeClockRequest(name=(await clock_of(desk, item.name)).name))
    other = await desk.add(case)
    await desk.item("Block", other.name, reason_code="no-parts")
    assert await state(desk, item.name) == RUNNING


async def test_work_that_is_handed_over_stands_still_with_what_it_waits_for(desk):
    await policy(desk, "WORK_ITEM", "WORK_BLOCKED")
    case = (await desk.open()).name
    first = await desk.add(case)
    second = await desk.add(case, predecessors=[first.name])
    await desk.item("Block", first.name, reason_code="no-parts")
    await desk.item("HandOver", second.name, department="departments/billing", reason_code="not-ours")
    await desk.item("HandOver", first.name, department="departments/billing", reason_code="not-ours")
    assert [await state(desk, each.name) for each in (first, second)] == [RUNNING, RUNNING]


async def test_what_stands_still_goes_on_when_its_policy_does_not_say_so_any_more(desk):
    await policy(desk, "WORK_ITEM", "WORK_BLOCKED")
    item = await desk.add((await desk.open()).name)
    await desk.item("Block", item.name, reason_code="no-parts")
    desk.clock.advance(HOUR)
    assert await state(desk, item.name) == PAUSED
    changed = Policy(name="clockPolicies/stands-w")
    request = clock_policy_service_pb2.UpdateClockPolicyRequest(
        clock_policy=changed, update_mask={"paths": ["pauses"]}, apply_to_running=True
    )
    previewed = clock_policy_service_pb2.PreviewClockPolicyRequest(
        name=changed.name,
        clock_policy=Policy(
            condition="true",
            subject="SUBJECT_WORK_ITEM",
            targets=[Policy.Target(metric="CLOCK_METRIC_RESOLUTION", business_minutes=120)],
        ),
    )
    (move,) = (await desk.clock_policies.PreviewClockPolicy(previewed)).moves
    await desk.clock_policies.UpdateClockPolicy(request)

    async def runs() -> Any:
        clock = await clock_of(desk, item.name)
        return clock if _name(clock) == RUNNING else None

    clock = await eventually(runs)
    assert clock.due_time.ToDatetime() - clock.start_time.ToDatetime() == 3 * HOUR
    assert (clock.pause_reason_code, clock.due_time) == ("", move.new_due_time)


async def test_pauses_without_a_target_that_they_are_about_are_refused(desk, violations):
    found = await violations(policy(desk, "CASE", "WORK_BLOCKED", metrics=("SILENCE",)))
    assert found["clock_policy.pauses"].startswith("INVALID_ENUM")
