from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from cases.domain.due import Due
from cases.domain.promise import Promise
from cases.domain.promise_clock import PromiseClock
from cases.domain.promise_state import PromiseState
from chassis.errors import FailedPrecondition, InvalidArgument

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = NOW + timedelta(days=3)
A_DAY = timedelta(days=1)
OURS, THEIRS = {"customer_requested": False}, {"customer_requested": True}
ENDED = [PromiseState.KEPT, PromiseState.KEPT_LATE, PromiseState.RENEGOTIATED, PromiseState.WITHDRAWN]


def promise(state=PromiseState.OPEN):
    return Promise(
        id=UUID(int=1),
        customer_id=UUID(int=2),
        department_id="delivery",
        kind="delivery",
        due_time=DUE,
        make_time=NOW,
        create_time=NOW,
        update_time=NOW,
        case_id=UUID(int=3),
        work_item_id=UUID(int=4),
        reference="orders/10248",
        state=state,
    )


def test_a_forecast_later_than_the_due_time_puts_a_promise_at_risk():
    made = promise()
    fact = made.expect(DUE + A_DAY, "carrier-delay")
    assert (made.state, made.forecast_time, made.reason_code) == (
        PromiseState.AT_RISK,
        DUE + A_DAY,
        "carrier-delay",
    )
    assert (fact.promise, fact.forecast_time, fact.due_time) == (made.name, DUE + A_DAY, DUE)


@pytest.mark.parametrize("early", [timedelta(), A_DAY])
def test_a_forecast_up_to_the_due_time_changes_nothing(early):
    made = promise()
    assert made.expect(DUE - early, "weather") is None
    assert (made, made.version) == (promise(), 1)


def test_the_same_delay_is_told_once():
    made = promise()
    made.expect(DUE + A_DAY, "carrier-delay")
    assert made.expect(DUE + A_DAY, "carrier-delay") is None
    assert made.version == 2


@pytest.mark.parametrize(
    ("days", "reason_code"), [(2, "carrier-delay"), (1, "weather"), (0.5, "carrier-delay")]
)
def test_a_delay_that_grows_or_shrinks_or_has_another_reason_is_told_again(days, reason_code):
    made = promise()
    made.expect(DUE + A_DAY, "carrier-delay")
    fact = made.expect(DUE + days * A_DAY, reason_code)
    assert (fact.forecast_time, fact.reason_code) == (DUE + days * A_DAY, reason_code)
    assert made.forecast_time == DUE + days * A_DAY


def test_a_promise_recovers_when_the_forecast_does_as_if_nothing_had_been():
    made = promise()
    made.expect(DUE + A_DAY, "carrier-delay")
    fact = made.expect(DUE - A_DAY, "carrier-delay")
    assert (fact.promise, fact.work_item, fact.state) == (made.name, made.work_item, "OPEN")
    assert (fact.forecast_time, fact.forecast_date, fact.due_time) == (DUE - A_DAY, None, DUE)
    expected = promise()
    expected.version = 3
    assert made == expected


def test_a_promised_day_recovers_to_a_day():
    made = promise()
    made.due_date, made.time_zone = date(2026, 3, 5), "Europe/Berlin"
    made.expect(DUE + 2 * A_DAY, "carrier-delay")
    assert made.expect(DUE - A_DAY, "carrier-delay").forecast_date == (DUE - A_DAY).date()


def test_a_good_forecast_does_not_take_away_what_the_clock_said():
    made = promise()
    made.due_soon()
    assert made.expect(DUE - A_DAY, "other") is None
    assert made.state is PromiseState.AT_RISK


def test_a_forecast_for_a_broken_promise_is_told_and_leaves_it_broken():
    made = promise(PromiseState.BROKEN)
    fact = made.expect(DUE + A_DAY, "weather")
    assert (fact.state, fact.forecast_time) == ("BROKEN", DUE + A_DAY)
    assert (made.state, made.forecast_time) == (PromiseState.BROKEN, DUE + A_DAY)


