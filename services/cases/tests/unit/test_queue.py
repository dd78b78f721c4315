"""What is to be done next, as sentences."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cases.domain.deadline import AGE, DeadlineBasis, deadline_of
from cases.domain.lane import Abilities, Lane
from cases.domain.priority import Band
from cases.domain.queue import CONTINUITY, NEAR, Candidate, Nothing, Reason, for_others, in_order, queued
from cases.domain.work_item import WorkItem

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def waiting(due, band=Band.STANDARD, *, known=False, n=1):
    deadline = deadline_of(NOW - HOUR, band, promised=NOW + due)
    return Candidate(UUID(int=n), deadline.deadline_time, deadline.rank_time, known)


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


def test_it_is_told_in_the_numbers_that_it_was_chosen_by():
    item = WorkItem(UUID(int=1), UUID(int=7), UUID(int=8), "delivery", "deliver", "", NOW, NOW)
    item.route(None, [], "de-AT", NOW - HOUR)
    item.be_due(deadline_of(NOW, Band.GOLD, promised=NOW + 10 * HOUR))
    work = queued(item, NOW, known=True)
    assert (work.value_minutes, work.continuity_minutes, work.wait_minutes) == (120, 120, 60)
    assert (work.deadline_basis, work.deadline_near, work.language_reserved) == (
        DeadlineBasis.PROMISE,
        False,
        True,
    )
    assert queued(item, NOW + 6 * HOUR).deadline_near
    assert queued(item, NOW).continuity_minutes == 0


def test_nothing_says_what_is_missing_for_what_waits():
    lanes = [Lane("returns", frozenset({"refunds"})), Lane(None, frozenset({"refunds", "tax"}), "fr")]
    abilities = Abilities(frozenset({"claims"}), frozenset({"tax"}), frozenset({"de"}))
    nothing = for_others(lanes, abilities, 3, 5)
    assert nothing.reason is Reason.FOR_OTHERS
    assert (nothing.open_work_count, nothing.capacity) == (3, 5)
    assert nothing.missing_skills == ["refunds"]
    assert nothing.missing_teams == ["teams/returns"]
    assert nothing.missing_language_codes == ["fr"]
    assert for_others([], abilities, 0, 0) == Nothing(Reason.EMPTY, 0, 0)
