from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from cases.domain.due import Due
from cases.domain.explanation import why_promise
from cases.domain.promise import Promise
from cases.domain.promise_state import PromiseState
from chassis.facts import Told

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = NOW + timedelta(days=3)
MADE = Told("PromiseMade", NOW, "agents/alice")
RECOVERED = Told("PromiseRecovered", NOW, "agents/alice")


def promise():
    return Promise(
        UUID(int=1), UUID(int=2), "delivery", "delivery", DUE, NOW, create_time=NOW, update_time=NOW
    )


def test_a_late_forecast_is_explained_with_both_dates_and_the_reason():
    late = promise()
    late.expect(DUE + timedelta(days=2), "carrier-delay")
    why = why_promise(late, MADE)
    assert why.rule == "rules/promise-at-risk-by-forecast"
    assert why.summary == (
        "At risk since 2026-03-02 09:00 UTC: the delivery department now expects 2026-03-07 09:00 UTC, "
        "later than the 2026-03-05 09:00 UTC that was promised (carrier-delay)."
    )


def test_a_promise_at_risk_by_the_clock_has_a_rule_of_its_own():
    near = promise()
    near.due_soon()
    assert why_promise(near, MADE).rule == "rules/promise-at-risk-by-clock"


def test_without_its_history_the_state_is_explained_all_the_same():
    assert why_promise(promise(), Told()).summary == (
        "Open: it is due 2026-03-05 09:00 UTC and nothing says that it will not be kept."
    )


def test_a_promise_whose_work_is_blocked_says_so():
    at_risk = promise()
    at_risk.block()
    why = why_promise(at_risk, Told())
    assert why.rule == "rules/promise-at-risk-by-blocked-work"
    assert "cannot go on" in why.summary


def test_a_promise_whose_work_nobody_has_taken_says_so():
    near = promise()
    near.due_soon(unattended=True)
    why = why_promise(near, Told())
    assert why.rule == "rules/promise-at-risk-by-unassigned-work"
    assert "nobody has taken the work" in why.summary


def test_a_recovered_promise_says_so():
    why = why_promise(promise(), RECOVERED)
    assert why.rule == "rules/promise-recovered"
    assert "nothing makes it late any more" in why.summary


def test_a_promised_day_is_explained_as_a_day():
    due = Due.of_day(date(2026, 3, 5), "Europe/Berlin")
    made = Promise(
        UUID(int=1), UUID(int=2), "delivery", "delivery", due.time, NOW, NOW, NOW, due.day, due.time_zone
    )
    assert "it is due on 2026-03-05 (Europe/Berlin)" in why_promise(made, MADE).summary
    made.keep(NOW, NOW)
    assert "in time for 2026-03-05 (Europe/Berlin)" in why_promise(made, MADE).summary


@pytest.mark.parametrize(
    ("notice_id", "said"),
    [
        (None, "another date than 2026-03-05 09:00 UTC was agreed on (customer-away)"),
        (UUID(int=8), "the customer was told that 2026-03-05 09:00 UTC could not be met (customer-away)"),
    ],
)
def test_only_a_notice_is_said_to_have_told_a_customer(notice_id, said):
    made = promise()
    made.renegotiate(UUID(int=9), Due(DUE + timedelta(days=4)), NOW, "customer-away", customer_requested=True)
    made.notice_id = notice_id
    assert said in why_promise(made, MADE).summary


@pytest.mark.parametrize(
    ("state", "notice_id", "said"),
    [
        (PromiseState.RENEGOTIATED, UUID(int=8), "the customer was told that it could not be met"),
        (PromiseState.RENEGOTIATED, None, "another date was agreed on"),
        (PromiseState.BROKEN, UUID(int=8), "it was not kept, and after that the customer was told that it"),
    ],
)
def test_a_promise_that_replaced_another_is_explained_by_that_first(state, notice_id, said):
    before, after = promise(), promise()
    before.state, before.notice_id, before.reason_code = state, notice_id, "carrier-delay"
    summary = why_promise(after, MADE, before).summary
    assert summary.startswith(f"It replaces 2026-03-05 09:00 UTC: {said}")
    assert "(carrier-delay). Open since" in summary


def test_a_broken_promise_whose_customer_was_told_late_names_its_successor():
    made = promise()
    made.state, made.successor_id = PromiseState.BROKEN, UUID(int=9)
    why = why_promise(made, MADE)
    assert (why.rule, made.successor in why.summary) == ("rules/promise-told-late", True)


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        (PromiseState.OPEN, "rules/promise-open"),
        (PromiseState.AT_RISK, "rules/promise-at-risk-by-clock"),
        (PromiseState.KEPT, "rules/promise-kept"),
        (PromiseState.KEPT_LATE, "rules/promise-kept-late"),
        (PromiseState.BROKEN, "rules/promise-broken"),
        (PromiseState.RENEGOTIATED, "rules/promise-renegotiated"),
        (PromiseState.WITHDRAWN, "rules/promise-withdrawn"),
    ],
)
def test_every_state_has_its_rule_and_its_words(state, rule):
    explained = promise()
    explained.state = state
    explained.successor_id = UUID(int=9) if state is PromiseState.RENEGOTIATED else None
    why = why_promise(explained, MADE)
    assert why.rule == rule
    assert why.summary.startswith(state.replace("_", " ").capitalize())
