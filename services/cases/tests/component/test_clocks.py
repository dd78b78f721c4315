"""Clocks of a running service: started by policies, paused by hand, fulfilled by what happens, up in time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.type.date_pb2 import Date
from prometheus_client import REGISTRY

from cases.usecases.clock import count_endless
from chassis.api.messages import moment
from rapport.cases.v1 import calendar_pb2, clock_pb2, clock_policy_pb2
from rapport.cases.v1 import clock_policy_service_pb2 as policy_pb
from rapport.cases.v1 import clock_service_pb2 as pb
from rapport.cases.v1.calendar_service_pb2 import (
    CreateCalendarRequest,
    PreviewCalendarRequest,
    UpdateCalendarRequest,
)
from rapport.cases.v1.case_service_pb2 import (
    AssignCaseRequest,
    ReopenCaseRequest,
    ResolveCaseRequest,
)
from rapport.cases.v1.work_item_service_pb2 import FinishWorkItemRequest, StartWorkItemRequest
from rapport_testing.wait import eventually

State, Metric, Policy = clock_pb2.Clock.State, clock_policy_pb2.ClockMetric, clock_policy_pb2.ClockPolicy
FIRST, RESOLUTION = Metric.CLOCK_METRIC_FIRST_RESPONSE, Metric.CLOCK_METRIC_RESOLUTION
MINUTE = timedelta(minutes=1)


def target(metric: Any = RESOLUTION, minutes: int = 60, warning: int = 0, calendar: str = "") -> Any:
    return Policy.Target(metric=metric, business_minutes=minutes, warning_minutes=warning, calendar=calendar)


async def policy(desk: Any, name: str = "slow", condition: str = "true", **fields: Any) -> Any:
    """A policy of the platform, for everybody's cases."""
    wanted = {"department": "departments/platform", "subject": "SUBJECT_CASE", "targets": [target()]} | fields
    sent = Policy(condition=condition, **wanted)
    request = policy_pb.CreateClockPolicyRequest(clock_policy_id=name, clock_policy=sent)
    return await desk.clock_policies.CreateClockPolicy(request)


async def clocks(desk: Any, **filters: str) -> list[Any]:
    wanted = " AND ".join(f'{field} = "{value}"' for field, value in filters.items())
    return list((await desk.clocks.ListClocks(pb.ListClocksRequest(filter=wanted))).clocks)


async def test_the_first_policy_by_position_whose_condition_holds_starts_clocks(desk):
    await policy(desk, "a-late", "case.topic == 'late-delivery'", position=20, targets=[target(minutes=30)])
    await policy(desk, "all", "true", position=30)
    await policy(desk, "never", "1 / case.reopen_count == 1", position=1)
    await policy(desk, "of-billing", "true", department="departments/billing")
    await policy(desk, "off", "true", disabled=True)
    late, other = await desk.open(), await desk.open(topic="invoice")
    (clock,), (slow,) = await clocks(desk, case=late.name), await clocks(desk, case=other.name)
    assert (clock.clock_policy, clock.business_minutes, clock.state) == (
        "clockPolicies/a-late",
        30,
        State.STATE_RUNNING,
    )
    assert clock.due_time.ToDatetime() - clock.start_time.ToDatetime() == 30 * MINUTE
    assert (slow.clock_policy, slow.department) == ("clockPolicies/all", late.department)


async def test_a_clock_keeps_the_version_that_it_was_started_by(desk):
    made = await policy(desk)
    case = await desk.open()
    made.targets[0].business_minutes = 5
    request = policy_pb.UpdateClockPolicyRequest(clock_policy=made, update_mask={"paths": ["targets"]})
    assert (await desk.clock_policies.UpdateClockPolicy(request)).version == 2
    (old,), (new,) = await clocks(desk, case=case.name), await clocks(desk, case=(await desk.open()).name)
    assert [(each.policy_version, each.business_minutes) for each in (old, new)] == [(1, 60), (2, 5)]
    pinned = f"{old.clock_policy}/versions/{old.policy_version}"
    kept = await desk.clock_policies.GetClockPolicy(policy_pb.GetClockPolicyRequest(name=pinned))
    assert (kept.name, kept.version, kept.targets[0].business_minutes) == (pinned, 1, 60)


