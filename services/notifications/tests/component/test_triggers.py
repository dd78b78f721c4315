"""Policies on events of any service: each notice once, and none of what is gone."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
import sqlalchemy as sa
from google.protobuf.duration_pb2 import Duration

from chassis.api.messages import moment, timestamp
from chassis.db.statement import Statement
from chassis.grpc import status
from notifications.domain.trigger import Mark
from notifications.store.triggers import MARKS_TABLE, POLICIES_ON_EVENTS
from notifications.usecases import marks
from rapport.cases.v1.cases_events_pb2 import CaseOpened, CaseResolved
from rapport.loyalty.v1.loyalty_events_pb2 import TierUpgraded, VoucherIssued, VoucherUsed
from rapport.notifications.v1 import notice_policy_service_pb2, notice_service_pb2
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport_testing.running import error_of, refusal, refused
from rapport_testing.wait import eventually

TIER = "rapport.loyalty.v1.TierUpgraded"
MARKED = Statement(sa.select(MARKS_TABLE), row=Mark)
VOUCHER = "rapport.loyalty.v1.VoucherIssued"


@pytest.fixture
async def ready(desk: Any) -> Any:
    """A desk with templates: `tier`, which takes a tier, and `hello`, which takes nothing."""
    tier = TemplateText(subject="You are {{ tier }}", body="You are {{ tier }} now. {{ contact_name }}")
    variable = Template.Variable(name="tier", impersonal=True)
    await desk.create_template("tier", tier, variables=[variable])
    hello = TemplateText(subject="Hello", body="Hello. {{ contact_name }}")
    await desk.create_template("hello", hello, department="departments/platform")
    return desk


def upgraded(desk: Any, **fields: Any) -> TierUpgraded:
    return TierUpgraded(
        **{
            "tier_standing": f"programs/main/tierStandings/{uuid4()}",
            "customer": desk.customer,
            "program": "programs/main",
            "tier": "gold",
        }
        | fields
    )


async def tell(desk: Any, event: Any, version: int = 1, **said: Any) -> Any:
    """An event about its first field."""
    resource = getattr(event, event.DESCRIPTOR.fields[0].name)
    source = event.DESCRIPTOR.full_name.split(".")[1]
    return await desk.running.deliver(event, resource=resource, version=version, source=source, **said)


async def notices(desk: Any) -> list[Any]:
    """Of the desk's customer, oldest first."""
    request = notice_service_pb2.ListNoticesRequest(filter=f"customer = {desk.customer}")
    return list(reversed((await desk.notices.ListNotices(request)).notices))


async def told_of(desk: Any, subject: str, state: str) -> Any:
    """The newest notice about a subject, once it is in a state."""

    async def found() -> Any:
        about = [each for each in await notices(desk) if each.subject == subject]
        return about[-1] if about and desk.state(about[-1]) == state else None

    return await eventually(found)


async def heard(desk: Any) -> None:
    """Everything that loyalty told before is handled: one thing more is told of after it."""
    fields = {"event_type": TIER, "condition": "event.tier == 'last'", "template": "templates/hello"}
    await desk.create_policy(f"last-{uuid4().hex[:8]}", **fields)
    last = upgraded(desk, customer=f"customers/{uuid4()}", tier="last")
    await tell(desk, last)
    request = notice_service_pb2.ListNoticesRequest(filter=f"customer = {last.customer}")

    async def told() -> bool:
        return bool((await desk.notices.ListNotices(request)).notices)

    await eventually(told)


async def test_a_policy_tells_of_an_event_of_another_service_with_what_the_event_says(ready: Any) -> None:
    await ready.create_policy(
        "gold", event_type=TIER, template="templates/tier", variables={"tier": "event.tier"}
    )
    event = upgraded(ready)
    event_id = await tell(ready, event)
    notice = await told_of(ready, event.tier_standing, "SENT")
    assert (notice.notice_policy, notice.policy_version, notice.kind) == ("noticePolicies/gold", 1, "gold")
    assert (notice.customer, dict(notice.variables)) == (ready.customer, {"tier": "gold"})
    assert ready.mail.accepted[0]["Subject"] == "You are gold"
    [requested] = await ready.told("NoticeRequested")
    assert requested.causation_id == event_id
    explanation = await ready.explain(notice.name)
    assert "noticePolicies/gold asked for it" in explanation.summary
    [step] = [each for each in explanation.decisions if each.step == "trigger"]
    assert dict(step.inputs)["event_type"] == TIER


