from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from google.type.date_pb2 import Date

from chassis.api.messages import timestamp
from rapport.cases.v1.promise_service_pb2 import (
    BatchMakePromisesRequest,
    ExplainPromiseRequest,
    GetPromiseRequest,
    KeepPromiseRequest,
    ListPromisesRequest,
    MakePromiseRequest,
    RenegotiatePromiseRequest,
    WithdrawPromiseRequest,
)
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import CreateWorkItemRequest, FinishWorkItemRequest
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1 import states_pb2
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

State = states_pb2.PromiseState
OLD = timestamp(datetime(1990, 1, 1, tzinfo=UTC))
DAY = {"due_time": None, "due_date": Date(year=2026, month=3, day=5), "time_zone": "Europe/Berlin"}
UNKNOWN = f"promises/{uuid4()}"


def renegotiation(desk, name, days=5, **fields):
    return RenegotiatePromiseRequest(
        **{"name": name, "due_time": timestamp(desk.in_days(days)), "reason_code": "customer-agreed"} | fields
    )


async def test_a_promise_is_made_told_and_read_back(desk):
    made = await desk.make(3, reference="orders/10248")
    assert (made.state, made.etag) == (State.PROMISE_STATE_OPEN, '"1"')
    assert made.make_time == timestamp(desk.clock.now())
    assert await desk.get(made.name) == made
    (fact,) = await desk.facts()
    assert (fact.data.promise, fact.data.customer, fact.data.reference) == (
        made.name,
        desk.customer,
        "orders/10248",
    )


async def test_what_was_promised_is_told_as_it_was_said_and_so_is_its_successor(desk):
    made = await desk.make(3, display_name="Den Schlüssel bringen")
    assert made.display_name == "Den Schlüssel bringen"
    moved = await desk.promises.RenegotiatePromise(renegotiation(desk, made.name))
    assert (await desk.get(moved.successor)).display_name == made.display_name
    assert "Schlüssel" not in str([fact.data for fact in await desk.facts()])


async def test_a_work_item_says_which_case_a_promise_belongs_to(desk):
    work_item, promise = await desk.promised_work()
    assert (promise.case, promise.work_item) == (work_item.case, work_item.name)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"customer": "alice"}, "INVALID_NAME"),
        ({"department": ""}, "REQUIRED"),
        ({"kind": "Delivery!"}, "INVALID_CODE"),
        ({"reference": "a\0b"}, "INVALID_TEXT"),
        ({"display_name": "a\0b"}, "INVALID_TEXT"),
        ({"display_name": "x" * 201}, "TOO_LONG"),
        ({"reference": "for Maria, who rang twice"}, "INVALID_CODE"),
        ({"due_time": None}, "REQUIRED"),
        ({"due_time": timestamp(datetime(1969, 12, 31, tzinfo=UTC))}, "INVALID_TIME"),
        ({"make_time": timestamp(datetime(1969, 12, 31, tzinfo=UTC))}, "INVALID_TIME"),
        ({"keep_time": timestamp(datetime(1969, 12, 31, tzinfo=UTC))}, "INVALID_TIME"),
        (DAY | {"due_date": Date(year=1969, month=12, day=31)}, "INVALID_TIME"),
        (DAY | {"time_zone": "posixrules"}, "INVALID_CODE"),
        ({"due_time": timestamp(datetime(2036, 4, 1, tzinfo=UTC))}, "INVALID_TIME"),
        ({"due_date": Date(year=2026, month=3, day=5)}, "REQUIRED"),
        ({"time_zone": "Europe/Berlin"}, "INVALID_CODE"),
        ({"due_time": None, "due_date": Date(year=2026, month=3, day=5)}, "INVALID_CODE"),
        (DAY | {"time_zone": "Europe/Nowhere"}, "INVALID_CODE"),
        (DAY | {"time_zone": "localtime"}, "INVALID_CODE"),
        (DAY | {"time_zone": "Factory"}, "INVALID_CODE"),
        (DAY | {"due_date": Date(year=2026, month=2, day=30)}, "INVALID_TIME"),
        (DAY | {"due_date": Date(year=2026, month=3)}, "INVALID_TIME"),
        (DAY | {"due_date": Date(year=2036, month=4, day=1)}, "INVALID_TIME"),
        (DAY | {"due_date": Date(year=2026, month=3, day=1)}, "INVALID_TIME"),
        ({"make_time": timestamp(datetime(1999, 1, 1, tzinfo=UTC)), "keep_time": OLD}, "INVALID_TIME"),
        ({"make_time": timestamp(datetime(2190, 1, 1, tzinfo=UTC))}, "INVALID_TIME"),
        ({"keep_time": timestamp(datetime(2190, 1, 1, tzinfo=UTC))}, "INVALID_TIME"),
        ({"case": "cases/1"}, "INVALID_NAME"),
    ],
)
async def test_a_promise_that_breaks_the_contract_is_refused(desk, refused, fields, reason):
    assert await refused(desk.make(**fields)) == f"INVALID_ARGUMENT {reason}"