async def test_who_changed_a_policy_is_told_and_only_what_there_was_can_be_read(desk, refused):
    made = await policy(desk)
    made.position, made.etag = 7, ""
    change = policy_pb.UpdateClockPolicyRequest(clock_policy=made, update_mask={"paths": ["position"]})
    assert await desk.clock_policies.UpdateClockPolicy(change) == (
        await desk.clock_policies.UpdateClockPolicy(change)
    )
    created, updated = await desk.facts("ClockPolicyCreated", "ClockPolicyUpdated")
    assert (created.version, created.data.targets) == (1, made.targets)
    assert (updated.version, updated.data.version, updated.data.updated_fields) == (2, 2, ["position"])
    explain = policy_pb.ExplainClockPolicyRequest(name=made.name)
    told = await desk.clock_policies.ExplainClockPolicy(explain)
    assert told.causes[0].actor == "agents/alice"
    for version, reason in (("3", "NOT_FOUND RESOURCE_NOT_FOUND"), ("x", "INVALID_ARGUMENT INVALID_NAME")):
        get = policy_pb.GetClockPolicyRequest(name=f"{made.name}/versions/{version}")
        assert await refused(desk.clock_policies.GetClockPolicy(get)) == reason


async def test_a_clock_warns_and_is_breached_in_time_once(desk):
    await policy(desk, targets=[target(minutes=60, warning=20)])
    case = await desk.open()
    desk.clock.advance(40 * MINUTE)
    await eventually(lambda: desk.facts("ClockWarned"))
    desk.clock.advance(20 * MINUTE)
    (breached,) = await eventually(lambda: clocks(desk, case=case.name, state="BREACHED"))
    assert breached.breach_time == breached.due_time
    told = await desk.facts("ClockStarted", "ClockWarned", "ClockBreached")
    assert [(fact.version, fact.actor) for fact in told][1:] == [(2, "clock"), (3, "clock")]
    desk.clock.advance(30 * MINUTE)
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="delivered"))
    (late,) = await clocks(desk, case=case.name)
    assert late.state == State.STATE_BREACHED
    assert late.HasField("fulfill_time")


async def test_a_resolved_case_fulfills_its_clocks_and_a_reopened_one_goes_on(desk):
    await policy(desk, targets=[target(), target(FIRST, 10)])
    case = await desk.open()
    desk.clock.advance(5 * MINUTE)
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="delivered"))
    assert {each.state for each in await clocks(desk, case=case.name)} == {State.STATE_FULFILLED}
    desk.clock.advance(500 * MINUTE)
    await desk.cases.ReopenCase(ReopenCaseRequest(name=case.name, reason_code="not-settled"))
    states = {each.metric: each.state for each in await clocks(desk, case=case.name)}
    assert states == {RESOLUTION: State.STATE_RUNNING, FIRST: State.STATE_FULFILLED}
    desk.clock.advance(55 * MINUTE)
    await eventually(lambda: clocks(desk, case=case.name, state="BREACHED"))


async def test_a_paused_clock_stands_still(desk):
    await policy(desk)
    case = await desk.open()
    (clock,) = await clocks(desk, case=case.name)
    paused = await desk.clocks.PauseClock(
        pb.PauseClockRequest(name=clock.name, reason_code="waiting-for-customer", etag=clock.etag)
    )
    assert (paused.state, paused.HasField("due_time")) == (State.STATE_PAUSED, False)
    other = await desk.open()
    desk.clock.advance(61 * MINUTE)
    await eventually(lambda: clocks(desk, case=other.name, state="BREACHED"))
    resumed = await desk.clocks.ResumeClock(pb.ResumeClockRequest(name=clock.name))
    assert resumed.due_time.ToDatetime() - clock.due_time.ToDatetime() == 61 * MINUTE
    assert resumed.state == State.STATE_RUNNING


async def test_who_pauses_when_time_is_up_does_not_escape(desk):
    await policy(desk)
    (clock,) = await clocks(desk, case=(await desk.open()).name)
    desk.clock.advance(60 * MINUTE)
    paused = await desk.clocks.PauseClock(pb.PauseClockRequest(name=clock.name, reason_code="x"))
    assert (paused.state, paused.breach_time) == (State.STATE_BREACHED, clock.due_time)


async def test_a_work_item_has_clocks_of_its_own_that_starting_and_finishing_fulfill(desk):
    await policy(
        desk,
        "ola",
        "work_item.kind == 'deliver-order' && case.topic != ''",
        subject="SUBJECT_WORK_ITEM",
        targets=[target(FIRST), target()],
    )
    case = await desk.open()
    work = await desk.add(case.name)
    assert {each.department for each in await clocks(desk, work_item=work.name)} == {work.department}
    await desk.work_items.StartWorkItem(StartWorkItemRequest(name=work.name))
    states = {each.metric: each.state for each in await clocks(desk, work_item=work.name)}
    assert states == {FIRST: State.STATE_FULFILLED, RESOLUTION: State.STATE_RUNNING}
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=work.name))
    assert {each.state for each in await clocks(desk, work_item=work.name)} == {State.STATE_FULFILLED}


