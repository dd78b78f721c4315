"""Who a customer is and where they are, by the columns that well-known tools export."""

from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.type.postal_address_pb2 import PostalAddress

from chassis.money import Currency
from rapport.customer.v1.customer_pb2 import Address, Customer, Organization, Person
from rapport_imports.columns import columns_for
from rapport_imports.customers import CustomerImporter
from rapport_imports.decoding import Encoding
from rapport_imports.fields import Cells
from rapport_imports.notation import Notation
from rapport_imports.reading import Reading
from rapport_imports.tabular import Row

HOME, WORK = Address.TYPE_HOME, Address.TYPE_WORK
BILLING, SHIPPING = Address.TYPE_BILLING, Address.TYPE_SHIPPING
BERLIN = {"postal_code": "10115", "locality": "Berlin", "region_code": "DE"}


def read(country: str = "", **cells: str) -> tuple[Customer, list[str]]:
    """The customer in a row, and the reasons of what is told of it. A column's `_` is a space."""
    named: dict[str, Any] = {name.replace("_", " "): cell for name, cell in cells.items()}
    named["E-mail"] = "a@example.com"
    used = columns_for(CustomerImporter.fields, (), list(named), {})
    of_a_tool = {"header": list(named), "encoding": Encoding("utf-8"), "own": ""}
    table: Any = SimpleNamespace(**of_a_tool, digest="", confirm=False)
    channel = grpc.aio.insecure_channel("localhost:1")
    importer = CustomerImporter(channel, table, "x", dry_run=True, offline=True)
    importer.begin(Reading(columns=used))
    row = Row(2, named)
    found = importer.parse(Cells(row, used, Notation(Currency.of("USD"), country=country)))
    assert row.problems == []
    return found.customer, [told.reason for told in row.told]


def places(customer: Customer) -> list[tuple[Any, PostalAddress]]:
    return [(address.type, address.postal_address) for address in customer.addresses]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (  # Salesforce
            {
                "Mailing_Street": "Weg 1\nHinterhaus", "Mailing_City": "Berlin",
                "Mailing_State/Province": "BE", "Mailing_Zip/Postal_Code": "10115",
                "Mailing_Country": "Germany",
            },
            [(0, {"address_lines": ["Weg 1", "Hinterhaus"], "administrative_area": "BE", **BERLIN})],
        ),
        (  # HubSpot
            {"Street_Address": "Weg 1", "City": "Berlin", "Postal_Code": "10115", "Country/Region": "DE"},
            [(0, {"address_lines": ["Weg 1"], **BERLIN})],
        ),
        (  # Outlook
            {
                "Business_Street": "Weg 1", "Business_Street_2": "Etage 3", "Business_City": "Berlin",
                "Business_Postal_Code": "10115", "Business_Country/Region": "DE", "Home_Street": "Ring 2",
                "Home_City": "Graz", "Home_Country/Region": "Austria",
            },
            [
                (HOME, {"address_lines": ["Ring 2"], "locality": "Graz", "region_code": "AT"}),
                (WORK, {"address_lines": ["Weg 1", "Etage 3"], **BERLIN}),
            ],
        ),
        (  # Google Contacts
            {
                "Address_1_-_Label": "Home", "Address_1_-_Country": "DE", "Address_1_-_Street": "Weg 1",
                "Address_1_-_City": "Berlin", "Address_1_-_Region": "BE", "Address_1_-_Postal_Code": "10115",
            },
            [(0, {"address_lines": ["Weg 1"], "administrative_area": "BE", **BERLIN})],
        ),
        (  # Shopify
            {
                "Default_Address_Address1": "Weg 1", "Default_Address_Address2": "HH",
                "Default_Address_City": "Berlin", "Default_Address_Province_Code": "BE",
                "Default_Address_Country_Code": "DE", "Default_Address_Zip": "10115",
            },
            [(0, {"address_lines": ["Weg 1", "HH"], "administrative_area": "BE", **BERLIN})],
        ),
        (  # Stripe
            {
                "Address_Line1": "Weg 1", "Address_City": "Berlin", "Address_Postal_Code": "10115",
                "Address_Country": "DE",
            },
            [(0, {"address_lines": ["Weg 1"], **BERLIN})],
        ),
        (  # WooCommerce
            {
                "billing_address_1": "Weg 1", "billing_city": "Berlin", "billing_postcode": "10115",
                "billing_country": "DE", "shipping_address_1": "Ring 2", "shipping_city": "Wien",
                "shipping_country": "AT",
            },
            [
                (BILLING, {"address_lines": ["Weg 1"], **BERLIN}),
                (SHIPPING, {"address_lines": ["Ring 2"], "locality": "Wien", "region_code": "AT"}),
            ],
        ),
        (  # the number of the house stands where its country has it
            {"Straße": "Weg", "Hausnummer": "1", "PLZ": "10115", "Ort": "Berlin", "Land": "Deutschland"},
            [(0, {"address_lines": ["Weg 1"], **BERLIN})],
        ),
        (
            {"street_number": "12", "address_1": "Park Rd", "suburb": "Kew", "state": "vic", "country": "AU"},
            [
                (0, {"address_lines": ["12 Park Rd"], "locality": "Kew", "administrative_area": "vic",
                     "region_code": "AU"}),
            ],
        ),
    ],
)  # fmt: skip
async def test_an_address_is_read_from_the_columns_of_a_tool(
    cells: dict[str, str], expected: list[tuple[int, dict[str, Any]]]
) -> None:
    customer, told = read(**cells)
    assert places(customer) == [(kind, PostalAddress(**fields)) for kind, fields in expected]
    assert (customer.region_code, told) == (expected[0][1]["region_code"], [])


