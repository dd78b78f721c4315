"""The gRPC service of purchases and customer value."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chassis import ids
from chassis.api.currencies import Currency
from chassis.api.messages import money, to_message
from chassis.api.validation import Check
from chassis.context import Call
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.ingest import ingest
from chassis.grpc.mutation import mutation
from chassis.overlap import Outcome
from loyalty.domain.value import AMOUNT_MAX, Purchase, ValueFormula
from loyalty.names import CUSTOMER, CUSTOMER_VALUE, PURCHASE
from loyalty.store.purchases import GET_VALUE
from loyalty.usecases.overlap import find_overlap
from loyalty.usecases.purchases import Recorded, check_purchases, record_purchases
from rapport.loyalty.v1 import purchase_service_pb2, purchase_service_pb2_grpc

_A_DAY = timedelta(days=1)
_INT32_MAX = 2**31 - 1
_Result = purchase_service_pb2.BatchRecordPurchasesResponse.Result
_UNCLEAR = Recorded(None, Outcome.UNCLEAR)


class PurchaseRpc(purchase_service_pb2_grpc.PurchaseServiceServicer):
    """Purchases, and what customers are worth."""

    def __init__(self, db: Database, formula: ValueFormula) -> None:
        self.db = db
        self.formula = formula
        self.currency = Currency.of(formula.currency)

    def _asked(self, request: purchase_service_pb2.RecordPurchaseRequest, now: datetime) -> Purchase:
        check = Check()
        check.alone(request)
        purchase = self._purchase(check.at("purchase"), request.purchase, now)
        check.raise_if_any()
        return purchase

    @ingest(_asked)
    async def RecordPurchase(
        self, purchases: Sequence[Purchase], calls: Sequence[Call], tx: Transaction
    ) -> Sequence[purchase_service_pb2.Purchase]:
        """Record purchases that arrived together."""
        recorded = await record_purchases(tx, purchases, self.formula, acting=lambda i: tx.act(calls[i]))
        return [_message(purchase) for purchase, _ in recorded if purchase]

    @mutation
    async def BatchRecordPurchases(
        self, request: purchase_service_pb2.BatchRecordPurchasesRequest, tx: Transaction
    ) -> purchase_service_pb2.BatchRecordPurchasesResponse:
        """Record up to 1,000 purchases, those with an import key once ever."""
        check, purchases = Check(), []
        items = check.batch(request.requests, "requests")
        for i, item in enumerate(items):
            within = check.at(f"requests[{i}]")
            key = within.import_key(item.import_key, tx.call.principal.department)
            purchases.append(self._purchase(within.at("purchase"), item.purchase, tx.now, key))
        check.raise_if_any()
        confirmed = [item.confirmed for item in items]
        purchases, unclear = await find_overlap(tx, purchases, confirmed, validate_only=request.validate_only)
        clear = [purchase for i, purchase in enumerate(purchases) if i not in unclear]
        if request.validate_only:
            recorded = iter(await check_purchases(tx, clear))
        else:
            recorded = iter(await record_purchases(tx, clear, self.formula))
        return purchase_service_pb2.BatchRecordPurchasesResponse(
            results=[_result(_UNCLEAR if i in unclear else next(recorded)) for i in range(len(purchases))]
        )

    async def GetCustomerValue(
        self, request: purchase_service_pb2.GetCustomerValueRequest, context: Any
    ) -> purchase_service_pb2.CustomerValue:
        """What a customer is worth."""
        (customer_id,) = CUSTOMER_VALUE.parse(request.name)
        value = await GET_VALUE.maybe(self.db, customer_id=customer_id)
        if value is None:
            raise NotFound(request.name)
        return to_message(
            purchase_service_pb2.CustomerValue,
            value,
            customer=CUSTOMER.format(customer_id),
            lifetime_value=money(value.lifetime_value, self.formula.currency),
            band=self.formula.band(value),
            formula_version=self.formula.version,
        )

    def _purchase(
        self,
        within: Check,
        sent: purchase_service_pb2.Purchase,
        now: datetime,
        import_key: str | None = None,
    ) -> Purchase:
        (customer_id,) = within.name(CUSTOMER, sent.customer, "customer")
        amount = within.money(sent.amount, "amount", self.currency, most=AMOUNT_MAX)
        refunded = Decimal(0)
        if sent.HasField("refunded_amount"):
            refunded = (
                within.money(sent.refunded_amount, "refunded_amount", self.currency, most=AMOUNT_MAX)
                or refunded
            )
            if amount is not None and not 0 <= refunded <= max(amount, Decimal(0)):
                within.refuse("refunded_amount", "INVALID_NUMBER", "must be from 0 to amount")
        return Purchase(
            id=ids.uuid7(now),
            customer_id=customer_id,
            amount=amount,  # type: ignore[arg-type]  # None only with a violation
            currency_code=self.currency.code,
            purchase_time=within.moment(sent, "purchase_time", latest=now + _A_DAY),  # type: ignore[arg-type]  # the same
            quantity=within.count(sent.quantity, "quantity", most=_INT32_MAX),
            reference=within.text(sent.reference, "reference", required=False),
            import_key=import_key,
            refunded=refunded,
            refunded_by=import_key or "",
        )


def _result(recorded: Recorded) -> _Result:
    purchase = _message(recorded.purchase) if recorded.purchase else None
    return to_message(_Result, None, outcome=recorded.outcome, purchase=purchase)


def _message(purchase: Purchase) -> purchase_service_pb2.Purchase:
    return to_message(
        purchase_service_pb2.Purchase,
        purchase,
        name=PURCHASE.format(purchase.id),
        customer=CUSTOMER.format(purchase.customer_id),
        amount=money(purchase.amount, purchase.currency_code),
        refunded_amount=money(purchase.refunded, purchase.currency_code) if purchase.refunded else None,
    )
