"""Facts that cannot be applied: the view of their customer says so, those of all others do not."""

from uuid import uuid4

import grpc
import nats
import pytest

from chassis import ids
from chassis.backoff import Backoff
from chassis.events.registry import subject_of
from customer.usecases import views as usecase
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport.common.v1 import states_pb2
from rapport.customer.v1.customer_events_pb2 import CustomerCreated
from rapport.customer.v1.view_pb2 import SourceFreshness
from rapport.customer.v1.view_service_pb2 import WatchCustomerViewRequest
from rapport.loyalty.v1.loyalty_events_pb2 import GoodwillGranted
from rapport_testing.running import reason
from rapport_testing.wait import eventually


@pytest.fixture
def refusing(monkeypatch):
    """The views of these customers cannot be projected: `refusing.add(customer_id)`."""
    refused: set[str] = set()
    store = usecase._store_parts

    async def refuse(tx, told, views):
        told = list(told)
        if any(f"customers/{customer_id}" in refused for customer_id, _ in told):
            raise TimeoutError
        await store(tx, told, views)

    monkeypatch.setattr(usecase, "_store_parts", refuse)
    monkeypatch.setattr("chassis.backoff.RETRIES", Backoff(0.2, 0.2))
    return refused


async def test_of_a_merged_customer_it_is_said_by_each_of_their_names(desk, refusing):
    anna, ann = (await desk.create()).name, (await desk.create()).name
    merge = await desk.merge(anna, ann)
    refusing.add(ann)
    await desk.deliver(CaseOpened(case=f"cases/{uuid4()}", customer=ann, topic="late-delivery"))

    for name in (anna, ann):
        assert len((await desk.view_when(name, lambda view: view.unapplied_facts)).unapplied_facts) == 1
    await desk.undo(merge)
    await desk.view_when(anna, lambda view: not view.unapplied_facts)
    assert len((await desk.view(ann)).unapplied_facts) == 1


async def test_a_fact_that_cannot_be_applied_marks_the_view_of_its_customer_until_it_is(desk, refusing):
    anna, bob = await desk.create(), await desk.create()
    refusing.add(anna.name)
    event_id = ids.uuid7(desk.clock.now())
    case = CaseOpened(case=f"cases/{uuid4()}", customer=anna.name, topic="late-delivery")
    await desk.deliver(case, event_id=event_id)
    await desk.deliver(CaseOpened(case=f"cases/{uuid4()}", customer=bob.name, topic="late-delivery"))

    marked = await desk.view_when(anna.name, lambda view: view.unapplied_facts)
    [fact] = marked.unapplied_facts
    assert (fact.service, fact.resource, fact.event_type) == (
        "services/cases",
        case.case,
        "rapport.cases.v1.CaseOpened",
    )
    assert fact.state == states_pb2.SET_ASIDE_STATE_PARKED
    assert not marked.cases

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.view(anna.name, consistency_token=f"cases:v1.CaseOpened={event_id}")
    assert reason(refused.value) == "WRITE_SET_ASIDE"

    others = await desk.view_when(bob.name, lambda view: view.cases)
    assert not others.unapplied_facts

    refusing.clear()
    mended = await desk.view_when(anna.name, lambda view: view.cases and not view.unapplied_facts)
    assert mended.cases[0].case == case.case


async def test_whoever_watches_a_view_is_told_that_a_fact_is_missing(desk, refusing):
    anna = await desk.create()
    await desk.view_when(anna.name, lambda view: view.latest_timeline_entries)
    stream = desk.views.WatchCustomerView(WatchCustomerViewRequest(name=f"{anna.name}/view"), timeout=30)
    first = await stream.read()
    assert not first.customer_view.unapplied_facts
    refusing.add(anna.name)
    await desk.deliver(CaseOpened(case=f"cases/{uuid4()}", customer=anna.name, topic="late-delivery"))

    async def told():
        message = await stream.read()
        return message.customer_view.unapplied_facts

    await eventually(told)
    stream.cancel()


async def test_a_source_is_fresh_though_one_customers_fact_is_set_aside(desk, refusing):
    anna = await desk.create()
    refusing.add(anna.name)
    await desk.deliver(CaseOpened(case=f"cases/{uuid4()}", customer=anna.name, topic="late-delivery"))
    await desk.view_when(anna.name, lambda view: view.unapplied_facts)
    own = (await desk.view_when(anna.name, _is_fresh)).freshness[0]
    assert own.service == "services/customer"


async def test_a_source_is_behind_while_a_fact_is_missing_and_nobody_knows_whose(desk, infrastructure):
    """Any view may lack it, so none of them says that it is complete."""
    anna = await desk.create()

    await desk.view_when(anna.name, _is_fresh)
    connection = await nats.connect(infrastructure.nats_url)
    try:
        await connection.jetstream().publish(subject_of(CustomerCreated), b"no event")
    finally:
        await connection.close()
    view = await desk.view_when(anna.name, lambda view: not _is_fresh(view))
    assert view.freshness[0].state == SourceFreshness.STATE_BEHIND
    assert not view.unapplied_facts


async def test_a_flood_of_one_department_hides_nothing_of_another(desk, refusing, monkeypatch):
    """What can be told one by one has a limit for each source, and beyond it the source alone is behind."""
    monkeypatch.setattr("customer.usecases.freshness.TOLD_MAX", 3)
    anna, bob = await desk.create(), await desk.create()
    refusing.update([anna.name, bob.name])
    await desk.deliver(CaseOpened(case=f"cases/{uuid4()}", customer=anna.name, topic="late-delivery"))
    await desk.view_when(anna.name, lambda view: view.unapplied_facts)
    for n in range(6):
        await desk.deliver(GoodwillGranted(goodwill=f"goodwill/{n}", customer=bob.name))

    def states(view):
        return {each.service: each.state for each in view.freshness}

    marked = await desk.view_when(bob.name, lambda view: len(view.unapplied_facts) == 4)
    assert {fact.service for fact in marked.unapplied_facts} == {"services/loyalty"}
    assert [fact.service for fact in (await desk.view(anna.name)).unapplied_facts] == ["services/cases"]
    assert states(marked)["services/loyalty"] != SourceFreshness.STATE_FRESH


def _is_fresh(view):
    return view.freshness[0].state == SourceFreshness.STATE_FRESH