async def test_only_what_the_condition_holds_of_is_told(ready: Any) -> None:
    await ready.create_policy(
        "gold",
        event_type=TIER,
        template="templates/tier",
        variables={"tier": "event.tier"},
        condition="event.tier == 'gold'",
    )
    silver = upgraded(ready, tier="silver")
    gold = upgraded(ready)
    await tell(ready, silver)
    await tell(ready, gold)
    await told_of(ready, gold.tier_standing, "SENT")
    await heard(ready)
    assert [each.subject for each in await notices(ready)] == [gold.tier_standing]


async def test_an_event_that_comes_again_is_told_of_once(ready: Any) -> None:
    await ready.create_policy(
        "gold", event_type=TIER, template="templates/tier", variables={"tier": "event.tier"}
    )
    event = upgraded(ready)
    event_id = await tell(ready, event)
    for _ in range(9):
        await tell(ready, event, event_id=event_id)
    await told_of(ready, event.tier_standing, "SENT")
    await heard(ready)
    assert len(await notices(ready)) == 1


async def test_two_policies_about_one_thing_are_one_message_the_departments_first(ready: Any) -> None:
    platform = {"event_type": TIER, "template": "templates/hello", "department": "departments/platform"}
    own = {"event_type": TIER, "template": "templates/hello"}
    await ready.create_policy("a-platform", **platform)
    await ready.create_policy("c-own", **own)
    await ready.create_policy("b-own-but-not-this", **own, condition="event.tier == 'silver'")
    await ready.create_policy("d-own", **own)
    event = upgraded(ready)
    await tell(ready, event)
    notice = await told_of(ready, event.tier_standing, "SENT")
    assert notice.notice_policy == "noticePolicies/c-own"
    await heard(ready)
    assert len(await notices(ready)) == 1


async def test_who_cannot_tell_silences_nobody(ready: Any) -> None:
    own = {"event_type": TIER, "template": "templates/hello"}
    await ready.create_policy("a-without-a-day", **own, schedule={"day": {"date_field": "review_time"}})
    await ready.create_policy("b-tells", **own)
    event = upgraded(ready)
    await tell(ready, event)
    notice = await told_of(ready, event.tier_standing, "SENT")
    assert notice.notice_policy == "noticePolicies/b-tells"


async def test_another_departments_fact_is_told_by_the_platform_alone(ready: Any) -> None:
    event = CaseOpened(
        case=f"cases/{uuid4()}", customer=ready.customer, topic="late", department="departments/billing"
    )
    opened = {"event_type": "rapport.cases.v1.CaseOpened", "template": "templates/hello"}
    await ready.create_policy("a-front-desk", **opened)
    await ready.create_policy("b-platform", **opened, department="departments/platform")
    await tell(ready, event)
    notice = await told_of(ready, event.case, "SENT")
    assert (notice.notice_policy, notice.case) == ("noticePolicies/b-platform", event.case)


async def test_what_is_over_before_it_was_told_is_not_told(ready: Any) -> None:
    await ready.create_policy(
        "waiting",
        event_type="rapport.cases.v1.CaseOpened",
        template="templates/hello",
        department="departments/platform",
        schedule={"delay": Duration(seconds=3600)},
        cancel_event_types=["rapport.cases.v1.CaseResolved"],
    )
    silent, resolved, before = (f"cases/{uuid4()}" for _ in range(3))
    await tell(ready, CaseResolved(case=before, customer=ready.customer), version=2)
    for case in (silent, resolved, before):
        await tell(ready, CaseOpened(case=case, customer=ready.customer), version=1)
    await told_of(ready, resolved, "REQUESTED")
    await tell(ready, CaseResolved(case=resolved, customer=ready.customer), version=2)
    assert (await told_of(ready, resolved, "SUPPRESSED")).reason_code == "cause-gone"
    assert moment((await told_of(ready, silent, "REQUESTED")).schedule_time) == ready.in_days(1 / 24)
    assert ready.mail.received == []
    ready.clock.advance(timedelta(hours=1))
    await told_of(ready, silent, "SENT")
    assert sorted(each.subject for each in await notices(ready)) == sorted([silent, resolved])


