"""What customers read of promises: what is due next first, in sentences."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis.api.messages import timestamp
from desk.pages.selfservice.loading import Found, due_next
from desk.pages.selfservice.view import shown
from desk.ui.speech import speech
from rapport.cases.v1.promise_pb2 import Promise
from rapport.common.v1 import states_pb2

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
OPEN, AT_RISK, KEPT, BROKEN = (
    getattr(states_pb2, f"PROMISE_STATE_{state}") for state in ("OPEN", "AT_RISK", "KEPT", "BROKEN")
)


def promised(days: int, state: int = OPEN) -> Promise:
    """One that is due in so many days."""
    due = timestamp(NOW + timedelta(days=days))
    return Promise(name=f"promises/{days}", kind="delivery", state=state, due_time=due)


def test_what_is_due_next_comes_first_and_of_what_is_over_the_last() -> None:
    promises = [promised(9), promised(-2, KEPT), promised(3, AT_RISK), promised(-1, BROKEN), promised(4)]
    assert [each.name for each in sorted(promises, key=due_next)] == [
        f"promises/{days}" for days in (3, 4, 9, -1, -2)
    ]


@pytest.mark.parametrize("state", [OPEN, BROKEN])
def test_a_sentence_that_ends_with_a_month_has_one_full_stop(state: int) -> None:
    promise = promised(-10 if state == BROKEN else 10, state)
    promise.due_date.year, promise.due_date.month, promise.due_date.day = 2026, 12, 10
    _, [line] = shown(Found([promise]), speech("de", "Europe/Berlin", NOW))
    assert "10. Dez." in line.when
    assert ".." not in line.when