async def test_a_promise_of_the_past_needs_a_keep_time(desk, refused):
    assert await refused(desk.make(-1)) == "INVALID_ARGUMENT INVALID_TIME"
    kept = await desk.make(-1, keep_time=timestamp(desk.in_days(-2)), make_time=timestamp(desk.in_days(-9)))
    assert (kept.state, kept.make_time) == (State.PROMISE_STATE_KEPT, timestamp(desk.in_days(-9)))


async def test_a_promise_is_made_to_the_customer_of_its_case(desk, refused):
    case = await desk.open()
    stranger = f"customers/{uuid4()}"
    other = desk.make(case=case.name, customer=stranger)
    assert await refused(other) == "FAILED_PRECONDITION CUSTOMER_MISMATCH"
    unknown = desk.make(case=f"cases/{uuid4()}")
    assert await refused(unknown) == "NOT_FOUND RESOURCE_NOT_FOUND"


async def test_a_promise_rests_on_work_of_its_own_case(desk, refused):
    work_item, _ = await desk.promised_work()
    other = await desk.open()
    crossed = desk.make(case=other.name, work_item=work_item.name)
    assert await refused(crossed) == "FAILED_PRECONDITION CASE_MISMATCH"


@pytest.mark.parametrize("past", [False, True], ids=["to come", "past"])
@pytest.mark.parametrize(
    ("department", "permission"),
    [("front-desk", "cases.promises.write"), ("billing", "cases.promises.write"), ("billing", "*")],
    ids=["who answers for the case", "another", "an administrator"],
)
async def test_a_promise_rests_on_work_of_its_own_department(desk, refused, department, permission, past):
    """Else whoever forecasts and finishes that work would say what becomes of another's promise."""
    work_item = await desk.add((await desk.open()).name)
    promise = desk.promise(department=f"departments/{department}", work_item=work_item.name)
    if past:
        promise.due_time.CopyFrom(timestamp(desk.in_days(-1)))
        promise.keep_time.CopyFrom(timestamp(desk.in_days(-2)))
    stub = desk.running.stub(PromiseServiceStub, [permission], department=department)
    one = MakePromiseRequest(promise=promise)
    for call in (stub.MakePromise(one), stub.BatchMakePromises(BatchMakePromisesRequest(requests=[one]))):
        assert await refused(call) == "FAILED_PRECONDITION DEPARTMENT_MISMATCH"


async def test_who_answers_for_a_case_says_nothing_of_anothers_promise_by_work_of_its_own(desk, refused):
    case = await desk.open()
    item = WorkItem(case=case.name, department="departments/front-desk", kind="call-back")
    own = await desk.work_items.CreateWorkItem(CreateWorkItemRequest(work_item=item))
    front = desk.running.stub(PromiseServiceStub, ["cases.promises.write"])
    theirs = MakePromiseRequest(promise=desk.promise(case=case.name, work_item=own.name))
    assert await refused(front.MakePromise(theirs)) == "FAILED_PRECONDITION DEPARTMENT_MISMATCH"


@pytest.mark.alone("the clock is moved")
@pytest.mark.parametrize(
    ("late_days", "state"), [(0, State.PROMISE_STATE_KEPT), (1, State.PROMISE_STATE_KEPT_LATE)]
)
async def test_a_promise_is_kept_in_time_or_late(desk, late_days, state):
    made = await desk.make(3)
    desk.clock.advance(timedelta(days=3 + late_days))
    kept = await desk.promises.KeepPromise(KeepPromiseRequest(name=made.name))
    assert (kept.state, kept.keep_time) == (state, timestamp(desk.clock.now()))
    (fact,) = await desk.facts("PromiseKept")
    assert fact.data.state == state


