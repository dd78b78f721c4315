"""Two departments and a supervisor: one concern of the customer, and who may do what about it."""

from rapport.cases.v1 import case_service_pb2, promise_service_pb2, work_item_service_pb2
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.common.v1 import channel_pb2
from rapport.loyalty.v1 import goodwill_pb2, goodwill_service_pb2
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport_tools.demo.acts.order import (
    contact,
    forecast,
    give_work,
    mails,
    open_case,
    promise_on,
    promises,
    told,
    work,
)
from rapport_tools.demo.stage import ALICE, BILL, DORA, SAM, Act, Person, Stage, in_days

INVOICE = "invoices/2041"
GIVEN = 100


def play(stage: Stage) -> None:
    """From a wrong invoice to a case that is resolved."""
    pick_up, correct = _take_the_complaint(stage)
    _give_goodwill(stage)
    moved = _be_late(stage, correct)
    kept = _bring_it_forward(stage, correct, moved)
    _settle(stage, pick_up, correct, kept)


ACT = Act(
    "Two departments and a supervisor",
    play,
    "four people of three departments on one case, and one mail among them",
)


def _take_the_complaint(stage: Stage) -> tuple[WorkItem, WorkItem]:
    contact(
        stage, ALICE, "invoice", channel_pb2.DIRECTION_INBOUND, "Was charged for a lamp that she sends back."
    )
    case = open_case(stage, "wrong-invoice")
    pick_up = give_work(stage, case, "delivery", "pick-up-return", INVOICE)
    correct = give_work(stage, case, "billing", "correct-invoice", INVOICE)
    promise = promise_on(stage, correct, "corrected-invoice", days=3)
    stage.names |= {"case": case, "work_items": [pick_up.name, correct.name], "promise": promise}
    stage.step(
        "The customer calls again: the invoice charges what she sends back. Alice opens one case,"
        " asks delivery to pick up and billing to correct, and promises the right invoice in three days."
    )
    return pick_up, correct


def _give_goodwill(stage: Stage) -> None:
    service = stage.stub(ALICE, GoodwillServiceStub, "loyalty")
    check = goodwill_service_pb2.CheckGoodwillRequest(customer=stage.customer)
    allowed: goodwill_service_pb2.CheckGoodwillResponse = stage.call(service.CheckGoodwill, check)
    refusal = stage.refused(service.GrantGoodwill, _grant(stage, allowed.limit + 100))
    stage.step(f"Alice may give {allowed.amount} points more. She tries {allowed.limit + 100}: “{refusal}”")
    stage.names["goodwill"] = stage.call(service.GrantGoodwill, _grant(stage, GIVEN)).name
    stage.step(f"She gives {GIVEN}, of her own authority, and asks nobody.")


def _grant(stage: Stage, points: int) -> goodwill_service_pb2.GrantGoodwillRequest:
    goodwill = goodwill_pb2.Goodwill(
        customer=stage.customer,
        points=goodwill_pb2.Points(amount=points),
        reason_code="our-mistake",
    )
    return goodwill_service_pb2.GrantGoodwillRequest(goodwill=goodwill)


def _be_late(stage: Stage, correct: WorkItem) -> str:
    """The promise that took the place of the first."""
    forecast(stage, BILL, correct, "staff-shortage", in_days(7))
    moved = told(stage, str(stage.names["promise"]))
    stage.step(
        f"Bill in billing forecasts seven days. The customer is told by {mails(stage)} mail, as before."
    )
    return moved


def _bring_it_forward(stage: Stage, correct: WorkItem, promise: str) -> str:
    """The promise that took its place, on the word of the customer."""
    contact(
        stage,
        ALICE,
        "invoice",
        channel_pb2.DIRECTION_INBOUND,
        "Needs it within five days, for her tax return.",
    )
    sooner = promise_service_pb2.RenegotiatePromiseRequest(
        name=promise, due_time=in_days(5), reason_code="customer-asks", customer_requested=True
    )
    refusal = stage.refused(promises(stage, ALICE).RenegotiatePromise, sooner)
    stage.step(
        "She needs it within five. A later date Alice may agree with her; a sooner one is not hers"
        f" to promise: “{refusal}”"
    )
    forecast(stage, BILL, correct, "brought-forward", sooner.due_time)
    ended = stage.call(promises(stage, SAM).RenegotiatePromise, sooner)
    contact(stage, SAM, "invoice", channel_pb2.DIRECTION_OUTBOUND, "Agreed: the invoice within five days.")
    stage.names["kept_promise"] = ended.successor
    stage.step(
        "Sam supervises, and may change what any department owns. Billing makes room; Sam promises"
        " five days, as the customer asked, and tells her so on the phone."
    )
    return str(ended.successor)


def _settle(stage: Stage, pick_up: WorkItem, correct: WorkItem, kept: str) -> None:
    _finish(stage, DORA, pick_up)
    stage.step("Delivery has picked it up; the case waits for billing.")
    _finish(stage, BILL, correct)
    stage.step("Billing has corrected the invoice, and by that the promise is kept. Nobody had to say so.")
    resolve = case_service_pb2.ResolveCaseRequest(name=correct.case, resolution="corrected")
    stage.call(stage.stub(ALICE, CaseServiceStub, "cases").ResolveCase, resolve)
    stage.step("All work is done, and Alice resolves the case. Nobody has asked the customer twice.")


def _finish(stage: Stage, person: Person, item: WorkItem) -> None:
    """Somebody begins their department's work and ends it."""
    stage.call(work(stage, person).StartWorkItem, work_item_service_pb2.StartWorkItemRequest(name=item.name))
    stage.call(
        work(stage, person).FinishWorkItem, work_item_service_pb2.FinishWorkItemRequest(name=item.name)
    )
