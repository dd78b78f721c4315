import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from customer.domain.customers import new_customer, with_addresses
from customer.domain.zones import Source, Zone, zone_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def customer(**profile):
    profile = {"kind": "PERSON"} | profile
    return new_customer(uuid4(), profile, "agents/front-desk", NOW)


def test_a_new_customer_is_at_version_one_and_has_no_language_and_time_zone_that_nobody_said():
    new = customer(given_name="Anna")
    assert (new.version, new.language_code, new.time_zone) == (1, "", "")
    said = customer(language_code="en", time_zone="UTC")
    assert (said.language_code, said.time_zone) == ("en", "UTC")
    assert new.relationship_manager == "agents/front-desk"


@pytest.mark.parametrize(("field", "kept"), [("language_code", "en"), ("time_zone", "UTC")])
def test_what_was_kept_of_who_did_not_say_is_nobodys_word(field, kept):
    said = json.dumps({"1f": ["support.desk", f"{field}!"]})
    for sources, read in (("", ""), (json.dumps({"1f": ["support.desk", "given_name"]}), ""), (said, kept)):
        assert getattr(replace(customer(), **{field: kept}, profile_sources=sources), field) == read


HOME = {"postal_address": {"region_code": "JP"}, "primary": True}
WORK = {"postal_address": {"region_code": "US"}}


@pytest.mark.parametrize(
    ("profile", "zone"),
    [
        ({"time_zone": "Asia/Kolkata", "region_code": "DE"}, Zone("Asia/Kolkata", Source.SAID)),
        ({"region_code": "DE"}, Zone("Europe/Berlin", Source.COUNTRY)),
        ({"addresses": json.dumps([WORK, HOME]), "region_code": "DE"}, Zone("Asia/Tokyo", Source.COUNTRY)),
        ({"addresses": json.dumps([WORK]), "region_code": "DE"}, Zone("Europe/Berlin", Source.COUNTRY)),
        ({"region_code": "US"}, Zone("Europe/Vienna", Source.INSTALLATION)),
        ({}, Zone("Europe/Vienna", Source.INSTALLATION)),
        ({"time_zone": "Mars/Olympus"}, Zone("Europe/Vienna", Source.INSTALLATION)),
    ],
)
def test_a_time_zone_is_as_it_was_said_else_of_the_country_else_of_the_installation(profile, zone):
    assert zone_of(customer(**profile), "Europe/Vienna") == zone


def test_a_client_that_changes_one_name_and_sends_all_back_does_not_freeze_the_shown_one():
    anna = customer(given_name="Anna", family_name="Berg")
    read = {"display_name": anna.shown_name, "given_name": "Anna", "family_name": "Berg"}
    assert anna.change(read | {"family_name": "Tal"}, LATER) == ["person.family_name"]
    assert anna.shown_name == "Anna Tal"
    assert anna.change({"display_name": "Anna Berg"}, LATER) == ["display_name"]
    assert anna.change({"display_name": "Anna Berg", "family_name": "See"}, LATER) == ["person.family_name"]
    assert anna.shown_name == "Anna Berg"  # chosen, and sent back


def test_the_shown_name_comes_from_the_other_names_until_one_is_chosen():
    assert customer(given_name="Anna", family_name="Berg").shown_name == "Anna Berg"
    assert customer(family_name="Berg", organization_name="Berg AG").shown_name == "Berg"
    assert customer(organization_name="Berg AG").shown_name == "Berg AG"
    assert customer(given_name="Anna", display_name="Frau Berg").shown_name == "Frau Berg"
    assert customer().shown_name == ""


def test_sending_back_a_derived_name_does_not_freeze_it():
    anna = customer(given_name="Anna", family_name="Berg")
    assert anna.change({"display_name": "Anna Berg"}, LATER) == []
    anna.change({"family_name": "Tal"}, LATER)
    assert anna.shown_name == "Anna Tal"


def test_a_new_customers_display_name_that_the_other_names_say_is_not_kept():
    anna = customer(given_name="Anna", family_name="Berg", display_name="Anna Berg")
    assert (anna.display_name, anna.shown_name, anna.version) == ("", "Anna Berg", 1)


def test_only_fields_that_differ_count_as_changed():
    anna = customer(given_name="Anna", region_code="DE")
    assert anna.change({"given_name": "Anna", "region_code": "AT"}, LATER) == ["region_code"]
    assert (anna.version, anna.update_time) == (2, LATER)


def test_a_change_of_nothing_is_no_change():
    anna = customer(given_name="Anna")
    assert anna.change({"given_name": "Anna"}, LATER) == []
    assert (anna.version, anna.update_time) == (1, NOW)


def test_assigning_the_same_manager_again_changes_nothing():
    anna = customer()
    assert anna.assign("agents/bob", LATER)
    assert not anna.assign("agents/bob", LATER)
    assert anna.version == 2


def test_what_changed_is_called_as_in_the_contract():
    acme = customer(kind="ORGANIZATION", organization_name="Acme")
    assert acme.change({"organization_name": "Acme AG"}, LATER) == ["organization.legal_name"]
    turned = {"kind": "PERSON", "given_name": "Anna", "region_code": "DE"}
    assert acme.change(turned, LATER) == ["person", "region_code"]
    assert acme.change({"kind": "", "given_name": "", "organization_name": ""}, LATER) == ["person"]


def at(line, kind, **more):
    return {"type": kind, "postal_address": {"address_lines": [line]}, **more}


def primary(held, brought):
    merged, _ = with_addresses(json.dumps(held), json.dumps(brought))
    return [address.get("primary", False) for address in json.loads(merged)]


def test_of_brought_addresses_only_one_can_be_primary():
    home, work = at("Weg 1", "HOME"), at("Gasse 2", "WORK", primary=True)
    assert primary([home], [work]) == [False, True]
    assert primary([home, work], [at("Platz 3", "BILLING", primary=True)]) == [False, True, False]
    assert primary([home, work], [at("Hof 4", "WORK")]) == [False, True]