async def test_what_was_heard_is_forgotten_when_nothing_older_can_come_and_not_before(
    ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "PAGE", 2)
    await ready.create_policy("gold", event_type=TIER, template="templates/hello")
    for _ in range(3):
        await tell(ready, upgraded(ready))
    ready.clock.advance(timedelta(days=2))
    kept = upgraded(ready)
    event_id = await tell(ready, kept)
    await told_of(ready, kept.tier_standing, "SENT")
    ready.clock.advance(marks.KEPT_FOR - timedelta(days=1))

    async def forgotten() -> bool:
        await ready.running.fire(marks.MARKS_TIMER)
        ready.clock.advance(marks.PACE)
        return [mark.event_id for mark in await MARKED.all(ready.running.db)] == [event_id]

    await eventually(forgotten)
    ready.clock.advance(timedelta(days=1))
    await ready.running.fire(marks.MARKS_TIMER)
    assert await MARKED.all(ready.running.db) == []


async def test_what_happens_anew_is_told_instead_of_what_was_not_sent(ready: Any) -> None:
    ready.peers.customers.failure = grpc.StatusCode.UNAVAILABLE
    await ready.create_policy(
        "gold", event_type=TIER, template="templates/tier", variables={"tier": "event.tier"}
    )
    standing = f"programs/main/tierStandings/{uuid4()}"
    await tell(ready, upgraded(ready, tier_standing=standing, tier="gold"), version=2)
    await told_of(ready, standing, "REQUESTED")
    await tell(ready, upgraded(ready, tier_standing=standing, tier="platinum"), version=3)

    async def both_heard() -> bool:
        return len(await notices(ready)) == 2

    await eventually(both_heard)
    ready.peers.customers.failure = None
    ready.clock.advance(timedelta(minutes=10))
    await told_of(ready, standing, "SENT")
    await tell(ready, upgraded(ready, tier_standing=standing, tier="silver"), version=1)
    await heard(ready)
    first, second = await notices(ready)
    assert (ready.state(first), first.reason_code) == ("SUPPRESSED", "superseded")
    assert (ready.state(second), second.variables["tier"]) == ("SENT", "platinum")


async def test_a_policy_tells_nobody_of_what_was_before_it_or_while_it_was_off(ready: Any) -> None:
    before = upgraded(ready)
    await tell(ready, before)
    ready.clock.advance(timedelta(seconds=1))
    await ready.create_policy("gold", event_type=TIER, template="templates/hello")
    ready.clock.advance(timedelta(seconds=1))
    await ready.update_policy("gold", disabled=True)
    ready.clock.advance(timedelta(seconds=1))
    off = upgraded(ready)
    await tell(ready, off)
    await heard(ready)
    await ready.update_policy("gold", disabled=False)
    assert await notices(ready) == []


VOUCHERS: dict[str, Any] = {
    "event_type": VOUCHER,
    "template": "templates/hello",
    "schedule": {"delay": Duration(seconds=3600)},
}
USED = ["rapport.loyalty.v1.VoucherUsed"]


async def waiting(ready: Any) -> str:
    """A voucher about which a notice waits."""
    voucher = f"vouchers/{uuid4()}"
    await tell(ready, VoucherIssued(voucher=voucher, customer=ready.customer))
    await told_of(ready, voucher, "REQUESTED")
    ready.clock.advance(timedelta(seconds=1))
    return voucher


