"""What is under way while customers are merged or taken apart ends where a person looks for it afterwards."""

import asyncio

import pytest

from chassis.context import Call, Principal, acting
from customer.names import CUSTOMER, CUSTOMER_MERGE
from customer.usecases import customers
from customer.usecases.merges import merge_customers, undo_merge
from customer.usecases.views import locked_views


@pytest.fixture
async def anna(desk):
    return (await desk.create(family_name="Kruse")).name


@pytest.fixture
async def ann(desk):
    return (await desk.create(family_name="Kruse")).name


@pytest.fixture
def db(desk):
    """The service's database, for a service that is not to hear of what is done."""
    with acting(Call("test", Principal("service:customer"))):
        yield desk.running.db


async def test_of_whom_a_customer_is_no_more_once_a_merge_is_undone_no_view_is_drawn(
    desk, db, anna, ann, unheard, waits
):
    merge = await desk.merge(anna, ann)

    async def drawing():
        async with db.transaction() as tx:
            rows, _ = await locked_views(tx, CUSTOMER.ids(ann))
            return {CUSTOMER.format(each) for each in rows}

    async with db.transaction() as undoing:
        (merge_id,) = CUSTOMER_MERGE.ids(merge.name)
        await undo_merge(undoing, unheard, customer_merge_id=merge_id, reason_code="two-persons", etag="")
        drawn = asyncio.ensure_future(drawing())  # which has read before that Ann is Anna
        await waits(undoing)

    assert await drawn == {ann}


async def test_what_waited_for_a_merge_changes_the_name_that_survives(desk, db, anna, ann, unheard, waits):
    async def locking():
        async with db.transaction() as tx:
            return (await customers.locked(tx, *CUSTOMER.ids(ann))).customer.name

    async with db.transaction() as merging:
        survivor_id, merged_id = *CUSTOMER.ids(anna), *CUSTOMER.ids(ann)
        said = {"survivor_id": survivor_id, "merged_id": merged_id, "reason_code": "same-person"}
        await merge_customers(merging, unheard, **said)
        locked = asyncio.ensure_future(locking())
        await waits(merging)

    assert await locked == anna
