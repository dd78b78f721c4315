"""What rests on one work item is about one thing: one promise at a time, and one chain of them ever."""

from datetime import timedelta
from itertools import zip_longest

import asyncpg
import pytest

from chassis.api.messages import timestamp
from rapport.cases.v1.promise_service_pb2 import (
    BatchMakePromisesRequest,
    KeepPromiseRequest,
    MakePromiseRequest,
    RenegotiatePromiseRequest,
    WithdrawPromiseRequest,
)
from rapport.common.v1 import states_pb2
from rapport_testing.batches import created, standing
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

State = states_pb2.PromiseState
EXISTS = "ALREADY_EXISTS PROMISE_EXISTS"


async def roots(desk):
    """The root of each promise in the order of making, as everybody is told."""
    return [fact.data.root for fact in await desk.facts("PromiseMade")]


def batch(*promises, keys=()):
    return BatchMakePromisesRequest(
        requests=[
            MakePromiseRequest(promise=promise, import_key=key)
            for promise, key in zip_longest(promises, keys)
        ]
    )


@pytest.mark.parametrize("fields", [{}, {"kind": "installation"}, {"reference": "orders/2"}])
async def test_a_work_item_has_one_promise_that_its_customer_waits_for(desk, refused, fields):
    work_item, made = await desk.promised_work()
    again = desk.promise(5, work_item=work_item.name, **fields)
    for checked in (True, False):
        request = batch(again)
        request.validate_only = checked
        assert await refused(desk.promises.BatchMakePromises(request)) == EXISTS
    with pytest.raises(Exception, match=made.name):
        await desk.make(5, work_item=work_item.name, **fields)
    assert len(await roots(desk)) == 1


@pytest.mark.alone("it moves the clock")
async def test_a_broken_promise_that_is_still_waited_for_is_renegotiated_and_not_made_again(desk, refused):
    work_item, made = await desk.promised_work(3)
    desk.clock.advance(timedelta(days=4))
    await eventually(lambda: desk.facts("PromiseBroken"))
    assert await refused(desk.make(5, work_item=work_item.name)) == EXISTS
    await desk.promises.RenegotiatePromise(
        RenegotiatePromiseRequest(name=made.name, due_time=timestamp(desk.in_days(5)), reason_code="agreed")
    )
    assert await refused(desk.make(5, work_item=work_item.name)) == EXISTS
    assert await roots(desk) == [made.name] * 2


async def test_whatever_is_promised_on_a_work_item_after_the_first_is_about_the_same(desk):
    work_item, first = await desk.promised_work()
    await desk.forecast(work_item.name, days=12)
    await desk.tell(first.name, promise_version=2)
    latest = await eventually(lambda: successor(desk, first.name))
    for _ in range(2):
        await desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=latest, reason_code="mistake"))
        latest = (await desk.make(3, work_item=work_item.name)).name
    await desk.promises.KeepPromise(KeepPromiseRequest(name=latest))
    await desk.make(3, work_item=work_item.name)
    assert await roots(desk) == [first.name] * 5


async def successor(desk, promise):
    return (await desk.get(promise)).successor


async def test_a_batch_has_one_promise_for_a_work_item_and_its_past_ones_are_of_the_same_chain(desk, refused):
    work_item = await desk.add((await desk.open()).name)
    past = [desk.promise(-d, work_item=work_item.name, keep_time=timestamp(desk.in_days(-d))) for d in (9, 5)]
    awaited = desk.promise(3, work_item=work_item.name)
    assert await refused(desk.promises.BatchMakePromises(batch(awaited, awaited))) == EXISTS
    request = batch(*past, awaited, awaited, keys=["a:1", "a:2", "a:3", "a:3"])
    for made_count in (3, 0):  # and again, as who lost the answer does
        made = await desk.promises.BatchMakePromises(request)
        assert created(made) == made_count
    assert set(await roots(desk)) == {standing(made)[0].name}


async def test_the_database_knows_it_too_whoever_writes(desk):
    work_item, made = await desk.promised_work()
    other = await desk.make(3)
    copied = "UPDATE promises SET work_item_id = $1, case_id = $2 WHERE id = $3"
    case_id, work_item_id = work_item.case.split("/")[1], work_item.name.split("/")[1]
    async with desk.running.db.connection() as connection:
        with pytest.raises(asyncpg.ExclusionViolationError, match="one_awaited_on_a_work_item"):
            await connection.execute(copied, work_item_id, case_id, other.name.split("/")[1])
    assert (await desk.get(other.name)).work_item == ""
    assert (await desk.get(made.name)).work_item == work_item.name


async def test_promises_of_other_work_and_of_none_are_as_many_as_are_made(desk):
    for _ in range(2):
        await desk.promised_work()
    await desk.promises.BatchMakePromises(batch(*[desk.promise(3, reference="orders/1")] * 2))
    assert len(set(await roots(desk))) == 4
