from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.attempt import wait_before_retry

FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=5)


def test_the_pause_doubles_up_to_the_longest() -> None:
    pauses = [wait_before_retry(n, FIRST, LONGEST, chance=1).total_seconds() for n in range(1, 9)]
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]


@given(failures=st.integers(1, 100_000), chance=st.floats(0, 1))
def test_the_pause_is_never_less_than_half_nor_more_than_the_longest(failures: int, chance: float) -> None:
    full = wait_before_retry(failures, FIRST, LONGEST, chance=1)
    assert full / 2 <= wait_before_retry(failures, FIRST, LONGEST, chance) <= full <= LONGEST
