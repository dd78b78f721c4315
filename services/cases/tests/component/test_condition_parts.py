"""Why a policy is followed for something: its condition, part by part, as that is now."""

import pytest

from rapport.cases.v1 import clock_policy_pb2
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import UpdateCaseRequest
from rapport.cases.v1.clock_policy_service_pb2 import CreateClockPolicyRequest
from rapport.cases.v1.clock_service_pb2 import ExplainClockRequest, ListClocksRequest

Policy = clock_policy_pb2.ClockPolicy


async def clock_of(desk, condition, subject="CASE"):
    """A policy with the condition, and a case with one work item that it is about: the clock of one."""
    target = Policy.Target(metric="CLOCK_METRIC_RESOLUTION", business_minutes=60)
    policy = Policy(
        department="departments/platform",
        subject=f"SUBJECT_{subject}",
        condition=condition,
        targets=[target],
    )
    sent = CreateClockPolicyRequest(clock_policy_id="parts", clock_policy=policy)
    await desk.clock_policies.CreateClockPolicy(sent)
    case = await desk.open(topic="late-delivery")
    await desk.add(case.name, kind="repair")
    listed = await desk.clocks.ListClocks(ListClocksRequest(filter=f'case = "{case.name}"'))
    return case, listed.clocks[0].name


async def parts(desk, clock):
    explained = await desk.clocks.ExplainClock(ExplainClockRequest(name=clock))
    return {key: said for key, said in explained.inputs.items() if key.startswith("condition.")}


async def test_each_part_of_a_condition_is_said_to_hold_or_not_as_the_case_is_now(desk):
    condition = (
        "case.topic == 'late-delivery' && (case.reopen_count > 1 || !(band == ValueBand.VALUE_BAND_GOLD))"
    )
    case, clock = await clock_of(desk, condition)
    assert await parts(desk, clock) == {
        "condition.1": "case.topic == 'late-delivery': holds now",
        "condition.2": "case.reopen_count > 1 || !(band == ValueBand.VALUE_BAND_GOLD): holds now",
        "condition.2.1": "case.reopen_count > 1: does not hold now",
        "condition.2.2": "!(band == ValueBand.VALUE_BAND_GOLD): holds now",
        "condition.2.2.1": "band == ValueBand.VALUE_BAND_GOLD: does not hold now",
    }
    changed = Case(name=case.name, topic="refund", etag=case.etag)
    await desk.cases.UpdateCase(UpdateCaseRequest(case=changed, update_mask={"paths": ["topic"]}))
    assert (await parts(desk, clock))["condition.1"] == "case.topic == 'late-delivery': does not hold now"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("work_item.kind == 'repair'", "work_item.kind == 'repair': holds now"),
        (
            "1 / work_item.handoff_count > 0 || true",
            "1 / work_item.handoff_count > 0: cannot be said now (divide by zero)",
        ),
    ],
)
async def test_a_condition_of_one_part_is_that_part_and_what_cannot_be_said_is_said_so(desk, condition, said):
    _, clock = await clock_of(desk, condition, "WORK_ITEM")
    assert (await parts(desk, clock))["condition.1"] == said


async def test_of_a_long_condition_the_first_fifty_parts_are_told(desk):
    condition = " || ".join(f"case.topic == 'topic-{n}'" for n in range(60)) + " || true"
    _, clock = await clock_of(desk, condition)
    assert len(await parts(desk, clock)) == 50