@pytest.mark.alone("the clock is moved")
async def test_a_promise_is_not_kept_before_it_was_made(desk, refused):
    made = await desk.make(3)
    desk.clock.advance(timedelta(days=4))
    await eventually(lambda: desk.facts("PromiseBroken"))
    assert await refused(desk.promises.KeepPromise(KeepPromiseRequest(name=made.name, keep_time=OLD))) == (
        "INVALID_ARGUMENT INVALID_TIME"
    )
    assert (await desk.get(made.name)).state == State.PROMISE_STATE_BROKEN


@pytest.mark.alone("the clock is moved")
async def test_a_promised_day_ends_at_midnight_where_the_customer_lives(desk):
    made = [await desk.make(**DAY) for _ in range(2)]
    midnight = datetime(2026, 3, 5, 23, tzinfo=UTC)
    assert made[0].due_time == timestamp(midnight)
    assert (made[0].due_date, made[0].time_zone) == (DAY["due_date"], "Europe/Berlin")
    desk.clock.advance(midnight + timedelta(hours=1) - desk.clock.now())
    tick = timedelta(microseconds=1)
    system = desk.running.stub(PromiseServiceStub, ["cases.promises.write"], "service:carrier", "delivery")
    kept = [
        await system.KeepPromise(KeepPromiseRequest(name=promise.name, keep_time=timestamp(at)))
        for promise, at in zip(made, (midnight - tick, midnight), strict=True)
    ]
    assert [promise.state for promise in kept] == [State.PROMISE_STATE_KEPT, State.PROMISE_STATE_KEPT_LATE]


AGENT = (["cases.promises.write", "cases.work_items.write"], "agent:bob", "delivery")
TOO_LATE = "FAILED_PRECONDITION WORD_TOO_LATE"


@pytest.mark.alone("the clock is moved")
async def test_nobody_keeps_a_broken_promise_in_time_by_saying_so_later_but_who_answers_for_all(
    desk, refused
):
    first, second = await desk.make(1), await desk.make(1)
    in_time, late = timestamp(desk.in_days(0.5)), timestamp(desk.in_days(1.5))
    desk.clock.advance(timedelta(days=2))
    bob = desk.running.stub(PromiseServiceStub, *AGENT)
    said = KeepPromiseRequest(name=first.name, keep_time=in_time)
    assert await refused(bob.KeepPromise(said)) == TOO_LATE
    kept = await bob.KeepPromise(KeepPromiseRequest(name=second.name, keep_time=late))
    assert (kept.state, kept.keeper) == (State.PROMISE_STATE_KEPT_LATE, "agents/bob")
    kept = await desk.promises.KeepPromise(said)
    assert (kept.state, kept.keeper) == (State.PROMISE_STATE_KEPT, "agents/alice")


@pytest.mark.alone("the clock is moved")
async def test_nor_by_saying_later_that_the_work_was_finished_in_time(desk, refused):
    item, made = await desk.promised_work(1)
    in_time = timestamp(desk.in_days(0.5))
    desk.clock.advance(timedelta(days=2))
    bob = desk.running.stub(WorkItemServiceStub, *AGENT)
    said = FinishWorkItemRequest(name=item.name, finish_time=in_time)
    assert await refused(bob.FinishWorkItem(said)) == TOO_LATE
    assert (await bob.FinishWorkItem(FinishWorkItemRequest(name=item.name))).HasField("finish_time")
    assert (await desk.get(made.name)).state == State.PROMISE_STATE_KEPT_LATE


@pytest.mark.alone("the clock is moved")
async def test_in_time_is_in_time_also_when_it_is_said_a_little_later(desk):
    """Before it is broken anybody says when it was done."""
    item, made = await desk.promised_work(1)
    desk.clock.advance(timedelta(hours=12))
    bob = desk.running.stub(WorkItemServiceStub, *AGENT)
    at = timestamp(desk.in_days(-0.25))
    await bob.FinishWorkItem(FinishWorkItemRequest(name=item.name, finish_time=at))
    assert (await desk.get(made.name)).keep_time == at


