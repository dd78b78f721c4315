"""What became of notices in figures, whether their customers still turned to us, and lists of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest
from prometheus_client import REGISTRY

from chassis.api.messages import timestamp
from chassis.grpc.status import refusal
from rapport.common.v1 import channel_pb2, states_pb2
from rapport.customer.v1.customer_events_pb2 import InteractionRecorded
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.notice_policy_pb2 import NoticePolicy
from rapport.notifications.v1.notice_policy_service_pb2 import (
    GetNoticePolicyRequest,
    UpdateNoticePolicyRequest,
)
from rapport.notifications.v1.notice_service_pb2 import (
    ListNoticesRequest,
    NoticeReport,
    ReportNoticesRequest,
)
from rapport_testing.wait import eventually

GroupBy = ReportNoticesRequest.GroupBy


async def told(desk: Any) -> Notice:
    """A notice of a risk that was sent."""
    event = desk.at_risk()
    await desk.hear(event)
    notice: Notice = await desk.notice_in("SENT", event.promise)
    return notice


def ended(state: str, reason: str = "") -> float:
    """How many notices of that policy ended so."""
    labels = {"notice_policy": "promise-at-risk", "state": state, "reason": reason}
    return REGISTRY.get_sample_value("rapport_notices_ended_total", labels) or 0.0


async def turns_to_us(desk: Any, at: datetime, customer: str = "", **said: Any) -> None:
    """A contact is recorded, and heard of."""
    entry = f"{customer or desk.customer}/timelineEntries/{uuid4()}"
    said = {"direction": channel_pb2.DIRECTION_INBOUND, "channel": channel_pb2.CHANNEL_VOICE} | said
    event = InteractionRecorded(
        timeline_entry=entry, customer=customer or desk.customer, occur_time=timestamp(at), **said
    )
    event_id = await desk.running.deliver(event, resource=entry, source="customer")

    async def heard() -> Any:
        read = "SELECT true FROM inbox WHERE event_id = $1 AND consumer = 'notifications-inbound'"
        async with desk.running.app.db.connection() as connection:
            return await connection.fetchval(read, event_id)

    await eventually(heard)


async def report(desk: Any, by: Any, **more: Any) -> NoticeReport:
    request = ReportNoticesRequest(
        start_time=timestamp(desk.in_days(-1)), end_time=timestamp(desk.in_days(1)), group_by=by, **more
    )
    answer: NoticeReport = await desk.notices.ReportNotices(request)
    return answer


async def test_the_first_contact_within_a_week_counts_in_any_order(desk: Any) -> None:
    notice = await told(desk)
    sent = notice.send_time.ToDatetime().replace(tzinfo=desk.clock.now().tzinfo)
    for days in (2, 1, 3):
        await turns_to_us(desk, sent + timedelta(days=days))
    await turns_to_us(desk, sent + timedelta(days=5), reference="orders/10248")
    await turns_to_us(desk, sent + timedelta(days=4), resource=notice.promise)
    noted = await desk.get(notice.name)
    assert noted.inbound_time == timestamp(sent + timedelta(days=1))
    assert noted.subject_inbound_time == timestamp(sent + timedelta(days=4))
    assert (noted.state, noted.etag) == (notice.state, notice.etag)


async def test_what_is_no_word_of_theirs_after_the_message_counts_nothing(desk: Any) -> None:
    notice = await told(desk)
    sent = notice.send_time.ToDatetime().replace(tzinfo=desk.clock.now().tzinfo)
    await turns_to_us(desk, sent - timedelta(minutes=1), resource=notice.promise)
    await turns_to_us(desk, sent + timedelta(days=7), resource=notice.promise)
    await turns_to_us(desk, sent + timedelta(days=1), direction=channel_pb2.DIRECTION_OUTBOUND)
    await turns_to_us(desk, sent + timedelta(days=1), f"customers/{uuid4()}", resource=notice.promise)
    noted = await desk.get(notice.name)
    assert not noted.HasField("inbound_time")
    assert not noted.HasField("subject_inbound_time")


async def test_what_became_of_notices_is_counted_by_policy_template_channel_and_department(desk: Any) -> None:
    before = ended("sent")
    first, second = await told(desk), await told(desk)
    assert ended("sent") == before + 2
    await turns_to_us(desk, desk.clock.now(), resource=second.case)
    [attempt] = await desk.attempts(first)
    arrived = ended("delivered")
    await desk.report(attempt.provider_key, "DELIVERED")
    assert ended("delivered") == arrived + 1
    desk.peers.customers.answer.allowed = False
    desk.peers.customers.answer.reason_code = "consent-denied"
    stopped = desk.at_risk(department="departments/billing")
    await desk.hear(stopped)
    await desk.notice_in("SUPPRESSED", stopped.promise)

    answer = await report(desk, GroupBy.GROUP_BY_DEPARTMENT)
    assert [(row.department, row.notice_count) for row in answer.rows] == [
        ("departments/delivery", 2),
        ("departments/billing", 1),
    ]
    ours = answer.rows[0]
    assert (ours.sent_count, ours.delivered_count, ours.waiting_count, ours.repeat_count) == (2, 1, 0, 0)
    assert (ours.inbound_count, ours.subject_inbound_count) == (2, 1)
    assert answer.rows[1].suppressed_count == answer.total.suppressed_count == 1
    [why] = answer.total.reasons
    assert (why.state, why.reason_code, why.notice_count) == (
        states_pb2.NOTICE_STATE_SUPPRESSED,
        "consent-denied",
        1,
    )
    [row] = (await report(desk, GroupBy.GROUP_BY_NOTICE_POLICY)).rows
    assert (row.notice_policy, row.template, row.notice_count) == ("noticePolicies/promise-at-risk", "", 3)
    [row] = (await report(desk, GroupBy.GROUP_BY_TEMPLATE)).rows
    assert row.template == first.template
    channels = (await report(desk, GroupBy.GROUP_BY_CHANNEL)).rows
    assert [each.channel for each in channels] == [
        channel_pb2.CHANNEL_EMAIL,
        channel_pb2.CHANNEL_UNSPECIFIED,
    ]
    billing = await report(desk, GroupBy.GROUP_BY_TEMPLATE, department="departments/billing")
    assert billing.total.notice_count == 1


async def test_a_report_is_of_a_year_at_most(desk: Any) -> None:
    for end in (-1, 367):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.notices.ReportNotices(
                ReportNoticesRequest(
                    start_time=timestamp(desk.clock.now()),
                    end_time=timestamp(desk.in_days(end)),
                    group_by=GroupBy.GROUP_BY_CHANNEL,
                )
            )
        assert [each.field for each in refusal(refused.value).violations] == ["end_time"]


async def test_notices_are_listed_by_policy_template_department_and_channel(desk: Any) -> None:
    notice = await told(desk)
    for there, chosen in (
        (1, f"notice_policy = {notice.notice_policy}"),
        (0, "notice_policy = noticePolicies/promise-recovered"),
        (1, f"template = {notice.template} AND channel = EMAIL"),
        (0, "channel = SMS"),
        (1, "department = departments/delivery AND state = SENT"),
    ):
        listed = await desk.notices.ListNotices(ListNoticesRequest(filter=chosen))
        assert len(listed.notices) == there, chosen


async def test_a_policy_is_read_as_it_was(desk: Any) -> None:
    name = "noticePolicies/promise-at-risk"
    off = NoticePolicy(name=name, disabled=True)
    await desk.policies.UpdateNoticePolicy(UpdateNoticePolicyRequest(notice_policy=off))
    before = await desk.policies.GetNoticePolicy(GetNoticePolicyRequest(name=f"{name}/versions/1"))
    assert (before.name, before.version, before.disabled) == (f"{name}/versions/1", 1, False)
    now = await desk.policies.GetNoticePolicy(GetNoticePolicyRequest(name=f"{name}/versions/2"))
    assert (now.version, now.disabled) == (2, True)
    for version in ("3", "0"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.policies.GetNoticePolicy(GetNoticePolicyRequest(name=f"{name}/versions/{version}"))
        assert refused.value.code() in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT)
