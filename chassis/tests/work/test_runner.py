"""Work is done once, or it is said that nobody knows."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from structlog.testing import capture_logs

from chassis.db.failures import unavailable
from chassis.errors import Aborted
from chassis.grpc.client import deadline
from chassis.telemetry.metrics import WORK_REPEATS
from chassis.work import (
    Deferred,
    Later,
    Ours,
    Refused,
    State,
    Turn,
    Verdict,
    Work,
    bring_forward,
    code_of,
    queue,
)
from chassis.work import runner as runner_module
from chassis.work.item import NotDone, not_answered
from rapport_testing.wait import eventually

MANY = [f"{n:02}" for n in range(30)]


class SlowClaim:
    """The first claim that gets something: committed, and its answer on its way until `answer`."""

    def __init__(self, claim: Any) -> None:
        self.claim = claim
        self.claimed, self.answer = asyncio.Event(), asyncio.Event()

    async def all(self, *args: Any, **params: Any) -> Any:
        found = await self.claim.all(*args, **params)
        if found:
            self.claimed.set()
            await self.answer.wait()
        return found


@pytest.fixture(autouse=True)
def nobody_waited_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "ANSWERING_S", 0.0)


@pytest.fixture
def slow_claim(monkeypatch: pytest.MonkeyPatch) -> SlowClaim:
    slow = SlowClaim(queue.CLAIM)
    monkeypatch.setattr(queue, "CLAIM", slow)
    return slow


async def test_what_takes_longer_than_its_lease_says_that_it_lives_until_another_has_its_turn(
    office: Any,
) -> None:
    await office.enqueue("long")
    lease = timedelta(seconds=1)
    (work,) = await queue.CLAIM.all(office.db, of_kind="send", now=office.clock.now(), free=1, lease=lease)
    turn = Turn(office.db, office.outside, work)
    await turn.renew()
    (renewed,) = await office.works()
    assert renewed.lease_until > work.lease_until
    await office.age_leases()
    with pytest.raises(NotDone, match="lease-over"):
        await turn.renew()


async def test_each_is_done_once_by_whichever_replica_and_no_more_than_fit_at_once(
    office: Any,
) -> None:
    office.outside.after.clear()
    await office.replica()
    await office.enqueue(*MANY)
    await eventually(lambda: office.outside.acting == office.outside.at_once)
    assert sorted(await office.states()).count("PENDING") == len(MANY) - office.outside.at_once
    await office.replica()
    office.outside.after.set()
    await eventually(lambda: len(office.outside.recorded) == len(MANY))
    assert sorted(office.outside.taken) == MANY
    assert set(await office.states()) == {"DONE"}
    assert office.outside.most <= 2 * office.outside.at_once


async def test_of_what_is_due_the_lower_rank_goes_first_however_long_others_wait(office: Any) -> None:
    await office.enqueue("campaign", rank=2)
    tomorrow = office.clock.now() + timedelta(days=1)
    await office.enqueue("later", due_at=tomorrow, expire_at=tomorrow + timedelta(days=1))
    office.clock.advance(timedelta(hours=1))
    await office.enqueue("b", due_at=office.clock.now(), rank=1)
    await office.enqueue("a", due_at=office.clock.now() - timedelta(minutes=1), rank=1)
    await office.enqueue("urgent", due_at=office.clock.now())
    claimed = []
    for _ in range(4):
        [work] = await queue.CLAIM.all(
            office.db, of_kind="send", now=office.clock.now(), free=1, lease=timedelta(minutes=1)
        )
        claimed.append(work.key)
    assert claimed == ["urgent", "a", "b", "campaign"]


async def test_what_fails_for_now_is_tried_again_after_a_pause_and_what_is_refused_never(office: Any) -> None:
    office.outside.answers = [Later("451"), Ours("530"), Refused("550")]
    await office.replica()
    await office.enqueue("a")
    await eventually(lambda: seen(office, "PENDING", code="451", alarm=False))
    office.clock.advance(timedelta(minutes=2))
    await eventually(lambda: seen(office, "PENDING", code="530", alarm=True))
    office.clock.advance(timedelta(minutes=2))
    [work] = await eventually(lambda: seen(office, "REFUSED", code="550"))
    assert (work.alarm, work.attempt) == (False, 3)


async def test_what_is_of_no_more_use_is_not_done(office: Any) -> None:
    await office.enqueue("a")
    office.clock.advance(timedelta(days=1))
    await office.replica()
    await eventually(lambda: office.outside.recorded == [("a", 0, Verdict.EXPIRED)])
    assert (await office.states(), office.outside.taken) == (["EXPIRED"], [])


async def test_neither_a_deadline_nor_a_caller_is_inherited(office: Any) -> None:
    found: list[object] = []
    office.outside.prepare = lambda: found.append(deadline.get(None))
    token = deadline.set(time.monotonic() - 1)
    try:
        await office.replica()
        await office.enqueue("a")
        await eventually(lambda: office.outside.recorded)
    finally:
        deadline.reset(token)
    assert found == [None]


async def test_a_database_that_fails_over_while_an_outcome_is_recorded_costs_no_repeat(
    office: Any, infrastructure
) -> None:
    office.outside.after.clear()
    await office.replica()
    await office.enqueue("a", repeats=1)
    await eventually(lambda: office.outside.taken == ["a"])
    async with infrastructure.failover(office.db._url):
        office.outside.after.set()
        await eventually(lambda: office.outside.acting == 0)
    await eventually(lambda: office.outside.recorded)
    assert office.outside.recorded == [("a", 1, Verdict.DONE)]
    assert (await office.states(), office.outside.taken) == (["DONE"], ["a"])


async def test_an_answer_that_never_came_is_unknown_and_repeated_once(office: Any) -> None:
    before = repeats()
    office.outside.answers = [ConnectionResetError(), ConnectionResetError()]
    await office.replica()
    await office.enqueue("a", repeats=1)
    [work] = await eventually(lambda: seen(office, "PENDING", code="connection-reset-error"))
    assert work.unknown == [1]
    office.clock.advance(timedelta(minutes=2))
    [work] = await eventually(lambda: seen(office, "UNKNOWN"))
    assert (work.unknown, office.outside.taken) == ([1, 2], ["a", "a"])
    assert repeats() == before + 1


async def test_where_a_silence_is_better_than_a_repeat_there_is_none(office: Any) -> None:
    office.outside.answers = [ConnectionResetError()]
    await office.replica()
    await office.enqueue("a", repeats=0)
    await eventually(lambda: seen(office, "UNKNOWN"))
    assert office.outside.taken == ["a"]


async def test_a_repeat_that_would_say_something_else_is_not_made(office: Any) -> None:
    office.outside.answers = [ConnectionResetError()]
    await office.replica()
    await office.enqueue("a", repeats=1)
    await eventually(lambda: seen(office, "PENDING", attempt=1))
    await office.sql("UPDATE work SET fingerprint = 'another'")
    office.clock.advance(timedelta(minutes=2))
    await eventually(lambda: seen(office, "UNKNOWN", code="not-repeatable"))
    assert office.outside.taken == ["a"]


async def test_a_claim_that_died_before_it_handed_over_is_begun_anew(office: Any) -> None:
    await office.enqueue("a")
    await office.sql("UPDATE work SET state = 'CLAIMED', attempt = 1, lease_until = now() - interval '1 s'")
    await office.replica()
    await eventually(lambda: office.outside.recorded)
    assert office.outside.recorded == [("a", 2, Verdict.DONE)]


async def test_a_dead_hand_over_is_unknown_once_the_database_has_answered_for_a_while(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "ANSWERING_S", 3600.0)
    await office.enqueue("a", repeats=0)
    await office.sql(
        "UPDATE work SET state = 'HANDING_OVER', attempt = 1, lease_until = now() - interval '1 s'"
    )
    runner = await office.replica()
    looks = runner._overdue_at
    await eventually(lambda: runner._overdue_at > looks + 1)
    assert await office.states() == ["HANDING_OVER"]
    monkeypatch.setattr(runner_module, "ANSWERING_S", 0.0)
    await eventually(lambda: seen(office, "UNKNOWN", code="no-answer"))
    assert office.outside.taken == []


@pytest.mark.parametrize(
    ("error", "since"),
    [(Aborted("LOCK_TIMEOUT", "Again."), "the same"), (unavailable(), "anew")],
    ids=["a lock", "an outage"],
)
async def test_only_an_outage_is_a_time_in_which_nobody_could_answer(
    office: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, since: str
) -> None:
    runner = await office.replica()
    await eventually(lambda: runner._answering_since)
    before, looked, look = runner._answering_since, [], runner._look

    async def fail_once() -> None:
        looked.append(error)
        if len(looked) == 1:
            raise error
        await look()

    monkeypatch.setattr(runner, "_look", fail_once)
    await eventually(lambda: len(looked) > 2)
    assert (runner._answering_since == before) == (since == "the same")


async def test_rows_that_others_hold_hold_no_hands_and_what_waits_for_them_is_bounded(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "BESIDE", 1)
    outside, held = office.outside, MANY[:5]
    outside.is_held = lambda key: key in MANY
    await office.replica()
    await office.enqueue(*held)
    await eventually(lambda: len(outside.held) == len(held))  # with three hands, of which two stay taken
    await office.enqueue("free")
    await eventually(lambda: outside.recorded == [("free", 1, Verdict.DONE)])
    await office.enqueue(*MANY[5:8])
    await eventually(lambda: len(outside.held) == 6 and min(outside.held.values()) > 3)
    assert (await office.states()).count("PENDING") == 2
    outside.is_held = lambda key: False
    await eventually(lambda: len(outside.recorded) == 9)
    assert sorted(outside.taken) == sorted({*MANY[:8], "free"})


async def test_what_waits_to_be_recorded_is_not_begun_again_beside_itself(office: Any) -> None:
    outside = office.outside
    outside.is_held = lambda key: key == "a"
    outside.prepare = lambda: _raise(Later("busy"))
    await office.replica()
    await office.enqueue("a")
    await eventually(lambda: outside.held["a"] > 1)
    await office.age_leases()
    await eventually(lambda: _attempt_of(office, 2))
    outside.is_held = lambda key: False
    await eventually(lambda: outside.recorded == [("a", 1, Verdict.LATER)])
    outside.prepare = lambda: None
    await office.age_leases()
    await eventually(lambda: ("a", 3, Verdict.DONE) in outside.recorded)
    assert outside.taken == ["a"]


def _raise(error: Exception) -> None:
    raise error


async def _attempt_of(office: Any, number: int) -> bool:
    [work] = await office.works()
    return bool(work.attempt == number)


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "expired"])
async def test_what_cannot_be_recorded_makes_way_and_is_shown(office: Any, lost: bool) -> None:
    office.outside.unrecordable = set(MANY)
    await office.enqueue(*MANY, "last", repeats=0)
    if lost:
        await office.sql(
            "UPDATE work SET state = 'HANDING_OVER', attempt = 1, "
            "lease_until = now() - CASE key WHEN 'last' THEN interval '1 s' ELSE interval '1 h' END"
        )
    else:
        await office.sql("UPDATE work SET expire_at = expire_at + interval '1 s' WHERE key = 'last'")
        office.clock.advance(timedelta(days=2))
    with capture_logs() as logs:
        await office.replica()
        await eventually(lambda: [key for key, _, _ in office.outside.recorded] == ["last"])
    assert {line["event"] for line in logs if line["log_level"] == "error"} == {
        "overdue work cannot be settled"
    }
    assert {work.key for work in await office.works() if work.alarm} == set(MANY)


async def test_a_process_that_slept_past_its_lease_does_not_act(office: Any) -> None:
    office.outside.before.clear()
    office.outside.answer_time = timedelta(0)
    await office.replica()
    await office.enqueue("a")
    await eventually(lambda: office.outside.acting == 1 or office.outside.recorded)
    office.outside.before.set()
    await eventually(lambda: office.outside.recorded)
    assert office.outside.taken == []


async def test_a_late_answer_ends_the_work_and_the_attempt_that_followed(office: Any) -> None:
    slow, quick = office.outside, type(office.outside)()
    slow.after.clear()
    await office.replica()
    await office.enqueue("a", repeats=1)
    await eventually(lambda: slow.taken == ["a"])
    quick.answer_time = timedelta(0)
    quick.at_once = 0
    await office.age_leases()
    await office.replica(quick)
    await eventually(lambda: quick.recorded == [("a", 1, Verdict.UNKNOWN)])
    await office.sql("UPDATE work SET state = 'CLAIMED', attempt = 2, lease_until = now() + interval '1 h'")
    slow.after.set()
    await eventually(lambda: slow.recorded)
    [work] = await office.works()
    assert (work.state, work.unknown, slow.recorded) == (State.DONE, [], [("a", 1, Verdict.DONE)])


async def test_a_subject_that_has_changed_is_prepared_anew(office: Any) -> None:
    office.outside.agrees = False
    await office.replica()
    await office.enqueue("a")
    await eventually(lambda: len(office.outside.recorded) > 1)
    office.outside.agrees = True
    await eventually(lambda: office.outside.taken == ["a"])
    assert office.outside.recorded[0] == ("a", 1, Verdict.AGAIN)


@pytest.mark.parametrize(("crossed", "state"), [(False, "PENDING"), (True, "UNKNOWN")])
async def test_what_a_stopping_process_cuts_off_is_recorded_as_it_stands(
    office: Any, crossed: bool, state: str
) -> None:
    (office.outside.after if crossed else office.outside.before).clear()
    runner = await office.replica()
    await office.enqueue("a", repeats=0)
    await eventually(lambda: seen(office, "HANDING_OVER") if not crossed else office.outside.taken)
    await runner.stop(0)
    assert await office.states() == [state]


async def test_what_is_being_claimed_as_the_process_stops_is_waited_for_too(
    office: Any, slow_claim: Any
) -> None:
    runner = await office.replica()
    await office.enqueue("a", repeats=1)
    await eventually(slow_claim.claimed.is_set)
    stopping = asyncio.create_task(runner.stop(60))
    await asyncio.sleep(0)
    slow_claim.answer.set()
    await stopping
    assert (office.outside.acting, office.outside.recorded) == (0, [("a", 1, Verdict.DONE)])
    assert await office.states() == ["DONE"]


async def test_a_claim_answered_too_late_for_a_stopping_process_begins_nothing(
    office: Any, slow_claim: Any
) -> None:
    runner = await office.replica()
    await office.enqueue("a", repeats=1)
    await eventually(slow_claim.claimed.is_set)
    await runner.stop(0)
    slow_claim.answer.set()
    await eventually(lambda: office.runners[0][1].done())
    assert (office.outside.taken, runner._running["send"]) == ([], set())
    await office.age_leases()
    await office.replica()
    await eventually(lambda: office.outside.recorded)
    assert office.outside.recorded == [("a", 2, Verdict.DONE)]


async def test_newer_work_for_the_same_key_is_done_instead(office: Any) -> None:
    await office.enqueue("a", due_at=office.clock.now() + timedelta(hours=1))
    await office.enqueue("a")
    await office.replica()
    await eventually(lambda: office.outside.recorded)
    assert len(await office.works()) == 1


async def test_what_is_brought_forward_while_it_is_put_off_is_done_now(office: Any, acting: Any) -> None:
    began, go, act = asyncio.Event(), asyncio.Event(), office.outside.act

    async def put_off(work: Work, turn: Turn) -> None:
        office.outside.act = act
        began.set()
        await go.wait()
        raise Deferred("quiet", office.clock.now() + timedelta(hours=1))

    office.outside.act = put_off
    await office.enqueue("a")
    await office.replica()
    await began.wait()
    with acting("Test/BringForward"):
        async with office.db.transaction() as tx:
            await bring_forward(tx, "send", ["a"])
    go.set()
    await eventually(lambda: len(office.outside.recorded) == 2)
    assert (office.outside.taken, await office.states()) == (["a"], ["DONE"])


async def seen(office: Any, state: str, **fields: Any) -> Any:
    """The work that is in a state, with these fields."""
    return [
        work
        for work in await office.works()
        if work.state == state and all(getattr(work, name) == value for name, value in fields.items())
    ]


def repeats() -> float:
    return WORK_REPEATS.labels("send")._value.get()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SMTPServerDisconnected", "smtp-server-disconnected"),
        ("TimeoutError", "timeout-error"),
        ("TEMPLATE_PART_MISSING", "template-part-missing"),
        ("cases_UNAVAILABLE", "cases-unavailable"),
    ],
)
def test_what_stopped_us_is_a_code(name: str, code: str) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize(
    ("status", "told", "verdict", "code"),
    [
        (grpc.StatusCode.UNAVAILABLE, "", Later, "customer-unavailable"),
        (grpc.StatusCode.FAILED_PRECONDITION, "SCHEMA_INCOMPATIBLE", Ours, "customer-schema-incompatible"),
    ],
)
def test_a_refusal_of_a_service_is_called_by_its_reason_and_what_it_tells_us_is_in_the_log(
    status: grpc.StatusCode, told: str, verdict: type[NotDone], code: str
) -> None:
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=told))
    details = status_pb2.Status(code=status.value[0], details=[info] if told else []).SerializeToString()
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", details))
    error = grpc.aio.AioRpcError(status, grpc.aio.Metadata(), trailing, "Mend the field 3.")
    with capture_logs() as logs:
        outcome = not_answered("customer", error)
    assert (type(outcome), outcome.code) == (verdict, code)
    assert [each["told"] for each in logs] == (["Mend the field 3."] if verdict is Ours else [])
