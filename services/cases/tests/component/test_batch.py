import asyncio
import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest
import sqlalchemy as sa

from chassis.api.messages import timestamp
from chassis.db.schema import TIMERS
from chassis.db.statement import Statement
from rapport.cases.v1 import promise_pb2
from rapport.cases.v1.promise_service_pb2 import (
    BatchMakePromisesRequest,
    MakePromiseRequest,
    WithdrawPromiseRequest,
)
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_service_pb2 import FinishWorkItemRequest
from rapport.common.v1 import states_pb2
from rapport_testing.batches import created, standing, unclear

State = states_pb2.PromiseState
ORDERS = Path(__file__).parents[4] / "../shared/data/contacts/northwind_orders.csv"
COUNT_TIMERS = Statement(
    sa.select(sa.func.count()).select_from(TIMERS).where(TIMERS.c.kind.startswith("promise-"))
)


def batch(promises, keys=()):
    return BatchMakePromisesRequest(
        requests=[
            MakePromiseRequest(promise=promise, import_key=key)
            for promise, key in zip_longest(promises, keys)
        ]
    )


def overlapping(rows):
    return batch(rows.values(), rows.keys())


async def timers(desk):
    (count,) = await COUNT_TIMERS.one(desk.running.db)
    return count


async def test_past_promises_are_kept_late_or_broken_at_once_and_told_as_such(desk):
    kept = desk.promise(-5, keep_time=timestamp(desk.in_days(-5)))
    late = desk.promise(-5, keep_time=timestamp(desk.in_days(-4)))
    broken = desk.promise(-5)
    made = await desk.promises.BatchMakePromises(batch([kept, late, broken]))
    assert [promise.state for promise in standing(made)] == [
        State.PROMISE_STATE_KEPT,
        State.PROMISE_STATE_KEPT_LATE,
        State.PROMISE_STATE_BROKEN,
    ]
    assert created(made) == 3
    told = Counter(fact.type.rsplit(".", 1)[1] for fact in await desk.facts())
    assert told == {"PromiseMade": 3, "PromiseKept": 2, "PromiseBroken": 1}
    assert [promise.etag for promise in standing(made)] == ['"2"'] * 3
    assert await timers(desk) == 0


async def test_promises_to_come_are_open_and_watched_by_the_clock(desk):
    made = await desk.promises.BatchMakePromises(batch([desk.promise(3), desk.promise(0.5)]))
    assert {promise.state for promise in standing(made)} == {State.PROMISE_STATE_OPEN}
    assert await timers(desk) == 4


async def test_a_batch_that_is_only_checked_makes_no_promise_and_refuses_as_if_it_did(desk, refused):
    request = batch([desk.promise(-5), desk.promise(3)], ["a:1", "a:2"])
    request.validate_only = True
    checked = await desk.promises.BatchMakePromises(request)
    assert (created(checked), standing(checked)) == (2, [promise_pb2.Promise()] * 2)
    assert (await desk.facts(), await timers(desk)) == ([], 0)
    request.validate_only = False
    made = await desk.promises.BatchMakePromises(request)
    assert created(made) == 2
    again = batch([desk.promise(4), desk.promise(9)], ["a:3", "a:2"])
    again.validate_only = True
    checked = await desk.promises.BatchMakePromises(again)
    assert standing(checked) == [promise_pb2.Promise(), standing(made)[1]]
    wrong = batch([desk.promise(3, reference="x" * 300)])
    wrong.validate_only = True
    assert await refused(desk.promises.BatchMakePromises(wrong)) == "INVALID_ARGUMENT INVALID_CODE"


async def test_a_promise_from_the_same_place_is_made_once_ever(desk):
    first = await desk.promises.BatchMakePromises(batch([desk.promise(3), desk.promise(4)], ["a:1", "a:2"]))
    again = await desk.promises.BatchMakePromises(
        batch([desk.promise(9), desk.promise(5), desk.promise(5)], ["a:2", "a:3", "a:3"])
    )
    assert standing(again)[0] == standing(first)[1]
    assert standing(again)[1] == standing(again)[2]
    assert (created(first), created(again)) == (2, 1)
    assert len(await desk.facts("PromiseMade")) == 3


