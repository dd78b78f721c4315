"""Two departments and a supervisor: one concern of the customer, and who may do what about it."""

from rapport.cases.v1 import (
    case_service_pb2,
    escalation_service_pb2,
    promise_service_pb2,
    work_item_service_pb2,
)
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.escalation_pb2 import ESCALATION_REASON_CUSTOMER_ASKED, Escalation
from rapport.cases.v1.escalation_service_pb2_grpc import EscalationServiceStub
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.common.v1 import channel_pb2
from rapport.common.v1.states_pb2 import PROMISE_STATE_KEPT
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
LETTER = """Dear Sir or Madam,

your invoice 2041 charges a lamp that I am sending back. Please correct it.

Yours faithfully
"""


def play(stage: Stage) -> None:
    """From a wrong invoice to a case that is resolved."""
    pick_up, correct = _take_the_complaint(stage)
    wanted = _give_goodwill(stage)
    moved = _be_late(stage, correct)
    escalation = _ask_above(stage, correct, moved)
    _see_to_it(stage, escalation, wanted)
    kept = _bring_it_forward(stage, correct, moved)
    _hear(stage, escalation)
    _settle(stage, pick_up, correct, kept)


ACT = Act(
    "Two departments and a supervisor",
    play,
    "four people of three departments on one case, who was asked above, and one mail among them",
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
    arrived = "The letter that she wrote before she called."
    contact(stage, ALICE, "invoice", channel_pb2.DIRECTION_INBOUND, arrived, case, letter=LETTER)
    stage.step(
        "The customer calls again: the invoice charges what she sends back. Alice opens one case, keeps her"
        " letter with it,"
        " asks delivery to pick up and billing to correct, and promises the right invoice in three days."
    )
    return pick_up, correct


def _give_goodwill(stage: Stage) -> int:
    """What is given, and what she would have liked to give."""
    service = stage.stub(ALICE, GoodwillServiceStub, "loyalty")
    check = goodwill_service_pb2.CheckGoodwillRequest(customer=stage.customer)
    allowed: goodwill_service_pb2.CheckGoodwillResponse = stage.call(service.CheckGoodwill, check)
    wanted = allowed.limit + 100
    refusal = stage.refused(service.GrantGoodwill, _grant(stage, wanted))
    stage.step(f"Alice may give {allowed.amount} points more. She tries {wanted}: “{refusal}”")
    stage.names["goodwill"] = stage.call(service.GrantGoodwill, _grant(stage, GIVEN)).name
    stage.step(f"She gives {GIVEN}, of her own authority, and asks nobody.")
    return wanted


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


def _ask_above(stage: Stage, correct: WorkItem, promise: str) -> Escalation:
    """The customer wants somebody who can decide, and is promised by when she hears from them."""
    words = "Needs it within five days, for her tax return, and wants somebody who can decide."
    contact(stage, ALICE, "invoice", channel_pb2.DIRECTION_INBOUND, words, correct.case)
    refusal = stage.refused(promises(stage, ALICE).RenegotiatePromise, _sooner(promise))
    stage.step(
        "She needs it within five, and wants somebody who can decide. A later date Alice may agree with her;"
        f" a sooner one is not hers to promise: “{refusal}”"
    )
    wanted = Escalation(case=correct.case, reason=ESCALATION_REASON_CUSTOMER_ASKED)
    request = escalation_service_pb2.CreateEscalationRequest(escalation=wanted)
    asked: Escalation = stage.call(_escalations(stage, ALICE).CreateEscalation, request)
    stage.names |= {"escalation": asked.name, "answer_promise": asked.answer_promise}
    stage.step(
        f"Alice asks above: {asked.assignee} is asked first, and that the customer hears from them is a"
        " promise of its own, with a time."
    )
    return asked


def _see_to_it(stage: Stage, escalation: Escalation, wanted: int) -> None:
    """Sam takes it, looks what he may do alone, and gives as much of what Alice would have liked to."""
    service = stage.stub(SAM, GoodwillServiceStub, "loyalty")
    check = goodwill_service_pb2.CheckGoodwillRequest(customer=stage.customer)
    may: goodwill_service_pb2.CheckGoodwillResponse = stage.call(service.CheckGoodwill, check)
    take = escalation_service_pb2.TakeEscalationRequest(name=escalation.name)
    stage.call(_escalations(stage, SAM).TakeEscalation, take)
    points = min(wanted, may.amount)
    stage.names["supervisor_goodwill"] = stage.call(service.GrantGoodwill, _grant(stage, points)).name
    stage.step(
        f"Sam supervises, and takes it. {may.authority_policy} lets whoever leads give {may.limit} at once:"
        f" he gives {points}, and asks nobody."
    )


def _sooner(promise: str) -> promise_service_pb2.RenegotiatePromiseRequest:
    return promise_service_pb2.RenegotiatePromiseRequest(
        name=promise, due_time=in_days(5), reason_code="customer-asks", customer_requested=True
    )


def _bring_it_forward(stage: Stage, correct: WorkItem, promise: str) -> str:
    """The promise that took its place, on the word of the customer."""
    sooner = _sooner(promise)
    forecast(stage, BILL, correct, "brought-forward", sooner.due_time)
    ended = stage.call(promises(stage, SAM).RenegotiatePromise, sooner)
    stage.names["kept_promise"] = ended.successor
    stage.step("He may change what any department owns: billing makes room, and Sam promises five days.")
    return str(ended.successor)


def _hear(stage: Stage, escalation: Escalation) -> None:
    """The customer hears from who was asked for, by which that promise is kept."""
    words = "Agreed: the invoice within five days."
    contact(stage, SAM, "invoice", channel_pb2.DIRECTION_OUTBOUND, words, escalation.case)
    get = promise_service_pb2.GetPromiseRequest(name=escalation.answer_promise)

    def kept() -> bool:
        return bool(stage.call(promises(stage, SAM).GetPromise, get).state == PROMISE_STATE_KEPT)

    stage.until(kept, "the promise to hear from a supervisor to be kept")
    stage.step("He calls her and says so. By that call, and no click, she has heard as she was promised.")


def _escalations(stage: Stage, person: Person) -> EscalationServiceStub:
    return stage.stub(person, EscalationServiceStub, "cases")


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
