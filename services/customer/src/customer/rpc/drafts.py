"""From the customers in requests to drafts: every field checked, every handle judged."""

import re
import zoneinfo
from collections.abc import Iterable

import pycountry

from chassis.api.validation import Check
from customer.domain.customers import PROFILE_FIELDS
from customer.domain.identifiers import MAX_IDENTIFIERS, Draft, Handle, IdentifierType, Quality
from customer.usecases.handles import INVALID_REASONS, judge
from rapport.customer.v1 import customer_pb2

_TYPE = customer_pb2.Identifier.Type.DESCRIPTOR
_VALUE_MAX = 320
_PLACEHOLDER = Handle(IdentifierType.DEVICE, "", "", Quality.INVALID)
_TEXT_MAX = {"display_name": 200, "given_name": 100, "family_name": 100, "organization_name": 200}
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?")
_TIME_ZONES = frozenset(zoneinfo.available_timezones())
_REGIONS = frozenset(country.alpha_2 for country in pycountry.countries)


def read_profile(
    check: Check, customer: customer_pb2.Customer, fields: Iterable[str] = PROFILE_FIELDS
) -> dict[str, str]:
    """The profile fields of a customer, by name."""
    return {field: _profile_field(check, field, getattr(customer, field)) for field in fields}


def read_draft(check: Check, customer: customer_pb2.Customer) -> Draft:
    """A customer to be made. Handles that cannot be right are kept, flagged, and match nobody."""
    profile = read_profile(check, customer)
    if len(customer.identifiers) > MAX_IDENTIFIERS:
        check.refuse("identifiers", "TOO_LONG", f"must hold at most {MAX_IDENTIFIERS} identifiers")
        return Draft(profile)
    handles = [
        read_handle(check.at(f"identifiers[{i}]"), identifier, profile["region_code"])
        for i, identifier in enumerate(customer.identifiers)
    ]
    return Draft(profile, tuple(handles))


def read_handle(check: Check, identifier: customer_pb2.Identifier, region_code: str) -> Handle:
    """A handle with its quality."""
    before = len(check.violations)
    type_name = check.enum(_TYPE, identifier.type, "type")
    value = check.text(identifier.value, "value", max=_VALUE_MAX)
    if len(check.violations) > before:
        return _PLACEHOLDER
    return judge(IdentifierType(type_name), value, region_code if region_code in _REGIONS else "")


def read_known_handle(check: Check, identifier: customer_pb2.Identifier, region_code: str = "") -> Handle:
    """A handle that somebody can be found by: INVALID_EMAIL, INVALID_PHONE or INVALID_HANDLE otherwise."""
    handle = read_handle(check, identifier, region_code)
    if handle.key is None and handle is not _PLACEHOLDER:
        check.refuse("value", *INVALID_REASONS[handle.type])
    return handle


def _profile_field(check: Check, field: str, value: str) -> str:
    if field in _TEXT_MAX:
        return check.text(value, field, max=_TEXT_MAX[field], required=False).strip()
    if value and field == "language_code" and not _LANGUAGE.fullmatch(value):
        check.refuse(field, "INVALID_CODE", "must be a BCP 47 language like de or en-GB")
    if value and field == "time_zone" and value not in _TIME_ZONES:
        check.refuse(field, "INVALID_CODE", "must be an IANA time zone like Europe/Berlin")
    if value and field == "region_code" and value not in _REGIONS:
        check.refuse(field, "INVALID_CODE", "must be an ISO 3166-1 alpha-2 country like DE")
    return value
