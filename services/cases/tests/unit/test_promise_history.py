"""Whatever the order of what people, departments and the clock do, a promise's history holds together."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cases.domain import facts
from cases.domain.due import Due
from cases.domain.promise import Promise
from cases.domain.promise_state import PromiseState
from chassis.errors import FailedPrecondition

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
times = st.integers(0, 10).map(lambda days: NOW + timedelta(days=days))
reasons = st.sampled_from(["carrier-delay", "weather"])
NEVER_CHANGES = [
    "id",
    "customer_id",
    "department_id",
    "kind",
    "due_time",
    "make_time",
    "create_time",
    "due_date",
    "time_zone",
    "case_id",
    "work_item_id",
    "reference",
    "display_name",
    "predecessor_id",
    "root_id",
    "first_make_time",
    "first_due_time",
    "import_key",
    "basis",
]
CHANGES = {
    "state",
    "forecast_time",
    "reason_code",
    "keep_time",
    "record_time",
    "keeper",
    "withdraw_time",
    "successor_id",
    "notice_id",
    "delay_notify_time",
    "notifier",
    "notify_channel",
    "customer_requested",
    "version",
    "update_time",
}
NEXT = {
    PromiseState.OPEN: set(PromiseState),
    PromiseState.AT_RISK: set(PromiseState),
    PromiseState.BROKEN: {PromiseState.KEPT, PromiseState.KEPT_LATE, PromiseState.BROKEN},
}
STATE_AFTER = {
    facts.PromiseAtRisk: {PromiseState.AT_RISK, PromiseState.BROKEN},
    facts.PromiseRecovered: {PromiseState.OPEN},
    facts.PromiseDelayNotified: {PromiseState.OPEN, PromiseState.AT_RISK, PromiseState.BROKEN},
    facts.PromiseKept: {PromiseState.KEPT, PromiseState.KEPT_LATE},
    facts.PromiseBroken: {PromiseState.BROKEN},
    facts.PromiseRenegotiated: {PromiseState.RENEGOTIATED, PromiseState.BROKEN},
    facts.PromiseWithdrawn: {PromiseState.WITHDRAWN, PromiseState.BROKEN},
}


class History(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        made = Promise(
            UUID(int=1),
            UUID(int=2),
            "delivery",
            "delivery",
            NOW + timedelta(days=5),
            NOW,
            create_time=NOW,
            update_time=NOW,
        )
        self.promises = [made]
        self.told = []

    def act(self, verb):
        """Do `verb` to the newest promise, and check what one step may do."""
        promise = self.promises[-1]
        frozen = [getattr(promise, name) for name in NEVER_CHANGES]
        state, version = promise.state, promise.version
        try:
            fact = verb(promise)
        except FailedPrecondition:
            fact = None
        assert [getattr(promise, name) for name in NEVER_CHANGES] == frozen
        if fact is None:
            assert (promise.state, promise.version) == (state, version)
        else:
            assert promise.version == version + 1
            assert promise.state in NEXT[state]
            assert promise.state in STATE_AFTER[type(fact)]
            assert fact.state == promise.state
            self.told.append(fact)

    @rule(at=times, reason=reasons)
    def forecast(self, at, reason):
        self.act(lambda promise: promise.expect(at, reason))

    @rule()
    def due_soon(self):
        self.act(lambda promise: promise.due_soon())

    @rule()
    def block(self):
        self.act(lambda promise: promise.block())

    @rule()
    def unblock(self):
        self.act(lambda promise: promise.unblock())

    @rule(at=times)
    def keep(self, at):
        self.act(lambda promise: promise.keep(at, NOW))

    @rule()
    def told(self):
        self.act(lambda promise: promise.delay_notified(NOW, "agents/alice", "VOICE"))

    @rule()
    def break_(self):
        self.act(lambda promise: promise.break_())

    @rule(reason=reasons)
    def withdraw(self, reason):
        self.act(lambda promise: promise.withdraw(reason, NOW))

    @rule(due=times, reason=reasons)
    def renegotiate(self, due, reason):
        def verb(promise):
            successor, fact = promise.renegotiate(
                UUID(int=len(self.promises) + 10), Due(due), NOW, reason, customer_requested=False
            )
            self.promises.append(successor)
            return fact

        self.act(verb)

    @invariant()
    def every_promise_is_whole(self):
        for promise in self.promises:
            kept = promise.state in {PromiseState.KEPT, PromiseState.KEPT_LATE}
            assert kept == (promise.keep_time is not None) == (promise.record_time is not None)
            if kept:
                assert (promise.state is PromiseState.KEPT_LATE) == (promise.keep_time > promise.due_time)
            over = promise.state in (PromiseState.RENEGOTIATED, PromiseState.BROKEN)
            assert over or promise.successor_id is None
            assert promise.successor_id or promise.state is not PromiseState.RENEGOTIATED
            assert promise.withdraw_time or promise.state is not PromiseState.WITHDRAWN
            if promise.state is PromiseState.AT_RISK:
                assert promise.reason_code
            if promise.forecast_time:
                assert promise.forecast_time > promise.due_time

    @invariant()
    def the_chain_of_promises_is_unbroken(self):
        for before, after in zip(self.promises, self.promises[1:], strict=False):
            assert before.state in (PromiseState.RENEGOTIATED, PromiseState.BROKEN)
            assert (before.successor_id, after.predecessor_id) == (after.id, before.id)

    @invariant()
    def every_change_was_told(self):
        assert len(self.told) == sum(promise.version - 1 for promise in self.promises)


FOLLOWS_THE_WORK = {"team_id"}  # a fact about that says it
FOLLOWS_THE_NOTICE = {"bounced_notice_id"}  # as does one about the notice


def test_every_field_of_a_promise_never_changes_or_changes_by_a_fact_or_with_what_it_is_about():
    follows = FOLLOWS_THE_WORK | FOLLOWS_THE_NOTICE
    assert {field.name for field in fields(Promise)} == set(NEVER_CHANGES) | CHANGES | follows


History.TestCase.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
TestHistory = History.TestCase
