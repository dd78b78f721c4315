"""The gRPC service of goodwill."""

from datetime import datetime
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.messages import date_of, decimal, to_message
from chassis.api.validation import Check
from chassis.context import current_call
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty import names
from loyalty.domain.goodwill_explanation import why_granted
from loyalty.store import goodwill as store
from loyalty.usecases.goodwill import grant_goodwill
from loyalty.usecases.goodwill_authority import Authority, assess
from loyalty.usecases.goodwill_report import report_costs
from loyalty.usecases.goodwill_requests import approve_goodwill, decline_goodwill, request_goodwill
from rapport.common.v1.states_pb2 import GOODWILL_KIND_MONEY, GOODWILL_KIND_POINTS
from rapport.loyalty.v1 import goodwill_service_pb2 as pb
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, InKind
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceServicer

_Cost = pb.ReportGoodwillCostsResponse.Cost


def _check_gift(check: Check, sent: Goodwill, now: datetime) -> None:
    """Something is given, and who gets money or a thing can be told why."""
    gift = sent.WhichOneof("gift")
    if gift is None:
        check.refuse("points", "REQUIRED", "must be given, or money, or in_kind")
    elif gift != "points" and not sent.explanation:
        check.refuse("explanation", "REQUIRED", "must be given: words in which the customer can be told why")
    if gift == "money" and not decimal(sent.money):
        check.refuse("money", "INVALID_NUMBER", "must be above 0")


def _check_in_kind(check: Check, sent: InKind, now: datetime) -> None:
    """What has fields of its own is not given in kind; and what costs nothing needs nobody's authority."""
    if sent.kind in (GOODWILL_KIND_POINTS, GOODWILL_KIND_MONEY):
        check.refuse("kind", "INVALID_ENUM", "must be ITEM, REPAIR, WAIVED_FEE or VOUCHER")
    if not decimal(sent.cost):
        check.refuse("cost", "INVALID_NUMBER", "must be above 0")


class GoodwillRpc(Rpc, GoodwillServiceServicer):
    """Goodwill within the authority of who grants it."""

    rules: ClassVar[Rules] = {Goodwill: _check_gift, InKind: _check_in_kind}

    authority: Authority

    GrantGoodwill = change(pb.GrantGoodwillRequest, grant_goodwill, Goodwill)
    RequestGoodwill = change(pb.RequestGoodwillRequest, request_goodwill, Goodwill)
    ApproveGoodwill = change(pb.ApproveGoodwillRequest, approve_goodwill, Goodwill)
    DeclineGoodwill = change(pb.DeclineGoodwillRequest, decline_goodwill, Goodwill)

    async def CheckGoodwill(self, request: pb.CheckGoodwillRequest, context: Any) -> pb.CheckGoodwillResponse:
        """Tell what whoever asks may still grant."""
        (customer_id,) = names.CUSTOMER.parse(request.customer, "customer")
        promise_id = names.PROMISE.parse(request.promise, "promise")[0] if request.promise else None
        principal = current_call.get().principal
        may = await assess(self.db, self.authority, principal, customer_id, promise_id)
        return to_message(pb.CheckGoodwillResponse, may.points, money=may.money, in_kind=may.in_kind)

    async def ReportGoodwillCosts(
        self, request: pb.ReportGoodwillCostsRequest, context: Any
    ) -> pb.ReportGoodwillCostsResponse:
        """Report what goodwill cost, by department and month."""
        costs = await report_costs(self.db, date_of(request.first_month), request.month_count)
        return pb.ReportGoodwillCostsResponse(costs=[to_message(_Cost, each) for each in costs])

    GetGoodwill = get(names.GOODWILL, store.GET_GOODWILL, Goodwill)
    ListGoodwill = listing(pb.ListGoodwillResponse, store.LIST_GOODWILL)
    ExplainGoodwill = explain(names.GOODWILL, store.GET_GOODWILL, Goodwill, why_granted)
