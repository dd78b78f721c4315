"""Advice on a running service: given with a view, answered, and gone for the same cause."""

from datetime import timedelta

import pytest

from chassis.api.messages import timestamp, value_name
from customer.domain.advice import AdviceRule
from customer.usecases.advice import promise_rules
from customer.usecases.advice.seen import advice_id
from rapport.cases.v1 import cases_events_pb2 as cases
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL
from rapport.customer.v1 import advice_service_pb2 as pb
from rapport.customer.v1.advice_pb2 import AdviceAnswer
from rapport.customer.v1.advice_service_pb2_grpc import AdviceServiceStub
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import UpdateConsentRequest
from rapport.customer.v1.customer_pb2 import Person
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.purpose_service_pb2 import CreatePurposeRequest
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport.customer.v1.view_service_pb2 import BatchGetCustomerViewsRequest, WatchCustomerViewRequest
from rapport_testing.wait import eventually

DAY = timedelta(days=1)
PROMISE = "promises/0198c0de-0000-7000-8000-000000000001"
DONE, NOT_NOW = AdviceAnswer.OUTCOME_DONE, AdviceAnswer.OUTCOME_NOT_NOW
DISMISSED = AdviceAnswer.OUTCOME_DISMISSED


@pytest.fixture
async def advice(desk):
    return desk.running.stub(AdviceServiceStub)


def rules(view):
    return [value_name(each, "rule") for each in view.advice]


def born(desk):
    """Somebody whose birthday is tomorrow."""
    day = desk.clock.now() + DAY
    return Person(given_name="Bea", birth_date={"year": 1984, "month": day.month, "day": day.day})


async def at_risk(desk, customer, version=2, promise=PROMISE, days=3):
    """Have a promise to a customer be at risk, of which nobody told them."""
    now = desk.clock.now()
    await desk.deliver(
        cases.PromiseAtRisk(
            promise=promise,
            customer=customer,
            kind="delivery",
            state="PROMISE_STATE_AT_RISK",
            due_time=timestamp(now + DAY),
            forecast_time=timestamp(now + days * DAY),
        ),
        version=version,
    )


async def test_what_is_done_is_not_advised_again_and_everybody_who_looks_is_told(desk, advice, monkeypatch):
    monkeypatch.setattr(promise_rules, "BEING_TOLD", timedelta(0))
    anna = await desk.create(time_zone="Europe/Berlin")
    await at_risk(desk, anna.name)
    [given] = (await desk.view_when(anna.name, lambda view: view.advice)).advice
    assert given.evidence == PROMISE
    watching = desk.views.WatchCustomerView(WatchCustomerViewRequest(name=f"{anna.name}/view"), timeout=30)
    assert rules((await watching.read()).customer_view) == ["AT_RISK_UNTOLD"]
    request = pb.AnswerAdviceRequest(name=given.advice_answer, outcome=DONE, reason_code="told-by-phone")
    call = advice.AnswerAdvice(request)
    answer = await call
    assert (answer.answerer, answer.reason_code) == ("agents/alice", "told-by-phone")
    token = dict(await call.trailing_metadata())["consistency-token"]
    view = await desk.view(anna.name, consistency_token=token)
    assert (rules(view), view.latest_timeline_entries[0].event_type) == (
        [], "rapport.customer.v1.AdviceAnswered",
    )  # fmt: skip

    async def told():
        message = await watching.read()
        return message.HasField("customer_view") and not message.customer_view.advice

    await eventually(told)
    watching.cancel()
    [fact] = [each for each in await desk.facts("AdviceAnswered") if each.data.customer == anna.name]
    assert (fact.resource, fact.data.evidence) == (given.advice_answer, PROMISE)
    explained = await advice.ExplainAdviceAnswer(pb.ExplainAdviceAnswerRequest(name=answer.name))
    assert explained.causes[-1].actor == "agents/alice"
    await at_risk(desk, anna.name, version=3, days=5)  # other news of the same promise
    assert rules(await desk.view_when(anna.name, lambda view: view.advice)) == ["AT_RISK_UNTOLD"]


