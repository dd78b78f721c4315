"""The gRPC service of goodwill."""

from typing import Any

from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from loyalty.domain.goodwill import Goodwill
from loyalty.domain.ledger import AMOUNT_MAX
from loyalty.names import CUSTOMER, GOODWILL, MEMBERSHIP, PROMISE, TRANSFER, UNIT
from loyalty.store.goodwill import GET_GOODWILL, LIST_GOODWILL
from loyalty.usecases.goodwill import PROGRAM_ID, UNIT_ID, Authority, GrantGoodwill, grant_goodwill
from rapport.loyalty.v1 import goodwill_pb2, goodwill_service_pb2, goodwill_service_pb2_grpc

_GRANTED = UNIT.format(PROGRAM_ID, UNIT_ID)


class GoodwillRpc(goodwill_service_pb2_grpc.GoodwillServiceServicer):
    """Goodwill within the authority of who grants it."""

    def __init__(self, db: Database, authority: Authority) -> None:
        self.db = db
        self.authority = authority

    @mutation
    async def GrantGoodwill(
        self, request: goodwill_service_pb2.GrantGoodwillRequest, tx: Transaction
    ) -> goodwill_pb2.Goodwill:
        """Grant goodwill."""
        goodwill, check = request.goodwill, Check("goodwill.")
        (customer_id,) = check.name(CUSTOMER, goodwill.customer, "customer")
        (promise_id,) = check.name(PROMISE, goodwill.promise, "promise", required=False)
        if goodwill.unit not in ("", _GRANTED):
            check.refuse("unit", "INVALID_NAME", f"must be {_GRANTED}, what the policy grants")
        command = GrantGoodwill(
            customer_id=customer_id,
            amount=check.count(goodwill.amount, "amount", least=1, most=AMOUNT_MAX),
            reason_code=check.code(goodwill.reason_code, "reason_code"),
            promise_id=promise_id,
        )
        check.raise_if_any()
        return _message(await grant_goodwill(tx, command, self.authority))

    async def GetGoodwill(
        self, request: goodwill_service_pb2.GetGoodwillRequest, context: Any
    ) -> goodwill_pb2.Goodwill:
        """One grant."""
        (goodwill_id,) = GOODWILL.parse(request.name)
        goodwill = await GET_GOODWILL.maybe(self.db, id=goodwill_id)
        if goodwill is None:
            raise NotFound(request.name)
        return _message(goodwill)

    async def ListGoodwill(
        self, request: goodwill_service_pb2.ListGoodwillRequest, context: Any
    ) -> goodwill_service_pb2.ListGoodwillResponse:
        """Grants, newest first."""
        found, token = await LIST_GOODWILL.page(self.db, request, _message)
        return goodwill_service_pb2.ListGoodwillResponse(goodwill=found, next_page_token=token)


def _message(goodwill: Goodwill) -> goodwill_pb2.Goodwill:
    return to_message(
        goodwill_pb2.Goodwill,
        goodwill,
        name=GOODWILL.format(goodwill.id),
        customer=CUSTOMER.format(goodwill.customer_id),
        unit=UNIT.format(goodwill.program, goodwill.unit),
        promise=PROMISE.format(goodwill.promise_id) if goodwill.promise_id else "",
        membership=MEMBERSHIP.format(goodwill.program, goodwill.membership_id),
        transfer=TRANSFER.format(goodwill.transfer_id),
    )
