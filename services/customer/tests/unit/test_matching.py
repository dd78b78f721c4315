"""Whom a row is about."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from customer.domain.customers import new_customer
from customer.domain.identifiers import Handle, Identifier, IdentifierType, Quality
from customer.domain.matching import conflicting, in_match_order, name_conflict, same_name, strangers

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
EMAIL, PHONE, SOCIAL = IdentifierType.EMAIL, IdentifierType.PHONE, IdentifierType.SOCIAL
EXTERNAL, ACCOUNT = IdentifierType.EXTERNAL_ID, IdentifierType.ACCOUNT_NUMBER


def row(*handles):
    return [Handle(kind, *parts(value), Quality.VALID) for kind, value in handles]


def held(*handles):
    return [
        Identifier(uuid4(), uuid4(), kind, *parts(value), Quality.VALID, NOW, False, "", None, "", None, 1)
        for kind, value in handles
    ]


def parts(value):
    """`system:value`, or a value of no system, as its system, itself and how it is matched."""
    system, _, value = value.rpartition(":")
    return system, value, value


def customer(**profile):
    return new_customer(uuid4(), profile, "", NOW)


def test_the_best_proof_comes_first_and_the_rest_as_given():
    kinds = [SOCIAL, EMAIL, PHONE, ACCOUNT, EXTERNAL]
    found = in_match_order(row(*((kind, "x") for kind in kinds)))
    assert [handle.type for handle in found] == [EXTERNAL, ACCOUNT, EMAIL, SOCIAL, PHONE]


@pytest.mark.parametrize("by", [EMAIL, PHONE])
@pytest.mark.parametrize(
    ("ours", "theirs", "conflict"),
    [
        ((ACCOUNT, "1"), (ACCOUNT, "2"), True),
        ((ACCOUNT, "1"), (ACCOUNT, "1"), False),
        ((EXTERNAL, "shop:1"), (EXTERNAL, "shop:2"), True),
        ((EXTERNAL, "shop:1"), (EXTERNAL, "shop:1"), False),
        ((EXTERNAL, "shop:1"), (EXTERNAL, "till:2"), False),
        ((EXTERNAL, "shop:1"), (ACCOUNT, "2"), False),
        ((EMAIL, "a@x.org"), (EMAIL, "b@x.org"), False),
    ],
)
def test_two_ids_in_one_system_or_two_account_numbers_are_two_customers(by, ours, theirs, conflict):
    [found_by] = row((by, "x"))
    assert conflicting(found_by, held(ours), row(theirs)) is conflict


def test_a_weaker_handle_says_nothing_against_a_stronger_one():
    by_id, by_account = row((EXTERNAL, "shop:1"), (ACCOUNT, "1"))
    ours, theirs = (held((EXTERNAL, "shop:1"), (ACCOUNT, "1")), row((EXTERNAL, "shop:2"), (ACCOUNT, "2")))
    assert not conflicting(by_id, ours, theirs)
    assert conflicting(by_account, ours, theirs)
    assert not conflicting(by_account, ours, row((ACCOUNT, "2")))


@pytest.mark.parametrize(
    ("profile", "same"),
    [
        ({}, True),
        ({"display_name": " anna  BERG "}, True),
        ({"given_name": "Anna", "family_name": "Berg"}, True),
        ({"given_name": "Anna"}, False),
        ({"family_name": "Berg"}, False),
        ({"display_name": "Eva Berg", "given_name": "Anna", "family_name": "Berg"}, False),
        ({"organization_name": "Berg AG"}, False),
    ],
)
def test_a_row_calls_somebody_as_we_do_or_nothing(profile, same):
    assert same_name(customer(given_name="Anna", family_name="Berg"), profile) is same


def test_an_organisation_is_called_by_its_own_name_when_it_has_no_other():
    acme = customer(organization_name="Acme AG")
    assert same_name(acme, {"organization_name": "ACME AG"})
    assert not same_name(acme, {"organization_name": "Berg AG"})


PARTS = {"given_name": "Zoë", "family_name": "Berg"}
WHOLE = {"display_name": "Zoë Berg"}


@pytest.mark.parametrize(
    ("ours", "row", "clash"),
    [
        (PARTS, {"given_name": "ZOE\u0308", "family_name": " berg"}, []),
        (PARTS, {"given_name": "Zoë", "family_name": "Tal"}, ["given_name", "family_name"]),
        ({"given_name": "Zoë"}, {"family_name": "Berg"}, []),
        (PARTS, {}, []),
        ({}, WHOLE, []),
        (PARTS, WHOLE, []),
        (WHOLE, PARTS, []),
        (PARTS, {"display_name": "Eva Tal"}, ["display_name"]),
        (WHOLE, {"given_name": "Eva", "family_name": "Tal"}, ["given_name", "family_name"]),
        (WHOLE, {"display_name": "Eva Tal"}, ["display_name"]),
        (WHOLE, {"organization_name": "Acme"}, []),
        ({"kind": "PERSON", "organization_name": "Acme"}, WHOLE, []),
        ({"organization_name": "Acme"}, {"organization_name": "ACME "}, []),
        ({"organization_name": "Acme"}, {"organization_name": "Berg"}, ["organization_name"]),
    ],
)
def test_names_clash_when_they_say_otherwise_not_when_they_agree_or_add(ours, row, clash):
    assert name_conflict(customer(**ours), row, []) == clash


@pytest.mark.parametrize(
    ("row", "clash"),
    [
        (PARTS, ["given_name", "family_name"]),
        (WHOLE, ["display_name"]),
        ({"birth_date": "1984-04-12"}, ["birth_date"]),
        ({"display_name": "ACME", "organization_name": "Acme"}, []),
        ({}, []),
    ],
)
def test_somebody_at_an_organization_is_another_unless_an_id_says_so(row, clash):
    acme = customer(kind="ORGANIZATION", organization_name="Acme")
    assert name_conflict(acme, row, [], certain=False) == clash
    assert name_conflict(acme, row, []) == []


def test_what_stands_in_for_a_name_clashes_with_none():
    nameless = customer(display_name="anna@x.org")
    assert name_conflict(nameless, WHOLE, held((EMAIL, "anna@x.org"))) == []
    assert name_conflict(nameless, WHOLE, []) == ["display_name"]


@pytest.mark.parametrize(
    ("ours", "theirs", "name", "two"),
    [
        ([(EMAIL, "a@x.org")], [(EMAIL, "b@x.org")], "Ben", True),
        ([(EMAIL, "a@x.org")], [(EMAIL, "b@x.org")], "Anna", False),
        ([(EMAIL, "a@x.org")], [(EMAIL, "b@x.org"), (EMAIL, "a@x.org")], "Ben", False),
        ([(EMAIL, "a@x.org")], [(PHONE, "1")], "Ben", False),
        ([(PHONE, "1")], [(EMAIL, "b@x.org")], "Ben", False),
        ([(PHONE, "1")], [(PHONE, "2")], "Ben", False),
    ],
)
def test_who_differs_in_name_and_in_every_address_seems_another(ours, theirs, name, two):
    known = customer(display_name="Anna")
    clash = strangers(known, {"display_name": name}, held(*ours), row(*theirs))
    assert clash == (["display_name"] if two else [])


@pytest.mark.parametrize(
    ("ours", "theirs", "two"),
    [
        ({"display_name": "Anna"}, {}, True),
        ({"display_name": "1"}, {"display_name": "Anna"}, True),  # called by its id until now
        ({"given_name": "Anna", "family_name": "Berg"}, {"display_name": "anna berg"}, False),
        ({"given_name": "Anna"}, {"given_name": "Anna", "family_name": "Berg"}, False),
        ({"organization_name": "ACME"}, {"organization_name": "ACME"}, False),
    ],
)
def test_without_a_name_in_common_whoever_shares_no_address_seems_another(ours, theirs, two):
    known = held((EXTERNAL, "shop:1"), (EMAIL, "a@x.org"))
    assert bool(strangers(customer(**ours), theirs, known, row((EMAIL, "b@x.org")))) is two
