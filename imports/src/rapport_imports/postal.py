"""Addresses by post: which columns of a file hold the parts of each, and what they say together."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from google.type.postal_address_pb2 import PostalAddress

from chassis.api.customers import check_customer
from rapport.customer.v1 import customer_pb2
from rapport_imports.fields import Cells
from rapport_imports.parts import ADDRESSES, PARTS
from rapport_imports.places import country as named

_TYPES = {
    "": customer_pb2.Address.TYPE_UNSPECIFIED,
    "home_": customer_pb2.Address.TYPE_HOME,
    "work_": customer_pb2.Address.TYPE_WORK,
    "billing_": customer_pb2.Address.TYPE_BILLING,
    "shipping_": customer_pb2.Address.TYPE_SHIPPING,
}
_LINES_MAX = 5
_APART = "  "
_IN_ORDER = ("street", "street_2", "city", "state", "postal_code", "country")
_DIGIT = re.compile(r"\d")
FIELDS = tuple(group + part for group in ADDRESSES for part in PARTS if group or part != "country")


def addresses(
    cells: Cells, used: Mapping[str, str], header: Sequence[str], region: str
) -> Iterator[customer_pb2.Address]:
    """The addresses of a row, in the country of `region` where they name none.

    One without a country, or that no address can be, is told and left out: no row is refused for it.
    """
    for group, kind in _TYPES.items():
        said = {
            part: cells.text(group + part) for part in PARTS if part != "country" and group + part in used
        }
        where = next((group + part for part, text in said.items() if text), "")
        if not where:
            continue
        country = cells.region(f"{group}country") if group and f"{group}country" in used else ""
        if _APART in said.get("street", "") and not (said.get("city") or said.get("postal_code")):
            said |= _parts(said["street"])
            country = country or said.pop("country", "")
        if not (country or region):
            cells.tell("NO_COUNTRY", "is in no country that is known: left out; --country says which", where)
            continue
        address = customer_pb2.Address(
            type=kind,
            postal_address=PostalAddress(
                region_code=country or region,
                postal_code=said.get("postal_code", ""),
                administrative_area=said.get("state", ""),
                locality=said.get("city", ""),
                address_lines=_lines(said, before=_before(group, used, header)),
            ),
        )
        found = check_customer(customer_pb2.Customer(addresses=[address]), datetime.now(UTC))
        for wrong in found[:1]:
            cells.tell(wrong.reason, f"{wrong.description}: the address is left out", where)
        if not found:
            yield address


def _parts(text: str) -> dict[str, str]:
    """The parts of an address that is one text, as Mailchimp has it: two spaces are between them."""
    parts = [part.strip() for part in text.split(_APART)]
    if len(parts) == len(_IN_ORDER):  # some of which may be empty
        found = dict(zip(_IN_ORDER, parts, strict=True))
    else:
        found, parts = {}, [part for part in parts if part]
        if len(parts) > 2 and (_DIGIT.search(parts[-2]) or len(parts[-1]) > 2) and named(parts[-1]):
            found["country"] = parts.pop()
        if len(parts) > 1 and _DIGIT.search(parts[-1]):
            found["postal_code"] = parts.pop()
        if len(parts) > 2:
            found["state"] = parts.pop()
        if len(parts) > 1:
            found["city"] = parts.pop()
        found |= {"street": parts[0], "street_2": ", ".join(parts[1:])}
    return found | {"country": named(found.get("country", ""))}


def _before(group: str, used: Mapping[str, str], header: Sequence[str]) -> bool:
    """Whether the number of the house is written before its street: as the columns stand."""
    columns = [used.get(group + part) for part in ("house_number", "street")]
    return None not in columns and header.index(str(columns[0])) < header.index(str(columns[1]))


def _lines(said: Mapping[str, str], *, before: bool) -> list[str]:
    street = [said.get("house_number", ""), *said.get("street", "").split("\n", 1)]
    first = " ".join(filter(None, street[:2] if before else reversed(street[:2])))
    lines = [first, *street[2:], said.get("street_2", "")]
    found = [line.strip() for text in lines for line in text.split("\n") if line.strip()]
    return (
        [*found[: _LINES_MAX - 1], ", ".join(found[_LINES_MAX - 1 :])] if len(found) > _LINES_MAX else found
    )
