from uuid import uuid4

import pytest

from chassis.api.actors import what
from customer.domain.timeline import INTERACTION
from rapport.cases.v1.cases_events_pb2 import PromiseMade
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceServicer
from rapport.common.v1.explanation_pb2 import Cause, Explanation
from rapport.customer.v1.timeline_service_pb2 import ExplainTimelineEntryRequest


class Promises(PromiseServiceServicer):
    """The cases service, as far as it explains."""

    def __init__(self):
        self.asked = []

    async def ExplainPromise(self, request, context):
        self.asked.append((request.name, request.event_id))
        causes = [
            Cause(resource=request.name, event_type="rapport.cases.v1.PromiseMade", service="services/cases"),
            Cause(
                method="rapport.cases.v1.PromiseService/MakePromise",
                actor="agents/bob",
                service="services/cases",
            ),
        ]
        return Explanation(name=request.name, causes=causes)


async def explain(desk, name):
    return await desk.timeline.ExplainTimelineEntry(ExplainTimelineEntryRequest(name=name))


async def promised(desk):
    """The timeline entry of a promise that the cases service told."""
    anna = await desk.create()
    promise = f"promises/{uuid4()}"
    event_id = await desk.deliver(PromiseMade(promise=promise, customer=anna.name, kind="delivery"))
    await desk.view_when(anna.name, lambda view: view.promises)
    return promise, event_id, f"{anna.name}/timelineEntries/{event_id}"


async def test_a_contact_is_explained_back_to_who_recorded_it(desk):
    anna = await desk.create()
    entry = await desk.record(anna.name)
    explanation = await explain(desk, entry.name)
    assert [(what(cause), cause.actor) for cause in explanation.causes] == [
        ("rapport.customer.v1.InteractionRecorded", "agents/alice"),
        ("rapport.customer.v1.TimelineService/RecordInteraction", "agents/alice"),
    ]
    assert explanation.causes[0].trace_id == entry.trace_id
    assert "agents/alice" in explanation.summary


async def test_a_fact_of_our_own_is_explained_back_to_the_request(desk):
    anna = await desk.create()
    view = await desk.view_when(anna.name, lambda view: view.latest_timeline_entries)
    explanation = await explain(desk, view.latest_timeline_entries[0].name)
    assert [what(cause) for cause in explanation.causes] == [
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
    assert [cause.actor for cause in explanation.causes][-1] == "agents/bob"
    told = {"event_type": "rapport.cases.v1.PromiseMade", "service": "services/cases", "resource": promise}
    assert dict(explanation.inputs).items() >= (told | {"topic": "delivery"}).items()


async def test_when_the_other_service_is_away_what_is_known_here_is_the_answer(open_desk):
    desk = await open_desk(peers={"cases": "127.0.0.1:1"})
    promise, event_id, entry = await promised(desk)
    (cause,) = (await explain(desk, entry)).causes
    assert (cause.resource, cause.service, cause.id) == (promise, "services/cases", str(event_id))


async def test_an_entry_is_explained_when_its_chain_is_no_longer_kept(desk, infrastructure):
    anna = await desk.create()
    entry = await desk.record(anna.name)
    async with infrastructure.superuser(desk.running.db._url) as connection:
        await connection.execute("DELETE FROM outbox")
        await connection.execute("DELETE FROM inbox")
    (cause,) = (await explain(desk, entry.name)).causes
    assert (cause.actor, what(cause), cause.trace_id) == ("agents/alice", INTERACTION, entry.trace_id)


async def test_an_entry_that_is_not_the_customers_is_not_found(desk, refused, nobody):
    anna = await desk.create()
    entry = await desk.record(anna.name)
    foreign = f"{nobody}/timelineEntries/{entry.name.rsplit('/', 1)[1]}"
    for name in (foreign, f"{anna.name}/timelineEntries/{uuid4()}"):
        assert await refused(explain(desk, name)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    assert await refused(explain(desk, anna.name)) == "INVALID_ARGUMENT INVALID_NAME"
