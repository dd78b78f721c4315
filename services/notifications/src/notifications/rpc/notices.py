"""The gRPC service of notices."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from chassis.api.etags import etag
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.explain.explainer import Explainer
from chassis.grpc.mutation import mutation
from notifications.domain.attempt import Attempt
from notifications.domain.explanation import why_notice
from notifications.domain.notice import Notice
from notifications.names import CASE, CUSTOMER, NOTICE, PROMISE, TEMPLATE
from notifications.rpc.variables import check_values
from notifications.store.notices import GET_NOTICE, LIST_ATTEMPTS, LIST_NOTICES
from notifications.usecases.request_notice import RequestNotice, send_notice
from rapport.common.v1 import explanation_pb2
from rapport.notifications.v1 import notice_pb2
from rapport.notifications.v1 import notice_service_pb2 as pb
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceServicer

_SOONEST = timedelta(seconds=1)
_LATEST = timedelta(days=366)


class NoticeRpc(NoticeServiceServicer):
    """Sending notices and following them.

    Args:
        db: the service's database.
        explainer: explains notices.
        per_customer: how many notices of one purpose departments may request for a customer within a day.

    """

    def __init__(self, db: Database, explainer: Explainer, per_customer: int) -> None:
        self.db = db
        self.per_customer = per_customer
        self.explainer = explainer

    @mutation
    async def SendNotice(self, request: pb.SendNoticeRequest, tx: Transaction) -> notice_pb2.Notice:
        """Request a notice."""
        sent, check = request.notice, Check("notice.")
        check.name(CUSTOMER, sent.customer, "customer")
        check.name(PROMISE, sent.promise, "promise", required=False)
        check.name(CASE, sent.case, "case", required=False)
        (template,) = check.name(TEMPLATE, sent.template, "template")
        command = RequestNotice(
            customer=sent.customer,
            kind=check.code(sent.kind, "kind"),
            template=template,
            variables=check_values(check, sent.variables),
            promise=sent.promise,
            case=sent.case,
            expire_time=check.moment(
                sent, "expire_time", earliest=tx.now + _SOONEST, latest=tx.now + _LATEST, required=False
            ),
        )
        check.raise_if_any()
        return _message(await send_notice(tx, command, self.per_customer))

    async def GetNotice(self, request: pb.GetNoticeRequest, context: Any) -> notice_pb2.Notice:
        """A notice with its attempts."""
        notice = await self._notice(request.name)
        return _message(notice, await LIST_ATTEMPTS.all(self.db, notice=notice.id))

    async def ListNotices(self, request: pb.ListNoticesRequest, context: Any) -> pb.ListNoticesResponse:
        """Notices, newest first."""
        notices, token = await LIST_NOTICES.page(self.db, request, _message)
        return pb.ListNoticesResponse(notices=notices, next_page_token=token)

    async def ExplainNotice(
        self, request: pb.ExplainNoticeRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Why a notice was or was not sent."""
        notice = await self._notice(request.name)
        attempts = await LIST_ATTEMPTS.all(self.db, notice=notice.id)
        return await self.explainer.explain(request, _message(notice), partial(why_notice, notice, attempts))

    async def _notice(self, name: str) -> Notice:
        (notice_id,) = NOTICE.parse(name)
        notice = await GET_NOTICE.maybe(self.db, id=notice_id)
        if notice is None:
            raise NotFound(name)
        return notice


def _message(notice: Notice, attempts: Sequence[Attempt] = ()) -> notice_pb2.Notice:
    return to_message(
        notice_pb2.Notice,
        notice,
        template=TEMPLATE.format(notice.template),
        attempts=[to_message(notice_pb2.DeliveryAttempt, attempt) for attempt in attempts],
        etag=etag(notice.version),
    )
