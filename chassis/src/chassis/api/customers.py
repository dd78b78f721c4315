"""What a customer may say, for the service that keeps them and for an import that is only checked."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pycountry
from google.protobuf.json_format import MessageToDict
from google.type.date_pb2 import Date

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
from rapport.customer.v1 import customer_pb2, identifier_pb2

_TYPE = identifier_pb2.Identifier.Type.DESCRIPTOR
_VALUE_MAX = 320
_CODES = ("language_code", "time_zone", "region_code")
_PERSON = {
    "given_name": 100,
    "additional_name": 100,
    "family_name": 100,
    "honorific_prefix": 50,
    "honorific_suffix": 50,
    "organization_name": 200,
}
_ADDRESS_TYPE = customer_pb2.Address.Type.DESCRIPTOR
_ADDRESSES_MAX = 20
_LINES_MAX = 5
_POSTAL = {
    "postal_code": 20,
    "sorting_code": 20,
    "administrative_area": 100,
    "locality": 100,
    "sublocality": 100,
    "organization": 200,
}
_SOMEWHERE = ("address_lines", "postal_code", "administrative_area", "locality", "sublocality")
_BORN_SINCE = 1850
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?")
_REGIONS = frozenset(country.alpha_2 for country in pycountry.countries)


def check_profile(check: Check, customer: customer_pb2.Customer) -> dict[str, str]:
    """What a customer is called and where they are, flat: the fields of a person by their names.

    `kind` is PERSON, ORGANIZATION or empty, `organization_name` also what an organization is called,
    `birth_date` a text such as 1984-04-12, 1984-04, 1984 or --04-12, `addresses` a JSON list, or empty.
    """
    profile = {"display_name": _line(check, customer, "display_name", 200)}
    profile |= {field: _code(check, field, getattr(customer, field)) for field in _CODES}
    person = check.at("person")
    profile |= {field: _line(person, customer.person, field, most) for field, most in _PERSON.items()}
    profile["birth_date"] = _birth_date(person, customer.person)
    profile["kind"] = (customer.WhichOneof("type") or "").upper()
    if customer.HasField("organization"):
        name = _line(check.at("organization"), customer.organization, "legal_name", 200)
        profile["organization_name"] = name
    profile["addresses"] = _addresses(check, customer.addresses)
    return profile


def birth_date(text: str) -> Date | None:
    """A birth date as protobuf has it, of what `check_profile` makes of one; None of an empty one."""
    year, _, day = ("0", "-", text[2:]) if text.startswith("--") else text.partition("-")
    month, _, day = day.partition("-")
    return Date(year=int(year), month=int(month or 0), day=int(day or 0)) if text else None


def check_identifier(check: Check, identifier: identifier_pb2.Identifier, region_code: str) -> Handle | None:
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


def _line(check: Check, message: Any, field: str, most: int) -> str:
    return check.text(getattr(message, field), field, max=most, required=False).strip()


def _code(check: Check, field: str, value: str) -> str:
    if value and field == "language_code" and not _LANGUAGE.fullmatch(value):
        check.refuse(field, "INVALID_CODE", "must be a BCP 47 language like de or en-GB")
    if value and field == "time_zone" and time_zone(value) is None:
        check.refuse(field, "INVALID_CODE", NOT_A_TIME_ZONE)
    if value and field == "region_code" and value not in _REGIONS:
        check.refuse(field, "INVALID_CODE", "must be an ISO 3166-1 alpha-2 country like DE")
    return value


def _birth_date(check: Check, person: customer_pb2.Person) -> str:
    if not person.HasField("birth_date"):
        return ""
    year, month, day = person.birth_date.year, person.birth_date.month, person.birth_date.day
    today = datetime.now(UTC).date()
    try:
        first = date(year or 2000, month or 1, day or 1)  # 2000 had a 29 February
        known = (year >= _BORN_SINCE and first <= today) if year else bool(month and day)
        if not known or (day and not month):
            raise ValueError
    except ValueError:
        allowed = f"must be a day, a month, a year or a day of any year, from {_BORN_SINCE} until today"
        check.refuse("birth_date", "INVALID_TIME", allowed)
        return ""
    parts = [f"{part:02}" for part in (month, day) if part]
    return "-".join([f"{year}" if year else "-", *parts])


def _addresses(check: Check, addresses: Sequence[customer_pb2.Address]) -> str:
    if len(addresses) > _ADDRESSES_MAX:
        check.refuse("addresses", "TOO_LONG", f"must hold at most {_ADDRESSES_MAX} addresses")
        return ""
    if sum(address.primary for address in addresses) > 1:
        check.refuse("addresses", "TOO_LONG", "must hold at most one that is primary")
    for i, address in enumerate(addresses):
        _check_address(check.at(f"addresses[{i}]"), address)
    held = [MessageToDict(address, preserving_proto_field_name=True) for address in addresses]
    return json.dumps(held, ensure_ascii=False) if held else ""


def _check_address(check: Check, address: customer_pb2.Address) -> None:
    check.enum(_ADDRESS_TYPE, address.type, "type", required=False)
    postal = address.postal_address
    if not any(getattr(postal, field) for field in _SOMEWHERE):
        check.refuse("postal_address", "REQUIRED", f"must have one of {', '.join(_SOMEWHERE)}")
    within = check.at("postal_address")
    if not postal.region_code:
        within.refuse("region_code", "REQUIRED", "must be given")
    for field in ("region_code", "language_code"):
        _code(within, field, getattr(postal, field))
    for field, most in _POSTAL.items():
        _line(within, postal, field, most)
    for field in ("address_lines", "recipients"):
        lines = getattr(postal, field)
        if len(lines) > _LINES_MAX:
            within.refuse(field, "TOO_LONG", f"must hold at most {_LINES_MAX} lines")
        for i, line in enumerate(lines[:_LINES_MAX]):
            within.text(line, f"{field}[{i}]")
    within.count(postal.revision, "revision", most=0)