@pytest.mark.alone("the clock is moved")
async def test_what_an_import_made_was_kept_when_it_says(desk):
    batch = BatchMakePromisesRequest(requests=[{"promise": desk.promise(1), "import_key": "delivery:1"}])
    made = (await desk.promises.BatchMakePromises(batch)).results[0].promise
    said = timestamp(desk.clock.now())
    desk.clock.advance(timedelta(days=2))
    bob = desk.running.stub(PromiseServiceStub, *AGENT)
    kept = await bob.KeepPromise(KeepPromiseRequest(name=made.name, keep_time=said))
    assert (kept.state, kept.keep_time) == (State.PROMISE_STATE_KEPT, said)


@pytest.mark.alone("all there is is counted")
async def test_promises_are_listed_by_the_day_that_was_promised(desk):
    made = await desk.make(**DAY)
    await desk.make(3)
    day = DAY["due_date"]
    asked = f"due_date = {day.year:04}-{day.month:02}-{day.day:02}"
    listed = await desk.promises.ListPromises(ListPromisesRequest(filter=asked))
    assert [each.name for each in listed.promises] == [made.name]


async def test_a_promised_day_is_renegotiated_to_a_day_in_the_same_zone(desk, refused):
    made = await desk.make(**DAY)
    moment = desk.promises.RenegotiatePromise(renegotiation(desk, made.name, 5))
    assert await refused(moment) == "INVALID_ARGUMENT INVALID_TIME"
    over = renegotiation(desk, made.name, due_time=None, due_date=Date(year=2026, month=3, day=1))
    assert await refused(desk.promises.RenegotiatePromise(over)) == "INVALID_ARGUMENT INVALID_TIME"
    day = Date(year=2026, month=3, day=29)
    ended = await desk.promises.RenegotiatePromise(
        renegotiation(desk, made.name, due_time=None, due_date=day)
    )
    successor = await desk.get(ended.successor)
    assert (successor.due_date, successor.time_zone) == (day, "Europe/Berlin")
    assert successor.due_time == timestamp(datetime(2026, 3, 29, 22, tzinfo=UTC))  # a day of 23 hours
    (fact,) = await desk.facts("PromiseRenegotiated")
    assert (fact.data.due_date, fact.data.new_due_date) == (DAY["due_date"], day)


async def test_a_promised_moment_is_not_renegotiated_to_a_day(desk, refused):
    made = await desk.make(3)
    day = renegotiation(desk, made.name, due_time=None, due_date=Date(year=2026, month=3, day=29))
    assert await refused(desk.promises.RenegotiatePromise(day)) == "INVALID_ARGUMENT INVALID_TIME"


async def test_a_promise_is_not_kept_in_the_future(desk, refused):
    made = await desk.make(3)
    request = KeepPromiseRequest(name=made.name, keep_time=timestamp(desk.in_days(1)))
    assert await refused(desk.promises.KeepPromise(request)) == "INVALID_ARGUMENT INVALID_TIME"


async def test_what_a_clock_ahead_of_ours_says_of_a_minute_from_now_is_done_now(desk, refused):
    now = timestamp(desk.clock.now())
    ahead, beyond = (timestamp(desk.clock.now() + timedelta(seconds=s)) for s in (60, 61))
    made = await desk.make(3, make_time=ahead)
    assert made.make_time == now
    past = await desk.make(3, make_time=ahead, keep_time=ahead)
    assert (past.state, past.make_time, past.keep_time) == (State.PROMISE_STATE_KEPT, now, now)
    for call in (
        desk.make(3, make_time=beyond),
        desk.make(3, keep_time=beyond),
        desk.promises.KeepPromise(KeepPromiseRequest(name=made.name, keep_time=beyond)),
    ):
        assert await refused(call) == "INVALID_ARGUMENT INVALID_TIME"
    kept = await desk.promises.KeepPromise(KeepPromiseRequest(name=made.name, keep_time=ahead))
    assert (kept.state, kept.keep_time) == (State.PROMISE_STATE_KEPT, now)


async def test_a_promise_is_withdrawn_for_a_reason(desk, refused):
    made = await desk.make(3)
    request = WithdrawPromiseRequest(name=made.name)
    assert await refused(desk.promises.WithdrawPromise(request)) == "INVALID_ARGUMENT REQUIRED"
    request.reason_code = "customer-cancelled"
    withdrawn = await desk.promises.WithdrawPromise(request)
    assert (withdrawn.state, withdrawn.reason_code) == (State.PROMISE_STATE_WITHDRAWN, "customer-cancelled")
    (fact,) = await desk.facts("PromiseWithdrawn")
    assert fact.data.reason_code == "customer-cancelled"


