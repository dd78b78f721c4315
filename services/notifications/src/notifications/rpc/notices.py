"""The gRPC service of notices."""

from functools import partial
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from notifications.domain.explanation import why_notice
from notifications.names import ATTEMPT, NOTICE
from notifications.rpc.rules import check_sending, check_values
from notifications.store import notices as store
from notifications.store.templates import GET_TEMPLATE
from notifications.usecases.cancel_notice import cancel_notice
from notifications.usecases.request_notice import send_notice
from rapport.common.v1 import explanation_pb2
from rapport.notifications.v1 import notice_service_pb2 as pb
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceServicer


class NoticeRpc(Rpc, NoticeServiceServicer):
    """Sending notices and following them.

    Attributes:
        per_customer: how many notices of one purpose departments may request for a customer within a day.
    """

    rules: ClassVar[Rules] = {Notice: check_values, pb.SendNoticeRequest: check_sending}

    per_customer: int

    SendNotice = change(pb.SendNoticeRequest, send_notice, Notice)
    CancelNotice = change(pb.CancelNoticeRequest, cancel_notice, Notice)
    GetNotice = get(NOTICE, store.GET_NOTICE, Notice)
    ListNotices = listing(pb.ListNoticesResponse, store.LIST_NOTICES)
    GetDeliveryAttempt = get(ATTEMPT, store.GET_ATTEMPT, DeliveryAttempt)
    ListDeliveryAttempts = listing(
        pb.ListDeliveryAttemptsResponse, store.LIST_ATTEMPTS, parent=(NOTICE, store.GET_NOTICE)
    )

    async def ExplainNotice(
        self, request: pb.ExplainNoticeRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Why a notice was or was not sent."""
        notice = await found(self.db, NOTICE, store.GET_NOTICE, *NOTICE.parse(request.name))
        template = await GET_TEMPLATE.one(self.db, id=notice.template_id)
        attempt = await store.GET_ATTEMPT.maybe(self.db, notice_id=notice.id, id=notice.attempt_count)
        why = partial(why_notice, notice, template, attempt)
        return await self.explainer.explain(request, to_message(Notice, notice), why)
