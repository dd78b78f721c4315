import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from chassis import ids
from chassis.context import Call, Principal, current_call
from customer.store.views import VIEWS_BY_ID
from customer.usecases import hot_views
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.customer.v1.customer_service_pb2 import UpdateCustomerRequest
from rapport.customer.v1.view_pb2 import SourceFreshness
from rapport.customer.v1.view_service_pb2 import BatchGetCustomerViewsRequest, GetCustomerViewRequest
from rapport_testing.wait import eventually

SOURCES = ["customer", "cases", "loyalty", "notifications"]


async def rename(desk, customer, family_name):
    """Change a name; returns the consistency token."""
    call = desk.customers.UpdateCustomer(
        UpdateCustomerRequest(customer=Customer(person=Person(family_name=family_name), name=customer))
    )
    await call
    return dict(await call.trailing_metadata())["consistency-token"]


async def test_the_view_shows_who_the_customer_is_and_what_it_was_built_from(desk):
    anna = await desk.create(family_name="Berg", language_code="de", time_zone="Europe/Berlin")
    view = await desk.view_when(anna.name, lambda view: view.latest_timeline_entries)
    assert (view.name, view.customer, view.display_name) == (f"{anna.name}/view", anna.name, "Anna Berg")
    assert (view.language_code, view.time_zone) == ("de", "Europe/Berlin")
    assert view.relationship_manager == "agents/front-desk"
    assert (view.profile_source.service, view.profile_source.resource_version) == ("services/customer", 1)
    assert view.update_time == anna.create_time


async def test_a_customer_nobody_told_anything_about_has_an_empty_view(desk):
    anna = await desk.create()
    async with desk.running.db.connection() as connection:
        await connection.execute("DELETE FROM views")
    view = await desk.view(anna.name)
    assert view.customer == anna.name
    several = await desk.views.BatchGetCustomerViews(
        BatchGetCustomerViewsRequest(names=[f"{anna.name}/view"])
    )
    assert several.customer_views[0].display_name == "Anna"


