import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer.domain.identifiers import IdentifierType, Quality, distinct
from customer.usecases import customers as handles

EMAIL, PHONE = IdentifierType.EMAIL, IdentifierType.PHONE


def judge(kind, value, region):
    return handles.judge(kind, "", value, region)


@pytest.mark.parametrize(
    ("value", "normalized"),
    [
        ("Anna.Berg@Example.COM", "anna.berg@example.com"),
        (" anna@example.com ", "anna@example.com"),
        ("JO\u0308RG@BÜCHER.example.com", "jörg@bücher.example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("anna@STRASSE.example.com", "anna@strasse.example.com"),
        ("anna@straße.example.com", "anna@straße.example.com"),
        ("anna@xn--strae-oqa.example.com", "anna@straße.example.com"),
        ("anna@\uff45xample.com", "anna@example.com"),
    ],
)
def test_an_email_matches_without_regard_to_case_and_keeps_the_given_form(value, normalized):
    handle = judge(EMAIL, value, "")
    assert (handle.value, handle.normalized_value, handle.quality) == (value, normalized, Quality.VALID)


def test_letters_that_only_unicode_calls_alike_are_other_mailboxes():
    spellings = ("kate", "\u212aate", "straße", "strasse", "\uff21nna", "anna", "\u0131", "i")
    found = [judge(EMAIL, f"{local}@example.com", "").normalized_value for local in spellings]
    assert len({value for value in found if value}) == len([value for value in found if value])


@given(st.emails())
def test_every_email_matches_itself_in_capitals_and_is_normalized_once(value):
    handle = judge(EMAIL, value, "")
    if handle.key:
        assert handle.normalized_value == unicodedata.normalize("NFC", handle.normalized_value)
        again = judge(EMAIL, handle.normalized_value, "")
        assert again.normalized_value == handle.normalized_value


def test_an_email_at_a_domain_the_internet_lacks_is_possible():
    handle = judge(EMAIL, "anna@intranet", "")
    assert (handle.normalized_value, handle.quality) == ("anna@intranet", Quality.POSSIBLE)


@pytest.mark.parametrize(
    "value",
    ["anna", "anna@", "@example.com", "a b@example.com", "Anna <a@example.com>", "anna\uff20example.com"],
)
def test_what_cannot_be_an_email_is_kept_and_matches_nobody(value):
    handle = judge(EMAIL, value, "")
    assert (handle.value, handle.key, handle.quality) == (value, None, Quality.INVALID)


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u00ad", "\u200e", "\ufeff", "\u2060", "\u3164", "\u2800", "\U000e0041"]
)
@pytest.mark.parametrize("kind", IdentifierType)
def test_a_handle_with_what_nobody_sees_is_none_of_any_kind(kind, hidden):
    value = "anna@example.com" if kind == EMAIL else "mastodon:+4930901820"
    for spoilt in (
        hidden + value,
        value + hidden,
        value[:2] + hidden + value[2:],
        value[:-2] + hidden + value[-2:],
    ):
        assert judge(kind, spoilt, "DE").normalized_value == ""


@pytest.mark.parametrize(
    ("value", "region", "normalized", "quality"),
    [
        ("030-0074321", "DE", "+49300074321", Quality.VALID),
        ("(206) 555-9857", "US", "+12065559857", Quality.VALID),
        ("+1 206 555 9857 ext 12", "", "+12065559857;ext=12", Quality.VALID),
        ("01 42 68 53 00 poste 12", "FR", "+33142685300;ext=12", Quality.VALID),
        ("030 901820, Durchwahl: 12", "DE", "+4930901820;ext=12", Quality.VALID),
        ("030 901820 App. 7", "DE", "+4930901820;ext=7", Quality.VALID),
        ("491711234567", "DE", "+491711234567", Quality.VALID),
        ("4915112345678", "DE", "+4915112345678", Quality.VALID),
        ("49301234567", "", "", Quality.POSSIBLE),
        ("12065559857", "US", "+12065559857", Quality.VALID),
        ("0049 171 1234567", "DE", "+491711234567", Quality.VALID),
        ("0049 30 901820", "", "+4930901820", Quality.VALID),
        ("0033 1 42 68 53 00", "US", "+33142685300", Quality.VALID),
        ("00800 1234 5678", "", "+80012345678", Quality.VALID),
        ("00", "", "", Quality.INVALID),
        ("+1 206 555 9857", "DE", "+12065559857", Quality.VALID),
        ("(171) 555-7788", "GB", "+441715557788", Quality.POSSIBLE),
        ("030-0074321", "", "", Quality.POSSIBLE),
        ("hello", "DE", "", Quality.INVALID),
        ("12", "", "", Quality.INVALID),
        ("+49 1", "", "", Quality.INVALID),
    ],
)
def test_a_phone_number_is_judged_in_its_region(value, region, normalized, quality):
    for kind in (PHONE, IdentifierType.FAX):
        handle = judge(kind, value, region)
        assert (handle.normalized_value, handle.quality) == (normalized, quality)


def test_a_social_handle_ignores_case_and_an_external_id_does_not():
    assert judge(IdentifierType.SOCIAL, " Anna", "").normalized_value == "anna"
    assert judge(IdentifierType.EXTERNAL_ID, "AbC ", "").normalized_value == "AbC"


def test_account_numbers_and_devices_are_matched_as_they_are():
    assert judge(IdentifierType.ACCOUNT_NUMBER, " DE-42 ", "").normalized_value == "DE-42"
    assert judge(IdentifierType.DEVICE, "ab:cd", "").normalized_value == "ab:cd"


def test_repeats_are_left_out_and_the_first_form_stays():
    alike = [judge(EMAIL, value, "") for value in ("A@example.com", "a@EXAMPLE.com", "b@example.com")]
    assert [handle.value for handle in distinct(alike)] == ["A@example.com", "b@example.com"]
