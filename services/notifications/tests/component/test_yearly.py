"""What is told each year: one notice a year, and none once that is over."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from chassis.api.messages import moment, timestamp
from chassis.db.schema import TIMERS
from chassis.db.statement import Statement
from notifications.usecases.notice import NEXT_YEAR_TIMER
from rapport.customer.v1.consent_service_pb2 import CheckContactResponse
from rapport.customer.v1.customer_events_pb2 import CustomerConverted
from rapport.loyalty.v1.loyalty_events_pb2 import VoucherIssued, VoucherUsed
from rapport.notifications.v1 import notice_service_pb2
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.notice_policy_service_pb2 import PreviewNoticePolicyRequest
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.wait import eventually
from services.notifications.tests.component.merging import another_name, taken_apart

SET = Statement[Any](sa.select(TIMERS.c.id).where(TIMERS.c.kind == NEXT_YEAR_TIMER))
VIENNA = ZoneInfo("Europe/Vienna")
DAY = {"date_field": "expire_time", "hour": 10, "yearly": True}
RENEWS: dict[str, Any] = {
    "event_type": "rapport.loyalty.v1.VoucherIssued",
    "template": "templates/hello",
    "schedule": {"day": DAY},
    "cancel_event_types": ["rapport.loyalty.v1.VoucherUsed"],
}


@pytest.fixture
async def ready(desk: Any) -> Any:
    """A desk with a template, whose customer lives in Vienna."""
    desk.peers.customers.answer.time_zone = "Europe/Vienna"
    hello = TemplateText(subject="Hello", body="Hello. {{ contact_name }}")
    await desk.create_template("hello", hello, department="departments/platform")
    return desk


async def issue(
    desk: Any, until: datetime, voucher: str = "", version: int = 1, **said: Any
) -> tuple[str, Any]:
    """A voucher that ends then, and the id of the event."""
    voucher = voucher or f"vouchers/{uuid4()}"
    event = VoucherIssued(voucher=voucher, customer=desk.customer, expire_time=timestamp(until))
    told = {"resource": voucher, "version": version, "source": "loyalty"} | said
    return voucher, await desk.running.deliver(event, **told)


async def used(desk: Any, voucher: str) -> None:
    event = VoucherUsed(voucher=voucher, customer=desk.customer)
    await desk.running.deliver(event, resource=voucher, version=9, source="loyalty")


async def about(desk: Any, voucher: str) -> list[Any]:
    """The notices about a voucher, oldest first."""
    request = notice_service_pb2.ListNoticesRequest(filter=f"customer = {desk.customer}", page_size=1000)
    found = (await desk.notices.ListNotices(request)).notices
    return [each for each in reversed(found) if each.subject == voucher]


async def states(desk: Any, voucher: str, *wanted: str) -> list[Any]:
    """The notices about a voucher, once they are in these states."""

    async def found() -> Any:
        notices = await about(desk, voucher)
        return notices if [desk.state(each) for each in notices] == [*wanted] else None

    return list(await eventually(found))


async def sent_next(desk: Any, voucher: str, before: int) -> Any:
    """The notice that waits after so many, sent when it is its hour; the clock is moved there."""
    waits = (await states(desk, voucher, *["SENT"] * before, "REQUESTED"))[-1]
    desk.clock.advance(moment(waits.schedule_time) - desk.clock.now())

    async def deferred() -> Any:
        now = await desk.get(waits.name)
        return now if now.defer_reason_code == "scheduled" else None

    waits = await eventually(deferred)
    desk.clock.advance(moment(waits.defer_time) - desk.clock.now())
    return (await states(desk, voucher, *["SENT"] * (before + 1), "REQUESTED"))[before]


async def test_it_is_told_on_the_day_of_each_year_once_whatever_comes_again(ready: Any) -> None:
    await ready.create_policy("renews", **RENEWS)
    # The clock of the tests begins on 2 March 2026: 29 February was in 2024, and is in 2028 again.
    began = datetime(2024, 2, 29, 12, tzinfo=VIENNA)
    voucher, event_id = await issue(ready, began)
    days = []
    for year in range(3):
        notice = await sent_next(ready, voucher, year)
        days.append(moment(notice.send_time).astimezone(VIENNA))
        await issue(ready, began, voucher, event_id=event_id)
    assert [each.isoformat()[:13] for each in days] == ["2027-02-28T10", "2028-02-29T10", "2029-02-28T10"]
    assert len(ready.mail.accepted) == 3
    explanation = await ready.explain((await about(ready, voucher))[1].name)
    inputs = [dict(each.inputs) for each in explanation.decisions if each.step == "trigger"]
    assert [(each["years"], each["notice"]) for each in inputs] == [
        ("4", (await about(ready, voucher))[0].name)
    ]


async def test_a_first_year_whose_day_begins_within_hours_is_told_and_none_whose_day_had_begun(
    ready: Any,
) -> None:
    await ready.create_policy("renews", **RENEWS)
    now = ready.clock.now().astimezone(VIENNA)
    last_year = now.replace(year=now.year - 1, hour=23)
    today, _ = await issue(ready, last_year)
    tomorrow, _ = await issue(ready, last_year + timedelta(days=1))
    ended, planned = await states(ready, today, "SUPPRESSED", "REQUESTED")
    assert (ended.reason_code, moment(planned.schedule_time).year) == ("expired", now.year + 1)
    ready.clock.advance((now + timedelta(days=1)).replace(hour=10, minute=0) - now)
    told = (await states(ready, tomorrow, "SENT", "REQUESTED"))[0]
    assert (
        moment(told.send_time).astimezone(VIENNA).isoformat()[:13] == f"{now + timedelta(days=1):%Y-%m-%d}T10"
    )


async def test_over_summer_time_it_is_the_same_hour(ready: Any) -> None:
    await ready.create_policy("renews", **RENEWS | {"schedule": {"day": DAY | {"offset_days": -14}}})
    began = datetime(
        2026, 4, 8, 9, tzinfo=VIENNA
    )  # clocks go forward on 29 March 2026, 28 and 25 in 2027, 2028
    voucher, _ = await issue(ready, began)
    hours = [moment((await sent_next(ready, voucher, year)).send_time) for year in range(3)]
    assert [each.isoformat()[:13] for each in hours] == ["2026-03-25T09", "2027-03-25T09", "2028-03-25T09"]


async def test_a_newer_day_takes_the_place_of_what_is_planned(ready: Any) -> None:
    await ready.create_policy("renews", **RENEWS)
    voucher, _ = await issue(ready, datetime(2026, 4, 1, 12, tzinfo=VIENNA))
    await sent_next(ready, voucher, 0)
    await issue(ready, datetime(2026, 6, 1, 12, tzinfo=VIENNA), voucher, 2)
    found = await states(ready, voucher, "SENT", "SUPPRESSED", "REQUESTED")
    assert found[1].reason_code == "superseded"
    assert moment(found[2].schedule_time).month in (5, 6)


async def test_what_is_over_is_told_in_no_year_more(ready: Any) -> None:
    await ready.create_policy("renews", **RENEWS)
    voucher, _ = await issue(ready, datetime(2026, 4, 1, 12, tzinfo=VIENNA))
    await sent_next(ready, voucher, 0)
    await used(ready, voucher)
    found = await states(ready, voucher, "SENT", "SUPPRESSED")
    assert found[1].reason_code == "cause-gone"
    await no_timer(ready)
    await states(ready, voucher, "SENT", "SUPPRESSED")


async def no_timer(desk: Any) -> None:
    """Whatever was to be planned is."""

    async def none() -> bool:
        return await SET.maybe(desk.running.db) is None

    await eventually(none)


async def test_what_ends_unsent_is_planned_for_the_next_year_and_with_the_customer_it_is_over(
    ready: Any,
) -> None:
    await ready.create_policy("renews", **RENEWS)
    voucher, _ = await issue(ready, datetime(2026, 4, 1, 12, tzinfo=VIENNA))
    ready.peers.customers.answer = CheckContactResponse(allowed=False, reason_code="consent-denied")
    [waits] = await states(ready, voucher, "REQUESTED")
    ready.clock.advance(moment(waits.schedule_time) - ready.clock.now())
    found = await states(ready, voucher, "SUPPRESSED", "REQUESTED")
    assert found[0].reason_code == "consent-denied"
    assert moment(found[1].schedule_time).year == 2027


@pytest.mark.parametrize(
    ("change", "goes_on"),
    [
        ({"schedule": {"day": DAY | {"hour": 12}}}, True),
        ({"schedule": {"day": DAY | {"yearly": False}}}, False),
        ({"condition": "event.voucher != ''"}, False),
    ],
)
async def test_the_next_year_is_planned_as_the_policy_is_then(ready: Any, change: Any, goes_on: bool) -> None:
    await ready.create_policy("renews", **RENEWS)
    voucher, _ = await issue(ready, datetime(2026, 4, 1, 12, tzinfo=VIENNA))
    [waits] = await states(ready, voucher, "REQUESTED")
    await ready.update_policy("renews", **change)
    ready.clock.advance(moment(waits.expire_time) - ready.clock.now())
    await states(ready, voucher, "SUPPRESSED", *["REQUESTED"] * goes_on)
    if goes_on:
        assert (await about(ready, voucher))[1].policy_version == 2


async def test_a_policy_that_was_off_since_plans_nothing_more(ready: Any) -> None:
    await ready.create_policy("renews", **RENEWS)
    voucher, _ = await issue(ready, datetime(2026, 4, 1, 12, tzinfo=VIENNA))
    [waits] = await states(ready, voucher, "REQUESTED")
    await ready.update_policy("renews", disabled=True)
    await ready.update_policy("renews", disabled=False)
    ready.clock.advance(moment(waits.expire_time) - ready.clock.now())
    await states(ready, voucher, "SUPPRESSED")


async def test_it_is_tried_on_what_happened_and_refused_without_a_day(ready: Any) -> None:
    await issue(ready, datetime(2020, 4, 1, 12, tzinfo=VIENNA))
    ready.clock.advance(timedelta(seconds=2))
    policy = NoticePolicy(**RENEWS)
    answer = await ready.policies.PreviewNoticePolicy(PreviewNoticePolicyRequest(notice_policy=policy))
    [row] = answer.rows
    assert (row.reason_code, moment(row.schedule_time).date().isoformat()) == ("", "2026-04-01")


async def test_the_day_of_the_first_purchase_is_told_of_from_the_year_after_on(ready: Any) -> None:
    policy = {"event_type": "rapport.customer.v1.CustomerConverted", "template": "templates/hello"}
    await ready.create_policy(
        "with-us", **policy, schedule={"day": {"date_field": "purchase_time", "yearly": True}}
    )
    bought = timestamp(ready.clock.now())
    event = CustomerConverted(customer=ready.customer, purchase_time=bought)
    await ready.running.deliver(event, resource=ready.customer, version=2, source="customer")
    [waits] = await states(ready, ready.customer, "REQUESTED")
    assert moment(waits.schedule_time).year == 2027


async def test_who_was_merged_is_told_once_a_year_and_those_who_are_apart_again_each_of_their_own(
    ready: Any,
) -> None:
    policy = {"event_type": "rapport.customer.v1.CustomerConverted", "template": "templates/hello"}
    await ready.create_policy("with-us", **policy, schedule={"day": DAY | {"date_field": "purchase_time"}})
    names = [ready.customer, await another_name(ready)]
    for name in names:
        ready.clock.advance(timedelta(seconds=1))
        event = CustomerConverted(customer=name, purchase_time=timestamp(ready.clock.now()))
        await ready.running.deliver(event, resource=name, version=2, source="customer")
        await states(ready, name, "REQUESTED")
    for year in range(2):
        await sent_next(ready, names[1], year)
    *over, _ = await states(ready, names[0], "SUPPRESSED", "SUPPRESSED", "REQUESTED")
    assert [each.reason_code for each in over] == ["already-told"] * 2
    assert len(ready.mail.accepted) == 2
    await taken_apart(ready, names[1])
    ready.clock.advance(timedelta(days=365))
    await states(ready, names[0], "SUPPRESSED", "SUPPRESSED", "SENT", "REQUESTED")
    await eventually(lambda: len(ready.mail.accepted) == 4)
