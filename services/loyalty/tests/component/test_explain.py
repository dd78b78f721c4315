"""Everything that loyalty tells explains itself, back to whoever did it."""

from typing import Any
from uuid import uuid4

import pytest
from google.type.money_pb2 import Money

from chassis.api.actors import what
from chassis.api.messages import timestamp
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, Points
from rapport.loyalty.v1.goodwill_service_pb2 import ExplainGoodwillRequest, GrantGoodwillRequest
from rapport.loyalty.v1.ledger_service_pb2 import (
    ExplainAccountRequest,
    ExplainTransferRequest,
    ReverseTransferRequest,
)
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import (
    ExplainCustomerValueRequest,
    ExplainPurchaseRequest,
    RecordPurchaseRequest,
)
from rapport_testing.clock import ManualClock

pytestmark = pytest.mark.together

MAIN = "programs/main"


def steps(why: Explanation) -> list[str]:
    return [what(cause).rpartition(".")[2].rpartition("/")[2] for cause in why.causes]


async def granted(desk: Any, customer: str, amount: int) -> Goodwill:
    goodwill = Goodwill(customer=customer, points=Points(amount=amount), reason_code="late-delivery")
    request = GrantGoodwillRequest(goodwill=goodwill, request_id=str(uuid4()))
    made: Goodwill = await desk.goodwill.GrantGoodwill(request)
    return made


async def test_goodwill_says_who_granted_it_and_by_which_rule(desk: Any) -> None:
    customer = f"customers/{uuid4()}"
    goodwill = await granted(desk, customer, 300)
    why = await desk.goodwill.ExplainGoodwill(ExplainGoodwillRequest(name=goodwill.name))
    assert (why.rule, why.customer) == ("goodwillRules/delay", customer)
    assert why.summary.startswith("300 points given ")
    assert why.summary.endswith(", by agents/alice (late-delivery).")
    assert steps(why) == ["GoodwillGranted", "GrantGoodwill"]
    assert why.causes[-1].actor == "agents/alice"


async def test_goodwill_that_was_reversed_says_when(desk: Any) -> None:
    goodwill = await granted(desk, f"customers/{uuid4()}", 300)
    undo = ReverseTransferRequest(name=goodwill.transfer, reason_code="slip", request_id=str(uuid4()))
    await desk.ledger.ReverseTransfer(undo)
    why = await desk.goodwill.ExplainGoodwill(ExplainGoodwillRequest(name=goodwill.name))
    assert " (late-delivery). Reversed on " in why.summary
    assert steps(why) == ["GoodwillReversed", "ReverseTransfer"]


async def test_a_transfer_is_explained_by_its_own_fact_and_an_account_by_its_latest(desk: Any) -> None:
    customer = f"customers/{uuid4()}"
    first, second = [await granted(desk, customer, amount) for amount in (100, 200)]
    account = await desk.account_of(customer)
    by_account = await desk.ledger.ExplainAccount(ExplainAccountRequest(name=account))
    assert steps(by_account) == ["TransferPosted", "GoodwillGranted", "GrantGoodwill"]
    assert by_account.causes[1].resource == second.name
    assert by_account.inputs["balance"] == "300"
    for goodwill in (first, second):
        why = await desk.ledger.ExplainTransfer(ExplainTransferRequest(name=goodwill.transfer))
        assert [cause.resource for cause in why.causes] == [account, goodwill.name, ""]


async def test_a_transfer_that_moved_no_members_units_says_who_moved_them(desk: Any) -> None:
    own = [f"{MAIN}/accounts/points-{kind}" for kind in ("issued", "redeemed")]
    moved = await desk.ledger.PostTransfer(desk.posting(*own, 5))
    undo = ReverseTransferRequest(name=moved.name, reason_code="slip", request_id=str(uuid4()))
    undone = await desk.ledger.ReverseTransfer(undo)
    for transfer, method in ((moved, "PostTransfer"), (undone, "ReverseTransfer")):
        why = await desk.ledger.ExplainTransfer(ExplainTransferRequest(name=transfer.name))
        assert (steps(why), why.causes[0].actor) == ([method], "agents/alice")
        assert why.summary.startswith(f"{method.removesuffix('Transfer')} transfer 20")
        assert why.summary.endswith(" by agents/alice.")


async def test_what_a_purchase_refers_to_may_be_words_about_somebody_and_is_not_repeated(
    desk: Any, clock: ManualClock
) -> None:
    bought = Purchase(
        customer=f"customers/{uuid4()}",
        amount=Money(currency_code="USD", units=1),
        purchase_time=timestamp(clock.now()),
        reference="Mrs Canary, Gartenstr. 5",
    )
    made = await desk.purchases.RecordPurchase(
        RecordPurchaseRequest(purchase=bought, request_id=str(uuid4()))
    )
    why = await desk.purchases.ExplainPurchase(ExplainPurchaseRequest(name=made.name))
    assert why.inputs["amount"] == "1.00 USD"
    assert "Canary" not in str(why)


async def test_a_purchase_and_what_it_makes_a_customer_worth_are_explained(
    desk: Any, clock: ManualClock
) -> None:
    customer = f"customers/{uuid4()}"
    amount = Money(currency_code="USD", units=12, nanos=500_000_000)
    bought = Purchase(
        customer=customer,
        amount=amount,
        purchase_time=timestamp(clock.now()),
        quantity=1,
        reference="orders/1",
    )
    request = RecordPurchaseRequest(purchase=bought, request_id=str(uuid4()))
    made = await desk.purchases.RecordPurchase(request)
    why = await desk.purchases.ExplainPurchase(ExplainPurchaseRequest(name=made.name))
    assert steps(why) == ["PurchaseRecorded", "RecordPurchase"]
    assert why.inputs["amount"] == "12.50 USD"
    worth = await desk.worth(customer)
    why = await desk.purchases.ExplainCustomerValue(ExplainCustomerValueRequest(name=worth.name))
    assert (why.rule, why.rule_version) == ("rules/value-bands", worth.formula_version)
    assert "What was paid, in " in why.summary
    assert steps(why)[-1] == "RecordPurchase"
    assert why.causes[1].resource == made.name