def test_the_clock_puts_an_open_promise_at_risk_without_a_forecast():
    made = promise()
    fact = made.due_soon()
    assert (made.state, fact.reason_code, fact.forecast_time) == (PromiseState.AT_RISK, "due-soon", None)


def test_a_forecast_is_told_after_the_clock_said_due_soon():
    made = promise()
    made.due_soon()
    assert made.expect(DUE + A_DAY, "weather").forecast_time == DUE + A_DAY


@pytest.mark.parametrize("state", [PromiseState.AT_RISK, PromiseState.BROKEN, *ENDED])
def test_the_clock_leaves_a_promise_alone_that_is_not_open(state):
    assert promise(state).due_soon() is None


@pytest.mark.parametrize(
    ("late", "state"),
    [
        (-A_DAY, PromiseState.KEPT),
        (timedelta(), PromiseState.KEPT),
        (timedelta(microseconds=1), PromiseState.KEPT_LATE),
    ],
)
@pytest.mark.parametrize("before", [PromiseState.OPEN, PromiseState.AT_RISK, PromiseState.BROKEN])
def test_what_is_done_by_the_due_time_is_kept_and_after_it_kept_late(before, late, state):
    made = promise(before)
    fact = made.keep(DUE + late, NOW)
    assert (made.state, made.keep_time) == (state, DUE + late)
    assert fact.state is state


@pytest.mark.parametrize("state", [PromiseState.OPEN, PromiseState.AT_RISK])
def test_the_clock_breaks_a_promise_that_was_not_kept(state):
    made = promise(state)
    assert made.break_().due_time == DUE
    assert made.state is PromiseState.BROKEN


@pytest.mark.parametrize("state", [PromiseState.BROKEN, *ENDED])
def test_the_clock_does_not_break_what_has_ended(state):
    assert promise(state).break_() is None


@pytest.mark.parametrize("state", [PromiseState.OPEN, PromiseState.AT_RISK])
def test_a_renegotiated_promise_has_a_successor_that_differs_in_its_dates_only(state):
    made = promise(state)
    later = NOW + A_DAY
    successor, fact = made.renegotiate(UUID(int=9), Due(DUE + A_DAY), later, "weather", **OURS)
    expected = promise()
    expected.id, expected.predecessor_id, expected.root_id = UUID(int=9), made.id, made.id
    expected.due_time, expected.make_time, expected.first_make_time = DUE + A_DAY, later, NOW
    expected.create_time = expected.update_time = later
    expected.first_due_time = DUE
    assert successor == expected
    assert (made.state, made.successor, made.notice) == (PromiseState.RENEGOTIATED, successor.name, "")
    assert made.due_time == DUE
    assert (fact.due_time, fact.new_due_time, fact.successor) == (DUE, DUE + A_DAY, successor.name)


def test_a_promise_is_withdrawn_for_a_reason():
    made = promise()
    assert made.withdraw("customer-cancelled", NOW).reason_code == "customer-cancelled"
    assert (made.state, made.reason_code) == (PromiseState.WITHDRAWN, "customer-cancelled")


@pytest.mark.parametrize("state", ENDED)
@pytest.mark.parametrize(
    "verb",
    [
        lambda made: made.keep(DUE, NOW),
        lambda made: made.withdraw("X", NOW),
        lambda made: made.renegotiate(UUID(int=9), Due(DUE), NOW, "X", **OURS),
    ],
    ids=["keep", "withdraw", "renegotiate"],
)
def test_a_promise_that_ended_refuses_to_change(state, verb):
    made = promise(state)
    with pytest.raises(FailedPrecondition) as caught:
        verb(made)
    assert caught.value.reason == "PROMISE_ENDED"
    assert caught.value.metadata == {"resource": made.name, "state": state}
    assert made == promise(state)


