"""Where the time of cases goes: figures that a person can check by hand."""

from datetime import timedelta

import pytest
from google.type.dayofweek_pb2 import FRIDAY, MONDAY

from cases.store.handoffs import BLOCKS_MAX
from chassis.api.messages import timestamp
from rapport.cases.v1.calendar_pb2 import Calendar
from rapport.cases.v1.calendar_service_pb2 import CreateCalendarRequest
from rapport.cases.v1.case_service_pb2 import MergeCasesRequest, ReopenCaseRequest, ResolveCaseRequest
from rapport.cases.v1.department_pb2 import Department
from rapport.cases.v1.directory_service_pb2 import UpdateDepartmentRequest
from rapport.cases.v1.handoff_service_pb2 import HandoffReport, ReportHandoffsRequest

HOUR = timedelta(hours=1)
H = 3600
FRONT_DESK, DELIVERY, BILLING = (f"departments/{each}" for each in ("front-desk", "delivery", "billing"))


async def report(desk, since, topic="", days=1):
    period = {"start_time": timestamp(since), "end_time": timestamp(since + timedelta(days=days))}
    return await desk.handoffs.ReportHandoffs(ReportHandoffsRequest(**period, topic=topic))


async def open_on_mondays_and_fridays(desk, department):
    """Give a department the calendar of an office in Berlin."""
    hours = Calendar.Hours(days=[MONDAY, FRIDAY], windows=[Calendar.Window(opens="09:00", closes="17:00")])
    office = Calendar(display_name="Office", department=department, time_zone="Europe/Berlin", hours=[hours])
    await desk.calendars.CreateCalendar(CreateCalendarRequest(calendar_id="office", calendar=office))
    billing = Department(name=department, display_name="Billing", calendar="calendars/office")
    await desk.directory.UpdateDepartment(UpdateDepartmentRequest(department=billing, allow_missing=True))


async def test_time_is_split_into_work_and_waiting_all_in_all_and_by_who_waited_for_whom(desk):
    """Delivery waits 1 h, works 2 h; billing waits 2 h, works 3 h, of which 1 h it cannot: 5 h end to end."""
    begun = desk.clock.now()
    case = await desk.open()
    ours = await desk.add(case.name)
    theirs = await desk.add(case.name, department=BILLING, kind="refund")
    for hours, verb, item, fields in (
        (1, "Start", ours, {}),
        (1, "Start", theirs, {}),
        (1, "Finish", ours, {}),
        (0, "Block", theirs, {"reason_code": "customer"}),
        (1, "Unblock", theirs, {}),
        (1, "Finish", theirs, {}),
    ):
        desk.clock.advance(hours * HOUR)
        await desk.item(verb, item.name, **fields)
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="refunded"))
    found = await report(desk, begun)
    assert list(found.pairs) == [
        HandoffReport.Pair(
            requesting_department=FRONT_DESK, department=BILLING, handoff_count=1, wait_seconds=2 * H,
            median_wait_seconds=2 * H, work_seconds=2 * H, median_work_seconds=2 * H, blocked_seconds=H,
            wait_business_minutes=120, median_wait_business_minutes=120, work_business_minutes=120,
            median_work_business_minutes=120),
        HandoffReport.Pair(
            requesting_department=FRONT_DESK, department=DELIVERY, handoff_count=1, wait_seconds=H,
            median_wait_seconds=H, work_seconds=2 * H, median_work_seconds=2 * H, wait_business_minutes=60,
            median_wait_business_minutes=60, work_business_minutes=120, median_work_business_minutes=120),
    ]  # fmt: skip
    assert (found.case_count, found.open_case_count) == (1, 0)
    # Of 5 hours nobody worked in the first, nor while billing could not go on: what was parallel counts once.
    assert (found.end_to_end_seconds, found.work_seconds, found.wait_seconds) == (5 * H, 3 * H, 2 * H)
    assert found.median_end_to_end_seconds == 5 * H


async def test_business_minutes_are_those_in_which_the_department_that_got_the_work_was_open(desk):
    """Billing, open on Mondays and Fridays from 8 to 16 by UTC: from Monday at 9 until Friday at 10."""
    begun = desk.clock.now()
    await open_on_mondays_and_fridays(desk, BILLING)
    case = await desk.open()
    item = await desk.add(case.name, department=BILLING, kind="refund")
    desk.clock.advance(10 * HOUR)
    await desk.item("Start", item.name)
    desk.clock.advance(86 * HOUR)
    await desk.item("Block", item.name, reason_code="customer")
    desk.clock.advance(HOUR / 2)
    await desk.item("Unblock", item.name)
    desk.clock.advance(HOUR / 2)
    await desk.item("Finish", item.name)
    [pair] = (await report(desk, begun)).pairs
    assert (pair.wait_seconds, pair.wait_business_minutes) == (10 * H, 7 * 60)
    assert (pair.work_seconds, pair.work_business_minutes) == (86 * H + H // 2, 60 + 30)
    medians = pair.median_wait_business_minutes, pair.median_work_business_minutes
    assert medians == (7 * 60, 90)


async def test_work_that_goes_to_and_fro_is_counted_and_what_lasts_counts_until_now(desk):
    begun = desk.clock.now()
    item = await desk.add((await desk.open()).name)
    for there in (BILLING, DELIVERY, BILLING):
        desk.clock.advance(HOUR)
        over = {"department": there, "reason_code": "not-ours", "asked_customer_again": there == BILLING}
        await desk.item("HandOver", item.name, **over)
    desk.clock.advance(3 * HOUR)
    found = await report(desk, begun)
    shown = {
        (each.requesting_department, each.department): (
            each.handoff_count, each.return_count, each.asked_customer_again_count, each.wait_seconds,
            each.median_wait_seconds)
        for each in found.pairs
    }  # fmt: skip
    assert shown == {
        (FRONT_DESK, DELIVERY): (1, 0, 0, H, H),
        (DELIVERY, BILLING): (2, 1, 2, 4 * H, 2 * H),
        (BILLING, DELIVERY): (1, 1, 0, H, H),
    }
    assert (found.open_case_count, found.end_to_end_seconds, found.work_seconds) == (1, 6 * H, 0)


async def test_the_clock_of_a_case_that_is_reopened_goes_on(desk):
    begun = desk.clock.now()
    case = await desk.open()
    for hours in (1, 2):
        desk.clock.advance(hours * HOUR)
        await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="told"))
        assert (await report(desk, begun)).end_to_end_seconds == (1 if hours == 1 else 3) * H
        await desk.cases.ReopenCase(ReopenCaseRequest(name=case.name))


