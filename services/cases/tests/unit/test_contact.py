"""Since when a customer waits, whatever the order in which word of contacts comes."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import uuid4

from cases.domain.contact import HEARD_MAX, Contact, Contacts

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_it_is_since_the_first_that_nobody_answered_in_any_order() -> None:
    said = [(0, True), (30, True), (60, False), (70, True), (90, True)]
    for order in permutations(said):
        contacts = Contacts(uuid4())
        for minutes, inbound in order:
            contacts.take_in(Contact(TEN + minutes * MINUTE, inbound, agent="agents/alice"))
        assert contacts.unanswered_since == TEN + 70 * MINUTE, order


def test_what_is_settled_waits_for_nothing_and_what_is_said_after_does() -> None:
    contacts = Contacts(uuid4())
    contacts.take_in(Contact(TEN, inbound=True, agent="agents/alice"))
    contacts.settle(TEN + MINUTE)
    assert contacts.unanswered_since is None
    contacts.take_in(Contact(TEN + 2 * MINUTE, inbound=True, agent="agents/alice"))
    assert contacts.unanswered_since == TEN + 2 * MINUTE


def test_however_much_is_said_the_first_counts() -> None:
    contacts = Contacts(uuid4())
    for minutes in reversed(range(HEARD_MAX + 5)):
        contacts.take_in(Contact(TEN + minutes * MINUTE, inbound=True, agent="agents/alice"))
    assert (contacts.unanswered_since, len(contacts.hear_times)) == (TEN, HEARD_MAX)