async def test_what_waited_when_its_policy_was_switched_off_or_deleted_is_not_sent(ready: Any) -> None:
    for policy_id in ("off", "gone"):
        await ready.create_policy(policy_id, **VOUCHERS, condition=f"event.item == '{policy_id}'")
    await ready.create_policy("on", **VOUCHERS)
    vouchers = {each: f"vouchers/{uuid4()}" for each in ("off", "gone", "on")}
    for item, voucher in vouchers.items():
        await tell(ready, VoucherIssued(voucher=voucher, customer=ready.customer, item=item))
        await told_of(ready, voucher, "REQUESTED")
    await ready.update_policy("off", disabled=True)
    await ready.update_policy("off", disabled=False)
    deleted = notice_policy_service_pb2.DeleteNoticePolicyRequest(name="noticePolicies/gone")
    await ready.policies.DeleteNoticePolicy(deleted)
    await ready.update_policy("on", condition="true")
    ready.clock.advance(timedelta(hours=1))
    await told_of(ready, vouchers["on"], "SENT")
    for each in ("off", "gone"):
        notice = await told_of(ready, vouchers[each], "SUPPRESSED")
        assert notice.reason_code == "policy-off"
        assert "switched off" in (await ready.explain(notice.name)).summary
    assert len(ready.mail.received) == 1


async def test_what_waits_is_over_by_what_its_policy_said_when_it_asked(ready: Any) -> None:
    await ready.create_policy("issued", **VOUCHERS, cancel_event_types=USED)
    first = await waiting(ready)
    await ready.update_policy("issued", subject_field="", cancel_event_types=[])
    ready.clock.advance(timedelta(seconds=1))
    third = await waiting(ready)
    for each in (first, third):
        await tell(ready, VoucherUsed(voucher=each, customer=ready.customer), version=2)
    assert (await told_of(ready, first, "SUPPRESSED")).reason_code == "cause-gone"
    await heard(ready)
    await told_of(ready, third, "REQUESTED")


async def test_it_is_sent_on_the_day_before_at_the_hour_where_the_customer_lives(ready: Any) -> None:
    ready.peers.customers.answer.time_zone = "Pacific/Auckland"
    await ready.create_policy(
        "ending",
        event_type=VOUCHER,
        template="templates/hello",
        schedule={"day": {"date_field": "expire_time", "offset_days": -1, "hour": 10}},
        cancel_event_types=["rapport.loyalty.v1.VoucherUsed"],
    )
    ends = ready.in_days(20)
    voucher, used = f"vouchers/{uuid4()}", f"vouchers/{uuid4()}"
    for each in (voucher, used):
        event = VoucherIssued(voucher=each, customer=ready.customer, expire_time=timestamp(ends))
        await tell(ready, event)
    await told_of(ready, used, "REQUESTED")
    await tell(ready, VoucherUsed(voucher=used), version=2)
    assert (await told_of(ready, used, "SUPPRESSED")).reason_code == "cause-gone"
    notice = await told_of(ready, voucher, "REQUESTED")
    ready.clock.advance(moment(notice.schedule_time) - ready.clock.now())

    async def deferred() -> Any:
        found = await ready.get(notice.name)
        return found if found.defer_reason_code == "scheduled" else None

    waits = await eventually(deferred)
    # The clock of the tests begins on 2 March 2026 at 09:00 UTC, when Auckland is 13 hours ahead.
    assert moment(waits.defer_time) == (ends - timedelta(days=1)).replace(hour=21) - timedelta(days=1)
    ready.clock.advance(moment(waits.defer_time) - ready.clock.now())
    await told_of(ready, voucher, "SENT")


async def test_the_department_of_a_policy_takes_back_what_it_asked_for_and_nobody_else(ready: Any) -> None:
    await ready.create_policy(
        "gold", event_type=TIER, template="templates/hello", schedule={"delay": Duration(seconds=86400)}
    )
    event = upgraded(ready)
    event_id = await tell(ready, event)
    notice = await told_of(ready, event.tier_standing, "REQUESTED")
    request = notice_service_pb2.CancelNoticeRequest(name=notice.name)
    others = ready.running.stub(NoticeServiceStub, ["notifications.notices.write"], department="billing")
    assert await refused(others.CancelNotice(request)) == "NOT_OWNER"
    await ready.notices.CancelNotice(request)
    await tell(ready, event, event_id=event_id)  # and it is not asked for again
    await heard(ready)
    assert [each.reason_code for each in await notices(ready)] == ["taken-back"]