async def test_an_address_of_no_country_is_told_and_left_out_unless_somebody_says_it() -> None:
    customer, told = read(Street="Weg 1", City="Berlin")
    assert (places(customer), told) == ([], ["NO_COUNTRY"])
    customer, told = read(country="DE", Street="Weg 1", City="Berlin")
    assert [place.region_code for _, place in places(customer)] == ["DE"]
    assert told == []


async def test_what_is_too_long_for_an_address_is_told_and_refuses_no_row() -> None:
    customer, told = read(Street="x" * 201, City="Berlin", Country="DE")
    assert (places(customer), told) == ([], ["TOO_LONG"])


async def test_a_country_alone_is_no_address() -> None:
    customer, told = read(Country="DE")
    assert (places(customer), customer.region_code, told) == ([], "DE", [])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            {
                "Salutation": "Dr.",
                "First_Name": "Anna",
                "Middle_Name": "M.",
                "Last_Name": "Berg",
                "Suffix": "Jr.",
            },
            Customer(
                person=Person(
                    honorific_prefix="Dr.",
                    given_name="Anna",
                    additional_name="M.",
                    family_name="Berg",
                    honorific_suffix="Jr.",
                )
            ),
        ),
        ({"Name": "Anna Berg"}, Customer(display_name="Anna Berg")),
        (
            {"Anrede": "Frau", "Name": "Berg"},
            Customer(display_name="Berg", person=Person(honorific_prefix="Frau")),
        ),
        (
            {"Contact_name": "Anna Berg", "Company_name": "Acme"},
            Customer(display_name="Anna Berg", person=Person(organization_name="Acme")),
        ),
        ({"Company_name": "Acme"}, Customer(organization=Organization(legal_name="Acme"))),
        (
            {"Anrede": "Firma", "Name": "Acme", "Firma": "Acme"},
            Customer(display_name="Acme", organization=Organization(legal_name="Acme")),
        ),
        (
            {"First_name": "Anna", "Company": "Acme"},
            Customer(person=Person(given_name="Anna", organization_name="Acme")),
        ),
    ],
)
async def test_a_row_is_a_person_where_one_is_named_else_an_organization_or_nobody_knows(
    cells: dict[str, str], expected: Customer
) -> None:
    customer, told = read(**cells)
    del customer.identifiers[:]
    assert (customer, told) == (expected, [])


async def test_an_unclear_birthday_is_told_and_left_out() -> None:
    customer, told = read(Name="Anna", Birthday="03/04/1984")
    assert (customer.person.HasField("birth_date"), told) == (False, ["INVALID_TIME"])
    customer, told = read(Name="Anna", Birthday="1984-04-03")
    assert (customer.person.birth_date.day, told) == (3, [])


async def test_shopifys_number_is_the_phone_and_its_postal_code_is_read_without_the_apostrophe() -> None:
    customer, _ = read(
        Default_Address_Phone="+49 221 5551234",
        Default_Address_Zip="'50667",
        Default_Address_City="Köln",
        Default_Address_Country_Code="DE",
    )
    assert "+49 221 5551234" in [each.value for each in customer.identifiers]
    assert [place.postal_code for _, place in places(customer)] == ["50667"]
