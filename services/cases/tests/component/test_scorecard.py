"""What became of promises, counted: figures that a person can check by hand."""

import csv
import itertools
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from google.type.date_pb2 import Date

from cases.store.scorecard import SCORE_PROMISES_OF_DEPARTMENT
from chassis.api.messages import timestamp
from rapport.cases.v1.promise_service_pb2 import (
    BatchMakePromisesRequest,
    KeepPromiseRequest,
    ListPromisesRequest,
    MakePromiseRequest,
    PromiseScorecard,
    RecordDelayNotificationRequest,
    RenegotiatePromiseRequest,
    ScorePromisesRequest,
    WithdrawPromiseRequest,
)
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

ORDERS = Path(__file__).parents[5] / "shared" / "data" / "contacts" / "northwind_orders.csv"
DEPARTMENT, TOPIC, WEEK, TEAM = 1, 2, 3, 4
DELIVERY, BILLING = "departments/delivery", "departments/billing"


async def score(desk, *group_by, since=None, days=30, department="", team=""):
    since = since or desk.clock.now() - timedelta(days=10)
    period = {"start_time": timestamp(since), "end_time": timestamp(since + timedelta(days=days))}
    request = ScorePromisesRequest(**period, group_by=group_by, department=department, team=team)
    return list((await desk.promises.ScorePromises(request)).rows)


async def past(desk, *promises):
    """Promises that were made, and kept or not, before."""
    requests = [MakePromiseRequest(promise=each) for each in promises]
    await desk.promises.BatchMakePromises(BatchMakePromisesRequest(requests=requests))


async def test_every_promise_is_counted_once_by_what_became_of_it(desk):
    at = {"make_time": timestamp(desk.in_days(-9))}
    kept, late = timestamp(desk.in_days(-6)), timestamp(desk.in_days(-4))
    await past(
        desk,
        *(desk.promise(-5, **at, keep_time=kept) for _ in range(3)),
        desk.promise(-5, **at, keep_time=late),
        desk.promise(-5, **at),
    )

    async def changed(verb, request, **fields):
        await getattr(desk.promises, verb)(request(name=(await desk.make(3)).name, **fields))

    for requested in (False, True):
        due, why = timestamp(desk.in_days(90)), "weather"
        await changed("RenegotiatePromise", RenegotiatePromiseRequest, due_time=due, reason_code=why,
                      customer_requested=requested)  # fmt: skip
    await changed("WithdrawPromise", WithdrawPromiseRequest, reason_code="x")
    await changed("KeepPromise", KeepPromiseRequest)
    await desk.make(3)
    (row,) = await score(desk)
    assert row == PromiseScorecard.Row(
        kept_count=4, kept_late_count=1, broken_count=1, renegotiated_count=1, customer_requested_count=1,
        withdrawn_count=1, open_count=1, notified_early_count=1, kept_rate=4 / 7, notified_early_rate=1 / 3,
    )  # fmt: skip


@pytest.mark.alone("it moves the clock")
async def test_the_customer_was_told_before_a_promise_was_due_or_not(desk):
    first, second, third = [await desk.make(3) for _ in range(3)]
    await desk.promises.RecordDelayNotification(
        RecordDelayNotificationRequest(name=first.name, channel="CHANNEL_VOICE")
    )
    desk.clock.advance(timedelta(days=4))
    await desk.promises.RecordDelayNotification(
        RecordDelayNotificationRequest(name=second.name, channel="CHANNEL_VOICE")
    )
    for each in (first, second, third):
        await desk.promises.KeepPromise(KeepPromiseRequest(name=each.name))
    (row,) = await score(desk)
    assert (row.kept_late_count, row.notified_early_count, row.notified_early_rate) == (3, 1, 1 / 3)
    assert row.kept_rate == 0


@pytest.mark.alone("it moves the clock")
async def test_what_was_kept_in_time_by_a_later_word_counts_as_kept_and_is_counted_apart(desk):
    """One is kept in time, a carrier says late that another was; the import's word is of its time."""
    first, second, _ = [await desk.make(1) for _ in range(3)]
    await desk.promises.KeepPromise(KeepPromiseRequest(name=first.name))
    at = timestamp(desk.in_days(0.5))
    make_time = timestamp(desk.in_days(-9))
    await past(desk, desk.promise(-5, make_time=make_time, keep_time=timestamp(desk.in_days(-6))))
    desk.clock.advance(timedelta(days=3))
    carrier = desk.running.stub(PromiseServiceStub, ["cases.promises.write"], "service:carrier", "delivery")
    kept = await carrier.KeepPromise(KeepPromiseRequest(name=second.name, keep_time=at))
    assert kept.keeper == "services/carrier"
    await eventually(lambda: _broken(desk, 1))
    (row,) = await score(desk)
    assert (row.kept_count, row.kept_afterwards_count, row.broken_count) == (3, 1, 1)