async def test_renegotiating_ends_a_promise_and_makes_its_successor(desk):
    work_item, made = await desk.promised_work(due_days=3)
    ended = await desk.promises.RenegotiatePromise(renegotiation(desk, made.name, 5))
    assert (ended.state, ended.due_time) == (State.PROMISE_STATE_RENEGOTIATED, made.due_time)
    successor = await desk.get(ended.successor)
    assert (successor.state, successor.due_time) == (State.PROMISE_STATE_OPEN, timestamp(desk.in_days(5)))
    assert (successor.predecessor, successor.work_item) == (made.name, work_item.name)
    renegotiated, told = (await desk.facts("PromiseRenegotiated", "PromiseMade"))[-2:]
    assert (renegotiated.data.successor, renegotiated.data.notice) == (successor.name, "")
    assert (told.data.promise, told.data.predecessor) == (successor.name, made.name)
    assert told.causation_id == renegotiated.id


async def test_a_successor_that_is_already_forecast_late_is_at_risk(desk):
    work_item, made = await desk.promised_work(due_days=3)
    await desk.forecast(work_item.name, days=9)
    ended = await desk.promises.RenegotiatePromise(renegotiation(desk, made.name, 5))
    assert (await desk.get(ended.successor)).state == State.PROMISE_STATE_AT_RISK
    assert [fact.resource for fact in await desk.facts("PromiseAtRisk")] == [made.name, ended.successor]


async def test_a_promise_is_renegotiated_to_a_time_to_come(desk, refused):
    made = await desk.make(3)
    past = desk.promises.RenegotiatePromise(renegotiation(desk, made.name, -1))
    assert await refused(past) == "INVALID_ARGUMENT INVALID_TIME"


async def test_a_promise_that_ended_refuses_every_verb(desk, refused):
    made = await desk.make(3)
    await desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=made.name, reason_code="x"))
    calls = [
        desk.promises.KeepPromise(KeepPromiseRequest(name=made.name)),
        desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=made.name, reason_code="x")),
        desk.promises.RenegotiatePromise(renegotiation(desk, made.name)),
    ]
    assert {await refused(call) for call in calls} == {"FAILED_PRECONDITION PROMISE_ENDED"}
    assert len(await desk.facts()) == 2


async def broken(desk):
    """A promise that was broken a day ago, with a forecast since."""
    work_item, made = await desk.promised_work(3)
    desk.clock.advance(timedelta(days=4))

    async def is_broken():
        return (await desk.get(made.name)).state == State.PROMISE_STATE_BROKEN

    await eventually(is_broken)
    await desk.forecast(work_item.name, 2)
    found = await desk.get(made.name)
    assert (found.state, found.HasField("forecast_time")) == (State.PROMISE_STATE_BROKEN, True)
    return work_item, found


@pytest.mark.alone("the clock is moved")
async def test_a_person_agrees_on_another_date_when_the_promise_is_broken_by_then(desk, refused):
    _, made = await broken(desk)
    ended = await desk.promises.RenegotiatePromise(renegotiation(desk, made.name))
    assert (ended.state, ended.HasField("forecast_time")) == (State.PROMISE_STATE_BROKEN, False)
    assert (await desk.get(ended.successor)).predecessor == made.name
    [told] = await desk.facts("PromiseRenegotiated")
    assert told.data.state == State.PROMISE_STATE_BROKEN
    again = desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=made.name, reason_code="x"))
    assert await refused(again) == "FAILED_PRECONDITION PROMISE_ENDED"


@pytest.mark.alone("the clock is moved")
@pytest.mark.parametrize("verb", ["renegotiate", "withdraw"])
async def test_what_was_broken_is_so_whether_the_timer_or_a_person_comes_first(desk, verb):
    made = await desk.make(3)
    desk.clock.advance(timedelta(days=4))
    if verb == "renegotiate":
        ended = await desk.promises.RenegotiatePromise(renegotiation(desk, made.name))
    else:
        ended = await desk.promises.WithdrawPromise(
            WithdrawPromiseRequest(name=made.name, reason_code="cancelled")
        )
    assert ended.state == State.PROMISE_STATE_BROKEN
    assert len(await desk.facts("PromiseBroken")) == 1


