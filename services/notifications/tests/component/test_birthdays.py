"""Policies on a date of customers: each told once on it, where they live, if it is theirs still."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from google.type.date_pb2 import Date

from chassis.api.messages import moment, timestamp
from chassis.context import Call, acting, service_itself
from chassis.db.aliases import lock_person
from chassis.db.schema import WORK
from chassis.db.statement import Statement
from chassis.errors import PermissionDenied, Unavailable
from notifications.jobs import walk
from notifications.names import CUSTOMER
from notifications.store.walks import WALKS
from notifications.usecases.notice import SEND
from rapport.customer.v1.consent_service_pb2 import CheckContactResponse
from rapport.customer.v1.customer_events_pb2 import CustomersMerged
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.notice_policy_service_pb2 import (
    DeleteNoticePolicyRequest,
    PreviewNoticePolicyRequest,
)
from rapport.notifications.v1.notice_policy_service_pb2_grpc import NoticePolicyServiceStub
from rapport.notifications.v1.notice_service_pb2 import ListNoticesRequest
from rapport.notifications.v1.template_pb2 import TemplateText
from rapport_testing.running import error_of, reason
from rapport_testing.wait import eventually

WAITING = Statement[Any](
    sa.text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
)
FREE = Statement[Any](sa.select(WALKS.c.step).with_for_update(skip_locked=True))
CustomerDate = NoticePolicy.CustomerDate
BIRTHDAY = {
    "event_type": None,
    "customer_date": CustomerDate(date=CustomerDate.DATE_BIRTH_DATE),
    "template": "templates/hello",
}


def birthday(**when: int) -> Any:
    """When it is told: of the day itself at nine, if nothing else is said."""
    return CustomerDate(date=CustomerDate.DATE_BIRTH_DATE, **when)


class Birthdays:
    """A desk with words for birthdays, and what is done with them."""

    def __init__(self, desk: Any) -> None:
        self.desk, self.clock, self.known = desk, desk.clock, desk.peers.profiles.known

    def born(self, month: int, day: int, name: str = "") -> str:
        """A customer."""
        name = name or f"customers/{uuid4()}"
        person = Person(birth_date=Date(month=month, day=day))
        created = timestamp(datetime(2020, 1, 1, tzinfo=UTC))
        self.known[name] = Customer(name=name, create_time=created, person=person)
        return name

    def create(self, offset_days: int = 0, hour: int | None = None, **fields: Any) -> Any:
        on = CustomerDate(date=CustomerDate.DATE_BIRTH_DATE, offset_days=offset_days, hour=hour)
        fields = {"customer_date": on} | fields
        return self.desk.create_policy("birthday", **BIRTHDAY | fields)

    def until(self, *when: int) -> None:
        """Move the clock to then, UTC."""
        self.clock.advance(datetime(*when, tzinfo=UTC) - self.clock.now())

    async def notices(self) -> list[Any]:
        """All of them, oldest first."""
        request = ListNoticesRequest(filter="notice_policy = noticePolicies/birthday", page_size=1000)
        return [*reversed((await self.desk.notices.ListNotices(request)).notices)]

    async def reached(self, *states: str) -> list[Any]:
        """All of them, once they are in these states, in whatever order they were requested."""

        async def found() -> Any:
            notices = await self.notices()
            return notices if sorted(map(self.desk.state, notices)) == sorted(states) else None

        return list(await eventually(found))

    async def of(self, name: str, *states: str) -> list[Any]:
        """Those of a customer, oldest first, once they are in these states."""

        async def found() -> Any:
            notices = [each for each in await self.notices() if each.customer == name]
            return notices if [self.desk.state(each) for each in notices] == [*states] else None

        return list(await eventually(found))

    async def deferred(self) -> list[Any]:
        """All of them, once each waits for its hour."""

        async def found() -> Any:
            notices = await self.notices()
            return notices if all(each.defer_reason_code == "scheduled" for each in notices) else None

        return list(await eventually(found))

    async def walked(self, filter: str) -> None:
        """Whoever has such a birthday was asked for."""

        async def found() -> bool:
            return filter in self.desk.peers.profiles.filters

        await eventually(found)


@pytest.fixture
async def birthdays(desk: Any) -> Birthdays:
    hello = TemplateText(subject="Hello", body="Hello. {{ contact_name }}")
    await desk.create_template("hello", hello, department="departments/platform")
    return Birthdays(desk)


@pytest.mark.parametrize(("zone", "hour"), [("Pacific/Kiritimati", 7), ("Pacific/Pago_Pago", 0)])
async def test_each_is_told_once_on_the_day_where_they_live_whatever_is_walked_again(
    birthdays: Birthdays, zone: str, hour: int
) -> None:
    birthdays.desk.peers.customers.answer.time_zone = zone
    birthdays.born(3, 20)
    birthdays.born(3, 21)
    await birthdays.create(hour=hour)
    birthdays.until(2026, 3, 18)
    [waits] = await birthdays.reached("REQUESTED")
    assert moment(waits.schedule_time) == datetime(2026, 3, 19, 10 + hour, tzinfo=UTC)
    await birthdays.desk.update_policy("birthday", disabled=False, expire_after=timedelta(hours=5))
    birthdays.clock.advance(moment(waits.schedule_time) - birthdays.clock.now())
    if zone.endswith("Pago_Pago"):
        waits = (await birthdays.deferred())[0]
        birthdays.clock.advance(moment(waits.defer_time) - birthdays.clock.now())
    told = (await birthdays.reached("SENT", "REQUESTED"))[0]
    assert moment(told.send_time).astimezone(ZoneInfo(zone)).isoformat()[:13] == f"2026-03-20T{hour:02}"


async def test_of_several_policies_a_departments_wishes_and_nobody_is_wished_twice(
    birthdays: Birthdays,
) -> None:
    for _ in range(2):
        birthdays.born(3, 20)
    await birthdays.desk.create_policy("a-birthday", **BIRTHDAY, department="departments/platform")
    await birthdays.create(department="departments/support")
    birthdays.until(2026, 3, 18, 6)
    await birthdays.reached("REQUESTED", "REQUESTED")
    birthdays.until(2026, 3, 20, 12)
    await birthdays.reached("SENT", "SENT")
    await eventually(lambda: birthdays.desk.peers.profiles.filters.count('birthday = "03-22"') == 2)
    assert len(birthdays.desk.mail.received) == 2


async def test_who_is_told_days_before_is_told_on_the_day_as_well(birthdays: Birthdays) -> None:
    birthdays.born(3, 20)
    before = CustomerDate(date=CustomerDate.DATE_BIRTH_DATE, offset_days=-1)
    await birthdays.desk.create_policy("a-voucher", **BIRTHDAY | {"customer_date": before})
    await birthdays.create()
    birthdays.until(2026, 3, 18, 6)
    await birthdays.reached("REQUESTED")
    birthdays.until(2026, 3, 19, 12)
    await eventually(lambda: len(birthdays.desk.mail.received) == 1)
    birthdays.until(2026, 3, 20, 12)
    await birthdays.reached("SENT")
    assert len(birthdays.desk.mail.received) == 2


async def test_an_event_that_is_given_takes_the_place_of_the_date(birthdays: Birthdays) -> None:
    await birthdays.create()
    event_type = "rapport.customer.v1.CustomerConverted"
    policy = await birthdays.desk.update_policy("birthday", event_type=event_type)
    assert (policy.event_type, policy.WhichOneof("trigger")) == (event_type, "event_type")
    policy = await birthdays.desk.update_policy("birthday", customer_date=BIRTHDAY["customer_date"])
    assert policy.WhichOneof("trigger") == "customer_date"


async def test_days_before_and_on_28_february_who_was_born_on_the_29th_are_told(
    birthdays: Birthdays,
) -> None:
    for month, day in ((2, 27), (2, 28), (2, 29), (3, 1)):
        birthdays.born(month, day)
    birthdays.until(2027, 2, 20)
    await birthdays.create(offset_days=-7)
    notices = await birthdays.reached("REQUESTED", "REQUESTED", "REQUESTED")
    *of_28, of_1 = sorted(moment(each.schedule_time).isoformat()[:13] for each in notices)
    assert (of_28, of_1) == (["2027-02-20T19"] * 2, "2027-02-21T19")


async def test_who_is_merged_between_is_told_once(birthdays: Birthdays) -> None:
    names = [birthdays.born(3, 20) for _ in range(2)]
    await birthdays.create()
    birthdays.until(2026, 3, 18)
    await birthdays.reached("REQUESTED", "REQUESTED")
    merged = CustomersMerged(
        customer_merge=f"{names[0]}/merges/{uuid4()}", customers=names, survivors=names[:1] * 2, sequence=1
    )
    await birthdays.desk.running.deliver(merged, resource=merged.customer_merge, source="customer")
    birthdays.until(2026, 3, 20, 12)
    notices = await birthdays.reached("SENT", "SUPPRESSED")
    assert {each.reason_code for each in notices} == {"", "already-told"}


async def test_a_date_that_changed_and_a_customer_who_is_gone_are_told_of_to_nobody(
    birthdays: Birthdays,
) -> None:
    changed, gone = birthdays.born(3, 20), birthdays.born(3, 20)
    await birthdays.create()
    birthdays.until(2026, 3, 18)
    await birthdays.reached("REQUESTED", "REQUESTED")
    birthdays.born(6, 1, changed)
    del birthdays.known[gone]
    birthdays.until(2026, 3, 20, 12)
    notices = {each.customer: each for each in await birthdays.reached("SUPPRESSED", "SUPPRESSED")}
    assert notices[changed].reason_code == "date-changed"
    assert notices[gone].reason_code == "customer-not-found"


async def test_a_walk_that_is_interrupted_goes_on_and_what_is_over_by_then_is_told_to_nobody(
    birthdays: Birthdays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "PAGE", 2)
    profiles = birthdays.desk.peers.profiles
    names = {birthdays.born(3, day) for day in (20, 20, 20, 24, 24, 24, 24, 24)}
    profiles.refusal = Unavailable("AWAY", "told to")
    await birthdays.create()
    await eventually(lambda: profiles.filters)
    birthdays.until(2026, 3, 24, 12)  # nobody could be asked for days, and the 20th is over everywhere
    profiles.refusal = None
    birthdays.until(2026, 3, 24, 13)
    notices = await birthdays.reached(*["SENT"] * 5)
    assert len({each.customer for each in notices} & names) == 5
    await birthdays.walked('birthday = "03-26"')
    assert len(await birthdays.notices()) == 5


async def test_what_waited_of_a_policy_that_was_changed_is_not_sent_but_told_as_the_policy_is_now(
    birthdays: Birthdays,
) -> None:
    desk, event = birthdays.desk, "rapport.customer.v1.CustomerConverted"
    await desk.create_template("right", TemplateText(subject="Right", body="Dear {{ contact_name }}."))

    async def off_and_on() -> None:
        await desk.update_policy("birthday", disabled=True)
        await desk.update_policy("birthday", disabled=False)

    async def deleted_and_made_anew() -> None:
        await desk.policies.DeleteNoticePolicy(DeleteNoticePolicyRequest(name="noticePolicies/birthday"))
        await birthdays.create()

    async def another_template() -> None:
        await desk.update_policy("birthday", template="templates/right")

    async def at_noon() -> None:
        await desk.update_policy("birthday", customer_date=birthday(hour=12))

    async def at_three() -> None:
        await desk.update_policy("birthday", customer_date=birthday(hour=15))

    async def the_day_before() -> None:
        await desk.update_policy("birthday", customer_date=birthday(offset_days=-1))

    await birthdays.create()
    for day, changes, scheduled in (
        (10, [off_and_on], "09T19"),
        (13, [deleted_and_made_anew], "12T19"),
        (16, [another_template], "15T19"),
        (19, [at_noon, at_three], "19T01"),
        (22, [the_day_before], "20T19"),
    ):
        await desk.update_policy("birthday", customer_date=birthday())
        name = birthdays.born(3, day)
        birthdays.until(2026, 3, day - 2)
        await birthdays.of(name, "REQUESTED")
        ended = list[str]()
        for change in changes:
            await change()
            ended.append("SUPPRESSED")
            waits = (await birthdays.of(name, *ended, "REQUESTED"))[-1]
        at = moment(waits.schedule_time)
        assert at.isoformat()[8:13] == scheduled
        birthdays.clock.advance(at + timedelta(hours=16) - birthdays.clock.now())
        *off, _ = await birthdays.of(name, *ended, "SENT")
        assert {each.reason_code for each in off} == {"policy-off"}
    assert [str(each["subject"]) for each in desk.mail.received] == ["Hello"] * 2 + ["Right"] * 3
    name = birthdays.born(3, 25)
    birthdays.until(2026, 3, 22)
    await birthdays.of(name, "REQUESTED")
    await desk.update_policy("birthday", event_type=event)
    birthdays.until(2026, 3, 25, 12)
    assert (await birthdays.of(name, "SUPPRESSED"))[0].reason_code == "policy-off"


async def test_a_day_whose_hour_has_come_somewhere_is_told_as_it_was(birthdays: Birthdays) -> None:
    name = birthdays.born(3, 20)
    await birthdays.create()
    birthdays.until(2026, 3, 20)
    await birthdays.deferred()
    await birthdays.desk.update_policy("birthday", customer_date=birthday(hour=11))
    birthdays.until(2026, 3, 20, 8)
    await birthdays.of(name, "SENT")


async def test_what_is_told_on_a_day_is_one_flow_and_another_day_is_another(birthdays: Birthdays) -> None:
    for day in (20, 20, 21):
        birthdays.born(3, day)
    await birthdays.create()
    birthdays.until(2026, 3, 19)
    await birthdays.reached("REQUESTED", "REQUESTED", "REQUESTED")
    flows = sa.select(WORK.c.correlation_id, WORK.c.traceparent).where(WORK.c.kind == SEND)
    rows = await Statement[Any](flows).all(birthdays.desk.running.db)
    assert len(rows) == 3
    assert len({row["correlation_id"] for row in rows}) == 2
    assert len({row["traceparent"].split("-")[1] for row in rows}) == 2


async def test_nobody_who_changes_a_policy_waits_for_a_step_that_waits_for_a_customer(
    birthdays: Birthdays,
) -> None:
    name, db = birthdays.born(3, 20), birthdays.desk.running.db
    await birthdays.create()
    await birthdays.walked('birthday = "03-04"')
    with acting(Call("test", service_itself(db.service))):
        async with db.transaction() as tx:
            await lock_person(tx, *CUSTOMER.ids(name))
            birthdays.until(2026, 3, 18)

            async def waits() -> Any:
                return await WAITING.maybe(db)

            await eventually(waits)
            assert await FREE.maybe(db) is not None
    await birthdays.reached("REQUESTED")


async def test_it_is_looked_at_before_whom_it_would_tell_in_the_next_days(birthdays: Birthdays) -> None:
    policy = NoticePolicy(**{name: value for name, value in BIRTHDAY.items() if value})
    asked = PreviewNoticePolicyRequest(notice_policy=policy)
    today = birthdays.clock.now().date()
    soon, late = today + timedelta(days=3), today + timedelta(days=10)
    name = birthdays.born(soon.month, soon.day)
    birthdays.known[name].effective_time_zone = "Pacific/Pago_Pago"
    birthdays.born(late.month, late.day)
    [row] = (await birthdays.desk.policies.PreviewNoticePolicy(asked)).rows
    at = datetime(soon.year, soon.month, soon.day, 20, tzinfo=UTC)
    assert (row.customer, moment(row.schedule_time), row.reason_code) == (name, at, "")
    birthdays.desk.peers.customers.answer = CheckContactResponse(reason_code="consent-denied")
    [row] = (await birthdays.desk.policies.PreviewNoticePolicy(asked)).rows
    assert (row.customer, row.reason_code) == (name, "consent-denied")
    await birthdays.create()
    [row] = (await birthdays.desk.policies.PreviewNoticePolicy(asked)).rows
    assert (row.reason_code, row.notice_policy) == ("merged", "noticePolicies/birthday")
    birthdays.desk.peers.profiles.refusal = PermissionDenied("PERMISSION_DENIED", "customer.customers.read")
    refused = await error_of(birthdays.desk.policies.PreviewNoticePolicy(asked))
    assert reason(refused) == "PERMISSION_DENIED"
    asked.start_time.CopyFrom(timestamp(birthdays.clock.now()))
    call = birthdays.desk.policies.PreviewNoticePolicy(asked)
    assert await birthdays.desk.violations(call) == {"start_time": "INVALID_TIME"}


async def test_who_may_not_read_customers_saves_no_policy_that_finds_them(birthdays: Birthdays) -> None:
    desk = birthdays.desk
    await birthdays.create(disabled=True)
    desk.policies = desk.running.stub(NoticePolicyServiceStub, ["notifications.*"])
    for saved in (
        desk.create_policy("another", **BIRTHDAY),
        desk.update_policy("birthday", disabled=False),
    ):
        assert reason(await error_of(saved)) == "PERMISSION_DENIED"


async def test_what_is_read_of_events_is_empty_and_one_trigger_is_given(birthdays: Birthdays) -> None:
    day = {"day": {"date_field": "expire_time"}}
    made = birthdays.create(condition="true", variables={"a": "1"}, schedule=day)
    assert await birthdays.desk.violations(made) == {
        "notice_policy.condition": "INVALID_CODE",
        "notice_policy.variables": "INVALID_CODE",
        "notice_policy.schedule": "INVALID_CODE",
    }
    none = birthdays.create(customer_date=None)
    assert await birthdays.desk.violations(none) == {"notice_policy.event_type": "REQUIRED"}
    undated = birthdays.create(customer_date=CustomerDate(hour=7))
    assert await birthdays.desk.violations(undated) == {"notice_policy.customer_date.date": "INVALID_ENUM"}