@pytest.mark.alone("it moves the clock")
async def test_the_promises_of_a_team_are_counted_and_stay_with_who_had_them_when_they_ended(desk):
    """By hand: returns keep one and break one, parcels get one of theirs and break it; one is of no team."""
    returns, parcels = await desk.team("returns"), await desk.team("parcels")

    async def promised(**of):
        item = await desk.add((await desk.open()).name, **of)
        await desk.make(1, work_item=item.name)
        return item

    done, moved = await promised(team=returns), await promised(team=returns)
    broken, _ = await promised(team=returns), await promised()
    await desk.item("Finish", done.name)
    await desk.item("Route", moved.name, team=parcels)
    desk.clock.advance(timedelta(days=2))
    await eventually(lambda: _broken(desk, 3))
    await desk.item("Route", broken.name, team=parcels)  # it is broken by now: by who had it

    def shown(rows):
        return [(each.department, each.team, each.kept_count, each.broken_count) for each in rows]

    by_team = await score(desk, DEPARTMENT, TEAM)
    assert shown(by_team) == [(DELIVERY, "", 0, 1), (DELIVERY, parcels, 0, 1), (DELIVERY, returns, 1, 1)]
    assert by_team[2].kept_rate == 0.5
    assert shown(await score(desk, team=returns)) == [("", "", 1, 1)]
    assert shown(await score(desk, TOPIC, TEAM, team=parcels, department=DELIVERY)) == [("", parcels, 0, 1)]
    listed = await desk.promises.ListPromises(ListPromisesRequest(filter=f'team = "{returns}"'))
    assert {each.team for each in listed.promises} == {returns}
    assert len(listed.promises) == 2


async def _broken(desk, many):
    found = await desk.promises.ListPromises(ListPromisesRequest(filter="state = BROKEN"))
    return len(found.promises) == many


@pytest.mark.alone("what it makes is there once")
async def test_a_team_that_is_not_there_or_not_of_the_department_is_no_team_to_count(desk, refused):
    team = await desk.team("returns")
    assert await refused(score(desk, team="teams/nobody")) == "NOT_FOUND RESOURCE_NOT_FOUND"
    mismatch = "FAILED_PRECONDITION TEAM_MISMATCH"
    assert await refused(score(desk, team=team, department=BILLING)) == mismatch


@pytest.mark.alone("what it makes is there once")
async def test_work_that_another_department_has_leaves_its_promise_with_the_team_that_had_it(desk):
    """Billing does it now, and delivery's team has promised it; when it comes back, another team has it."""
    returns, parcels = await desk.team("returns"), await desk.team("parcels")
    item = await desk.add((await desk.open()).name, team=returns)
    made = await desk.make(1, work_item=item.name)
    why = {"reason_code": "not-ours"}
    await desk.item("HandOver", item.name, department=BILLING, **why)
    assert (await desk.get(made.name)).team == returns
    await desk.item("HandOver", item.name, department=DELIVERY, team=parcels, **why)
    assert (await desk.get(made.name)).team == parcels


