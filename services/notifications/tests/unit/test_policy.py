from datetime import UTC, datetime
from uuid import uuid4

import pytest

from notifications.domain.notice import Notice, State
from notifications.domain.policy import Step, next_step

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FRIDAY = {"new_date": "2026-03-06T00:00:00+00:00"}
MONDAY = {"new_date": "2026-03-09T00:00:00+00:00"}


def told(state: State, variables: dict[str, str] = FRIDAY) -> Notice:
    return Notice(
        id=uuid4(),
        customer="customers/1",
        kind="promise-at-risk",
        template="delay",
        variables=variables,
        promise="promises/1",
        case="",
        policy="promise-at-risk",
        policy_version=1,
        promise_version=5,
        expire_time=NOW,
        request_time=NOW,
        request_event=uuid4(),
        state=state,
    )


def test_the_first_fact_asks_for_a_notice() -> None:
    assert next_step([], FRIDAY, 5) == (Step.REQUEST, None)


@pytest.mark.parametrize("state", [State.REQUESTED, State.SENDING])
def test_a_newer_date_goes_into_the_notice_that_has_not_ended(state: State) -> None:
    notice = told(state)
    assert next_step([notice], MONDAY, 6) == (Step.REVISE, notice)


def test_an_older_fact_that_arrives_late_changes_nothing() -> None:
    assert next_step([told(State.REQUESTED)], MONDAY, 4) == (Step.NOTHING, None)


def test_the_same_date_again_changes_nothing() -> None:
    assert next_step([told(State.REQUESTED)], FRIDAY, 6) == (Step.NOTHING, None)


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED])
def test_after_it_was_sent_the_promise_is_told_of_no_more(state: State) -> None:
    assert next_step([told(state)], MONDAY, 6) == (Step.NOTHING, None)


@pytest.mark.parametrize("state", [State.SUPPRESSED, State.FAILED])
def test_what_was_not_sent_is_tried_again_for_another_date_only(state: State) -> None:
    assert next_step([told(state)], FRIDAY, 6) == (Step.NOTHING, None)
    assert next_step([told(state)], MONDAY, 6) == (Step.REQUEST, None)