@pytest.mark.parametrize("validate_only", [False, True])
async def test_what_came_before_is_answered_whatever_has_become_of_its_work(desk, validate_only):
    item = await desk.add((await desk.open()).name)
    first = await desk.promises.BatchMakePromises(batch([desk.promise(3, work_item=item.name)], ["a:1"]))
    await desk.work_items.FinishWorkItem(FinishWorkItemRequest(name=item.name))
    again = batch([desk.promise(3, work_item=item.name), desk.promise(4)], ["a:1", "a:2"])
    again.validate_only = validate_only
    answered = await desk.promises.BatchMakePromises(again)
    assert (created(answered), standing(answered)[0].name) == (1, standing(first)[0].name)


@pytest.mark.parametrize(
    ("count", "keys", "reason"),
    [
        (0, [], "REQUIRED"),
        (1001, [], "TOO_LONG"),
        (2, ["a:1", "a"], "INVALID_NAME"),
        (1, ["x" * 201], "TOO_LONG"),
        (1, ["a\0b"], "INVALID_TEXT"),
    ],
)
async def test_a_batch_that_breaks_the_contract_is_refused(desk, refused, count, keys, reason):
    request = batch([desk.promise()] * count, keys)
    assert await refused(desk.promises.BatchMakePromises(request)) == f"INVALID_ARGUMENT {reason}"


async def test_one_wrong_promise_refuses_the_batch(desk, refused):
    request = batch([desk.promise(), desk.promise(kind="")])
    assert await refused(desk.promises.BatchMakePromises(request)) == "INVALID_ARGUMENT REQUIRED"
    assert await desk.facts() == []


def end_of(day):
    """The midnight that ends a day: what a promised day is due by.

    A shipping date is known to the day only as well, so it ends there too. Taken from its beginning, what was
    shipped the day after would be shipped at the very moment that it was due, and count as in time.
    """
    return timestamp(datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1))


def start_of(day):
    return timestamp(datetime.fromisoformat(day).replace(tzinfo=UTC))


@pytest.mark.skipif(not ORDERS.exists(), reason=f"the Northwind orders are not at {ORDERS.name}")
async def test_the_northwind_orders_were_772_times_kept_37_times_late_and_21_times_broken(desk):
    orders = list(csv.DictReader(ORDERS.open(encoding="utf-8")))
    promises = [
        promise_pb2.Promise(
            customer=f"customers/{uuid5(NAMESPACE_URL, order['customer_id'])}",
            department="departments/delivery",
            kind="delivery",
            reference=f"orders/{order['order_id']}",
            make_time=start_of(order["order_date"]),
            due_time=end_of(order["required_date"]),
            keep_time=end_of(order["shipped_date"]) if order["shipped_date"] else None,
        )
        for order in orders
    ]
    request = batch(promises, [f"northwind:{order['order_id']}" for order in orders])
    for made_count in (830, 0):
        made = await desk.promises.BatchMakePromises(request)
        assert created(made) == made_count
        assert Counter(promise.state for promise in standing(made)) == {
            State.PROMISE_STATE_KEPT: 772,
            State.PROMISE_STATE_KEPT_LATE: 37,
            State.PROMISE_STATE_BROKEN: 21,
        }
    assert await desk.facts("PromiseAtRisk") == []
    assert await timers(desk) == 0


async def test_a_promise_that_another_source_brought_is_that_promise_kept_or_not(desk):
    rows = [desk.promise(3, reference="orders/1"), desk.promise(-5, reference="orders/2")]
    first = await desk.promises.BatchMakePromises(batch(rows, ["a:1", "a:2"]))
    rows[1].keep_time.CopyFrom(timestamp(desk.in_days(-5)))
    rows += [desk.promise(4, reference="orders/3"), desk.promise(4, reference="")]
    for made in (2, 0):
        again = overlapping({f"b:{i}": row for i, row in enumerate(rows)})
        again.validate_only = True
        assert created(await desk.promises.BatchMakePromises(again)) == made
        again.validate_only = False
        second = await desk.promises.BatchMakePromises(again)
        assert created(second) == made
        assert list(standing(second)[:2]) == standing(first)
    assert len(await desk.facts("PromiseMade")) == 4


