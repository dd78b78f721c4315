"""The gRPC service of goodwill."""

from typing import Any

from chassis.api.messages import to_message
from chassis.context import current_call
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.domain.goodwill import why_granted
from loyalty.names import CUSTOMER, GOODWILL
from loyalty.store.goodwill import GET_GOODWILL, LIST_GOODWILL
from loyalty.usecases.goodwill import Authority, assess, grant_goodwill
from rapport.loyalty.v1 import goodwill_service_pb2 as pb
from rapport.loyalty.v1.goodwill_pb2 import Goodwill
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceServicer


class GoodwillRpc(Rpc, GoodwillServiceServicer):
    """Goodwill within the authority of who grants it."""

    authority: Authority

    GrantGoodwill = change(pb.GrantGoodwillRequest, grant_goodwill, Goodwill)

    async def CheckGoodwill(self, request: pb.CheckGoodwillRequest, context: Any) -> pb.CheckGoodwillResponse:
        """Tell what whoever asks may still grant."""
        (customer_id,) = CUSTOMER.parse(request.customer, "customer")
        subject = current_call.get().principal.subject
        return to_message(
            pb.CheckGoodwillResponse, await assess(self.db, self.authority, customer_id, subject)
        )

    GetGoodwill = get(GOODWILL, GET_GOODWILL, Goodwill)
    ListGoodwill = listing(pb.ListGoodwillResponse, LIST_GOODWILL)
    ExplainGoodwill = explain(GOODWILL, GET_GOODWILL, Goodwill, why_granted)