async def test_not_now_is_over_when_its_time_has_come(open_desk, clock):
    desk = await open_desk()
    advice = desk.running.stub(AdviceServiceStub)
    bea = await desk.create(desk.email("bea@example.com"), person=born(desk), time_zone="Europe/Berlin")
    view = await desk.view_when(bea.name, lambda view: view.advice)
    assert rules(view) == ["BIRTHDAY"]
    request = pb.AnswerAdviceRequest(
        name=view.advice[0].advice_answer, outcome=NOT_NOW, until_time=timestamp(clock.now() + DAY)
    )
    first = await advice.AnswerAdvice(request)
    assert rules(await desk.view(bea.name)) == []
    assert await advice.AnswerAdvice(request) == first  # the same once more changes nothing
    await waits_for_a_yes(desk, bea.name)
    clock.advance(DAY)
    async with desk.running.db.connection() as connection:
        await connection.execute("UPDATE identifiers SET unreachable_time = $1", clock.now() - DAY)
    # What lies beside a view is read with it, by the same statement.
    view = await desk.view_when(bea.name, lambda view: len(view.advice) > 2)
    assert rules(view) == ["UNREACHABLE", "CONSENT_UNCONFIRMED", "BIRTHDAY"]
    assert [each.evidence for each in view.advice] == [
        bea.identifiers[0].name, f"{bea.name}/consents/research.email", "",
    ]  # fmt: skip
    assert len(await desk.facts("AdviceAnswered")) == 1


async def waits_for_a_yes(desk, customer):
    """Have a customer say yes by e-mail, which they have to confirm."""
    channels = [CHANNEL_EMAIL]
    purpose = Purpose(
        display_name="Research", contact_default=Purpose.DEFAULT_DENIED, double_opt_in_channels=channels,
        legal_basis=Purpose.LEGAL_BASIS_CONSENT,
    )  # fmt: skip
    purposes = desk.running.stub(PurposeServiceStub)
    await purposes.CreatePurpose(CreatePurposeRequest(purpose_id="research", purpose=purpose))
    consent = Consent(name=f"{customer}/consents/research.email", state=Consent.STATE_GRANTED)
    await desk.consents.UpdateConsent(UpdateConsentRequest(consent=consent, allow_missing=True))


async def test_one_answer_counts_for_all_names_of_a_customer_and_for_nobody_else(desk, advice):
    one, other, stranger = [await desk.create(person=born(desk)) for _ in range(3)]
    name = (await desk.view(other.name)).advice[0].advice_answer
    await advice.AnswerAdvice(pb.AnswerAdviceRequest(name=name, outcome=DISMISSED))
    assert rules(await desk.view(one.name)) == ["BIRTHDAY"]
    merge = await desk.merge(one.name, other.name)
    names = [f"{each.name}/view" for each in (one, other, stranger)]
    several = await desk.views.BatchGetCustomerViews(BatchGetCustomerViewsRequest(names=names))
    assert [rules(each) for each in several.customer_views] == [[], [], ["BIRTHDAY"]]
    listed = await advice.ListAdviceAnswers(pb.ListAdviceAnswersRequest(parent=one.name))
    assert [each.name for each in listed.advice_answers] == [name]
    await desk.undo(merge)
    assert rules(await desk.view(one.name)) == ["BIRTHDAY"]


async def test_what_nobody_advises_is_not_answered(desk, advice, refused, nobody):
    anna = await desk.create(time_zone="Europe/Berlin")
    birthday = advice_id(AdviceRule.BIRTHDAY, "", "2026")
    answers = {
        f"{anna.name}/adviceAnswers/{birthday}": "FAILED_PRECONDITION NOT_ADVISED",
        f"{nobody}/adviceAnswers/{birthday}": "NOT_FOUND RESOURCE_NOT_FOUND",
    }
    for name, refusal in answers.items():
        request = pb.AnswerAdviceRequest(name=name, outcome=DONE)
        assert await refused(advice.AnswerAdvice(request)) == refusal