@pytest.mark.alone("the clock is moved")
async def test_a_promise_that_is_taken_back_once_it_is_broken_is_told_of_no_more(desk):
    work_item, made = await broken(desk)
    taking_back = WithdrawPromiseRequest(name=made.name, reason_code="cancelled")
    gone = await desk.promises.WithdrawPromise(taking_back)
    assert (gone.state, gone.reason_code) == (State.PROMISE_STATE_BROKEN, "cancelled")
    assert (gone.HasField("withdraw_time"), gone.HasField("forecast_time")) == (True, False)
    [told] = await desk.facts("PromiseWithdrawn")
    assert told.data.state == State.PROMISE_STATE_BROKEN
    await desk.forecast(work_item.name, 5)
    await desk.tell(made.name)
    assert await desk.get(made.name) == gone
    explanation = await desk.promises.ExplainPromise(ExplainPromiseRequest(name=made.name))
    assert explanation.rule == "rules/promise-withdrawn-late"


@pytest.mark.parametrize("lent", [True, False], ids=["of the case", "of neither"])
async def test_who_answers_for_the_case_records_what_was_agreed_and_not_what_was_done(desk, refused, lent):
    case = await desk.open()
    agreed, cancelled = [await desk.make(3, case=case.name) for _ in range(2)]
    caller = desk.running.stub(
        PromiseServiceStub,
        permissions=["cases.promises.write"],
        department="front-desk" if lent else "billing",
    )
    calls = [
        caller.RenegotiatePromise(renegotiation(desk, agreed.name)),
        caller.WithdrawPromise(WithdrawPromiseRequest(name=cancelled.name, reason_code="x")),
    ]
    if lent:
        ended = [(await call).state for call in calls]
        assert ended == [State.PROMISE_STATE_RENEGOTIATED, State.PROMISE_STATE_WITHDRAWN]
    else:
        assert {await refused(call) for call in calls} == {"PERMISSION_DENIED NOT_OWNER"}
    kept = await desk.make(3, case=case.name)
    keeping = caller.KeepPromise(KeepPromiseRequest(name=kept.name))
    assert await refused(keeping) == "PERMISSION_DENIED NOT_OWNER"


async def test_a_stale_etag_is_refused_by_every_verb(desk, refused):
    made = await desk.make(3)
    calls = [
        desk.promises.KeepPromise(KeepPromiseRequest(name=made.name, etag='"2"')),
        desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=made.name, reason_code="x", etag='"2"')),
        desk.promises.RenegotiatePromise(renegotiation(desk, made.name, etag='"2"')),
    ]
    assert {await refused(call) for call in calls} == {"ABORTED ETAG_MISMATCH"}


async def test_what_does_not_exist_is_not_found(desk, refused):
    calls = [
        desk.promises.GetPromise(GetPromiseRequest(name=UNKNOWN)),
        desk.promises.KeepPromise(KeepPromiseRequest(name=UNKNOWN)),
        desk.promises.WithdrawPromise(WithdrawPromiseRequest(name=UNKNOWN, reason_code="x")),
        desk.promises.RenegotiatePromise(renegotiation(desk, UNKNOWN)),
    ]
    assert {await refused(call) for call in calls} == {"NOT_FOUND RESOURCE_NOT_FOUND"}


@pytest.mark.alone("the clock is moved")
async def test_a_repeated_keep_gets_the_first_answer(desk):
    made = await desk.make(3)
    request = KeepPromiseRequest(name=made.name, request_id=str(uuid4()))
    first = await desk.promises.KeepPromise(request)
    desk.clock.advance(timedelta(hours=1))
    assert await desk.promises.KeepPromise(request) == first
    assert len(await desk.facts("PromiseKept")) == 1


async def test_a_repeated_request_makes_one_promise(desk):
    request = MakePromiseRequest(promise=desk.promise(), request_id=str(uuid4()))
    assert await desk.promises.MakePromise(request) == await desk.promises.MakePromise(request)


@pytest.mark.alone("all there is is counted")
async def test_promises_are_listed_latest_due_first_in_pages(desk):
    made = [(await desk.make(days)).name for days in (2, 5, 3, 3)]
    listed, token = [], ""
    while True:
        page = await desk.promises.ListPromises(ListPromisesRequest(page_size=2, page_token=token))
        listed += [promise.name for promise in page.promises]
        token = page.next_page_token
        if not token:
            break
    assert listed == [made[1], made[3], made[2], made[0]]


