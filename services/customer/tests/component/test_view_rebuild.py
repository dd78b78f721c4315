"""Views are rendered anew from the facts that are kept, while everything runs, and what differs is named."""

import random
from uuid import UUID, uuid4

import pytest

from chassis.context import Call, Principal, current_call
from customer.events.view import _happened, _news
from customer.names import CUSTOMER
from customer.usecases import rebuilding
from customer.usecases.parts import SPECS
from customer.usecases.views import apply
from rapport.cases.v1 import cases_events_pb2 as cases
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.customer.v1.view_service_pb2 import RebuildCustomerViewsRequest

_COLUMNS = "customer_id, view, open_promises, open_cases, update_time"
pytestmark = pytest.mark.alone("all views there are are looked at")


async def rebuilt(desk, size=0, **how):
    """All steps: how many were looked at, and what differed."""
    count, found, token = 0, {}, ""
    while True:
        request = RebuildCustomerViewsRequest(page_size=size, page_token=token, **how)
        page = await desk.views.RebuildCustomerViews(request)
        count += page.customer_count
        found |= {each.name: list(each.fields) for each in page.differences}
        told = {field for each in page.differences for field in each.fields}
        assert told <= {*CustomerView.DESCRIPTOR.fields_by_name}
        token = page.next_page_token
        if not token:
            return count, found


async def held(desk):
    """The views' rows, without their versions."""
    async with desk.running.db.connection() as connection:
        return [tuple(row) for row in await connection.fetch(f"SELECT {_COLUMNS} FROM views ORDER BY 1")]


async def broken(desk, sql, *args):
    async with desk.running.db.connection() as connection:
        await connection.execute(sql, *args)


def every_type(desk, customer):
    """Facts of every type that a view folds, three of each about two things, however they go together."""
    told = []
    for number, spec in enumerate(SPECS.values()):
        first, *others = spec.message.DESCRIPTOR.fields
        kind = {"account": "programs/main/accounts"}.get(first.name, f"{first.json_name}s")
        for version in (1, 2, 3):
            message = spec.message(**{first.name: f"{kind}/{UUID(int=version % 2)}"})
            if any(each.name == "customer" for each in others):
                message.customer = customer
            told.append(desk.event(message, version * 10 + number, number + version))
    return told


async def projected(desk, events, batch):
    db = desk.running.db
    token = current_call.set(Call("test", Principal("service:customer")))
    try:
        for i in range(0, len(events), batch):
            some = events[i : i + batch]
            async with db.transaction() as tx:
                happened = [found for each in some if (found := _happened(each))]
                await apply(tx, happened, [found for each in some if (found := _news(each))])
    finally:
        current_call.reset(token)


@pytest.mark.parametrize("seed", range(2))
async def test_what_is_rendered_anew_is_what_was_there_in_whatever_order_it_came(desk, nobody, seed):
    told = every_type(desk, nobody)
    events = told + random.Random(seed).sample(told, 20)
    random.Random(seed).shuffle(events)
    await projected(desk, events, batch=[7, 100][seed])
    before = await held(desk)
    count, found = await rebuilt(desk, validate_only=True)
    assert (count, found) == (1, {})
    await broken(
        desk, "UPDATE view_parts SET part = '', ended = NOT ended, urgent = true, change_time = now()"
    )
    await broken(desk, "UPDATE views SET view = '', open_promises = 7")
    lost = await held(desk)
    _, found = await rebuilt(desk, validate_only=True)
    assert {"promises", "cases", "loyalty", "notices", "value", "open_promise_count", "name"} <= {
        *found[f"{nobody}/view"]
    }
    assert await held(desk) == lost
    assert (await rebuilt(desk))[0] == 1
    assert await held(desk) == before
    assert (await rebuilt(desk, validate_only=True))[1] == {}


async def test_steps_go_through_all_customers_and_a_view_that_was_lost_is_there_again(desk, monkeypatch):
    monkeypatch.setattr(rebuilding, "PARTS_MAX", 1)
    made = [await desk.create() for _ in range(5)]
    for each in made:
        for _ in range(2):
            await desk.deliver(
                cases.PromiseMade(
                    state="PROMISE_STATE_OPEN", promise=f"promises/{uuid4()}", customer=each.name
                )
            )
        await desk.view_when(each.name, lambda view: len(view.promises) == 2)
    before = await held(desk)
    lost = CUSTOMER.ids(made[3].name)[0]
    await broken(desk, "DELETE FROM views WHERE customer_id = $1", lost)
    gone = await held(desk)
    assert [*(await rebuilt(desk, size=3, validate_only=True))[1]] == [f"{made[3].name}/view"]
    assert await held(desk) == gone
    count, found = await rebuilt(desk, size=3)
    assert count == 5
    assert [*found] == [f"{made[3].name}/view"]
    assert await held(desk) == before
    named = [f"{each.name}/view" for each in made[:2]]
    assert await rebuilt(desk, names=named, validate_only=True) == (2, {})


async def test_who_is_nobody_has_no_view_to_render(desk, nobody, refused):
    call = desk.views.RebuildCustomerViews(RebuildCustomerViewsRequest(names=[f"{nobody}/view"]))
    assert await refused(call) == "NOT_FOUND RESOURCE_NOT_FOUND"
