"""What an outcome makes of work: writes are fenced by the attempt's number, evidence is not."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.work import Deferred, Outcome, State, Verdict, Work

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WAIT = timedelta(minutes=5)


def work(**fields: Any) -> Work:
    values = {
        "id": uuid4(),
        "kind": "send",
        "key": "1",
        "state": State.HANDING_OVER,
        "attempt": 1,
        "failures": 0,
        "due_at": NOW,
        "expire_at": NOW + timedelta(days=1),
        "lease_until": NOW,
        "repeats": 1,
        "unknown": [],
        "fingerprint": "",
        "code": "",
        "alarm": False,
        "correlation_id": "",
        "causation_id": uuid4(),
        "traceparent": "",
        "ended_at": None,
    }
    return Work(**values | fields)


def settle(item: Work, attempt: int, verdict: Verdict) -> Work:
    item.settle(attempt, Outcome(verdict, "c"), NOW, wait=WAIT)
    return item


@pytest.mark.parametrize(
    ("verdict", "state", "failures", "alarm"),
    [
        (Verdict.DONE, State.DONE, 0, False),
        (Verdict.REFUSED, State.REFUSED, 0, False),
        (Verdict.LATER, State.PENDING, 1, False),
        (Verdict.OURS, State.PENDING, 1, True),
        (Verdict.AGAIN, State.PENDING, 0, False),
    ],
)
def test_the_answer_to_the_attempt_under_way_decides(
    verdict: Verdict, state: State, failures: int, alarm: bool
) -> None:
    settled = settle(work(), 1, verdict)
    assert (settled.state, settled.failures, settled.alarm) == (state, failures, alarm)
    assert (settled.ended_at is None) == (state is State.PENDING)
    assert settled.lease_until is None


def test_what_fails_is_due_after_the_pause_and_no_later_than_it_expires() -> None:
    assert settle(work(), 1, Verdict.LATER).due_at == NOW + WAIT
    soon = NOW + timedelta(seconds=1)
    assert settle(work(expire_at=soon), 1, Verdict.LATER).due_at == soon
    assert settle(work(due_at=NOW - WAIT), 1, Verdict.AGAIN).due_at == NOW


def test_what_is_deferred_is_no_failure_and_is_due_then_or_expires() -> None:
    for until, expire_at in ((NOW + 3 * WAIT, NOW + 9 * WAIT), (NOW + 9 * WAIT, NOW + 3 * WAIT)):
        item = work(state=State.CLAIMED, failures=2, alarm=True, expire_at=expire_at)
        item.settle(1, Outcome(Verdict.DEFERRED, "quiet", Deferred("quiet", until)), NOW, wait=WAIT)
        assert (item.state, item.failures, item.alarm, item.code) == (State.PENDING, 2, False, "quiet")
        assert item.due_at == NOW + 3 * WAIT


def test_an_unknown_outcome_is_repeated_as_often_as_allowed() -> None:
    once = settle(work(), 1, Verdict.UNKNOWN)
    assert (once.state, once.unknown) == (State.PENDING, [1])
    once.state, once.attempt = State.HANDING_OVER, 2
    twice = settle(once, 2, Verdict.UNKNOWN)
    assert (twice.state, twice.unknown) == (State.UNKNOWN, [1, 2])
    assert settle(work(repeats=0), 1, Verdict.UNKNOWN).state is State.UNKNOWN


@pytest.mark.parametrize(
    "state", [State.PENDING, State.CLAIMED, State.HANDING_OVER, State.UNKNOWN, State.CANCELLED]
)
def test_a_late_acceptance_ends_the_work_wherever_it_is(state: State) -> None:
    assert settle(work(state=state, attempt=2, unknown=[1]), 1, Verdict.DONE).state is State.DONE


def test_a_late_refusal_ends_what_is_not_being_handed_over() -> None:
    assert (
        settle(work(state=State.CLAIMED, attempt=2, unknown=[1]), 1, Verdict.REFUSED).state is State.REFUSED
    )
    under_way = settle(work(attempt=2, unknown=[1]), 1, Verdict.REFUSED)
    assert (under_way.state, under_way.unknown) == (State.HANDING_OVER, [])


def test_a_late_failure_takes_the_doubt_away_and_gives_the_repeat_back() -> None:
    resumed = settle(work(state=State.UNKNOWN, repeats=0, unknown=[1], ended_at=NOW), 1, Verdict.AGAIN)
    assert (resumed.state, resumed.unknown, resumed.ended_at) == (State.PENDING, [], None)
    still = settle(work(state=State.UNKNOWN, attempt=2, unknown=[1, 2], ended_at=NOW), 1, Verdict.LATER)
    assert (still.state, still.unknown) == (State.UNKNOWN, [2])


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.EXPIRED])
def test_what_may_have_been_done_is_not_said_to_be_refused_or_expired(verdict: Verdict) -> None:
    state = State.PENDING if verdict is Verdict.EXPIRED else State.HANDING_OVER
    attempt = 0 if verdict is Verdict.EXPIRED else 2
    doubtful = settle(work(state=state, attempt=2, unknown=[1]), attempt, verdict)
    assert (doubtful.state, doubtful.unknown) == (State.UNKNOWN, [1])
    assert settle(work(state=state, attempt=2), attempt, verdict).state == State(verdict)


@pytest.mark.parametrize("verdict", [Verdict.LATER, Verdict.OURS, Verdict.AGAIN])
def test_the_failure_of_an_attempt_that_was_begun_anew_moves_nothing(verdict: Verdict) -> None:
    for state in (State.PENDING, State.CLAIMED, State.DONE):
        item = work(state=state, attempt=2)
        assert (
            settle(work(state=state, attempt=2, id=item.id, causation_id=item.causation_id), 1, verdict)
            == item
        )


@pytest.mark.parametrize("verdict", list(Verdict))
def test_told_twice_is_as_told_once(verdict: Verdict) -> None:
    attempt = 0 if verdict is Verdict.EXPIRED else 1
    state = State.PENDING if verdict is Verdict.EXPIRED else State.HANDING_OVER
    once = settle(work(state=state), attempt, verdict)
    before = repr(once)
    assert repr(settle(once, attempt, verdict)) == before


@pytest.mark.parametrize("verdict", [each for each in Verdict if each is not Verdict.EXPIRED])
@pytest.mark.parametrize("state", [State.PENDING, State.CLAIMED, State.HANDING_OVER, State.REFUSED])
def test_what_comes_of_an_attempt_of_before_it_was_opened_again_moves_nothing(
    state: State, verdict: Verdict
) -> None:
    item = work(state=state, attempt=2)
    before = repr(item)
    assert repr(settle(item, 1, verdict)) == before