async def test_whoever_answers_for_a_case_has_its_clocks(desk):
    await policy(desk)
    case, bob = await desk.open(), await desk.agent("agents/bob", "departments/billing")
    await desk.cases.AssignCase(AssignCaseRequest(name=case.name, owner=bob))
    assert [each.department for each in await clocks(desk, case=case.name)] == ["departments/billing"]


async def test_every_step_to_the_end_of_its_time_is_explained(desk):
    await policy(desk, condition="case.topic == 'late-delivery'")
    (clock,) = await clocks(desk, case=(await desk.open()).name)
    desk.clock.advance(10 * MINUTE)
    await desk.clocks.PauseClock(pb.PauseClockRequest(name=clock.name, reason_code="waiting-for-customer"))
    desk.clock.advance(100 * MINUTE)
    await desk.clocks.ResumeClock(pb.ResumeClockRequest(name=clock.name))
    explained = await desk.clocks.ExplainClock(pb.ExplainClockRequest(name=clock.name))
    steps = [explained.inputs[f"step.{number}"] for number in range(1, 9)]
    assert steps == [
        "2026-03-02 09:00 UTC: started",
        "Mon 2026-03-02  09:00-09:10  10 min  (weekly hours)",
        "until 2026-03-02 09:10 UTC: 10 minutes counted",
        "2026-03-02 09:10 UTC: paused (waiting-for-customer)",
        "until 2026-03-02 10:50 UTC: 100 minutes of business time passed and did not count",
        "2026-03-02 10:50 UTC: resumed",
        "Mon 2026-03-02  10:50-11:40  50 min  (weekly hours)",
        "until 2026-03-02 11:40 UTC: 50 minutes are left",
    ]
    assert explained.summary.startswith("Running: it has 60 minutes of business time from")
    assert (explained.rule, explained.rule_version) == ("clockPolicies/slow", "1")
    assert explained.inputs["condition"] == "case.topic == 'late-delivery'"
    assert explained.causes[0].resource == clock.name


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"condition": "case.topik == 'x'"}, "INVALID_RULE"),
        ({"targets": [target(), target()]}, "INVALID_ENUM"),
        ({"targets": [target(warning=60)]}, "INVALID_NUMBER"),
        ({"targets": []}, "REQUIRED"),
        (
            {"subject": "SUBJECT_WORK_ITEM", "targets": [target(Metric.CLOCK_METRIC_SILENCE)]},
            "INVALID_ENUM",
        ),
    ],
)
async def test_a_policy_that_no_clock_could_follow_is_refused(desk, refused, fields, reason):
    assert await refused(policy(desk, **fields)) == f"INVALID_ARGUMENT {reason}"


async def test_clocks_refuse_what_makes_no_sense(desk, refused):
    await policy(desk)
    assert await refused(policy(desk)) == "ALREADY_EXISTS RESOURCE_EXISTS"
    case = await desk.open()
    (clock,) = await clocks(desk, case=case.name)
    pause = pb.PauseClockRequest(name=clock.name, reason_code="x")
    resume = pb.ResumeClockRequest(name=clock.name)
    assert await refused(desk.clocks.ResumeClock(resume)) == "FAILED_PRECONDITION CLOCK_NOT_PAUSED"
    await desk.clocks.PauseClock(pause)
    assert await refused(desk.clocks.PauseClock(pause)) == "FAILED_PRECONDITION CLOCK_PAUSED"
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="delivered"))
    assert await refused(desk.clocks.PauseClock(pause)) == "FAILED_PRECONDITION CLOCK_FULFILLED"


def office(**fields: Any) -> Any:
    """Open from Monday to Friday, nine to five."""
    hours = calendar_pb2.Calendar.Hours(
        days=range(1, 6), windows=[calendar_pb2.Calendar.Window(opens="09:00", closes="17:00")]
    )
    return calendar_pb2.Calendar(display_name="Office", time_zone="UTC", hours=[hours], **fields)


async def office_policy(desk: Any, **fields: Any) -> None:
    made = CreateCalendarRequest(calendar_id="office", calendar=office(department="departments/platform"))
    await desk.calendars.CreateCalendar(made)
    await policy(desk, targets=[target(calendar="calendars/office", **fields)])


