from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from cases.domain.due import Due
from cases.domain.explanation import reason
from cases.domain.promise import Promise, PromiseState

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = NOW + timedelta(days=3)


def promise():
    return Promise(UUID(int=1), UUID(int=2), "delivery", "delivery", DUE, NOW)


def test_a_late_forecast_is_explained_with_both_dates_and_the_reason():
    late = promise()
    late.expect(DUE + timedelta(days=2), "carrier-delay")
    why = reason(late, NOW, recovered=False)
    assert why.rule == "rules/promise-at-risk-by-forecast"
    assert why.summary == (
        "At risk since 2026-03-02 09:00 UTC: the delivery department now expects 2026-03-07 09:00 UTC, "
        "later than the 2026-03-05 09:00 UTC that was promised (carrier-delay)."
    )
    assert why.inputs == {
        "make_time": "2026-03-02T09:00:00+00:00",
        "due_time": "2026-03-05T09:00:00+00:00",
        "forecast_time": "2026-03-07T09:00:00+00:00",
        "reason_code": "carrier-delay",
        "department": "departments/delivery",
    }


def test_a_promise_at_risk_by_the_clock_has_a_rule_of_its_own():
    near = promise()
    near.due_soon()
    assert reason(near, NOW, recovered=False).rule == "rules/promise-at-risk-by-clock"


def test_without_its_history_the_state_is_explained_all_the_same():
    assert reason(promise(), None, recovered=False).summary == (
        "Open: it is due 2026-03-05 09:00 UTC and nothing says that it will not be kept."
    )


def test_a_recovered_promise_says_so():
    why = reason(promise(), NOW, recovered=True)
    assert why.rule == "rules/promise-recovered"
    assert "the department expects to be in time again" in why.summary


def test_a_promised_day_is_explained_as_a_day():
    due = Due.of_day(date(2026, 3, 5), "Europe/Berlin")
    made = Promise(UUID(int=1), UUID(int=2), "delivery", "delivery", due.time, NOW, due.day, due.time_zone)
    assert "it is due on 2026-03-05 (Europe/Berlin)" in reason(made, NOW, recovered=False).summary
    made.keep(NOW, NOW)
    assert "in time for 2026-03-05 (Europe/Berlin)" in reason(made, NOW, recovered=False).summary


def test_a_broken_promise_whose_customer_was_told_late_names_its_successor():
    made = promise()
    made.state, made.successor_id = PromiseState.BROKEN, UUID(int=9)
    why = reason(made, NOW, recovered=False)
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
    why = reason(explained, NOW, recovered=False)
    assert why.rule == rule
    assert why.summary.startswith(state.replace("_", " ").capitalize())


def test_all_that_is_known_of_a_promise_is_among_the_inputs():
    due = Due.of_day(date(2026, 3, 5), "Europe/Berlin")
    known = Promise(UUID(int=1), UUID(int=2), "delivery", "delivery", due.time, NOW, due.day, due.time_zone)
    known.case_id, known.work_item_id, known.predecessor_id = UUID(int=3), UUID(int=4), UUID(int=5)
    known.successor_id, known.notice_id, known.reason_code = UUID(int=6), UUID(int=7), "weather"
    known.forecast_time = known.keep_time = DUE + timedelta(days=1)
    assert reason(known, NOW, recovered=False).inputs == {
        "make_time": "2026-03-02T09:00:00+00:00",
        "due_time": "2026-03-05T23:00:00+00:00",
        "due_date": "2026-03-05",
        "time_zone": "Europe/Berlin",
        "forecast_time": "2026-03-06T09:00:00+00:00",
        "forecast_date": "2026-03-06",
        "keep_time": "2026-03-06T09:00:00+00:00",
        "reason_code": "weather",
        "department": "departments/delivery",
        "work_item": known.work_item,
        "predecessor": known.predecessor,
        "successor": known.successor,
        "notice": known.notice,
    }
