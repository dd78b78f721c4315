"""What waits for what: orders, circles and delays, whatever a case's work looks like."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.domain.dependencies import earliest, move, require_order
from cases.domain.work_item import PREDECESSOR_LATE, WorkItem, WorkItemState
from chassis.errors import FailedPrecondition

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CASE = UUID(int=1)


def item(number, *after, minutes=0, said=None, case=CASE):
    made = WorkItem(UUID(int=number), case, UUID(int=3), "delivery", "leg", "", NOW, NOW)
    made.predecessor_ids, made.duration_minutes = [UUID(int=each) for each in after], minutes
    if said is not None:
        made.forecast(NOW + timedelta(minutes=said), "weather")
    return made


def minutes(at):
    return at and (at - NOW) // timedelta(minutes=1)


def test_work_waits_for_the_last_of_what_it_waits_for_and_takes_its_time():
    items = [item(1, said=60), item(2, said=90), item(3, 1, 2, minutes=10)]
    by_id = {each.id: each for each in items}
    assert minutes(earliest(items[2], by_id)) == 100
    assert earliest(items[0], by_id) is None


def test_what_is_finished_is_never_expected_again():
    first, done = item(1, said=60), item(2, 1)
    done.finish(NOW)
    assert list(move([first, done], [first.id])) == []


def test_a_circle_is_named():
    with pytest.raises(FailedPrecondition) as caught:
        require_order(item(1, 3), [item(2, 1), item(3, 2)])
    circle = caught.value.metadata["circle"].split(", ")
    assert (circle[0], len(circle)) == (circle[-1], 4)


@st.composite
def histories(draw):
    """Work that waits for earlier work, and what is then said of it: minutes, or None when done."""
    count = draw(st.integers(2, 7))
    after = [draw(st.sets(st.integers(0, n - 1))) if n else set() for n in range(count)]
    takes = [draw(st.integers(0, 30)) for _ in range(count)]
    said = st.tuples(st.integers(0, count - 1), st.integers(0, 100) | st.none())
    return after, takes, draw(st.lists(said, max_size=12))


@given(histories())
def test_forecasts_are_what_a_plain_recursion_says(history):
    after, takes, acts = history
    items = [item(n, *after[n], minutes=takes[n]) for n in range(len(after))]
    said, finished = {}, {}

    def end(n):
        """The model: what was said, or when all that it waits for is over and its time has passed."""
        if n in finished:
            return finished[n]
        ends = [at for each in after[n] if (at := end(each)) is not None]
        bounds = [max(ends) + takes[n]] if ends else []
        return max(bounds + ([said[n]] if n in said else []), default=None)

    for n, at in acts:
        work = items[n]
        if work.state is WorkItemState.FINISHED:
            continue
        if at is None:
            finished[n] = 0
            work.finish(NOW)
        else:
            said[n] = at
            by_id = {each.id: each for each in items}
            work.forecast(NOW + timedelta(minutes=at), "weather", earliest(work, by_id))
        moved = [found.item.id for found in move(items, [work.id])]
        assert len(moved) == len(set(moved))
        for n, each in enumerate(items):
            assert minutes(each.end) == end(n)
            if n not in finished:
                assert (each.forecast_reason_code == PREDECESSOR_LATE) == (end(n) != said.get(n))
