"""What a policy would have done with what happened: who would have been told, who not, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from chassis.api.messages import enum_name, moment, timestamp
from chassis.events.past import LOOKED_TIMES, OUT_OF_ORDER
from rapport.common.v1.channel_pb2 import Channel
from rapport.customer.v1.consent_service_pb2 import CheckContactResponse
from rapport.customer.v1.customer_events_pb2 import CustomerConverted
from rapport.loyalty.v1.loyalty_events_pb2 import TierUpgraded, VoucherIssued, VoucherUsed
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.notice_policy_service_pb2 import (
    PreviewNoticePolicyRequest,
    PreviewNoticePolicyResponse,
)
from rapport.notifications.v1.notice_policy_service_pb2_grpc import NoticePolicyServiceStub
from rapport.notifications.v1.notice_service_pb2 import ListNoticesRequest
from rapport.notifications.v1.template_pb2 import Template, TemplateText
from rapport_testing.running import refused

TIER = "rapport.loyalty.v1.TierUpgraded"
OUTCOMES = PreviewNoticePolicyResponse.Outcome.DESCRIPTOR


@pytest.fixture
async def ready(desk: Any) -> Any:
    hello = TemplateText(subject="Hello", body="Hello. {{ contact_name }} {{ unsubscribe_link }}")
    await desk.create_template("hello", hello, purpose="purposes/news")
    return desk


async def tell(desk: Any, event: Any, version: int = 1) -> str:
    resource = getattr(event, event.DESCRIPTOR.fields[0].name)
    await desk.running.deliver(event, resource=resource, version=version, source="loyalty")
    return str(resource)


def upgraded(customer: str, tier: str = "gold") -> TierUpgraded:
    return TierUpgraded(tier_standing=f"programs/main/tierStandings/{uuid4()}", customer=customer, tier=tier)


async def preview(desk: Any, policy: dict[str, Any], **span: Any) -> PreviewNoticePolicyResponse:
    request = PreviewNoticePolicyRequest(
        notice_policy=NoticePolicy(template="templates/hello", **policy), **span
    )
    answer: PreviewNoticePolicyResponse = await desk.policies.PreviewNoticePolicy(request)
    return answer


def counts(answer: PreviewNoticePolicyResponse) -> dict[tuple[str, str], int]:
    return {
        (enum_name(OUTCOMES, each.outcome), each.reason_code): each.looked_at_count for each in answer.counts
    }


async def test_it_says_of_each_event_who_would_have_been_told_and_why_not_and_sends_nothing(
    ready: Any,
) -> None:
    await tell(ready, upgraded(ready.customer, "before"))
    ready.clock.advance(timedelta(seconds=2))
    start = timestamp(ready.clock.now())
    told = await tell(ready, upgraded(ready.customer))
    await tell(ready, upgraded(ready.customer, "silver"))
    await tell(ready, upgraded(""))
    ready.clock.advance(timedelta(seconds=2))
    end = timestamp(ready.clock.now())
    await tell(ready, upgraded(ready.customer))
    ready.clock.advance(timedelta(seconds=2))
    policy = {"event_type": TIER, "condition": "event.tier == 'gold'"}
    answer = await preview(ready, policy, start_time=start, end_time=end)
    assert answer.looked_at_count == 3
    assert counts(answer) == {
        ("TOLD", ""): 1,
        ("NOT_TOLD", "condition"): 1,
        ("NOT_TOLD", "no-customer"): 1,
    }
    [row] = [each for each in answer.rows if not each.reason_code]
    assert (row.customer, row.subject) == (ready.customer, told)
    assert moment(row.schedule_time) == moment(start)
    everything = await ready.notices.ListNotices(ListNoticesRequest())
    assert list(everything.notices) == []


async def test_it_says_what_the_template_would_be_given(ready: Any) -> None:
    words = TemplateText(subject="Hello", body="{{ tier }} {{ contact_name }}")
    await ready.create_template("tiers", words, variables=[Template.Variable(name="tier")])
    await tell(ready, upgraded(ready.customer, "silver"))
    ready.clock.advance(timedelta(seconds=2))
    policy = NoticePolicy(event_type=TIER, template="templates/tiers", variables={"tier": "event.tier"})
    answer = await ready.policies.PreviewNoticePolicy(PreviewNoticePolicyRequest(notice_policy=policy))
    assert [dict(row.variables) for row in answer.rows] == [{"tier": "silver"}]


async def test_it_says_what_the_customer_allows_now(ready: Any) -> None:
    await tell(ready, upgraded(ready.customer))
    ready.clock.advance(timedelta(seconds=2))
    ready.peers.customers.answer = CheckContactResponse(allowed=False, reason_code="consent-denied")
    assert counts(await preview(ready, {"event_type": TIER})) == {("NOT_TOLD", "consent-denied"): 1}
    opens = ready.in_days(1 / 3)
    ready.peers.customers.answer = CheckContactResponse(
        allowed=False, reason_code="quiet-hours", open_time=timestamp(opens)
    )
    answer = await preview(ready, {"event_type": TIER})
    assert counts(answer) == {("DEFERRED", "quiet-hours"): 1}
    assert moment(answer.rows[0].schedule_time) == opens
    ready.peers.customers.failure = grpc.StatusCode.UNAVAILABLE
    asked = preview(ready, {"event_type": TIER})
    assert await refused(asked) == "CUSTOMERS_NOT_ASKED"


async def test_it_says_which_other_policy_tells_in_its_place_and_how_many_would_be_too_many(
    ready: Any,
) -> None:
    for _ in range(6):
        await tell(ready, upgraded(ready.customer))
    ready.clock.advance(timedelta(seconds=2))
    found = counts(await preview(ready, {"event_type": TIER, "name": "noticePolicies/gold"}))
    assert found == {("TOLD", ""): 5, ("DEFERRED", "contact-pressure"): 1}
    await ready.create_policy("bold", event_type=TIER, template="templates/hello")
    answer = await preview(ready, {"event_type": TIER, "name": "noticePolicies/gold"})
    assert counts(answer) == {("NOT_TOLD", "merged"): 6}
    assert answer.rows[0].notice_policy == "noticePolicies/bold"
    await ready.update_policy(
        "bold", schedule={"day": {"date_field": "review_time"}}
    )  # which no event has: it cannot tell
    found = counts(await preview(ready, {"event_type": TIER, "name": "noticePolicies/gold"}))
    assert found == {("TOLD", ""): 5, ("DEFERRED", "contact-pressure"): 1}


async def test_what_would_have_been_over_by_then_is_not_told(ready: Any) -> None:
    kept, used = f"vouchers/{uuid4()}", f"vouchers/{uuid4()}"
    for voucher in (kept, used):
        await tell(ready, VoucherIssued(voucher=voucher, customer=ready.customer))
    ready.clock.advance(timedelta(minutes=1))
    await tell(ready, VoucherUsed(voucher=used), version=2)
    ready.clock.advance(timedelta(seconds=2))
    policy = {
        "event_type": "rapport.loyalty.v1.VoucherIssued",
        "schedule": {"delay": Duration(seconds=3600)},
        "cancel_event_types": ["rapport.loyalty.v1.VoucherUsed"],
    }
    answer = await preview(ready, policy)
    assert {each.subject: each.reason_code for each in answer.rows} == {kept: "", used: "cause-gone"}
    of_a_day = policy | {"schedule": {"day": {"date_field": "expire_time"}}}
    assert counts(await preview(ready, of_a_day)) == {("NOT_TOLD", "no-date"): 2}


async def test_what_happens_inside_the_days_is_told_at_once_while_it_is_of_use_and_otherwise_not(
    ready: Any,
) -> None:
    ends = timestamp(ready.clock.now() + timedelta(days=10))
    await tell(ready, VoucherIssued(voucher=f"vouchers/{uuid4()}", customer=ready.customer, expire_time=ends))
    ready.clock.advance(timedelta(seconds=2))
    policy = {
        "event_type": "rapport.loyalty.v1.VoucherIssued",
        "schedule": {"day": {"date_field": "expire_time", "offset_days": -14}},
    }
    assert counts(await preview(ready, policy)) == {("NOT_TOLD", "date-past"): 1}
    longer = policy | {"expire_after": Duration(seconds=14 * 86400)}
    assert counts(await preview(ready, longer)) == {("TOLD", ""): 1}


async def test_what_is_told_on_a_day_is_sent_at_its_hour_where_the_customer_lives(ready: Any) -> None:
    ready.peers.customers.answer.time_zone = "Europe/Vienna"
    bought = CustomerConverted(
        customer=ready.customer, purchase_time=timestamp(datetime(2024, 2, 29, tzinfo=UTC))
    )
    await ready.running.deliver(bought, resource=ready.customer, version=1, source="customer")
    ready.clock.advance(timedelta(seconds=2))
    yearly = {"day": {"date_field": "purchase_time", "hour": 23, "yearly": True}}
    policy = {"event_type": "rapport.customer.v1.CustomerConverted", "schedule": yearly}
    (row,) = (await preview(ready, policy)).rows
    assert row.schedule_time.ToJsonString() == "2027-02-28T22:00:00Z"


async def test_what_came_after_the_time_that_is_asked_for_counts_until_it_would_have_been_sent(
    ready: Any,
) -> None:
    start, voucher = ready.clock.now(), f"vouchers/{uuid4()}"
    await tell(ready, VoucherIssued(voucher=voucher, customer=ready.customer))
    ready.clock.advance(timedelta(minutes=1))
    span = {"start_time": timestamp(start), "end_time": timestamp(ready.clock.now())}
    policy = {
        "event_type": "rapport.loyalty.v1.VoucherIssued",
        "schedule": {"delay": Duration(seconds=7200)},
        "cancel_event_types": ["rapport.loyalty.v1.VoucherUsed"],
    }
    assert counts(await preview(ready, policy, **span)) == {("TOLD", ""): 1}
    ready.clock.advance(timedelta(hours=1))
    await tell(ready, VoucherUsed(voucher=voucher), version=2)
    ready.clock.advance(timedelta(seconds=2))
    assert counts(await preview(ready, policy, **span)) == {("NOT_TOLD", "cause-gone"): 1}
    at_once = policy | {"schedule": None}
    assert counts(await preview(ready, at_once, **span)) == {("TOLD", ""): 1}


async def test_what_could_not_be_read_to_the_end_is_not_said_to_be_told(
    ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.usecases.preview.FOLLOWING_MAX", 4)
    first, last = f"vouchers/{uuid4()}", f"vouchers/{uuid4()}"
    for voucher in (first, last):
        await tell(ready, VoucherIssued(voucher=voucher, customer=ready.customer))
        ready.clock.advance(timedelta(minutes=1))
    for voucher in (first, *(f"vouchers/{uuid4()}" for _ in range(3))):
        await tell(ready, VoucherUsed(voucher=voucher), version=2)
        ready.clock.advance(timedelta(minutes=1))
    policy = {
        "event_type": "rapport.loyalty.v1.VoucherIssued",
        "schedule": {"delay": Duration(seconds=3600)},
        "cancel_event_types": ["rapport.loyalty.v1.VoucherUsed"],
    }
    answer = await preview(ready, policy)
    assert {each.subject: each.reason_code for each in answer.rows} == {
        first: "cause-gone",
        last: "not-known",
    }


async def test_no_more_messages_are_looked_at_than_a_few_for_each_event(
    ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.events.past.LOOKED_TIMES", 1)
    past, start = ready.running.app.past, ready.clock.now()
    await tell(ready, upgraded(ready.customer))
    ready.clock.advance(timedelta(minutes=1))
    end = ready.clock.now()
    for _ in range(5):  # which may have been told late, so that there might be one of before among them
        await tell(ready, upgraded(ready.customer))
    js, looked = past._connection.js, list[str]()
    get_msg = js.get_msg

    async def counted(stream: str, number: int, subject: str, **options: Any) -> Any:
        looked.append(subject)
        return await get_msg(stream, number, subject, **options)

    monkeypatch.setattr(js, "get_msg", counted)
    read = await past.read("loyalty", TierUpgraded, start, end, 2)
    assert (len(read.events), read.more) == (1, None)
    assert len([each for each in looked if each != ">"]) == 3
    more = await past.read("loyalty", TierUpgraded, start, end + timedelta(seconds=1), 2)
    assert (len(more.events), more.more) == (1, end)  # those of the end are read from there on


async def test_customers_are_asked_about_every_channel_on_which_notices_are_sent(ready: Any) -> None:
    await tell(ready, upgraded(ready.customer))
    ready.clock.advance(timedelta(seconds=2))
    await preview(ready, {"event_type": TIER})
    channels = [enum_name(Channel.DESCRIPTOR, each) for each in ready.peers.customers.asked[-1].channels]
    assert channels == ["EMAIL", "SMS", "APP"]


async def test_a_policy_is_tried_for_ones_own_department_alone(ready: Any) -> None:
    permissions = ["notifications.notice_policies.write"]
    lead = ready.running.stub(NoticePolicyServiceStub, permissions, "agent:paul", "billing")
    await ready.create_template(
        "for-all", TemplateText(subject="Hello", body="{{ contact_name }}"), department="departments/platform"
    )
    policy = NoticePolicy(event_type=TIER, template="templates/for-all")
    await lead.PreviewNoticePolicy(PreviewNoticePolicyRequest(notice_policy=policy))
    for other in ("departments/platform", "departments/front-desk"):
        policy.department = other
        tried = lead.PreviewNoticePolicy(PreviewNoticePolicyRequest(notice_policy=policy))
        assert await refused(tried) == "NOT_OWNER"


async def test_a_broker_that_does_not_answer_is_said(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(stream: str) -> None:
        raise TimeoutError

    monkeypatch.setattr(ready.running.app.past._connection.js, "stream_info", silent)
    assert await refused(preview(ready, {"event_type": TIER})) == "EVENTS_NOT_READABLE"


async def test_what_cannot_be_kept_or_is_about_promises_cannot_be_tried(ready: Any) -> None:
    wrong = preview(ready, {"event_type": TIER, "condition": "event.colour == 'red'"})
    assert await ready.violations(wrong) == {"notice_policy.condition": "INVALID_RULE"}
    backwards = preview(
        ready,
        {"event_type": TIER},
        start_time=timestamp(ready.in_days(0)),
        end_time=timestamp(ready.in_days(-1)),
    )
    assert await ready.violations(backwards) == {"start_time": "INVALID_TIME"}
    promises = NoticePolicy(event_type="rapport.cases.v1.PromiseAtRisk", template="templates/delay")
    asked = ready.policies.PreviewNoticePolicy(PreviewNoticePolicyRequest(notice_policy=promises))
    assert await ready.violations(asked) == {"notice_policy.event_type": "INVALID_CODE"}


async def test_what_happened_before_and_was_told_late_is_passed_over_and_reading_always_moves_on(
    ready: Any,
) -> None:
    late = 2 * LOOKED_TIMES * 2
    for _ in range(late):
        await tell(ready, upgraded(ready.customer))
    ready.clock.advance(timedelta(seconds=1))
    start, told = ready.clock.now(), []
    for _ in range(2):
        told += [await tell(ready, upgraded(ready.customer)) for _ in range(3)]
        ready.clock.advance(timedelta(seconds=1))
    past, end = ready.running.app.past, ready.clock.now()
    first = await past.read("loyalty", TierUpgraded, start, end, 2)
    assert [each.resource for each in first.events] == told[:3]  # of one instant
    assert first.more == start + timedelta(seconds=1)
    rest = await past.read("loyalty", TierUpgraded, first.more, end, 2)
    assert ([each.resource for each in rest.events], rest.more) == (told[3:], None)


async def test_what_was_told_long_after_it_happened_is_not_looked_at_for_what_happened_since(
    ready: Any,
) -> None:
    for _ in range(20):
        await tell(ready, upgraded(ready.customer))
    ready.clock.advance(2 * OUT_OF_ORDER)
    start, told = ready.clock.now(), await tell(ready, upgraded(ready.customer))
    past = ready.running.app.past
    number = await past._first("loyalty", start)
    assert number > 20
    found = await past.read("loyalty", TierUpgraded, start, start + timedelta(seconds=1), 2)
    assert [each.resource for each in found.events] == [told]
