"""Clocks that are not as they should be, broken here by hand, are found and mended, and counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from cases.usecases import reconcile
from cases.usecases.clock_keeping import DUE_TIMER
from chassis.api.messages import moment
from rapport.cases.v1 import clock_service_pb2 as pb
from rapport.cases.v1.case_service_pb2 import ReopenCaseRequest, ResolveCaseRequest
from rapport_testing.wait import eventually

HOUR = timedelta(hours=1)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
Flaw = pb.ReconcileClocksResponse.Flaw


async def execute(desk: Any, sql: str, *values: Any) -> None:
    async with desk.running.db.connection() as connection:
        await connection.execute(sql, *values)


async def reconcile_all(desk: Any, **asked: Any) -> list[Any]:
    """Everything that is found, page by page."""
    found, token, pages = [], "", 0
    while pages == 0 or token:
        told = await desk.clocks.ReconcileClocks(pb.ReconcileClocksRequest(page_token=token, **asked))
        found += told.findings
        token, pages = told.next_page_token, pages + 1
    return found


async def clock_of(desk: Any, **about: str) -> Any:
    wanted = " AND ".join(f'{field} = "{value}"' for field, value in about.items())
    (clock,) = (await desk.clocks.ListClocks(pb.ListClocksRequest(filter=wanted))).clocks
    return clock


def names(found: list[Any]) -> list[str]:
    return [Flaw.Name(each.flaw).removeprefix("FLAW_") for each in found]


def counted(flaw: str) -> float:
    return REGISTRY.get_sample_value("rapport_clocks_mended_total", {"flaw": flaw.lower()}) or 0.0


@pytest.fixture
async def case(desk):
    """A case with an hour, and with work that has an hour."""
    await desk.keep_times("RESOLUTION")
    await desk.keep_times("RESOLUTION", "FIRST_RESPONSE", subject="WORK_ITEM")
    return await desk.open()


async def test_where_all_is_well_nothing_is_found_and_nothing_changes(desk, case):
    await desk.add(case.name)
    assert await reconcile_all(desk) == []
    assert await desk.facts("ClockUpdated") == []


BREAKS = [
    ("DUE_TIME", "UPDATE clocks SET due_time = due_time + interval '1 day'"),
    ("TIMER", "DELETE FROM timers WHERE kind = 'clock-due'"),
    ("TIMER", "UPDATE timers SET due_at = due_at + interval '1 day' WHERE kind = 'clock-due'"),
    ("DEPARTMENT", "UPDATE clocks SET department_id = 'billing'"),
]


@pytest.mark.parametrize(("flaw", "broken"), BREAKS)
async def test_what_was_broken_is_mended_and_time_is_up_when_it_should_be(desk, case, flaw, broken):
    before = counted(flaw)
    await execute(desk, broken)
    assert names(await reconcile_all(desk, validate_only=True)) == [flaw]
    assert (await desk.facts("ClockUpdated"), counted(flaw)) == ([], before)
    (finding,) = await reconcile_all(desk)
    assert (finding.case, names([finding]), counted(flaw)) == (case.name, [flaw], before + 1)
    assert await reconcile_all(desk) == []
    clock = await clock_of(desk, case=case.name)
    assert (clock.name, moment(clock.due_time), clock.department) == (
        finding.clock,
        NINE + HOUR,
        "departments/front-desk",
    )
    desk.clock.advance(HOUR)

    async def is_late() -> bool:
        return await desk.clock_states(case.name, "RESOLUTION") == ["BREACHED"]

    assert await eventually(is_late)


async def test_a_warning_that_nobody_would_give_is_given(desk):
    await desk.keep_times("RESOLUTION")
    await desk.open()
    await execute(desk, "UPDATE clocks SET warning_minutes = 15")
    assert names(await reconcile_all(desk)) == ["DUE_TIME"]
    await execute(desk, "DELETE FROM timers WHERE kind = 'clock-warning'")
    assert names(await reconcile_all(desk)) == ["TIMER"]
    desk.clock.advance(timedelta(minutes=45))
    assert await eventually(lambda: desk.facts("ClockWarned"))


async def test_a_timer_that_failed_and_is_tried_again_later_is_not_lost(desk, case):
    later = "UPDATE timers SET attempts = 1, due_at = due_at + interval '1 minute' WHERE kind = $1"
    await execute(desk, later, DUE_TIMER)
    assert await reconcile_all(desk) == []


@pytest.mark.parametrize(
    ("settled", "metric"),
    [
        (
            "UPDATE cases SET state = 'RESOLVED', resolve_time = open_time",
            "RESOLUTION",
        ),
        ("UPDATE work_items SET state = 'STARTED', start_time = create_time", "FIRST_RESPONSE"),
    ],
)
async def test_what_was_settled_without_its_clock_is_done_when_it_was_settled(desk, case, settled, metric):
    if metric == "FIRST_RESPONSE":
        await desk.add(case.name)
    await execute(desk, settled)
    desk.clock.advance(timedelta(minutes=30))
    assert names(await reconcile_all(desk)) == ["SETTLED"]
    assert await desk.clock_states(case.name, metric) == ["FULFILLED"]
    (told,) = await desk.facts("ClockFulfilled")
    assert moment(told.data.fulfill_time) == NINE


async def test_a_case_and_work_that_should_have_had_clocks_get_them_with_the_time_that_is_over(desk, case):
    item = await desk.add(case.name)
    await execute(desk, "DELETE FROM clocks")
    await execute(desk, "DELETE FROM timers WHERE kind = 'clock-due'")
    desk.clock.advance(timedelta(minutes=30))
    only_said = await reconcile_all(desk, validate_only=True)
    assert [(each.clock, each.case, each.work_item) for each in only_said] == [
        ("", case.name, ""),
        ("", case.name, item.name),
    ]
    found = await reconcile_all(desk)
    assert sorted((names([each])[0], each.work_item) for each in found) == [
        ("MISSING", ""),
        ("MISSING", item.name),
        ("MISSING", item.name),
    ]
    listed = (await desk.clocks.ListClocks(pb.ListClocksRequest(filter=f'case = "{case.name}"'))).clocks
    assert {moment(each.due_time) for each in listed} == {NINE + HOUR}
    assert await reconcile_all(desk) == []


async def test_a_policy_that_is_younger_than_a_case_is_not_about_it(desk):
    await desk.open()
    desk.clock.advance(HOUR)
    await desk.keep_times("RESOLUTION")
    assert await reconcile_all(desk) == []


async def test_a_reopened_case_that_lost_its_clock_has_all_of_its_time_again(desk, case):
    await desk.cases.ResolveCase(ResolveCaseRequest(name=case.name, resolution="delivered"))
    await desk.cases.ReopenCase(ReopenCaseRequest(name=case.name, reason_code="not-settled"))
    await execute(desk, "DELETE FROM clocks")
    desk.clock.advance(2 * HOUR)
    assert names(await reconcile_all(desk)) == ["MISSING"]
    assert moment((await clock_of(desk, case=case.name)).due_time) == NINE + 3 * HOUR


async def test_what_was_answered_before_its_clock_was_missed_is_answered(desk):
    await desk.keep_times("FIRST_RESPONSE", "SILENCE")
    case = await desk.open()
    desk.clock.advance(timedelta(minutes=20))
    await desk.contacted(case.name, "OUTBOUND")
    await execute(desk, "DELETE FROM clocks")
    desk.clock.advance(timedelta(minutes=20))
    await reconcile_all(desk)
    assert await desk.clock_states(case.name, "FIRST_RESPONSE") == ["FULFILLED"]
    silence = (await desk.clocks.ListClocks(pb.ListClocksRequest(filter="state = RUNNING"))).clocks[0]
    assert moment(silence.start_time) == NINE + timedelta(minutes=20, seconds=1)


async def test_what_stands_still_otherwise_than_its_work_does_as_the_work(desk, case):
    await execute(desk, "UPDATE clocks SET pauses = '{WORK_BLOCKED}'")
    await desk.add(case.name)
    await execute(
        desk, "UPDATE work_items SET block_time = $1, block_reason_code = 'no-parts'", desk.clock.now()
    )
    assert names(await reconcile_all(desk)) == ["PAUSE"]
    assert await desk.clock_states(case.name, "RESOLUTION") == ["PAUSED", "RUNNING"]
    await execute(desk, "UPDATE work_items SET block_time = NULL, block_reason_code = ''")
    assert names(await reconcile_all(desk)) == ["PAUSE"]
    assert await reconcile_all(desk) == []


async def test_a_clock_that_missed_a_version_of_its_calendar_follows_it(desk, case):
    await execute(
        desk,
        "INSERT INTO calendar_versions SELECT id, 2, department_id, display_name, time_zone, hours, holidays,"
        " exceptions, settled, create_time, update_time FROM calendar_versions WHERE id = 'always'",
    )
    assert await reconcile_all(desk) == []  # those who were told just now follow by themselves
    desk.clock.advance(timedelta(minutes=6))
    assert names(await reconcile_all(desk)) == ["CALENDAR"]
    assert (await clock_of(desk, case=case.name)).calendar_version == 2


async def test_a_promise_that_owes_nothing_has_no_clock_that_runs(desk):
    policy = {"subject": "PROMISE"}
    await desk.keep_times("DELAY_NOTIFICATION", **policy)
    item, promise = await desk.promised_work()
    await desk.forecast(item.name, 5)
    assert await reconcile_all(desk) == []
    await execute(desk, "UPDATE promises SET state = 'OPEN'")
    assert names(await reconcile_all(desk)) == ["SETTLED"]
    assert (await clock_of(desk, promise=promise.name)).HasField("fulfill_time")


async def test_many_are_looked_at_page_by_page(desk, case, monkeypatch):
    monkeypatch.setattr(reconcile, "PAGE", 2)
    for _ in range(4):
        await desk.open()
    await execute(desk, "UPDATE clocks SET due_time = due_time + interval '1 day'")
    assert names(await reconcile_all(desk)) == ["DUE_TIME"] * 5
    await execute(desk, "DELETE FROM clocks")
    desk.clock.advance(timedelta(minutes=10))
    assert names(await reconcile_all(desk)) == ["MISSING"] * 5


@pytest.mark.parametrize("token", ["clocks", "cases/7", "notes/019cadc6-9a80-7c38-8b9e-73087ec22057"])
async def test_a_token_of_elsewhere_is_refused(desk, refused, token):
    asked = pb.ReconcileClocksRequest(page_token=token)
    assert await refused(desk.clocks.ReconcileClocks(asked)) == "INVALID_ARGUMENT INVALID_PAGE_TOKEN"


async def test_the_service_does_it_by_itself_round_by_round_and_one_at_a_time(desk, case):
    await reconcile.begin_reconciling(desk.running.db)  # as another replica that starts
    clock = await clock_of(desk, case=case.name)
    await desk.clocks.PauseClock(pb.PauseClockRequest(name=clock.name, reason_code="waiting-for-parts"))
    for _ in range(2):
        await execute(desk, "UPDATE clocks SET elapsed_minutes = 7")
        told = len(await desk.facts("ClockUpdated"))

        async def is_mended(before: int = told) -> bool:
            desk.clock.advance(reconcile.EVERY)
            return len(await desk.facts("ClockUpdated")) > before

        await eventually(is_mended)
    async with desk.running.db.connection() as connection:
        rounds = "SELECT count(*) FROM timers WHERE kind = $1"
        assert await connection.fetchval(rounds, reconcile.RECONCILE_TIMER) == 1
