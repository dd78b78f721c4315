"""What is to be done next, as sentences."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cases.domain.deadline import AGE, DeadlineBasis, deadline_of
from cases.domain.priority import Band
from cases.domain.queue import CONTINUITY, NEAR, Candidate, given, in_order
from cases.domain.work_item import WorkItem

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def waiting(due, band=Band.STANDARD, *, known=False, n=1):
    deadline = deadline_of(NOW - HOUR, band, promised=NOW + due)
    at, basis, rank = deadline.deadline_time, deadline.deadline_basis, deadline.rank_time
    return Candidate(UUID(int=n), NOW - HOUR, at, basis, rank, known)


def first(*candidates):
    return in_order(candidates, NOW)[0]


@pytest.mark.parametrize(
    ("promised", "clocked", "at", "basis"),
    [
        (None, None, AGE, DeadlineBasis.AGE),
        (9 * HOUR, None, 9 * HOUR, DeadlineBasis.PROMISE),
        (9 * HOUR, 8 * HOUR, 8 * HOUR, DeadlineBasis.CLOCK),
        (7 * HOUR, 8 * HOUR, 7 * HOUR, DeadlineBasis.PROMISE),
        (None, AGE + HOUR, AGE + HOUR, DeadlineBasis.CLOCK),
    ],
)
def test_work_is_due_at_the_earliest_of_what_says_so_and_by_its_age_when_nothing_does(
    promised, clocked, at, basis
):
    said = [NOW + each if each else None for each in (promised, clocked)]
    deadline = deadline_of(NOW, Band.STANDARD, *said)
    assert (deadline.deadline_time, deadline.deadline_basis) == (NOW + at, basis)
    assert deadline.rank_time == deadline.deadline_time


def test_what_is_due_first_comes_first():
    sooner = waiting(8 * HOUR, n=2)
    assert first(waiting(9 * HOUR), sooner) == sooner


def test_of_what_is_not_due_soon_the_more_valued_customer_comes_first_by_some_hours():
    valued = waiting(10 * HOUR, Band.PLATINUM)
    assert first(waiting(8 * HOUR, n=2), valued) == valued
    sooner = waiting(6 * HOUR, n=2)
    assert first(sooner, valued) == sooner


def test_who_knows_the_customer_gets_their_work_sooner():
    known = waiting(9 * HOUR, known=True)
    assert first(waiting(8 * HOUR, n=2), known) == known
    sooner = waiting(9 * HOUR - CONTINUITY - HOUR, n=2)
    assert first(sooner, known) == sooner


def test_nothing_comes_before_what_is_due_soon_but_what_is_due_sooner():
    due = waiting(NEAR)
    valued = waiting(NEAR + timedelta(minutes=1), Band.PLATINUM, known=True, n=2)
    assert first(valued, due) == due
    late = waiting(-HOUR, n=3)
    assert in_order([valued, due, late], NOW) == [late, due, valued]


def told(chosen):
    item = WorkItem(chosen.id, UUID(int=7), UUID(int=8), "delivery", "deliver", "", NOW, NOW)
    return given(item, chosen, NOW)


def test_it_is_told_in_the_numbers_that_it_was_chosen_by():
    work = told(waiting(10 * HOUR, Band.GOLD, known=True))
    assert (work.value_minutes, work.continuity_minutes, work.wait_minutes) == (120, 120, 60)
    assert not work.deadline_near
    assert work.summary == (
        "It is due at 2026-03-02 19:00 UTC, as it was promised, and nothing is due soon;"
        " it comes 120 minutes sooner as the customer is worth more"
        " and 120 minutes sooner as you know the customer."
    )
    assert told(waiting(HOUR)).summary == (
        "It is due at 2026-03-02 10:00 UTC, as it was promised: that comes before anything else."
    )
    assert told(waiting(-HOUR)).summary.startswith("It was due at 2026-03-02 08:00 UTC")
    assert told(waiting(8 * HOUR)).summary.endswith("and nothing is due soon.")