async def close(desk: Any, *days: int) -> None:
    """Close the office on these days of March 2026, which is told later."""
    closed = [
        calendar_pb2.Calendar.SpecialDay(date=Date(year=2026, month=3, day=day), display_name="Stocktaking")
        for day in days
    ]
    sent = office(name="calendars/office", exceptions=closed)
    request = UpdateCalendarRequest(calendar=sent, update_mask={"paths": ["exceptions"]})
    await desk.calendars.UpdateCalendar(request)


async def test_a_clock_goes_by_business_time(desk):
    await office_policy(desk, minutes=9 * 60)
    case = await desk.open()  # Monday at nine
    (clock,) = await clocks(desk, case=case.name)
    assert moment(clock.due_time) == datetime(2026, 3, 3, 10, tzinfo=UTC)
    assert (clock.calendar, clock.calendar_version) == ("calendars/office", 1)
    explained = await desk.clocks.ExplainClock(pb.ExplainClockRequest(name=clock.name))
    assert explained.inputs["step.2"] == "Mon 2026-03-02  09:00-17:00  480 min  (weekly hours)"


async def test_clocks_follow_a_calendar_that_changes_unless_they_are_done_or_late(desk):
    await office_policy(desk, minutes=9 * 60)
    done, late = await desk.open(), await desk.open()
    desk.clock.advance(timedelta(hours=1))
    await desk.cases.ResolveCase(ResolveCaseRequest(name=done.name, resolution="delivered"))
    desk.clock.advance(timedelta(days=1))
    await eventually(lambda: clocks(desk, case=late.name, state="BREACHED"))
    running, paused = await desk.open(), await desk.open()  # Tuesday at ten
    (standing,) = await clocks(desk, case=paused.name)
    await desk.clocks.PauseClock(pb.PauseClockRequest(name=standing.name, reason_code="x"))
    await close(desk, 4)

    async def moved() -> bool:
        found = [(await clocks(desk, case=each.name))[0] for each in (done, late, paused, running)]
        return [each.calendar_version for each in found] == [1, 1, 2, 2]

    await eventually(moved)
    (clock,) = await clocks(desk, case=running.name)
    assert moment(clock.due_time) == datetime(2026, 3, 5, 11, tzinfo=UTC)  # Wednesday is closed
    told = {fact.data.clock: fact.data for fact in await desk.facts("ClockUpdated")}
    assert moment(told[clock.name].previous_due_time) == datetime(2026, 3, 4, 11, tzinfo=UTC)
    assert len(told) == 2
    explained = await desk.clocks.ExplainClock(pb.ExplainClockRequest(name=clock.name))
    assert "Wed 2026-03-04  closed  (exception: Stocktaking)" in explained.inputs.values()


async def test_a_clock_that_is_reopened_goes_by_the_calendar_as_it_is_by_then_unless_it_was_late(desk):
    await office_policy(desk, minutes=9 * 60)
    in_time, late = await desk.open(), await desk.open()  # Monday at nine
    desk.clock.advance(timedelta(hours=1))
    await desk.cases.ResolveCase(ResolveCaseRequest(name=in_time.name, resolution="delivered"))
    desk.clock.advance(timedelta(days=1))
    await eventually(lambda: clocks(desk, case=late.name, state="BREACHED"))
    await desk.cases.ResolveCase(ResolveCaseRequest(name=late.name, resolution="delivered"))
    await close(desk, 3)
    for case in (in_time, late):
        await desk.cases.ReopenCase(ReopenCaseRequest(name=case.name))
    (clock,), (breached,) = [await clocks(desk, case=each.name) for each in (in_time, late)]
    assert (clock.calendar_version, breached.calendar_version) == (2, 1)
    assert moment(clock.due_time) == datetime(2026, 3, 4, 17, tzinfo=UTC)  # of nine hours one was over


async def test_a_clock_that_was_being_started_while_its_calendar_changed_follows_a_little_later(desk):
    await office_policy(desk, minutes=9 * 60)
    case = await desk.open()
    await close(desk, 3)

    async def follows() -> bool:
        (clock,) = await clocks(desk, case=case.name)
        return bool(clock.calendar_version == 2)

    await eventually(follows)
    async with desk.running.db.connection() as connection:  # as one that had read the version before
        await connection.execute("UPDATE clocks SET calendar_version = 1")
    desk.clock.advance(timedelta(minutes=5))
    await eventually(follows)