async def test_what_is_about_to_be_handed_over_is_not_once_its_policy_is_switched_off(ready: Any) -> None:
    await ready.create_policy("gold", event_type=TIER, template="templates/hello")
    ready.peers.directory.gate.clear()
    event = upgraded(ready)
    await tell(ready, event)
    await ready.peers.directory.asked.wait()  # by a process that has found the policy on
    await ready.update_policy("gold", disabled=True)
    ready.peers.directory.gate.set()
    notice = await told_of(ready, event.tier_standing, "SUPPRESSED")
    assert (notice.reason_code, ready.mail.received) == ("policy-off", [])


async def test_what_goes_on_different_days_is_no_flood_however_much_is_asked_for_at_once(ready: Any) -> None:
    await ready.create_policy(
        "ends",
        event_type=VOUCHER,
        template="templates/hello",
        schedule={"day": {"date_field": "expire_time"}},
    )
    for number in range(24):
        ends = ready.in_days(30 + 2 * number)
        voucher = VoucherIssued(
            voucher=f"vouchers/{uuid4()}", customer=ready.customer, expire_time=timestamp(ends)
        )
        await tell(ready, voucher)

    async def all_heard() -> Any:
        found = await notices(ready)
        return found if len(found) == 24 else None

    assert {each.reason_code for each in await eventually(all_heard)} == {""}


async def test_of_a_policy_that_is_changed_often_only_what_holds_or_waits_is_read(ready: Any) -> None:
    async def read() -> list[int]:
        now = ready.clock.now()
        versions = await POLICIES_ON_EVENTS.all(ready.running.db, since=now, until=now)
        return sorted(each.version for each in versions if each.id == "issued")

    await ready.create_policy("issued", **VOUCHERS)
    for count in range(2, 6):
        ready.clock.advance(timedelta(minutes=1))
        await ready.update_policy("issued", condition=f"{count} > 1")
        if count == 3:
            voucher = f"vouchers/{uuid4()}"
            await tell(ready, VoucherIssued(voucher=voucher, customer=ready.customer))
            await told_of(ready, voucher, "REQUESTED")
    assert await read() == [3, 5]


async def test_no_policy_floods_a_customer(ready: Any) -> None:
    await ready.create_policy("gold", event_type=TIER, template="templates/hello")
    for _ in range(21):
        await tell(ready, upgraded(ready))

    async def all_heard() -> Any:
        found = await notices(ready)
        return found if len(found) == 21 else None

    found = await eventually(all_heard)
    assert [each.reason_code for each in found].count("too-many-notices") == 1


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"event_type": "acme.v1.Nothing"}, {"notice_policy.event_type": "INVALID_CODE"}),
        ({"event_type": "rapport.notifications.v1.NoticeSent"}, {"notice_policy.event_type": "INVALID_CODE"}),
        ({"condition": "event.colour == 'red'"}, {"notice_policy.condition": "INVALID_RULE"}),
        ({"condition": "event.tier"}, {"notice_policy.condition": "INVALID_RULE"}),
        ({"variables": {"tier": "event.colour"}}, {"notice_policy.variables[tier]": "INVALID_RULE"}),
        (
            {"variables": {"tier": "event.tier", "more": "event.tier"}},
            {"notice_policy.variables[more]": "VARIABLE_UNKNOWN"},
        ),
        ({"customer_field": "review_time"}, {"notice_policy.customer_field": "INVALID_CODE"}),
        ({"subject_field": "colour"}, {"notice_policy.subject_field": "INVALID_CODE"}),
        (
            {"schedule": {"day": {"date_field": "tier"}}},
            {"notice_policy.schedule.day.date_field": "INVALID_CODE"},
        ),
        ({"schedule": {"day": {"hour": 10}}}, {"notice_policy.schedule.day.date_field": "REQUIRED"}),
        ({"cancel_event_types": ["acme.v1.Gone"]}, {"notice_policy.cancel_event_types[0]": "INVALID_CODE"}),
        (
            {"subject_field": "tier", "cancel_event_types": ["rapport.cases.v1.CaseResolved"]},
            {"notice_policy.cancel_event_types[0]": "INVALID_CODE"},
        ),
        (
            {"event_type": "rapport.cases.v1.PromiseAtRisk", "variables": {}, "condition": "true"},
            {"notice_policy.condition": "INVALID_CODE"},
        ),
    ],
)
async def test_a_policy_that_cannot_work_is_refused(
    ready: Any, change: dict[str, Any], reasons: dict[str, str]
) -> None:
    policy = {"event_type": TIER, "template": "templates/tier", "variables": {"tier": "event.tier"}}
    assert await ready.violations(ready.create_policy("gold", **policy | change)) == reasons


