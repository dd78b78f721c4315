from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from notifications.domain.facts import NoticeFailed, NoticeSent, NoticeSuppressed
from notifications.domain.notice import Notice, State

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NEW_DATE = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.fixture
def notice() -> Notice:
    return Notice(
        id=UUID("0198c2d0-0000-7000-8000-000000000001"),
        customer="customers/0198c2d0-0000-7000-8000-000000000002",
        kind="promise-at-risk",
        template="delay",
        variables={"reason": "WEATHER", "new_date": NEW_DATE.isoformat()},
        promise="promises/0198c2d0-0000-7000-8000-000000000003",
        case="",
        policy="promise-at-risk",
        policy_version=1,
        promise_version=2,
        expire_time=NEW_DATE,
        request_time=NOW,
        request_event=UUID("0198c2d0-0000-7000-8000-000000000004"),
    )


def test_a_claimed_notice_is_being_sent(notice: Notice) -> None:
    assert notice.claim(NOW)
    assert (notice.state, notice.attempt_count, notice.version) == (State.SENDING, 1, 2)


def test_a_notice_whose_process_died_is_claimed_again_under_the_same_key(notice: Notice) -> None:
    notice.claim(NOW)
    first = notice.provider_key("acme.example")
    assert notice.claim(NOW + timedelta(seconds=30))
    assert notice.attempt_count == 2
    assert notice.provider_key("acme.example") == first == f"<{notice.id}@acme.example>"


def test_a_notice_that_expires_untried_is_suppressed(notice: Notice) -> None:
    assert not notice.claim(NEW_DATE)
    assert (notice.state, notice.reason_code) == (State.SUPPRESSED, "EXPIRED")
    assert isinstance(notice.end_fact(), NoticeSuppressed)


def test_a_notice_that_expires_after_an_attempt_has_failed(notice: Notice) -> None:
    notice.claim(NOW)
    notice.postpone()
    assert not notice.claim(NEW_DATE)
    assert (notice.state, notice.reason_code) == (State.FAILED, "GAVE_UP")
    assert isinstance(notice.end_fact(), NoticeFailed)


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED, State.SUPPRESSED, State.FAILED])
def test_a_notice_that_has_ended_is_not_claimed(notice: Notice, state: State) -> None:
    notice.state = state
    before = replace(notice)
    assert not notice.claim(NOW)
    assert notice == before


def test_the_fact_of_sending_tells_the_date_and_the_reason_that_were_told(notice: Notice) -> None:
    notice.claim(NOW)
    notice.accept(NOW, "EMAIL", "abc", notice.variables)
    fact = notice.end_fact()
    assert isinstance(fact, NoticeSent)
    assert (fact.new_due_time, fact.reason_code, fact.channel) == (NEW_DATE, "WEATHER", "EMAIL")


def test_a_notice_without_a_date_tells_no_new_due_time(notice: Notice) -> None:
    notice.variables = {}
    notice.accept(NOW, "EMAIL", "abc", notice.variables)
    fact = notice.end_fact()
    assert isinstance(fact, NoticeSent)
    assert (fact.new_due_time, fact.reason_code) == (None, "")


def test_a_revision_has_a_key_of_its_own(notice: Notice) -> None:
    first = notice.provider_key("acme.example")
    notice.revise({"new_date": "2026-03-10T00:00:00+00:00"}, NEW_DATE + timedelta(days=1), 3)
    assert notice.provider_key("acme.example") != first
    assert notice.expire_time == NEW_DATE + timedelta(days=1)


def test_what_was_sent_counts_even_when_it_was_revised_meanwhile(notice: Notice) -> None:
    notice.claim(NOW)
    said = notice.variables
    notice.revise({"new_date": "2026-03-10T00:00:00+00:00"}, NEW_DATE + timedelta(days=1), 3)
    notice.accept(NOW, "EMAIL", "abc", said)
    assert notice.new_due_time == NEW_DATE


def test_a_notice_that_is_no_longer_true_is_suppressed(notice: Notice) -> None:
    notice.withdraw(NOW)
    assert (notice.state, notice.reason_code) == (State.SUPPRESSED, "PROMISE_ENDED")


def test_an_attempt_under_way_is_the_last_once_the_notice_is_no_longer_true(notice: Notice) -> None:
    notice.claim(NOW)
    notice.withdraw(NOW)
    assert notice.state == State.SENDING
    assert not notice.claim(NOW + timedelta(seconds=30))
    assert notice.state == State.FAILED
