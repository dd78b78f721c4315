"""What a notice told is judged by when the customer was told, whenever the word of it arrives."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.domain import facts
from cases.domain.delay_notification import DelayNotification, notified
from cases.domain.due import Due
from cases.domain.promise import Promise
from cases.domain.promise_clock import PromiseClock, compared
from cases.domain.promise_state import PromiseState
from cases.domain.work_item import WorkItem

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DUE = NOW + 72 * HOUR
NEW = NOW + 120 * HOUR
CUSTOMER = UUID(int=2)


def at_risk(**fields):
    made = Promise(
        UUID(int=1), CUSTOMER, "delivery", "delivery", DUE, NOW, create_time=NOW, update_time=NOW, **fields
    )
    made.expect(NEW, "weather")
    return made


def notification(**fields):
    told = {
        "customer": f"customers/{CUSTOMER}",
        "version": 2,
        "due_time": NEW,
        "due_date": None,
        "notify_time": NOW + HOUR,
        "reason_code": "weather",
        "notice_id": UUID(int=8),
    }
    return DelayNotification(**told | fields)


def told(promise, **fields):
    return notified(promise, notification(**fields), UUID(int=9), promise.due_time, NOW + 200 * HOUR)


def names(found):
    return [type(fact).__name__ for _, _, fact in found]


def test_a_customer_who_was_told_in_time_has_a_successor_made_when_they_were_told():
    promise = at_risk()
    found = told(promise)
    assert (promise.state, promise.notice) == (PromiseState.RENEGOTIATED, f"notices/{UUID(int=8)}")
    assert (found[-1][0].due_time, found[-1][0].make_time) == (NEW, NOW + HOUR)
    assert names(found) == ["PromiseRenegotiated", "PromiseMade"]


def test_the_word_that_comes_after_the_due_timer_moves_the_promise_all_the_same():
    promise = at_risk()
    promise.break_()
    found = told(promise)
    assert (promise.state, found[-1][0].state) == (PromiseState.RENEGOTIATED, PromiseState.OPEN)


def test_told_at_the_very_moment_of_breaking_is_told_in_time():
    promise = at_risk()
    assert names(told(promise, notify_time=DUE)) == ["PromiseRenegotiated", "PromiseMade"]
    assert promise.state is PromiseState.RENEGOTIATED


@pytest.mark.parametrize("timer_fired", [True, False])
def test_told_after_the_due_time_the_promise_is_broken_and_has_a_successor(timer_fired):
    promise = at_risk()
    if timer_fired:
        promise.break_()
    found = told(promise, notify_time=DUE + HOUR)
    assert (promise.state, promise.successor) == (PromiseState.BROKEN, found[-1][0].name)
    (moved,) = [fact for _, _, fact in found if isinstance(fact, facts.PromiseRenegotiated)]
    assert (moved.state, moved.new_due_time) == ("BROKEN", NEW)
    assert ("PromiseBroken" in names(found)) is not timer_fired


def test_a_promise_kept_after_the_customer_was_told_was_kept_as_the_successor():
    promise = at_risk()
    promise.keep(DUE + HOUR, DUE + 2 * HOUR)
    found = told(promise)
    assert (promise.state, promise.keep_time) == (PromiseState.RENEGOTIATED, None)
    kept = found[-1][0]
    assert (kept.state, kept.keep_time, kept.record_time) == (PromiseState.KEPT, DUE + HOUR, DUE + 2 * HOUR)
    assert names(found) == ["PromiseRenegotiated", "PromiseMade", "PromiseKept"]


def test_a_promise_known_to_be_kept_before_the_customer_was_told_stays_kept():
    promise = at_risk()
    promise.keep(NOW + HOUR, NOW + HOUR)
    assert told(promise) == []
    assert promise.state is PromiseState.KEPT


def test_a_told_day_makes_a_promise_of_that_day_in_the_zone_that_was_pinned():
    due = Due.of_day(date(2026, 3, 5), "America/Los_Angeles")
    promise = at_risk(due_date=due.day, time_zone=due.time_zone)
    promise.due_time = due.time
    found = told(promise, due_time=None, due_date=date(2026, 3, 7))
    assert found[-1][0].due == Due.of_day(date(2026, 3, 7), "America/Los_Angeles")


@pytest.mark.parametrize(
    "fields",
    [
        {"customer": f"customers/{UUID(int=3)}"},
        {"version": 3},
        {"due_time": None, "due_date": date(2026, 3, 7)},
        {"due_time": None},
    ],
    ids=["of another customer", "of a version to come", "of a day where a moment was promised", "of nothing"],
)
def test_a_telling_that_cannot_be_of_this_promise_does_not_count(fields):
    promise = at_risk()
    assert told(promise, **fields) == []
    assert promise == at_risk()


@pytest.mark.parametrize("state", [PromiseState.WITHDRAWN, PromiseState.RENEGOTIATED])
def test_what_a_person_ended_stays_as_it_is(state):
    promise = at_risk()
    promise.state = state
    promise.successor_id = UUID(int=7) if state is PromiseState.RENEGOTIATED else None
    promise.withdraw_time = promise.make_time if state is PromiseState.WITHDRAWN else None
    assert told(promise) == []


# Whatever happens to a promise, and however late the word of the notification and the timers: one end.


class World:
    """Promises on one work item, driven as the use cases do."""

    def __init__(self, grace):
        self.clock = PromiseClock(lead=24 * HOUR, grace=grace)
        self.chain = [
            Promise(UUID(int=1), CUSTOMER, "delivery", "delivery", DUE, NOW, create_time=NOW, update_time=NOW)
        ]
        self.work = WorkItem(UUID(int=5), UUID(int=6), CUSTOMER, "delivery", "x", "", NOW, NOW)
        self.word = None

    def forecast(self, at, hours):
        if self.work.finish_time is None:
            self.work.forecast(at + hours * HOUR, "weather")
            for promise in self.chain:
                compared(promise, self.work, self.clock, at)

    def finish(self, at):
        if self.work.finish_time is None:
            self.work.finish(at)
            for promise in self.chain:
                if promise.awaited:
                    promise.keep(at, at)

    def notified(self, at):
        """A provider accepts what the promise, asked right before, says. The word of it is on its way."""
        promise = self.chain[0]
        if promise.awaited and promise.forecast_time and self.word is None:
            self.word = notification(version=promise.version, due_time=promise.forecast_time, notify_time=at)

    def hear(self, at):
        promise = self.chain[0]
        if self.word and len(self.chain) == 1:
            found = notified(promise, self.word, UUID(int=9), self.clock.broken_at(promise), at)
            if found:
                compared(found[-1][0], self.work, self.clock, at)
                self.chain.append(found[-1][0])

    def timers(self, at):
        for promise in self.chain:
            if self.clock.at_risk_at(promise) <= at:
                promise.due_soon()
            if self.clock.broken_at(promise) <= at:
                promise.break_()

    def end(self):
        for _ in range(2):
            self.hear(NOW + 9999 * HOUR)
            self.timers(NOW + 9999 * HOUR)
        return [
            (p.state, p.due, p.make_time, p.keep_time, p.forecast_time if p.awaited else None)
            for p in self.chain
        ]


def run(happenings, grace, *, timely, heard_at, timer_runs):
    """Act out a history; timely: timers at their moments and the word at once, else as drawn."""
    world = World(grace)
    for hour, kind, value in happenings:
        at = NOW + hour * HOUR
        if timely or hour in timer_runs:
            for moment in range(hour + 1) if timely else [hour]:
                world.timers(NOW + moment * HOUR)
        if not timely and hour >= heard_at:
            world.hear(at)
        if kind == "forecast":
            world.forecast(at, value)
        elif kind == "finish":
            world.finish(at)
        else:
            world.notified(at)
        if timely:
            world.hear(at)
    return world.end()


def histories(kinds):
    """What happens at which hour; value: for a forecast, how many hours ahead."""
    happening = st.tuples(st.sampled_from(kinds), st.integers(0, 150))
    return st.lists(happening, max_size=6).flatmap(
        lambda found: st.lists(
            st.integers(1, 240), min_size=len(found), max_size=len(found), unique=True
        ).map(lambda hours: [(hour, *what) for hour, what in zip(sorted(hours), found, strict=True)])
    )


@settings(max_examples=200, deadline=None)
@given(
    histories(["forecast", "tell", "tell", "finish"]),
    st.sampled_from([timedelta(), 5 * HOUR]),
    st.integers(0, 300),
    st.sets(st.integers(1, 240)),
)
def test_any_delay_of_the_word_and_of_the_timers_ends_in_the_same_state(history, grace, heard_at, timer_runs):
    history = [(0, "forecast", 100), *history]
    timely = run(history, grace, timely=True, heard_at=0, timer_runs=set())
    delayed = run(history, grace, timely=False, heard_at=heard_at, timer_runs=timer_runs)
    assert timely == delayed