async def test_a_policy_may_ask_what_the_customer_is_shown(desk):
    begun = "case.progress == CaseProgress.CASE_PROGRESS_IN_PROGRESS"
    await policy(desk, "begun", begun, subject="SUBJECT_WORK_ITEM")
    case = await desk.open()
    first = await desk.add(case.name)
    await desk.item("Start", first.name)
    second = await desk.add(case.name)
    assert [each.work_item for each in await clocks(desk, case=case.name)] == [second.name]


async def previewed(desk: Any, proposed: Any, name: str = "calendars/office") -> Any:
    return await desk.calendars.PreviewCalendar(PreviewCalendarRequest(name=name, calendar=proposed))


async def test_what_a_change_of_a_calendar_would_do_is_told_before_and_changes_nothing(desk, refused):
    await office_policy(desk, minutes=9 * 60)
    (early,) = await clocks(desk, case=(await desk.open()).name)
    desk.clock.advance(timedelta(hours=9))  # Monday at six in the evening
    (late,) = await clocks(desk, case=(await desk.open()).name)
    wednesday = calendar_pb2.Calendar.SpecialDay(date=Date(year=2026, month=3, day=4))
    proposed = office(exceptions=[wednesday])
    preview = await previewed(desk, proposed)
    assert (preview.clock_count, preview.checked_count, preview.moved_count) == (2, 2, 1)
    (move,) = preview.moves
    assert (move.clock, moment(move.due_time)) == (late.name, datetime(2026, 3, 4, 10, tzinfo=UTC))
    assert moment(move.new_due_time) == datetime(2026, 3, 5, 10, tzinfo=UTC)
    proposed = office()
    proposed.hours[0].windows[0].closes = "19:00"  # then the first would have been late just now
    preview = await previewed(desk, proposed)
    assert (preview.moved_count, preview.breached_count) == (2, 1)
    assert [(await clocks(desk, case=each.case))[0] for each in (early, late)] == [early, late]
    assert await refused(previewed(desk, proposed, "calendars/none")) == "NOT_FOUND RESOURCE_NOT_FOUND"
    proposed.hours[0].windows[0].closes = "06:00"
    assert await refused(previewed(desk, proposed)) == "INVALID_ARGUMENT INVALID_HOURS"


async def test_clocks_of_a_calendar_that_does_not_open_any_more_are_told_before_and_counted(desk):
    await office_policy(desk, minutes=60)
    (clock,) = await clocks(desk, case=(await desk.open()).name)
    assert (await previewed(desk, office())).endless_count == 0
    await count_endless(desk.running.db)
    assert REGISTRY.get_sample_value("rapport_clocks_endless") == 0
    closed = office(
        name="calendars/office",
        exceptions=[
            calendar_pb2.Calendar.SpecialDay(
                date=Date(year=2020, month=1, day=1),
                windows=[calendar_pb2.Calendar.Window(opens="09:00", closes="10:00")],
            )
        ],
    )
    del closed.hours[:]
    preview = await previewed(desk, closed)
    assert (preview.endless_count, preview.later_count, preview.moves[0].clock) == (1, 1, clock.name)
    request = UpdateCalendarRequest(calendar=closed, update_mask={"paths": ["hours", "exceptions"]})
    await desk.calendars.UpdateCalendar(request)
    (late,) = await clocks(desk, case=(await desk.open()).name)
    assert not late.HasField("due_time")

    async def counted() -> bool:
        await count_endless(desk.running.db)
        return REGISTRY.get_sample_value("rapport_clocks_endless") == 2  # the first follows a moment later

    assert await eventually(counted)
    assert (await previewed(desk, closed)).endless_count == 2


async def test_a_calendar_that_is_not_there_is_refused(desk, refused):
    made = policy(desk, targets=[target(calendar="calendars/none")])
    assert await refused(made) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_a_calendar_that_opens_no_more_refuses_no_case(desk):
    await office_policy(desk)
    sent = office(
        name="calendars/office",
        exceptions=[
            calendar_pb2.Calendar.SpecialDay(
                date=Date(year=2026, month=1, day=1),
                windows=[calendar_pb2.Calendar.Window(opens="09:00", closes="10:00")],
            )
        ],
    )
    del sent.hours[:]
    request = UpdateCalendarRequest(calendar=sent, update_mask={"paths": ["hours", "exceptions"]})
    await desk.calendars.UpdateCalendar(request)
    (clock,) = await clocks(desk, case=(await desk.open()).name)
    assert (clock.state, clock.HasField("due_time")) == (State.STATE_RUNNING, False)