async def test_promises_of_one_source_about_the_same_are_as_many_wherever_requests_end(desk):
    sooner, later = desk.promise(3, reference="orders/1"), desk.promise(9, reference="orders/1")
    make = desk.promises.BatchMakePromises
    first = await make(overlapping({"a:1": sooner, "a:2": later, "a:3": sooner}))
    assert created(first) == 3
    # In another order, in requests of their own, the last again, as who lost the answer does.
    for key, row, i in (("b:1", later, 1), ("b:2", sooner, 0), ("b:3", sooner, 2), ("b:3", sooner, 2)):
        again = await make(overlapping({key: row}))
        assert (created(again), standing(again)[0].name) == (0, standing(first)[i].name)
    again = await make(overlapping({"b:4": sooner, "b:5": desk.promise(3, reference="orders/2")}))
    assert (unclear(again), created(again)) == ([0], 1)
    assert [bool(promise.name) for promise in standing(again)] == [False, True]


async def test_an_order_that_is_due_otherwise_than_another_source_said_is_for_a_person(desk, refused):
    make, moved = desk.promises.BatchMakePromises, desk.promise(4, reference="orders/1")
    await make(overlapping({"a:1": desk.promise(3, reference="orders/1")}))
    for checked in (True, False):
        request = overlapping({"b:1": moved})
        request.validate_only = checked
        assert unclear(await make(request)) == [0]
    for made in (1, 0):
        request = overlapping({"b:1": moved, "b:2": desk.promise(3, reference="orders/1")})
        request.requests[0].confirmed = True
        assert created(await make(request)) == made
    assert await refused(desk.promises.MakePromise(request.requests[0])) == "INVALID_ARGUMENT INVALID_NAME"


async def test_promises_of_two_sources_in_one_request_are_made_once(desk):
    row, make = desk.promise(3, reference="orders/1"), desk.promises.BatchMakePromises
    request = overlapping({"a:1": row, "b:1": row})
    request.validate_only = True
    assert created(await make(request)) == 1
    for made in (1, 0):
        answer = await make(overlapping({"a:1": row, "b:1": row}))
        assert (created(answer), standing(answer)[0]) == (made, standing(answer)[1])


async def test_a_promise_that_was_taken_back_is_made_again(desk):
    row = desk.promise(3, reference="orders/1")
    [first] = standing(await desk.promises.BatchMakePromises(batch([row], ["a:1"])))
    await desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=first.name, reason_code="mistake"))
    assert created(await desk.promises.BatchMakePromises(overlapping({"b:1": row}))) == 1


async def test_an_import_key_of_another_department_is_another_key(desk):
    """Also when it was used for a promise of this department, on a case of its own."""
    case = await desk.open()
    front = desk.running.stub(PromiseServiceStub, ["cases.promises.write"])
    delivery = desk.running.stub(PromiseServiceStub, ["cases.promises.write"], department="delivery")
    lent, own = desk.promise(3, case=case.name), desk.promise(4)
    [first] = standing(await front.BatchMakePromises(batch([lent], ["a:1"])))
    for made in (1, 0):
        answer = await delivery.BatchMakePromises(batch([own], ["a:1"]))
        assert created(answer) == made
        assert standing(answer)[0].name != first.name
    answer = await delivery.BatchMakePromises(overlapping({"c:1": own}))
    assert standing(answer)[0].name != first.name


async def test_two_sources_that_bring_the_same_order_at_once_bring_it_once(desk):
    for n in range(5):
        row = desk.promise(3, reference=f"O-{n}")
        requests = [overlapping({f"{source}{n}:1": row}) for source in "ab"]
        answers = await asyncio.gather(*map(desk.promises.BatchMakePromises, requests))
        assert sorted(created(answer) for answer in answers) == [0, 1]


async def test_who_promises_for_another_department_is_not_answered_with_its_promises(desk, refused):
    case = await desk.open()
    theirs, lent = desk.promise(3), desk.promise(3, case=case.name)
    await desk.promises.BatchMakePromises(batch([theirs], ["a:1"]))
    front = desk.running.stub(PromiseServiceStub, ["cases.promises.write"])
    for checked in (True, False):
        request = batch([lent], ["a:1"])
        request.validate_only = checked
        assert await refused(front.BatchMakePromises(request)) == "PERMISSION_DENIED NOT_OWNER"
    for made in (1, 0):  # and again, as who lost the answer does
        assert created(await front.BatchMakePromises(batch([lent], ["b:1"]))) == made
