"""When a provider gets messages, and when it is left alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.provider import FAILURES_MAX, PAUSE, PAUSE_MOST, SOON, Provider, State

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def provider() -> Provider:
    return Provider("smtp", "EMAIL", State.AVAILABLE, NOW - timedelta(days=1), NOW)


def away(leave_alone: timedelta | None = None) -> Provider:
    """A provider that has just become unavailable."""
    one = provider()
    for _ in range(FAILURES_MAX if leave_alone is None else 1):
        one.fail("421", NOW, leave_alone)
    return one


def test_a_few_failures_say_nothing_and_those_in_a_row_do() -> None:
    one = provider()
    for _ in range(FAILURES_MAX - 1):
        one.fail("421", NOW)
    one.take(NOW)
    for _ in range(FAILURES_MAX - 1):
        one.fail("421", NOW)
    assert (one.state, one.opens(NOW), one.last_error_code) == (State.AVAILABLE, None, "421")
    one.fail("450", NOW)
    assert (one.state, one.state_time, one.opens(NOW)) == (State.UNAVAILABLE, NOW, NOW + PAUSE)


def test_who_asks_to_be_left_alone_is_left_alone_at_once_and_not_for_ever() -> None:
    assert away(timedelta(minutes=3)).opens(NOW) == NOW + timedelta(minutes=3)
    assert away(timedelta(days=3)).opens(NOW) == NOW + PAUSE_MOST


def test_who_asks_again_to_be_left_alone_is_left_alone_longer_and_never_shorter() -> None:
    one = away()
    one.fail("429", NOW, timedelta(minutes=3))
    one.fail("429", NOW, timedelta(0))
    assert one.retry_time == NOW + timedelta(minutes=3)


def test_during_a_probe_the_others_ask_again_soon() -> None:
    one = away()
    one.state, one.retry_time = State.PROBING, NOW + timedelta(minutes=2)
    assert one.opens(NOW) == NOW + SOON
    assert one.opens(NOW + timedelta(minutes=2)) is None  # whoever probed is gone


def test_one_that_is_left_alone_is_tried_as_soon_as_somebody_says_so_and_no_other_is() -> None:
    one = away()
    assert one.try_now(NOW)
    assert (one.state, one.opens(NOW)) == (State.UNAVAILABLE, None)
    one.state, one.retry_time = State.PROBING, NOW + timedelta(minutes=2)
    assert not one.try_now(NOW)
    assert one.opens(NOW) == NOW + SOON
    assert not provider().try_now(NOW)


def test_each_probe_in_vain_is_followed_by_a_longer_pause() -> None:
    one, now, pauses = away(), NOW, []
    for _ in range(8):
        assert one.retry_time is not None
        pauses.append(one.retry_time - now)
        now, one.state = one.retry_time, State.PROBING
        one.fail("no-connection", now)
    assert pauses[:3] == [PAUSE, 2 * PAUSE, 4 * PAUSE]
    assert pauses[-1] == PAUSE_MOST
    assert one.state_time == NOW  # since when it is away
    one.take(now)
    assert (one.state, one.state_time, one.retry_time, one.faultless) == (State.AVAILABLE, now, None, True)


def test_what_one_template_says_counts_once_another_is_refused_too() -> None:
    one = provider()
    for _ in range(2 * FAILURES_MAX):
        one.refuse("won", "554", NOW)
    assert (one.state, one.failures, one.last_error_code, one.faultless) == (State.AVAILABLE, 0, "554", False)
    for _ in range(FAILURES_MAX):
        one.refuse("news", "554", NOW)
    assert one.state is State.UNAVAILABLE
    one.state = State.PROBING
    one.refuse("won", "554", NOW)
    assert (one.state, one.retry_time) == (State.UNAVAILABLE, NOW + 2 * PAUSE)


def test_one_that_takes_us_again_works_whatever_it_says_of_the_first_message() -> None:
    one = away()
    one.state = State.PROBING
    one.refuse("won", "554", NOW)
    assert (one.state, one.retry_time, one.unwanted) == (State.AVAILABLE, None, ["won"])
    one.take(NOW)
    assert one.faultless


@given(st.lists(st.sampled_from(["fail", "later", "take", "probe"]), max_size=60))
def test_whatever_happens_it_is_tried_again(steps: list[str]) -> None:
    one, now = provider(), NOW
    for step in steps:
        now += timedelta(seconds=7)
        if step == "take":
            one.take(now)
        elif step == "probe" and one.opens(now) is None and one.state is not State.AVAILABLE:
            one.state, one.retry_time = State.PROBING, now + timedelta(minutes=2)
        else:
            one.fail("500", now, timedelta(hours=1) if step == "later" else None)
        assert one.opens(now + PAUSE_MOST) is None
        assert (one.retry_time is None) == (one.state is State.AVAILABLE)
