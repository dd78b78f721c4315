"""What providers report of messages that they accepted."""

from collections.abc import Sequence
from typing import Any

from chassis.api.messages import to_message, value_name
from chassis.api.wellknown import time_of
from chassis.db.transaction import Transaction
from chassis.grpc.mutation import mutation
from chassis.servicer import Rpc
from notifications.domain.attempt import Delivery, Receipt
from notifications.peers.addresses import Addresses
from notifications.usecases.receipt import record_receipt, require_attempt
from rapport.notifications.v1 import receipt_service_pb2 as pb
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.receipt_service_pb2_grpc import ReceiptServiceServicer


class ReceiptRpc(Rpc, ReceiptServiceServicer):
    """Receipts of providers."""

    addresses: Addresses
    channels: Sequence[str]  # that are served

    async def RecordReceipt(self, request: pb.RecordReceiptRequest, context: Any) -> Any:
        """Have addresses heeded, which no transaction of ours can, and then keep what is reported."""
        attempt, notice = await require_attempt(self.db, request.provider, request.provider_key)
        said = self._receipt(request)
        if attempt.might_be_accepted and not await self.addresses.heed(
            notice, attempt, said, request.recipient
        ):
            return to_message(Notice, notice)
        return await self._record(request, context)

    @mutation
    async def _record(self, request: pb.RecordReceiptRequest, tx: Transaction) -> Notice:
        of = (request.provider, request.provider_key)
        return to_message(Notice, await record_receipt(tx, *of, self._receipt(request), self.channels))

    def _receipt(self, request: pb.RecordReceiptRequest) -> Receipt:
        time = time_of(request, "occur_time") or self.db.clock.now()
        delivery = Delivery(value_name(request, "delivery"))
        return Receipt(delivery, request.provider_code, time, request.complaint)
