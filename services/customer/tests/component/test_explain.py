from uuid import uuid4

import pytest

from rapport.cases.v1.cases_events_pb2 import PromiseMade
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceServicer
from rapport.common.v1.explanation_pb2 import Cause, ExplainRequest, Explanation


class Promises(PromiseServiceServicer):
    """The cases service, as far as it explains."""

    def __init__(self):
        self.asked = []

    async def Explain(self, request, context):
        self.asked.append((request.name, request.event_id))
        causes = [
            Cause(resource=request.name, what="rapport.cases.v1.PromiseMade", service="cases"),
            Cause(what="rapport.cases.v1.PromiseService/MakePromise", actor="agent:bob", service="cases"),
        ]
        return Explanation(name=request.name, causes=causes)


async def explain(desk, name):
    return await desk.timeline.Explain(ExplainRequest(name=name))


async def promised(desk):
    """The timeline entry of a promise that the cases service told."""
    anna = await desk.create()
    promise = f"promises/{uuid4()}"
    event_id = await desk.deliver(PromiseMade(promise=promise, customer=anna.name, kind="delivery"))
    await desk.view_when(anna.name, lambda view: view.promises)
    return promise, event_id, f"{anna.name}/timeline/{event_id}"


async def test_a_contact_is_explained_back_to_who_recorded_it(desk):
    anna = await desk.create()
    entry = await desk.record(anna.name)
    explanation = await explain(desk, entry.name)
    assert [(cause.what, cause.actor) for cause in explanation.causes] == [
        ("rapport.customer.v1.InteractionRecorded", "agent:alice"),
        ("rapport.customer.v1.TimelineService/RecordInteraction", "agent:alice"),
    ]
    assert explanation.causes[0].trace_id == entry.trace_id
    assert "agent:alice" in explanation.summary


async def test_a_fact_of_our_own_is_explained_back_to_the_request(desk):
    anna = await desk.create()
    view = await desk.view_when(anna.name, lambda view: view.latest_timeline)
    explanation = await explain(desk, view.latest_timeline[0].name)
    assert [cause.what for cause in explanation.causes] == [
        "rapport.customer.v1.CustomerCreated",
        "rapport.customer.v1.CustomerService/CreateCustomer",
    ]


@pytest.fixture
async def peers(fake_peer):
    promises = Promises()
    return promises, {"cases": await fake_peer(promises)}


async def test_a_fact_of_another_service_is_explained_by_that_service(open_desk, peers):
    promises, addresses = peers
    desk = await open_desk(peers=addresses)
    promise, event_id, entry = await promised(desk)
    explanation = await explain(desk, entry)
    assert promises.asked == [(promise, str(event_id))]
    assert [cause.actor for cause in explanation.causes][-1] == "agent:bob"
    assert dict(explanation.inputs) == {
        "kind": "PromiseMade",
        "source": "cases",
        "resource": promise,
        "topic": "delivery",
    }


async def test_when_the_other_service_is_away_what_is_known_here_is_the_answer(open_desk):
    desk = await open_desk(peers={"cases": "127.0.0.1:1"})
    promise, event_id, entry = await promised(desk)
    (cause,) = (await explain(desk, entry)).causes
    assert (cause.resource, cause.service, cause.id) == (promise, "cases", str(event_id))


async def test_an_entry_is_explained_when_its_chain_is_no_longer_kept(desk, infrastructure):
    anna = await desk.create()
    entry = await desk.record(anna.name)
    async with infrastructure.superuser(desk.running.db._url) as connection:
        await connection.execute("DELETE FROM outbox")
        await connection.execute("DELETE FROM inbox")
    (cause,) = (await explain(desk, entry.name)).causes
    assert (cause.actor, cause.what, cause.trace_id) == ("agent:alice", "INTERACTION", entry.trace_id)


async def test_an_entry_that_is_not_the_customers_is_not_found(desk, refused, nobody):
    anna = await desk.create()
    entry = await desk.record(anna.name)
    foreign = f"{nobody}/timeline/{entry.name.rsplit('/', 1)[1]}"
    for name in (foreign, f"{anna.name}/timeline/{uuid4()}"):
        assert await refused(explain(desk, name)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(explain(desk, anna.name)) == "INVALID_ARGUMENT INVALID_NAME"
