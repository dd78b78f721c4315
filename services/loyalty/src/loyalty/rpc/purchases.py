"""The gRPC service of purchases, and of what customers are worth by them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any, ClassVar

from chassis.api.checks import Rules
from chassis.api.decoding import into
from chassis.api.entities import found
from chassis.api.messages import decimal, exact, to_message
from chassis.api.validation import Check
from chassis.context import Call
from chassis.db.transaction import Transaction
from chassis.facts import why_told
from chassis.grpc.ingest import ingest
from chassis.grpc.methods import change, get, listing
from chassis.money import Money
from chassis.servicer import Rpc
from loyalty import names
from loyalty.domain import value
from loyalty.domain.earning_explanation import why_earned
from loyalty.domain.receipts import CODE_MIN
from loyalty.store.earning import GET_EARNING
from loyalty.store.purchases import GET_PURCHASE, GET_VALUE, LIST_PURCHASES, LIST_VALUES, VALUES_OF
from loyalty.usecases.bought import Bought
from loyalty.usecases.claims import claim_purchase
from loyalty.usecases.purchases import record_batch, record_purchases
from loyalty.usecases.return_purchase import return_purchase
from loyalty.usecases.values import others_of, rates_for
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.loyalty.v1 import purchase_service_pb2 as pb
from rapport.loyalty.v1.customer_value_pb2 import CustomerValue
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceServicer

_bought = into(Purchase, Bought)


def _check_purchase(check: Check, sent: Purchase, now: datetime) -> None:
    """All in one currency; no more is given back than was paid, by its lines; and lines add up."""
    paid, back = sent.amount, sent.refunded_amount
    if sent.HasField("refunded_amount") and back.currency_code != paid.currency_code:
        check.refuse("refunded_amount.currency_code", "INVALID_CURRENCY", "must be that of amount")
    elif decimal(back) > max(decimal(paid), Decimal(0)):
        check.refuse("refunded_amount", "INVALID_NUMBER", "must be from 0 to amount")
    if sent.returned_purchase and not any(line.returned_line for line in sent.lines):
        check.refuse("lines", "REQUIRED", "must name what of returned_purchase is given back")
    for i, line in enumerate(sent.lines):
        _check_line(check, f"lines[{i}]", line, sent)
    if sent.lines and (total := sum(decimal(line.amount) for line in sent.lines)) != decimal(paid):
        check.refuse("lines", "LINES_DIFFER", f"add up to {total:f}, and must add up to amount")


def _check_line(check: Check, path: str, line: Purchase.Line, sent: Purchase) -> None:
    """A line is in the currency of its purchase, and gives back what it names."""
    for field in ("amount", "discount_amount", "tax_amount"):
        code = getattr(line, field).currency_code
        if line.HasField(field) and code != sent.amount.currency_code:
            check.refuse(f"{path}.{field}.currency_code", "INVALID_CURRENCY", "must be that of amount")
    tax, amount = decimal(line.tax_amount), decimal(line.amount)
    if not min(amount, Decimal(0)) <= tax <= max(amount, Decimal(0)):
        check.refuse(f"{path}.tax_amount", "INVALID_NUMBER", "must be from 0 to amount")
    if line.returned_line and not sent.returned_purchase:
        check.refuse("returned_purchase", "REQUIRED", "must be given, for a line gives back one of it")
    try:
        quantity = exact(line.quantity)
    except ArithmeticError:
        return  # that it is no number is said already
    if line.returned_line and quantity > 0:
        check.refuse(f"{path}.quantity", "INVALID_NUMBER", "must be negative in what is given back")
    elif quantity < 0 < amount:
        check.refuse(f"{path}.quantity", "INVALID_NUMBER", "must not be negative where something was paid")


def _check_code(check: Check, request: pb.RecordPurchaseRequest, now: datetime) -> None:
    if request.receipt_code and len(request.receipt_code.replace("-", "")) < CODE_MIN:
        check.refuse("receipt_code", "INVALID_CODE", f"must be at least {CODE_MIN} letters and digits")


def _check_claim(check: Check, request: pb.ClaimPurchaseRequest, now: datetime) -> None:
    """A receipt is named by its code, or by what else stands on it."""
    if bool(request.receipt_code) == request.HasField("receipt"):
        reason = "REQUIRED" if not request.receipt_code else "INVALID_CODE"
        check.refuse("receipt_code", reason, "must be given where receipt is not, and only there")


class PurchaseRpc(Rpc, PurchaseServiceServicer):
    """Purchases, and what customers are worth."""

    rules: ClassVar[Rules] = {
        Purchase: _check_purchase,
        pb.RecordPurchaseRequest: _check_code,
        pb.ClaimPurchaseRequest: _check_claim,
    }

    formula: value.ValueFormula

    @ingest(lambda self, request, now: _bought(request.purchase).purchase(now, request.receipt_code))
    async def RecordPurchase(
        self, purchases: Sequence[value.Purchase], calls: Sequence[Call], tx: Transaction
    ) -> Sequence[Purchase]:
        """Record purchases that arrived together."""
        recorded = await record_purchases(tx, purchases, self.formula, acting=lambda i: tx.act(calls[i]))
        return [to_message(Purchase, purchase) for purchase, _ in recorded]

    BatchRecordPurchases = change(
        pb.BatchRecordPurchasesRequest, record_batch, pb.BatchRecordPurchasesResponse
    )
    ClaimPurchase = change(pb.ClaimPurchaseRequest, claim_purchase, pb.ClaimPurchaseResponse)
    ReturnPurchase = change(pb.ReturnPurchaseRequest, return_purchase, Purchase)
    GetPurchase = get(names.PURCHASE, GET_PURCHASE, Purchase)
    ListPurchases = listing(pb.ListPurchasesResponse, LIST_PURCHASES)

    async def ExplainPurchase(self, request: pb.ExplainPurchaseRequest, context: Any) -> Explanation:
        """Why a purchase is as it is, and what each rule gave for it."""
        row = await found(self.db, names.PURCHASE, GET_PURCHASE, *names.PURCHASE.parse(request.name))
        earning = await GET_EARNING.maybe(self.db, id=row.id)
        why = partial(why_earned, earning) if earning else partial(why_told, row)
        return await self.explainer.explain(request, to_message(Purchase, row), why)

    async def GetCustomerValue(self, request: pb.GetCustomerValueRequest, context: Any) -> CustomerValue:
        """What a customer is worth."""
        ids = names.CUSTOMER_VALUE.ids(request.name)
        (shown,) = await self._shown([await found(self.db, names.CUSTOMER_VALUE, GET_VALUE, *ids)])
        return shown

    async def ExplainCustomerValue(
        self, request: pb.ExplainCustomerValueRequest, context: Any
    ) -> Explanation:
        """Why a customer is worth that."""
        shown = await self.GetCustomerValue(pb.GetCustomerValueRequest(name=request.name), context)
        (of,) = await VALUES_OF.all(self.db, customer_ids=names.CUSTOMER.ids(shown.customer))
        rates = await rates_for(self.db, self.formula, [of], self.db.clock.now())
        why = partial(value.why_worth, self.formula, self.formula.conversions(of, rates))
        return await self.explainer.explain(request, shown, why)

    async def ListCustomerValues(
        self, request: pb.ListCustomerValuesRequest, context: Any
    ) -> pb.ListCustomerValuesResponse:
        """What customers are worth."""
        values, token = await LIST_VALUES.page_together(self.db, request, self._shown)
        return pb.ListCustomerValuesResponse(customer_values=values, next_page_token=token)

    async def _shown(self, values: Sequence[value.CustomerValue]) -> list[CustomerValue]:
        """The band follows from the bands that are set, and from all names of the customer."""
        others, formula = await others_of(self.db, values), self.formula
        everything = [*values, *chain.from_iterable(others.values())]
        rates = await rates_for(self.db, formula, everything, self.db.clock.now())
        return [
            to_message(
                CustomerValue,
                each,
                band=formula.band(each, *others[each.customer_id], rates=rates),
                formula_version=formula.version,
                reporting_value=Money(formula.worth(each, rates), formula.currency),
                conversions=formula.conversions(each, rates),
            )
            for each in values
        ]
