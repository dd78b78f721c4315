"""What a customer may say, for the service that keeps them and for an import that is only checked."""

import re
from collections.abc import Iterable, Sequence

import pycountry

from chassis.api.handles import (
    INVALID_REASON,
    INVALID_REASONS,
    MISLEADING,
    OF_SYSTEMS,
    Handle,
    judge,
    misleads,
)
from chassis.api.validation import Check
from chassis.api.zones import NOT_A_TIME_ZONE, time_zone
from rapport.customer.v1 import customer_pb2

_TYPE = customer_pb2.Identifier.Type.DESCRIPTOR
_VALUE_MAX = 320
_TEXT_MAX = {"display_name": 200, "given_name": 100, "family_name": 100, "organization_name": 200}
_PROFILE = (*_TEXT_MAX, "language_code", "time_zone", "region_code")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?")
_REGIONS = frozenset(country.alpha_2 for country in pycountry.countries)


def check_profile(
    check: Check, customer: customer_pb2.Customer, fields: Iterable[str] = _PROFILE
) -> dict[str, str]:
    """The profile fields of a customer, by name."""
    return {field: _profile_field(check, field, getattr(customer, field)) for field in fields}


def check_identifier(check: Check, identifier: customer_pb2.Identifier, region_code: str) -> Handle | None:
    """An identifier, judged; None for a violation."""
    before = len(check.violations)
    kind = check.enum(_TYPE, identifier.type, "type")
    value = check.text(identifier.value, "value", max=_VALUE_MAX)
    check.code(identifier.system, "system", required=kind in OF_SYSTEMS)
    if identifier.system and kind not in OF_SYSTEMS:
        check.refuse("system", "INVALID_CODE", f"must be empty but of {' and '.join(sorted(OF_SYSTEMS))}")
    if misleads(kind, value):
        check.refuse("value", INVALID_REASONS.get(kind, INVALID_REASON)[0], MISLEADING)
    if len(check.violations) > before:
        return None
    return judge(kind, value, region_code if region_code in _REGIONS else "")


def require_findable(check: Check, identifiers: Sequence[tuple[str, str]]) -> None:
    """Refuse a row that finds nobody: a second import would make a second customer of it.

    Args:
        check: with what else is wrong, if anything.
        identifiers: type and normalized value of each. REQUIRED without; else what is wrong with the first.

    """
    if check.violations or any(normalized for _, normalized in identifiers):
        return
    if identifiers:
        check.refuse("identifiers[0].value", *INVALID_REASONS[identifiers[0][0]])
    else:
        check.refuse("identifiers", "REQUIRED", "must hold an identifier to find the customer by")


def _profile_field(check: Check, field: str, value: str) -> str:
    if field in _TEXT_MAX:
        return check.text(value, field, max=_TEXT_MAX[field], required=False).strip()
    if value and field == "language_code" and not _LANGUAGE.fullmatch(value):
        check.refuse(field, "INVALID_CODE", "must be a BCP 47 language like de or en-GB")
    if value and field == "time_zone" and time_zone(value) is None:
        check.refuse(field, "INVALID_CODE", NOT_A_TIME_ZONE)
    if value and field == "region_code" and value not in _REGIONS:
        check.refuse(field, "INVALID_CODE", "must be an ISO 3166-1 alpha-2 country like DE")
    return value
