from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, FailedPrecondition
from customer.domain.identifiers import (
    Handle,
    Identifier,
    IdentifierType,
    Quality,
    check_room,
    distinct,
    same,
    shared,
    stand_ins,
    taken,
)

EMAIL, PHONE, EXTERNAL = IdentifierType.EMAIL, IdentifierType.PHONE, IdentifierType.EXTERNAL_ID
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def handle(kind, value, normalized=None, system=""):
    return Handle(kind, system, value, value if normalized is None else normalized, Quality.VALID)


def held(kind, value, normalized=None, system=""):
    normalized = value if normalized is None else normalized
    return Identifier(
        uuid4(), uuid4(), kind, system, value, normalized, Quality.VALID, NOW, False, "", None, "", None, 1
    )


def test_a_number_that_people_share_finds_them_and_belongs_to_nobody_alone():
    for kind in IdentifierType:
        found = held(kind, "x")
        assert found.key == (kind, "", "x")
        assert found.own_key == (None if kind in (PHONE, IdentifierType.FAX) else (kind, "", "x"))


def test_only_the_id_of_a_system_and_an_account_number_prove_who_somebody_is():
    strong = {kind for kind in IdentifierType if handle(kind, "x").strong}
    assert strong == {EXTERNAL, IdentifierType.ACCOUNT_NUMBER}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (held(EMAIL, "A@x.org", "a@x.org"), handle(EMAIL, "a@X.org", "a@x.org"), True),
        (held(EMAIL, "a@x.org"), handle(EMAIL, "b@x.org"), False),
        (held(EMAIL, "a"), handle(PHONE, "a"), False),
        (held(EXTERNAL, "7", system="shop"), handle(EXTERNAL, "7", system="shop"), True),
        (held(EXTERNAL, "7", system="shop"), handle(EXTERNAL, "7", system="till"), False),
        (held(EMAIL, "broken", ""), handle(EMAIL, "broken", ""), True),
        (held(EMAIL, "broken", ""), handle(EMAIL, "broken too", ""), False),
    ],
)
def test_handles_are_the_same_by_what_matches_or_as_given_when_nothing_does(one, other, alike):
    assert same(one, other) is alike


def test_what_cannot_be_matched_is_a_repeat_only_when_it_was_given_alike():
    given = [handle(EMAIL, value, "") for value in ("anna@", "berg@", "anna@")]
    assert [each.value for each in distinct(given)] == ["anna@", "berg@"]


def test_who_has_no_name_is_called_by_an_email_or_an_id():
    handles = [held(EMAIL, "a@x.org"), held(EXTERNAL, " 42 ", system="shop"), held(PHONE, "+49")]
    assert stand_ins(handles) == {"a@x.org", "42"}


def test_a_customer_has_at_most_100_identifiers():
    check_room(99)
    check_room(0, added=100)
    for too_many in ((100, 1), (1, 100)):
        with pytest.raises(FailedPrecondition) as caught:
            check_room(*too_many)
        assert (caught.value.reason, caught.value.metadata) == ("TOO_MANY_IDENTIFIERS", {"most": "100"})


def test_a_refusal_names_the_field_and_whose_the_handle_is():
    ambiguous, elsewhere = shared("identifier.value"), taken("identifier.value", "customers/1")
    assert isinstance(elsewhere, AlreadyExists)
    assert (ambiguous.reason, ambiguous.metadata) == ("IDENTIFIER_SHARED", {"field": "identifier.value"})
    assert (elsewhere.reason, elsewhere.metadata) == (
        "IDENTIFIER_TAKEN",
        {"field": "identifier.value", "resource": "customers/1"},
    )