async def test_promises_are_counted_by_department_topic_and_week_or_some_of_these(desk):
    case = await desk.open(topic="late-delivery")
    at = {"make_time": timestamp(desk.in_days(-60)), "customer": desk.customer}
    monday = datetime(2026, 1, 5, tzinfo=UTC)

    def due(moment, **fields):
        return desk.promise(**at, **{"due_time": timestamp(moment)} | fields)

    berlin = {"due_time": None, "due_date": Date(year=2026, month=1, day=11), "time_zone": "Europe/Berlin"}
    await past(
        desk,
        due(monday, case=case.name),
        due(monday - timedelta(seconds=1), case=case.name),
        due(monday, department=BILLING),
        due(monday, **berlin),
    )
    year = {"since": monday - timedelta(days=30), "days": 60}
    week, before = (Date(year=y, month=m, day=d) for y, m, d in ((2026, 1, 5), (2025, 12, 29)))

    def shown(rows):
        return [(each.department, each.topic, each.week, each.broken_count) for each in rows]

    assert shown(await score(desk, DEPARTMENT, TOPIC, WEEK, **year)) == [
        (BILLING, "", week, 1),
        (DELIVERY, "", week, 1),  # a Sunday in Berlin, whose end is a Monday's first moment there
        (DELIVERY, "late-delivery", before, 1),
        (DELIVERY, "late-delivery", week, 1),
    ]
    none = Date()
    assert shown(await score(desk, TOPIC, **year)) == [("", "", none, 2), ("", "late-delivery", none, 2)]
    assert shown(await score(desk, DEPARTMENT, **year, department=BILLING)) == [(BILLING, "", none, 1)]
    assert await score(desk, DEPARTMENT, since=monday + timedelta(days=90)) == []


async def test_of_one_department_its_promises_alone_are_read_whatever_the_planner_knows(desk):
    """By the plan that is made without values, which PostgreSQL takes once it knows a statement."""
    async with desk.running.db.connection() as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
        await connection.execute(f"PREPARE scored AS {SCORE_PROMISES_OF_DEPARTMENT.sql}")
        values = ", ".join("NULL" for _ in SCORE_PROMISES_OF_DEPARTMENT.binds)
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE scored({values})"))
        await connection.execute("DEALLOCATE scored; RESET plan_cache_mode; RESET enable_seqscan")
    assert "promises_department" in plan
    assert re.search(r"Index Cond: \(.*department_id = .*due_time >= .*due_time < ", plan), plan


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Honolulu", "Asia/Tokyo", "Pacific/Kiritimati"])
@pytest.mark.parametrize("ours", [-10, 0, 9])
async def test_what_is_promised_for_a_day_counts_in_the_month_of_that_day_wherever_the_day_is(
    desk, zone, ours
):
    days = [(2025, 9, 30), (2025, 10, 1), (2025, 10, 31), (2025, 11, 1), (2025, 11, 30), (2025, 12, 1)]
    at = {"make_time": timestamp(datetime(2025, 9, 1, tzinfo=UTC)), "due_time": None, "time_zone": zone}
    await past(desk, *(desk.promise(**at, due_date=Date(year=y, month=m, day=d)) for y, m, d in days))
    here = timezone(timedelta(hours=ours))
    months = [datetime(2025, month, 1, tzinfo=here) for month in (9, 10, 11, 12)]
    counted = [
        await score(desk, WEEK, since=since, days=(until - since).days)
        for since, until in itertools.pairwise(months)
    ]
    weeks = [[(each.week.month, each.week.day) for each in rows] for rows in counted]
    assert weeks == [[(9, 29)], [(9, 29), (10, 27)], [(10, 27), (11, 24)]]


@pytest.mark.parametrize("days", [-1, 0, 3654])
async def test_a_period_is_of_ten_years_at_most(desk, refused, days):
    assert await refused(score(desk, days=days)) == "INVALID_ARGUMENT INVALID_TIME"


@pytest.mark.skipif(not ORDERS.exists(), reason="needs the Northwind orders in shared/data/contacts")
async def test_northwind_kept_772_of_830_promises_37_late_and_21_never(desk):
    def day(text):
        return timestamp(datetime.fromisoformat(text).replace(tzinfo=UTC))

    with ORDERS.open() as file:
        promises = [
            desk.promise(
                reference=f"orders/{row['order_id']}",
                make_time=day(row["order_date"]),
                due_time=day(row["required_date"]),
                keep_time=day(row["shipped_date"]) if row["shipped_date"] else None,
            )
            for row in csv.DictReader(file)
        ]
    await past(desk, *promises)
    (row,) = await score(desk, since=datetime(1996, 1, 1, tzinfo=UTC), days=3650)
    assert (row.kept_count, row.kept_late_count, row.broken_count) == (772, 37, 21)
    assert row.kept_rate == pytest.approx(772 / 830)
    weeks = await score(desk, WEEK, since=datetime(1996, 1, 1, tzinfo=UTC), days=3650)
    assert sum(each.kept_count + each.kept_late_count + each.broken_count for each in weeks) == 830
