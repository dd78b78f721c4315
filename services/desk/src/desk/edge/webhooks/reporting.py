"""Telling the notifications service what providers report of its messages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import grpc

from chassis.api.messages import timestamp
from desk.edge.webhooks.contact import Report
from desk.edge.webhooks.resolving import answered
from rapport.notifications.v1 import delivery_report_service_pb2 as pb
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt

if TYPE_CHECKING:
    from rapport.notifications.v1.delivery_report_service_pb2_grpc import DeliveryReportServiceAsyncStub


class Reports:
    """Records reports. Everything it raises is `NotDone`."""

    def __init__(self, stub: DeliveryReportServiceAsyncStub) -> None:
        self._stub = stub

    async def record(self, report: Report, id: UUID, time: datetime) -> str | None:
        """Whose message it was, `customers/{uuid}`; None when it is no message of ours."""
        request = pb.RecordDeliveryReportRequest(
            provider_key=report.provider_key,
            delivery=DeliveryAttempt.Delivery.Value(f"DELIVERY_{report.delivery}"),
            complaint=report.complaint,
            provider_code=report.code,
            recipient=report.recipient,
            report_time=timestamp(time),
            request_id=str(uuid5(id, "report")),
        )
        with answered("notifications"):
            try:
                return (await self._stub.RecordDeliveryReport(request)).customer
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
                return None
