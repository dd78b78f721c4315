"""Whatever a notice waits for, or came to nothing by, is said in words."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.facts import Told
from notifications.domain.attempt import Attempt
from notifications.domain.explanation import why_notice
from notifications.domain.notice import Notice, State
from notifications.domain.reasons import Reason
from notifications.domain.template import Template, Type

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ABOUT: tuple[Any, ...] = ("customers/1", "a", "purposes/service", "a", {}, "", "", NOW, NOW, NOW, uuid4())
HELLO = Template("hello", Type.INFORMATION, "purposes/service", "platform", "en-GB", {}, NOW, NOW)


def summary(notice: Notice, attempt: Attempt | None = None) -> str:
    return why_notice(notice, HELLO, attempt, Told()).summary


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained_in_its_words(reason: Reason) -> None:
    failed, waiting, tried = (Notice(uuid4(), *ABOUT) for _ in range(3))
    failed.give_up(State.FAILED, reason)
    assert f": {reason.words}." in summary(failed)
    waiting.defer(NOW + timedelta(hours=1), reason)
    assert f": {reason.words}." in summary(waiting)
    attempt = Attempt(tried.id, 1, "providers/smtp", "key", NOW, provider_code=reason)
    assert f"({reason.words})" in summary(tried, attempt)


def test_what_a_provider_says_is_said_as_it_is() -> None:
    notice = Notice(uuid4(), *ABOUT)
    attempt = Attempt(notice.id, 1, "providers/smtp", "key", NOW, provider_code="451 4.3.0")
    assert "attempt 1 failed (451 4.3.0)" in summary(notice, attempt)


def test_what_is_told_on_a_date_of_the_customers_names_the_day() -> None:
    day = {"send_on": "2026-03-20", "send_hour": 10, "schedule_time": NOW}
    notice = Notice(uuid4(), *ABOUT, notice_policy_id="birthday", trigger_event=uuid4(), **day)
    assert "it waits for 10:00 of its day where the customer lives" in summary(notice)
    told = "noticePolicies/birthday asked for it, for a date of the customer's: 2026-03-20."
    assert told in summary(notice)


def test_what_waited_until_it_was_of_no_more_use_says_so() -> None:
    notice = Notice(uuid4(), *ABOUT)
    notice.suppress(Reason.PAUSED)
    assert "the customer wants a pause, and after that it is of no more use." in summary(notice)
