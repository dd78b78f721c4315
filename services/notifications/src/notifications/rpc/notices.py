"""NoticeService: sending notices and following them."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.messages import enum_name, moment, to_message
from chassis.api.validation import Check
from chassis.api.wellknown import duration_of, time_of
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from notifications.domain.explanation import why_notice
from notifications.names import ATTEMPT, NOTICE
from notifications.rpc.checks import check_delivery, check_values
from notifications.store import tables as store
from notifications.usecases import notice
from notifications.usecases.figures import PERIOD_MAX, GroupBy, report_notices
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.notifications.v1 import notice_service_pb2 as notice_pb
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceServicer


def check_sending(check: Check, sent: notice_pb.SendNoticeRequest, now: datetime) -> None:
    """It is of use when it is sent, and when that is is said once."""
    expires, hold = time_of(sent.notice, "expire_time"), duration_of(sent, "hold")
    scheduled = time_of(sent.notice, "schedule_time")
    if scheduled and hold is not None:
        check.refuse("hold", "INVALID_TIME", "must be absent beside notice.schedule_time")
    if scheduled and expires and expires <= scheduled:
        check.refuse("notice.expire_time", "INVALID_TIME", "must be after schedule_time")
    if expires and hold is not None and expires - now <= hold:
        check.refuse("notice.expire_time", "INVALID_TIME", "must be after the hold is over")


def check_period(check: Check, sent: notice_pb.ReportNoticesRequest, now: datetime) -> None:
    """From a moment to a later one, of a year at most."""
    start, end = time_of(sent, "start_time"), time_of(sent, "end_time")
    if start and end and not start < end <= start + PERIOD_MAX:
        check.refuse("end_time", "INVALID_TIME", "must be later than start_time, by 366 days at most")


class NoticeRpc(Rpc, NoticeServiceServicer):
    """Sending notices and following them."""

    rules: ClassVar[Rules] = {
        Notice: check_values,
        DeliveryStrategy: check_delivery,
        notice_pb.SendNoticeRequest: check_sending,
        notice_pb.ReportNoticesRequest: check_period,
    }

    per_customer: int  # notices of one purpose that departments may request for a customer within a day

    SendNotice = change(notice_pb.SendNoticeRequest, notice.send_notice, Notice)
    CancelNotice = change(notice_pb.CancelNoticeRequest, notice.cancel_notice, Notice)
    GetNotice = get(NOTICE, store.GET_NOTICE, Notice)
    ListNotices = listing(notice_pb.ListNoticesResponse, store.LIST_NOTICES)
    GetDeliveryAttempt = get(ATTEMPT, store.GET_ATTEMPT, DeliveryAttempt)
    ListDeliveryAttempts = listing(
        notice_pb.ListDeliveryAttemptsResponse, store.LIST_ATTEMPTS, parent=(NOTICE, store.GET_NOTICE)
    )

    async def ReportNotices(
        self, request: notice_pb.ReportNoticesRequest, context: Any
    ) -> notice_pb.NoticeReport:
        """What became of notices, all in all and by what is asked for."""
        by = enum_name(notice_pb.ReportNoticesRequest.GroupBy.DESCRIPTOR, request.group_by)
        period = moment(request.start_time), moment(request.end_time)
        total, rows = await report_notices(self.db, GroupBy[by], *period, request.department)
        shown = partial(to_message, notice_pb.NoticeReport.Row)
        return notice_pb.NoticeReport(total=shown(total), rows=[shown(each) for each in rows])

    async def ExplainNotice(self, request: notice_pb.ExplainNoticeRequest, context: Any) -> Explanation:
        """Why a notice was or was not sent."""
        explained = await found(self.db, NOTICE, store.GET_NOTICE, *NOTICE.parse(request.name))
        its_template = await store.GET_TEMPLATE.one(self.db, id=explained.template_id)
        number = explained.latest_attempt
        attempt = await store.GET_ATTEMPT.maybe(self.db, notice_id=explained.id, id=number)
        why = partial(why_notice, explained, its_template, attempt)
        return await self.explainer.explain(request, to_message(Notice, explained), why)
