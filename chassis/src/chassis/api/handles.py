"""Judging handles of people: what is an e-mail address or a phone number, and how each is matched.

For the service that keeps customers, and for an import that is only checked. Needs `email-validator` and
`phonenumbers`.
"""

import functools
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from chassis.visible import hides_something

# The reason for a handle of each type that cannot be right.
INVALID_REASONS: dict[str, tuple[str, str]] = {
    "EMAIL": ("INVALID_EMAIL", "must be an e-mail address like anna@example.com"),
    "PHONE": (
        "INVALID_PHONE",
        "must be a phone number: with its country's code, as +49 30 901820, or of the customer's country",
    ),
    "FAX": (
        "INVALID_PHONE",
        "must be a fax number: with its country's code, as +49 30 901820, or of the customer's country",
    ),
}
# Types whose values are unique within a system: the `system` that made the id, or the network.
OF_SYSTEMS = frozenset({"EXTERNAL_ID", "SOCIAL"})
INVALID_REASON = ("INVALID_HANDLE", "must be a handle of its type")
MISLEADING = "must hold only what can be seen, no zero-width, format or filler characters, and no @ but this"
_LIKE_AT = re.compile("[\ufe6b\uff20]")
_DIGITS_IN_A_NUMBER = 5
# What an extension is called where the library knows no word for it.
_EXTENSION = re.compile(
    r"[\s,]+(?:poste|durchwahl|dw|nebenstelle|apparat|app|toestel|interno|ramal)[.:]?\s*(\d{1,7})$",
    re.IGNORECASE,
)
_NO_COUNTRY = "001"  # what the library says of +800 and its like

Judged = tuple[str, str]  # the form in which it is matched, and VALID, POSSIBLE or INVALID
_INVALID: Judged = ("", "INVALID")
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Handle(NamedTuple):
    """A handle that was judged VALID, POSSIBLE or INVALID; its type is as the contract calls it: `EMAIL`.

    The normalized value is the form in which it is matched; empty when it matches and reaches nobody.
    """

    type: str
    normalized_value: str
    quality: str

    def doubt(self) -> tuple[str, str] | None:
        """The reason why nobody is found or reached by it, and what is allowed; None when they are."""
        if self.normalized_value or self.type not in INVALID_REASONS:
            return None
        reason, allowed = INVALID_REASONS[self.type]
        return reason, f"kept as it is written, but nobody is found or reached by it: {allowed}"


@functools.lru_cache(1024)  # a handle to resolve is checked, and then read
def judge(type: str, value: str, region_code: str) -> Handle:
    """Judge a handle as it was given, 1 to 320 characters.

    The region, ISO 3166-1 alpha-2, is for phone numbers without a country code; it may be empty.
    """
    if misleads(type, value):
        return Handle(type, *_INVALID)
    return Handle(type, *_JUDGES.get(type, _opaque)(value.strip(), region_code))


def misleads(type: str, value: str) -> bool:
    """Whether a handle looks like another than it is: it holds what nobody sees, or an @ that is none."""
    return hides_something(value) or (type == "EMAIL" and bool(_LIKE_AT.search(value)))


def _email(value: str, region_code: str) -> Judged:
    """By the syntax of RFC 5321 and 6531, without asking the DNS.

    Domains match by IDNA (UTS 46, non-transitional: `strasse.example` is not `straße.example`), what is
    before the @ by ASCII case only: whether `ß` or the Kelvin sign is another letter is for that mail
    system to say. Domains that the Internet does not have, such as `anna@intranet`, are possible.
    """
    for globally, quality in ((True, "VALID"), (False, "POSSIBLE")):
        try:
            found = validate_email(
                value,
                check_deliverability=False,
                globally_deliverable=globally,
                test_environment=not globally,
            )
        except EmailNotValidError:
            continue
        local = value.rpartition("@")[0].translate(_ASCII_LOWER)  # before NFC, which makes Kelvin a K
        return f"{unicodedata.normalize('NFC', local)}@{found.domain}", quality
    return _INVALID


def _phone(value: str, region_code: str) -> Judged:
    """E.164, with the extension as RFC 3966 has it: `+49301234567;ext=12`.

    A number that lacks its country or area is possible and matches nobody: others have it too.
    """
    value = _EXTENSION.sub(r" ext. \1", value)
    try:
        number = (
            _international(value, region_code)
            or _abroad(value, region_code)
            or phonenumbers.parse(value, region_code or None)
        )
    except phonenumbers.NumberParseException as error:
        unknown_region = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        digits = sum(character.isdigit() for character in value)
        return ("", "POSSIBLE") if unknown_region and digits >= _DIGITS_IN_A_NUMBER else _INVALID
    normalized = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.extension:
        normalized += f";ext={number.extension}"
    if phonenumbers.is_valid_number(number):
        return normalized, "VALID"
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == phonenumbers.ValidationResult.IS_POSSIBLE:
        return normalized, "POSSIBLE"
    if possible == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        return "", "POSSIBLE"
    return _INVALID


@functools.lru_cache(4096)
def number_parts(normalized_value: str) -> tuple[str, str]:
    """The country of a number as it is matched, ISO 3166-1 alpha-2, and its extension; empty for none.

    No country for what is of none, such as +800, and for what nobody can have in the countries of its code.
    """
    number, _, extension = normalized_value.partition(";ext=")
    if not number:
        return "", ""
    digits = number.removeprefix("+")
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    regions = next((codes[code] for n in (1, 2, 3) if (code := int(digits[:n])) in codes), ())
    region = regions[0] if len(regions) == 1 else _region_among_several(number)
    return ("" if region == _NO_COUNTRY else region), extension


def _region_among_several(number: str) -> str:
    """Which of the countries that share a code, such as +1, has a number."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except phonenumbers.NumberParseException:
        return ""


def _international(value: str, region_code: str) -> phonenumbers.PhoneNumber | None:
    """The number that `491711234567` is in Germany: spreadsheets drop the +.

    Only where national numbers begin with a trunk prefix, which this one lacks: elsewhere it may be either.
    """
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region_code, None) if region_code else None
    code = str(metadata.country_code) if metadata else ""
    if not (metadata and metadata.national_prefix and value.startswith(code)):
        return None
    if metadata.national_prefix == code:
        return None
    number = phonenumbers.parse(f"+{value}", None)
    return number if phonenumbers.is_valid_number(number) else None


def _abroad(value: str, region_code: str) -> phonenumbers.PhoneNumber | None:
    """The number that `0049 30 901820` is where nobody says in which country, or it is none of that.

    Nearly everywhere 00 is the way abroad.
    """
    if not value.startswith("00"):
        return None
    try:
        if region_code and phonenumbers.is_valid_number(phonenumbers.parse(value, region_code)):
            return None
        number = phonenumbers.parse(f"+{value[2:]}", None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _social(value: str, region_code: str) -> Judged:
    """Handles on a network: without regard to case."""
    return unicodedata.normalize("NFC", value).casefold(), "VALID"


def _opaque(value: str, region_code: str) -> Judged:
    """Ids, account numbers and devices: as they are."""
    return unicodedata.normalize("NFC", value), "VALID"


_JUDGES: dict[str, Callable[[str, str], Judged]] = {
    "EMAIL": _email,
    "PHONE": _phone,
    "FAX": _phone,
    "SOCIAL": _social,
}