async def test_a_report_is_of_cases_opened_in_a_period_and_of_a_topic(desk):
    begun = desk.clock.now()
    await desk.add((await desk.open(topic="late-delivery")).name)
    await desk.add((await desk.open(topic="refund")).name)
    desk.clock.advance(timedelta(days=1))
    await desk.add((await desk.open(topic="refund")).name)
    assert [(await report(desk, begun, topic)).case_count for topic in ("", "refund", "none")] == [2, 1, 0]
    assert (await report(desk, begun, days=2)).case_count == 3
    assert await report(desk, begun - timedelta(days=5)) == HandoffReport()


async def test_cases_that_were_merged_are_one_from_the_first_of_them_until_that_is_settled(desk):
    begun = desk.clock.now()
    merged = await desk.open(topic="refund")
    item = await desk.add(merged.name)
    desk.clock.advance(HOUR)
    survivor = await desk.open()
    asked = MergeCasesRequest(name=survivor.name, merged_cases=[merged.name], reason_code="reported-twice")
    await desk.cases.MergeCases(asked)
    await desk.item("Start", item.name)
    desk.clock.advance(2 * HOUR)
    await desk.item("Finish", item.name)
    await desk.cases.ResolveCase(ResolveCaseRequest(name=survivor.name, resolution="told"))
    desk.clock.advance(20 * HOUR)
    found = await report(desk, begun)
    assert (found.case_count, found.open_case_count) == (1, 0)
    assert (found.end_to_end_seconds, found.work_seconds, found.wait_seconds) == (3 * H, 2 * H, H)
    assert await report(desk, begun, topic="refund") == HandoffReport()


async def test_clocks_of_computers_that_differ_spoil_no_report(desk):
    """A block is told by one whose clock is ahead; what follows by one whose clock is not."""
    begun = desk.clock.now()
    case = await desk.open()
    item = await desk.add(case.name)
    desk.clock.advance(-HOUR)
    await desk.item("Start", item.name)
    desk.clock.advance(2 * HOUR)
    await desk.item("Block", item.name, reason_code="customer")
    desk.clock.advance(-HOUR)
    await desk.item("Unblock", item.name)
    found = await report(desk, begun)
    assert (found.case_count, found.pairs[0].wait_seconds, found.pairs[0].work_seconds) == (1, 0, 0)
    await desk.item("Finish", item.name)
    desk.clock.advance(-HOUR)
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="told"))
    assert (await report(desk, begun - HOUR)).end_to_end_seconds == 0


async def test_what_was_finished_without_ending_its_stay_lasts_until_then(desk):
    """As the release before does it, while a rollout lasts."""
    begun = desk.clock.now()
    item = await desk.add((await desk.open()).name)
    async with desk.running.db.connection() as connection:
        await connection.execute("UPDATE work_items SET state = 'FINISHED', finish_time = $1", begun + HOUR)
    desk.clock.advance(5 * HOUR)
    assert (await report(desk, begun)).pairs[0].wait_seconds == H
    assert item.state


async def test_a_thousand_blocks_of_a_stay_are_kept_and_no_more(desk):
    begun = desk.clock.now()
    item = await desk.add((await desk.open()).name)
    async with desk.running.db.connection() as connection:
        many = [begun] * BLOCKS_MAX
        await connection.execute("UPDATE handoffs SET block_times = $1, unblock_times = $1", many)
    await desk.item("Block", item.name, reason_code="customer")
    desk.clock.advance(HOUR)
    await desk.item("Unblock", item.name)
    async with desk.running.db.connection() as connection:
        kept = "SELECT cardinality(block_times), cardinality(unblock_times) FROM handoffs"
        assert tuple(await connection.fetchrow(kept)) == (BLOCKS_MAX, BLOCKS_MAX)


@pytest.mark.parametrize("days", [-1, 0, 367])
async def test_a_period_is_of_a_year_at_most(desk, refused, days):
    assert await refused(report(desk, desk.clock.now(), days=days)) == "INVALID_ARGUMENT INVALID_TIME"
