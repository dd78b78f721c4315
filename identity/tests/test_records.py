"""What is compared of what is written."""

import pytest

from rapport_identity import normalise
from rapport_identity.record import Kind, record


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (normalise.compact("Müller"), normalise.compact("Mueller")),
        (normalise.compact("Müller"), normalise.compact("MULLER")),
        (normalise.compact("Jose\u0301 O'Brien"), normalise.compact("josé obrien")),
        (normalise.street("Hauptstraße"), normalise.street("Haupt Str.")),
        (normalise.street("Main Street"), normalise.street("main st")),
        (normalise.date("19600117"), normalise.date("1960-1-17")),
        (normalise.date("1960-01-17T00:00:00"), normalise.date("17.01.1960")),
        (normalise.email("Ada@Example.org "), normalise.email("ada@example.org")),
        (normalise.phone("+49 30 1234567"), normalise.phone("(0)30/1234567")),
    ],
)
def test_what_means_the_same_is_compared_as_the_same(a: str, b: str) -> None:
    assert a == b


def test_a_date_that_stands_for_none_is_none() -> None:
    assert normalise.date("1900-01-01") == ""
    assert normalise.date("n/a") == ""


@pytest.mark.parametrize(
    ("whole", "given", "family"),
    [
        ("Ada Okafor", "ada", "okafor"),
        ("Dr. Jan van der Berg", "jan", "vanderberg"),
        ("Okafor, Ada", "ada", "okafor"),
        ("山田", None, "山田"),
    ],
)
def test_a_full_name_gives_given_and_family_name(whole: str, given: str | None, family: str) -> None:
    values = record("1", {"display_name": whole}).values
    assert values.get("given_name", (None,))[0] == given
    assert values["family_name"] == (family,)


@pytest.mark.parametrize("line", ["Hauptstr. 12a", "12a Hauptstr.", "Hauptstr 12 a"])
def test_a_line_of_an_address_gives_its_number(line: str) -> None:
    values = record("1", {"street": line}).values
    assert (values["street"], values["house_number"]) == (("hauptst",), ("12a",))


def test_a_record_has_each_value_once_and_no_empty_one() -> None:
    made = record("1", {"email": ["A@x.example", "a@x.example", " "], "phone": "", "note": "x"})
    assert made.values == {"email": ("a@x.example",)}


def test_a_field_of_ones_own_has_a_kind() -> None:
    made = record("1", {"member": "A 1"}, {"member": Kind.IDENTIFIER})
    assert made.values == {"member": ("a1",)}
