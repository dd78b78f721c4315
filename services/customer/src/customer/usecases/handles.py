"""Judging handles: what is a well-formed e-mail address, a possible phone number, and how each is matched."""

import unicodedata
from collections.abc import Callable

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from customer.domain.identifiers import Handle, IdentifierType, Quality

# The reason for a handle of each type that cannot be right.
INVALID_REASONS = {
    IdentifierType.EMAIL: ("INVALID_EMAIL", "must be an e-mail address like anna@example.com"),
    IdentifierType.PHONE: (
        "INVALID_PHONE",
        "must be a phone number, with country code or in the customer's region",
    ),
    IdentifierType.FAX: (
        "INVALID_PHONE",
        "must be a fax number, with country code or in the customer's region",
    ),
    IdentifierType.SOCIAL: ("INVALID_HANDLE", "must be a network and a handle, like mastodon:anna"),
    IdentifierType.EXTERNAL_ID: ("INVALID_HANDLE", "must be a system and an id, like crm:00042"),
}
_DIGITS_IN_A_NUMBER = 5

Judged = tuple[str, Quality]
_INVALID: Judged = ("", Quality.INVALID)


def judge(type: IdentifierType, value: str, region_code: str) -> Handle:
    """The handle with its quality and the form in which it is matched.

    Args:
        type: the kind of handle.
        value: as it was given, 1 to 320 characters.
        region_code: ISO 3166-1 alpha-2, for phone numbers without a country code; may be empty.

    """
    normalized, quality = _JUDGES.get(type, _opaque)(value.strip(), region_code)
    return Handle(type, value, normalized, quality)


def _email(value: str, region_code: str) -> Judged:
    """By the syntax of RFC 5321 and 6531, without asking the DNS. Matched without regard to case.

    Domains that the Internet does not have, such as `anna@intranet`, are possible.
    """
    for globally, quality in ((True, Quality.VALID), (False, Quality.POSSIBLE)):
        try:
            found = validate_email(
                value,
                check_deliverability=False,
                globally_deliverable=globally,
                test_environment=not globally,
            )
        except EmailNotValidError:
            continue
        return unicodedata.normalize("NFC", found.normalized.casefold()), quality
    return _INVALID


def _phone(value: str, region_code: str) -> Judged:
    """E.164. A number that lacks its country or area is possible and matches nobody: others have it too."""
    try:
        number = phonenumbers.parse(value, region_code or None)
    except phonenumbers.NumberParseException as error:
        unknown_region = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        digits = sum(character.isdigit() for character in value)
        return ("", Quality.POSSIBLE) if unknown_region and digits >= _DIGITS_IN_A_NUMBER else _INVALID
    normalized = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(number):
        return normalized, Quality.VALID
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == phonenumbers.ValidationResult.IS_POSSIBLE:
        return normalized, Quality.POSSIBLE
    if possible == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        return "", Quality.POSSIBLE
    return _INVALID


def _social(value: str, region_code: str) -> Judged:
    """`network:handle`, without regard to case."""
    normalized, quality = _external(value, region_code)
    return normalized.casefold(), quality


def _external(value: str, region_code: str) -> Judged:
    """`system:id`: the system without regard to case, the id as it is."""
    system, colon, rest = unicodedata.normalize("NFC", value).partition(":")
    system, rest = system.strip(), rest.strip()
    return (f"{system.casefold()}:{rest}", Quality.VALID) if system and colon and rest else _INVALID


def _opaque(value: str, region_code: str) -> Judged:
    """Account numbers and devices: as they are."""
    return unicodedata.normalize("NFC", value), Quality.VALID


_JUDGES: dict[IdentifierType, Callable[[str, str], Judged]] = {
    IdentifierType.EMAIL: _email,
    IdentifierType.PHONE: _phone,
    IdentifierType.FAX: _phone,
    IdentifierType.SOCIAL: _social,
    IdentifierType.EXTERNAL_ID: _external,
}
