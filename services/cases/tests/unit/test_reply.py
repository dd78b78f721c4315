"""What a customer says of a resolved case: when somebody is asked to look at it."""

from datetime import UTC, datetime, timedelta

import pytest

from cases.domain.contact import Contact, Contacts
from cases.domain.reply import brings_up, is_reply

RESOLVED = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OWNER = "agents/alice"


def said(at: timedelta, recorded: timedelta | None = None, agent: str = "") -> bool:
    contact = Contact(RESOLVED + at, True, agent, recorded=RESOLVED + (at if recorded is None else recorded))
    return is_reply(contact, OWNER, RESOLVED)


def test_what_is_said_after_a_case_was_resolved_is_a_reply():
    assert said(HOUR)


def test_what_was_known_when_it_was_resolved_is_none():
    assert not said(-HOUR)
    assert not said(timedelta())


def test_what_was_said_before_and_recorded_after_is_one_and_an_old_record_is_not():
    """A letter that was in the post when the case was resolved, and not last year's mail from an import."""
    assert said(-HOUR, HOUR)
    assert not said(-2 * DAY, HOUR)


def test_what_the_owner_recorded_they_have_heard():
    assert not said(HOUR, agent=OWNER)
    assert said(HOUR, agent="agents/bob")


def test_what_we_say_is_none():
    assert not is_reply(Contact(RESOLVED + HOUR, inbound=False), OWNER, RESOLVED)


@pytest.mark.parametrize(
    ("days", "after", "heard"),
    [(0, 30 * DAY, True), (0, 30 * DAY + HOUR, False), (2, 2 * DAY, True), (2, 2 * DAY + HOUR, False)],
)
def test_a_topic_says_for_how_long_and_thirty_days_otherwise(days, after, heard):
    assert brings_up(RESOLVED + after, RESOLVED, days) is heard


def test_what_a_person_answered_later_is_answered():
    contacts = Contacts(case_id=None)
    contacts.take_in(Contact(RESOLVED + HOUR, False, OWNER))
    assert contacts.is_answered(RESOLVED)
    assert contacts.is_answered(RESOLVED + HOUR)
    assert not contacts.is_answered(RESOLVED + 2 * HOUR)