async def test_the_view_of_nobody_is_not_found(desk, refused, nobody):
    assert await refused(desk.view(nobody)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    several = BatchGetCustomerViewsRequest(names=[f"{nobody}/view"])
    assert await refused(desk.views.BatchGetCustomerViews(several)) == "NOT_FOUND RESOURCE_NOT_FOUND"
    call = desk.views.GetCustomerView(GetCustomerViewRequest(name=nobody))
    assert await refused(call) == "INVALID_ARGUMENT INVALID_NAME"


async def test_several_views_are_read_in_the_order_asked(desk, refused):
    made = [await desk.create(family_name=f"Berg {i}") for i in range(3)]
    names = [f"{made[i].name}/view" for i in (2, 0, 1)]
    found = await desk.views.BatchGetCustomerViews(BatchGetCustomerViewsRequest(names=names))
    assert [view.name for view in found.customer_views] == names
    assert all(len(view.freshness) == len(SOURCES) for view in found.customer_views)
    for asked, reason in (([], "REQUIRED"), (names * 334, "TOO_LONG"), (["x"], "INVALID_NAME")):
        call = desk.views.BatchGetCustomerViews(BatchGetCustomerViewsRequest(names=asked))
        assert await refused(call) == f"INVALID_ARGUMENT {reason}"


async def test_a_consistency_token_waits_for_the_write_it_stands_for(desk):
    anna = await desk.create()
    for i in range(10):
        token = await rename(desk, anna.name, f"Berg {i}")
        assert (await desk.view(anna.name, consistency_token=token)).display_name == f"Anna Berg {i}"


async def test_a_consistency_token_of_another_service_waits_for_its_fact(desk):
    anna = await desk.create()
    event_id = ids.uuid7(desk.clock.now())
    waiting = asyncio.ensure_future(desk.view(anna.name, consistency_token=f"cases:{event_id}"))
    case = CaseOpened(case=f"cases/{uuid4()}", customer=anna.name, topic="late-delivery")
    await desk.deliver(case, event_id=event_id)
    assert [part.case for part in (await waiting).cases] == [case.case]


async def test_a_view_that_does_not_get_there_in_time_says_so(desk):
    anna = await desk.create()
    request = GetCustomerViewRequest(
        name=f"{anna.name}/view", consistency_token=f"cases:{ids.uuid7(desk.clock.now())}"
    )
    with pytest.raises(Exception, match="does not contain that write") as caught:
        await desk.views.GetCustomerView(request, timeout=0.5)
    assert caught.value.code().name == "UNAVAILABLE"
    metadata = dict(caught.value.trailing_metadata())
    assert b"RetryInfo" in metadata["grpc-status-details-bin"]


async def test_what_is_no_consistency_token_is_refused(desk, refused):
    anna = await desk.create()
    event_id = ids.uuid7(desk.clock.now())
    later = ids.floor(desk.clock.now() + timedelta(days=3650))
    for token in (
        *("x", ":", "cases", "cases:1", f"{event_id}", f"billing:{event_id}", f"cases:{event_id},"),
        *(f"cases:{uuid4()}", f"cases:{later}", f"cases:v1.CaseOpened*0@{event_id}", f"cases:a b={event_id}"),
        "cases:" + ",".join([str(event_id)] * 65),
    ):
        call = desk.view(anna.name, consistency_token=token)
        assert await refused(call) == "INVALID_ARGUMENT INVALID_CONSISTENCY_TOKEN"


async def test_every_answer_says_how_current_each_source_is(desk):
    anna = await desk.create()

    async def fresh():
        view = await desk.view(anna.name)
        assert [source.service for source in view.freshness] == [f"services/{each}" for each in SOURCES]
        return view.freshness[0].state == SourceFreshness.State.STATE_FRESH

    await eventually(fresh)


async def test_a_view_read_over_and_over_is_read_from_the_database_once(desk, spans):
    anna = await desk.create()
    await desk.view_when(anna.name, lambda view: view.latest_timeline_entries)
    await desk.view(anna.name)
    spans.clear()
    for _ in range(5):
        await desk.view(anna.name)
    assert sum("SELECT views" in span.name for span in spans) <= 1


async def test_what_was_read_before_a_change_is_not_kept_after_it(desk, monkeypatch):
    """A read that is under way when a change commits must not put the old view back into memory."""
    anna = await desk.create()
    await desk.view_when(anna.name, lambda view: view.latest_timeline_entries)
    read, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def one(self, on, **params):
            row = await VIEWS_BY_ID.one(on, **params)
            read.set()
            await go_on.wait()
            return row

    async def applied(token):
        current_call.set(Call("test", Principal("agent:alice")))
        views = next(each for each in desk.running.app.servicers if hasattr(each, "arrivals"))
        await views.arrivals.wait(token, "consistency_token", 5)

    await applied(await rename(desk, anna.name, "Berg"))  # which drops what was in memory
    monkeypatch.setattr(hot_views, "VIEWS_BY_ID", Slow())
    slow = asyncio.ensure_future(desk.view(anna.name))
    await eventually(read.is_set)
    await applied(await rename(desk, anna.name, "Tal"))
    go_on.set()
    assert (await slow).display_name == "Anna Berg"
    assert (await desk.view(anna.name)).display_name == "Anna Tal"


async def test_a_change_in_one_replica_is_seen_in_the_other_without_a_token(open_desk):
    """Whichever replica applies the fact, the other one drops what it has in memory."""
    desk = await open_desk()
    other = await open_desk(database_url=desk.running.app.settings.database_url)
    anna = await desk.create()
    for i in range(10):
        await rename(desk, anna.name, f"Berg {i}")
        for replica in (desk, other):
            await replica.view_when(anna.name, lambda view, i=i: view.display_name == f"Anna Berg {i}")