@pytest.mark.parametrize(("customer_requested", "counted_from"), [(False, DUE), (True, DUE + A_DAY)])
def test_a_delay_counts_from_the_first_date_or_the_last_that_the_customer_asked_for(
    customer_requested, counted_from
):
    second, told = promise().renegotiate(
        UUID(int=9), Due(DUE + A_DAY), NOW, "away", customer_requested=customer_requested
    )
    assert told.first_due_time == DUE
    _, told_again = second.renegotiate(UUID(int=10), Due(DUE + 3 * A_DAY), NOW, "weather", **OURS)
    assert told_again.first_due_time == counted_from


def test_what_was_brought_forward_slips_back_without_a_delay():
    earlier, _ = promise().renegotiate(UUID(int=9), Due(DUE - A_DAY), NOW, "customer-agreed", **THEIRS)
    _, told = earlier.renegotiate(UUID(int=10), Due(DUE), NOW, "weather", **OURS)
    assert told.first_due_time == DUE


def test_promises_that_replace_each_other_have_one_root():
    first = promise()
    second, told = first.renegotiate(UUID(int=9), Due(DUE + A_DAY), NOW, "weather", **OURS)
    third, told_again = second.renegotiate(UUID(int=10), Due(DUE + 2 * A_DAY), NOW, "weather", **OURS)
    assert {made.root for made in (first, second, third)} == {first.name}
    assert (told.root, told_again.root, third.made().root) == (first.name,) * 3


def test_a_broken_promise_is_renegotiated_and_stays_broken():
    broken = promise(PromiseState.BROKEN)
    successor, told = broken.renegotiate(UUID(int=9), Due(DUE + A_DAY), DUE, "customer-agreed", **THEIRS)
    assert (broken.state, broken.successor, told.state) == (PromiseState.BROKEN, successor.name, "BROKEN")
    assert (successor.state, broken.awaited) == (PromiseState.OPEN, False)


def test_a_broken_promise_is_taken_back_and_stays_broken_and_nobody_waits_for_it():
    broken = promise(PromiseState.BROKEN)
    broken.expect(DUE + A_DAY, "weather")
    told = broken.withdraw("customer-cancelled", DUE)
    assert (broken.state, broken.withdraw_time, told.state) == (PromiseState.BROKEN, DUE, "BROKEN")
    assert (broken.awaited, broken.forecast_time) == (False, None)
    assert broken.expect(DUE + 2 * A_DAY, "weather") is None
    with pytest.raises(FailedPrecondition, match="BROKEN and over"):
        broken.keep(DUE, DUE)


@pytest.mark.parametrize("state", [PromiseState.OPEN, PromiseState.BROKEN])
def test_nothing_is_kept_before_it_was_promised(state):
    made = promise(state)
    with pytest.raises(InvalidArgument) as caught:
        made.keep(NOW - timedelta(microseconds=1), NOW)
    assert [(found.field, found.reason) for found in caught.value.violations] == [
        ("keep_time", "INVALID_TIME")
    ]
    assert made == promise(state)


def test_a_successor_may_have_been_kept_before_it_replaced_the_first_promise():
    first = promise()
    second, _ = first.renegotiate(UUID(int=9), Due(DUE + A_DAY), NOW + A_DAY, "customer-agreed", **THEIRS)
    assert second.keep(NOW, NOW + 2 * A_DAY).state is PromiseState.KEPT


def test_the_clock_acts_before_the_due_time_by_the_lead_and_after_it_by_the_grace():
    clock = PromiseClock(lead=A_DAY, grace=A_DAY)
    assert clock.at_risk_at(promise()) == DUE - A_DAY
    assert clock.broken_at(promise()) == DUE + A_DAY


def test_a_promise_shorter_than_twice_the_lead_is_at_risk_when_half_its_time_is_over():
    made = promise()
    made.due_time = NOW + timedelta(hours=1)
    clock = PromiseClock(lead=A_DAY, grace=timedelta())
    assert clock.at_risk_at(made) == NOW + timedelta(minutes=30)
