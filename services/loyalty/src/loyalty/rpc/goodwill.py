"""The gRPC service of goodwill."""

from typing import Any

from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from loyalty.domain.goodwill import Goodwill
from loyalty.domain.ledger import POINTS_MAX
from loyalty.names import CUSTOMER, GOODWILL, PROMISE, TRANSFER
from loyalty.store.goodwill import GET_GOODWILL
from loyalty.usecases.goodwill import Authority, GrantGoodwill, grant_goodwill
from rapport.loyalty.v1 import goodwill_service_pb2, goodwill_service_pb2_grpc


class GoodwillRpc(goodwill_service_pb2_grpc.GoodwillServiceServicer):
    """Goodwill within the authority of who grants it."""

    def __init__(self, db: Database, authority: Authority) -> None:
        self.db = db
        self.authority = authority

    @mutation
    async def GrantGoodwill(
        self, request: goodwill_service_pb2.GrantGoodwillRequest, tx: Transaction
    ) -> goodwill_service_pb2.Goodwill:
        """Grant goodwill."""
        goodwill, check = request.goodwill, Check("goodwill.")
        (customer_id,) = check.name(CUSTOMER, goodwill.customer, "customer")
        (promise_id,) = check.name(PROMISE, goodwill.promise, "promise", required=False)
        command = GrantGoodwill(
            customer_id=customer_id,
            points=check.count(goodwill.points, "points", least=1, most=POINTS_MAX),
            reason_code=check.code(goodwill.reason_code, "reason_code"),
            promise_id=promise_id,
        )
        check.raise_if_any()
        return _message(await grant_goodwill(tx, command, self.authority))

    async def GetGoodwill(
        self, request: goodwill_service_pb2.GetGoodwillRequest, context: Any
    ) -> goodwill_service_pb2.Goodwill:
        """One grant."""
        (goodwill_id,) = GOODWILL.parse(request.name)
        goodwill = await GET_GOODWILL.maybe(self.db, id=goodwill_id)
        if goodwill is None:
            raise NotFound(request.name)
        return _message(goodwill)


def _message(goodwill: Goodwill) -> goodwill_service_pb2.Goodwill:
    return to_message(
        goodwill_service_pb2.Goodwill,
        goodwill,
        name=GOODWILL.format(goodwill.id),
        customer=CUSTOMER.format(goodwill.customer_id),
        promise=PROMISE.format(goodwill.promise_id) if goodwill.promise_id else "",
        transfer=TRANSFER.format(goodwill.transfer_id),
    )
