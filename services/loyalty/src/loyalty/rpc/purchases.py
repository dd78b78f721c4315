"""The gRPC service of purchases and customer value."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.decoding import into
from chassis.api.entities import found
from chassis.api.messages import decimal, to_message
from chassis.api.validation import Check
from chassis.context import Call
from chassis.db.transaction import Transaction
from chassis.explain.explainer import explain
from chassis.grpc.ingest import ingest
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from loyalty.domain import value
from loyalty.names import CUSTOMER_VALUE, PURCHASE
from loyalty.store import purchases as store
from loyalty.usecases.purchases import Bought, record_batch, record_purchases
from rapport.common.v1 import explanation_pb2
from rapport.loyalty.v1 import purchase_service_pb2 as pb
from rapport.loyalty.v1.customer_value_pb2 import CustomerValue
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceServicer

_bought = into(Purchase, Bought)


def _check_refund(check: Check, sent: Purchase, now: datetime) -> None:
    """No more is given back than was paid."""
    paid, back = sent.amount, sent.refunded_amount
    if sent.HasField("refunded_amount") and back.currency_code != paid.currency_code:
        check.refuse("refunded_amount.currency_code", "INVALID_CURRENCY", "must be that of amount")
    elif decimal(back) > max(decimal(paid), Decimal(0)):
        check.refuse("refunded_amount", "INVALID_NUMBER", "must be from 0 to amount")


class PurchaseRpc(Rpc, PurchaseServiceServicer):
    """Purchases, and what customers are worth."""

    rules: ClassVar[Rules] = {Purchase: _check_refund}

    formula: value.ValueFormula

    @ingest(lambda self, request, now: _bought(request.purchase).purchase(now))
    async def RecordPurchase(
        self, purchases: Sequence[value.Purchase], calls: Sequence[Call], tx: Transaction
    ) -> Sequence[Purchase]:
        """Record purchases that arrived together."""
        recorded = await record_purchases(tx, purchases, self.formula, acting=lambda i: tx.act(calls[i]))
        return [to_message(Purchase, purchase) for purchase, _ in recorded]

    BatchRecordPurchases = change(
        pb.BatchRecordPurchasesRequest, record_batch, pb.BatchRecordPurchasesResponse
    )
    GetPurchase = get(PURCHASE, store.GET_PURCHASE, Purchase)
    ListPurchases = listing(pb.ListPurchasesResponse, store.LIST_PURCHASES)
    ExplainPurchase = explain(PURCHASE, store.GET_PURCHASE, Purchase)

    async def GetCustomerValue(self, request: pb.GetCustomerValueRequest, context: Any) -> CustomerValue:
        """What a customer is worth."""
        return self._shown(
            await found(self.db, CUSTOMER_VALUE, store.GET_VALUE, *CUSTOMER_VALUE.ids(request.name))
        )

    async def ExplainCustomerValue(
        self, request: pb.ExplainCustomerValueRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Why a customer is worth that."""
        shown = await self.GetCustomerValue(pb.GetCustomerValueRequest(name=request.name), context)
        return await self.explainer.explain(request, shown, partial(value.why_worth, self.formula))

    async def ListCustomerValues(
        self, request: pb.ListCustomerValuesRequest, context: Any
    ) -> pb.ListCustomerValuesResponse:
        """What customers are worth."""
        values, token = await store.LIST_VALUES.page(self.db, request, self._shown)
        return pb.ListCustomerValuesResponse(customer_values=values, next_page_token=token)

    def _shown(self, found: value.CustomerValue) -> CustomerValue:
        """The band follows from the bands that are set."""
        formula = self.formula
        return to_message(CustomerValue, found, band=formula.band(found), formula_version=formula.version)
