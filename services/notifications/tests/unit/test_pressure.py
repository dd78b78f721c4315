from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.pressure import DAY, PERIOD, crowd, room_at

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_there_is_room_once_the_oldest_that_counts_is_over():
    sent = [NOW - HOUR, NOW - 2 * HOUR, NOW - 3 * HOUR]
    assert room_at(sent, 0, 4, NOW) is None
    assert room_at(sent, 0, 3, NOW) == NOW - 3 * HOUR + PERIOD
    assert room_at(sent, 1, 3, NOW) == NOW - 2 * HOUR + PERIOD
    assert room_at(sent, 3, 3, NOW) > NOW


@given(
    st.lists(st.integers(0, int(PERIOD.total_seconds()) - 1), max_size=9),
    st.integers(0, 3),
    st.integers(1, 6),
)
def test_room_is_the_first_second_at_which_fewer_than_the_most_are_within_the_period(ages, under_way, most):
    sent = sorted((NOW - timedelta(seconds=age) for age in ages), reverse=True)

    def has_room(at):
        return sum(each > at - PERIOD for each in sent) + under_way < most

    room = room_at(sent, under_way, most, NOW)
    if under_way >= most:
        assert room > NOW
    elif room is None:
        assert has_room(NOW)
    else:
        assert has_room(room)
        assert not has_room(room - timedelta(seconds=1))


@given(st.lists(st.integers(-23, 23), max_size=12))
def test_a_crowd_is_what_falls_into_any_one_day_with_it(hours: list[int]) -> None:
    going = [NOW + hour * HOUR for hour in hours]
    begins = [NOW - minute * HOUR / 2 for minute in range(48)]
    assert crowd(going, NOW) == max(sum(begin <= at < begin + DAY for at in going) for begin in begins)
