from datetime import timedelta
from uuid import uuid4

import pytest

from cases.service import service
from chassis import ids
from chassis.api.actors import what
from chassis.api.messages import timestamp
from rapport.cases.v1.promise_service_pb2 import ExplainPromiseRequest, RenegotiatePromiseRequest
from rapport.common.v1 import states_pb2
from rapport.common.v1.explanation_pb2 import Cause, Explanation
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceServicer
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

State = states_pb2.PromiseState


class Notices(NoticeServiceServicer):
    """Knows what caused a notice."""

    def __init__(self):
        self.asked = []

    async def ExplainNotice(self, request, context):
        self.asked.append(request)
        return Explanation(
            causes=[Cause(id=request.event_id, service="services/notifications", event_type="sent")]
        )


async def renegotiated_by_notice(desk):
    made, event_id = await desk.make(3), ids.uuid7(desk.clock.now())
    await desk.tell(made.name, event_id)
    (fact,) = await eventually(lambda: desk.facts("PromiseRenegotiated"))
    return made.name, fact.data.notice, str(event_id)


async def test_a_promise_at_risk_is_explained_back_to_the_person_who_forecast(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=5)
    why = await desk.promises.ExplainPromise(ExplainPromiseRequest(name=made.name))
    assert (why.rule, why.rule_version) == ("rules/promise-at-risk-by-forecast", "3")
    assert why.inputs["reason_code"] == "carrier-delay"
    assert "the delivery department now expects 2026-03-07" in why.summary
    assert [(what(cause).rsplit(".", 1)[-1], cause.resource, cause.actor) for cause in why.causes] == [
        ("PromiseAtRisk", made.name, "agents/alice"),
        ("WorkItemForecast", work_item.name, "agents/alice"),
        ("WorkItemService/ForecastWorkItem", "", "agents/alice"),
    ]


async def test_a_recovered_promise_is_explained_by_the_better_forecast(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=5)
    await desk.forecast(work_item.name, days=2)
    why = await desk.promises.ExplainPromise(ExplainPromiseRequest(name=made.name))
    assert why.rule == "rules/promise-recovered"
    assert [what(cause).rsplit(".", 1)[-1] for cause in why.causes] == [
        "PromiseRecovered",
        "WorkItemForecast",
        "WorkItemService/ForecastWorkItem",
    ]


async def test_another_date_is_explained_by_the_one_that_it_replaces(desk):
    made = await desk.make(3)
    request = RenegotiatePromiseRequest(
        name=made.name, due_time=timestamp(desk.in_days(5)), reason_code="customer-away"
    )
    renegotiated = await desk.promises.RenegotiatePromise(request)
    why = await desk.promises.ExplainPromise(ExplainPromiseRequest(name=renegotiated.successor))
    assert why.summary.startswith(
        "It replaces 2026-03-05 09:00 UTC: another date was agreed on (customer-away)"
    )


@pytest.mark.alone("it moves the clock")
async def test_a_broken_promise_is_explained_back_to_the_clock(desk):
    made = await desk.make(0.5)
    desk.clock.advance(timedelta(days=1))
    await eventually(lambda: desk.facts("PromiseBroken"))
    why = await desk.promises.ExplainPromise(ExplainPromiseRequest(name=made.name))
    assert why.rule == "rules/promise-broken"
    assert [(what(cause).rsplit(".", 1)[-1], cause.actor) for cause in why.causes] == [
        ("PromiseBroken", "services/cases"),
        ("promise-due", "services/cases"),
    ]


async def test_the_chain_goes_on_in_notifications(start, clock, desk_of, fake_peer):
    notices = Notices()
    desk = desk_of(await start(service, peers={"notifications": await fake_peer(notices)}))
    promise, notice, event_id = await renegotiated_by_notice(desk)
    why = await desk.promises.ExplainPromise(ExplainPromiseRequest(name=promise))
    assert [cause.service for cause in why.causes] == ["services/cases", "services/notifications"]
    assert [(asked.name, asked.event_id) for asked in notices.asked] == [(notice, event_id)]


async def test_without_notifications_what_is_known_here_is_told(start, clock, desk_of):
    desk = desk_of(await start(service, peers={"notifications": "127.0.0.1:9"}))
    promise, notice, event_id = await renegotiated_by_notice(desk)
    why = await desk.promises.ExplainPromise(ExplainPromiseRequest(name=promise))
    assert [(cause.resource, cause.service) for cause in why.causes] == [
        (promise, "services/cases"),
        (notice, "services/notifications"),
    ]
    assert why.causes[1].id == event_id


async def test_a_chain_can_start_at_an_event_about_the_promise(desk, refused):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=5)
    (first,), (forecast,) = await desk.facts("PromiseMade"), await desk.facts("WorkItemForecast")
    why = await desk.promises.ExplainPromise(ExplainPromiseRequest(name=made.name, event_id=str(first.id)))
    assert [cause.resource for cause in why.causes] == [made.name, ""]
    of_the_work = ExplainPromiseRequest(name=made.name, event_id=str(forecast.id))
    assert (
        await refused(desk.promises.ExplainPromise(of_the_work)) == "INVALID_ARGUMENT EVENT_OF_OTHER_RESOURCE"
    )


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (ExplainPromiseRequest(name=f"promises/{uuid4()}"), "NOT_FOUND RESOURCE_NOT_FOUND"),
        (ExplainPromiseRequest(name="promises/1"), "INVALID_ARGUMENT INVALID_NAME"),
        (ExplainPromiseRequest(name=f"promises/{uuid4()}", event_id="x"), "INVALID_ARGUMENT INVALID_UUID"),
    ],
)
async def test_what_cannot_be_explained_is_refused(desk, refused, request_, answer):
    assert await refused(desk.promises.ExplainPromise(request_)) == answer
