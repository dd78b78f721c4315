"""What providers report of messages that they accepted."""

from collections.abc import Sequence
from typing import Any

from chassis.api.messages import to_message, value_name
from chassis.api.wellknown import time_of
from chassis.db.transaction import Transaction
from chassis.grpc.mutation import mutation
from chassis.servicer import Rpc
from notifications.domain.attempt import Delivery, Report
from notifications.peers.addresses import Addresses
from notifications.usecases.report import record_report, require_attempt
from rapport.notifications.v1 import delivery_report_service_pb2 as pb
from rapport.notifications.v1.delivery_report_service_pb2_grpc import DeliveryReportServiceServicer
from rapport.notifications.v1.notice_pb2 import Notice


class ReportRpc(Rpc, DeliveryReportServiceServicer):
    """Reports of providers."""

    addresses: Addresses
    channels: Sequence[str]  # that are served

    async def RecordDeliveryReport(self, request: pb.RecordDeliveryReportRequest, context: Any) -> Any:
        """Have addresses heeded, which no transaction of ours can, and then keep what is reported."""
        attempt, notice = await require_attempt(self.db, request.provider_key)
        if attempt.might_be_accepted:
            await self.addresses.heed(notice, attempt, self._report(request), request.recipient)
        return await self._record(request, context)

    @mutation
    async def _record(self, request: pb.RecordDeliveryReportRequest, tx: Transaction) -> Notice:
        return to_message(
            Notice, await record_report(tx, request.provider_key, self._report(request), self.channels)
        )

    def _report(self, request: pb.RecordDeliveryReportRequest) -> Report:
        time = time_of(request, "report_time") or self.db.clock.now()
        delivery = Delivery(value_name(request, "delivery"))
        return Report(delivery, request.provider_code, time, request.complaint)
