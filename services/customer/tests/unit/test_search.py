import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer.domain.identifiers import IdentifierType
from customer.usecases.customers import judge
from customer.usecases.resolve import wanted

ID = "0198c0de-0000-7000-8000-000000000001"
FORMATS = phonenumbers.PhoneNumberFormat
KINDS = st.sampled_from(IdentifierType)


@given(KINDS, st.text(min_size=2), st.sampled_from(["", "DE", "US"]))
def test_a_handle_is_found_by_its_value_as_it_was_given_if_by_anything(
    kind: IdentifierType, value: str, region: str
) -> None:
    kept = judge(kind, "", value, "").normalized_value
    assert not kept or (kind, None, kept) in wanted(value).keys


@given(KINDS, st.text(min_size=2))
def test_a_handle_is_found_by_its_value_as_it_is_matched(kind: IdentifierType, value: str) -> None:
    kept = judge(kind, "", value, "").normalized_value
    assert not kept or (kind, None, kept) in wanted(kept).keys


@given(st.text())
def test_a_text_ends_numbers_by_digits_alone_or_by_a_whole_number(text: str) -> None:
    for end in wanted(text).ends:
        assert end.removeprefix("+").isdecimal()
        assert end.isascii()
        assert len(end) >= 4


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_number_is_found_as_it_is_written_in_its_country(region: str) -> None:
    number = phonenumbers.example_number(region)
    assert number is not None
    kept = phonenumbers.format_number(number, FORMATS.E164)
    for form in (FORMATS.NATIONAL, FORMATS.INTERNATIONAL, FORMATS.E164, FORMATS.RFC3966):
        written = phonenumbers.format_number(number, form)
        assert any(kept.endswith(end) for end in wanted(written).ends), written


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("4321", {"4321"}),
        ("...43 21", {"4321"}),
        ("٤٣٢١", {"4321"}),
        ("321", set()),
        ("01234", {"01234"}),
        ("030 901820", {"030901820", "30901820"}),
        ("0049 30 901820", {"004930901820", "04930901820", "4930901820"}),
        ("+49 30 901820", {"+4930901820"}),
        ("+49 30 901820 ext. 12", set()),
        ("\u200e+49\u2009(0)30\u202f901820", {"+4930901820"}),
        ("0049 (0)30 901820", {"004930901820", "04930901820", "4930901820"}),
        ("(0)30 901820", {"030901820", "30901820"}),
        ("C-10042", set()),
        ("anna4321@example.com", set()),
    ],
)
def test_digits_are_the_end_of_a_number_and_what_is_dialled_before_it_is_not(
    text: str, ends: set[str]
) -> None:
    assert wanted(text).ends == ends


@pytest.mark.parametrize(
    "text", ["+49 30 901820", "0049 30 901820", "0049 (0)30 901820", "0049\u200930 901820"]
)
def test_a_number_is_known_whole_with_its_country_s_code_however_abroad_is_dialled(text: str) -> None:
    assert (IdentifierType.PHONE, None, "+4930901820") in wanted(text).keys


def test_an_id_may_have_its_system_before_it() -> None:
    assert (IdentifierType.EXTERNAL_ID, "shop", "1042") in wanted(" Shop:1042 ").keys
    assert (IdentifierType.EXTERNAL_ID, None, "Shop:1042") in wanted("Shop:1042").keys
    assert not {system for _, system, _ in wanted("shop: ").keys} - {None}


def test_the_name_of_a_customer_is_one() -> None:
    assert str(wanted(f" customers/{ID}\n").customer_id) == ID
    assert wanted(f"customers/{ID}/view").customer_id is None