async def test_no_policy_on_another_event_tells_a_date_of_a_promise(ready: Any) -> None:
    dated = TemplateText(subject="A date", body="{{ new_date }} {{ contact_name }}")
    await ready.create_template("dated", dated)
    given = {"event_type": "rapport.cases.v1.PromiseMade", "variables": {"new_date": "event.make_time"}}
    for template in ("templates/dated", "templates/delay"):
        created = ready.create_policy("dates", template=template, **given)
        assert await refusal(created) == (grpc.StatusCode.FAILED_PRECONDITION, "TEMPLATE_NOT_SENDABLE")
    missing = status.refusal(
        await error_of(ready.create_policy("tier", event_type=TIER, template="templates/tier"))
    )
    assert (missing.reason, missing.metadata["field"]) == ("TEMPLATE_NOT_SENDABLE", "notice_policy.template")


@pytest.mark.parametrize(
    ("event", "value"),
    [
        ("PromiseMade", "event.due_time"),
        ("PromiseMade", "event.due_date"),
        ("PromiseRenegotiated", "string(event.new_due_time)"),
        ("PromiseRenegotiated", "event.first_due_time.getMonth()"),
        ("PromiseKept", "has(event.due_date) ? event.due_date : event.due_date"),
        ("WorkItemForecast", "event.forecast_finish_time"),
        ("ClockStarted", "event.due_time"),
    ],
)
async def test_no_policy_tells_a_date_of_a_promise_by_another_name(
    ready: Any, event: str, value: str
) -> None:
    by = TemplateText(subject="Soon", body="{{ by }} {{ contact_name }}")
    await ready.create_template("by", by, variables=[Template.Variable(name="by")])
    policy = {"event_type": f"rapport.cases.v1.{event}", "template": "templates/by"}
    refusal = await ready.violations(ready.create_policy("by", variables={"by": value}, **policy))
    assert refusal == {"notice_policy.variables[by]": "INVALID_RULE"}


async def test_no_policy_reminds_of_a_date_that_may_have_moved(ready: Any) -> None:
    made = {"event_type": "rapport.cases.v1.PromiseMade", "template": "templates/hello"}
    by = ready.create_policy("by", schedule={"day": {"date_field": "due_time"}}, **made)
    assert await ready.violations(by) == {"notice_policy.schedule.day.date_field": "INVALID_CODE"}


async def test_what_is_scheduled_is_sent_then_unless_it_is_taken_back(ready: Any) -> None:
    notice = {"customer": ready.customer, "kind": "hello", "template": "templates/hello"}
    notice |= {"schedule_time": timestamp(ready.in_days(30))}
    request = notice_service_pb2.SendNoticeRequest(notice=notice)
    sent, taken_back = [await ready.notices.SendNotice(request) for _ in range(2)]
    assert moment(sent.schedule_time) == ready.in_days(30)
    assert moment(sent.expire_time) == ready.in_days(31)
    await ready.notices.CancelNotice(notice_service_pb2.CancelNoticeRequest(name=taken_back.name))
    assert "to be sent from" in (await ready.explain(sent.name)).summary
    ready.clock.advance(timedelta(days=30))
    await ready.sent(sent.name)
    assert len(ready.mail.accepted) == 1
    request.notice.schedule_time.CopyFrom(timestamp(ready.in_days(1)))
    request.hold.FromSeconds(5)
    assert await ready.violations(ready.notices.SendNotice(request)) == {"hold": "INVALID_TIME"}
