"""Telling the notifications service what providers report of its messages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import grpc

from chassis.api.messages import timestamp
from desk.edge.webhooks.contact import Receipt
from desk.edge.webhooks.resolving import answered
from rapport.notifications.v1 import receipt_service_pb2 as pb
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt

if TYPE_CHECKING:
    from rapport.notifications.v1.receipt_service_pb2_grpc import ReceiptServiceAsyncStub


class Receipts:
    """Records receipts. Everything it raises is `NotDone`."""

    def __init__(self, stub: ReceiptServiceAsyncStub) -> None:
        self._stub = stub

    async def record(self, receipt: Receipt, id: UUID, time: datetime) -> str | None:
        """Whose message it was, `customers/{uuid}`; None when it is no message of ours."""
        request = pb.RecordReceiptRequest(
            provider=receipt.provider,
            provider_key=receipt.provider_key,
            delivery=DeliveryAttempt.Delivery.Value(f"DELIVERY_{receipt.delivery}"),
            complaint=receipt.complaint,
            provider_code=receipt.code,
            recipient=receipt.recipient,
            occur_time=timestamp(time),
            request_id=str(uuid5(id, "receipt")),
        )
        with answered("notifications"):
            try:
                return (await self._stub.RecordReceipt(request)).customer
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
                return None