@pytest.mark.alone("all there is is counted")
async def test_promises_are_filtered_by_every_documented_field(desk):
    made = await desk.make(3, reference="orders/10248")
    await desk.make(9, customer=f"customers/{uuid4()}", department="departments/billing")
    until = desk.in_days(4).isoformat()
    for text in (
        f"customer = {desk.customer}",
        "department = departments/delivery",
        'reference = "orders/10248" AND state = OPEN',
        f'due_time < "{until}"',
    ):
        page = await desk.promises.ListPromises(ListPromisesRequest(filter=text))
        assert [promise.name for promise in page.promises] == [made.name], text


async def test_who_answers_for_a_case_promises_nothing_in_anothers_name_that_is_due_in_a_moment(
    desk, refused
):
    case = await desk.open()
    front = desk.running.stub(PromiseServiceStub, ["cases.promises.write"])
    soon = desk.promise(0.5 / 24, case=case.name)
    assert await refused(front.MakePromise(MakePromiseRequest(promise=soon))) == "PERMISSION_DENIED NOT_OWNER"
    later = desk.promise(2 / 24, case=case.name)
    assert (await front.MakePromise(MakePromiseRequest(promise=later))).state == State.PROMISE_STATE_OPEN


async def test_who_answers_for_a_case_agrees_to_later_dates_of_others_and_to_no_sooner_ones(desk, refused):
    case = await desk.open()
    promise = await desk.make(9, case=case.name)
    front = desk.running.stub(PromiseServiceStub, ["cases.promises.write"])
    sooner = front.RenegotiatePromise(renegotiation(desk, promise.name, days=8))
    assert await refused(sooner) == "PERMISSION_DENIED NOT_OWNER"
    later = await front.RenegotiatePromise(renegotiation(desk, promise.name, days=10))
    assert later.state == State.PROMISE_STATE_RENEGOTIATED
    delivery = desk.running.stub(PromiseServiceStub, ["cases.promises.write"], department="delivery")
    await delivery.RenegotiatePromise(renegotiation(desk, later.successor, days=1))


async def test_who_answers_for_a_case_brings_nothing_forward_by_taking_it_back_first(desk, refused):
    work_item, promise = await desk.promised_work(9)
    front = desk.running.stub(PromiseServiceStub, ["cases.promises.write"])
    await front.WithdrawPromise(WithdrawPromiseRequest(name=promise.name, reason_code="x"))
    sooner = MakePromiseRequest(promise=desk.promise(8, work_item=work_item.name))
    for call in (
        front.MakePromise(sooner),
        front.BatchMakePromises(BatchMakePromisesRequest(requests=[sooner])),
    ):
        assert await refused(call) == "PERMISSION_DENIED NOT_OWNER"
    again = MakePromiseRequest(promise=desk.promise(9, work_item=work_item.name), import_key="a:1")
    batch = BatchMakePromisesRequest(requests=[again])
    made = (await front.BatchMakePromises(batch)).results[0].promise
    await front.RenegotiatePromise(renegotiation(desk, made.name, days=10))
    repeated = await front.BatchMakePromises(batch)  # brings nothing: its row made a promise before
    assert repeated.results[0].promise.name == made.name


async def test_what_was_kept_says_nothing_of_when_the_next_is_due(desk):
    work_item, promise = await desk.promised_work(9)
    await desk.promises.KeepPromise(KeepPromiseRequest(name=promise.name))
    front = desk.running.stub(PromiseServiceStub, ["cases.promises.write"])
    sooner = MakePromiseRequest(promise=desk.promise(8, work_item=work_item.name))
    assert (await front.MakePromise(sooner)).state == State.PROMISE_STATE_OPEN


async def test_a_department_brings_its_own_promises_forward(desk):
    work_item, promise = await desk.promised_work(9)
    delivery = desk.running.stub(PromiseServiceStub, ["cases.promises.write"], department="delivery")
    await delivery.WithdrawPromise(WithdrawPromiseRequest(name=promise.name, reason_code="x"))
    sooner = MakePromiseRequest(promise=desk.promise(8, work_item=work_item.name))
    assert (await delivery.MakePromise(sooner)).root == promise.name
