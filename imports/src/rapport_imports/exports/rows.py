"""Rows of customers and purchases, in the columns by which an import finds all of them again."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rapport.customer.v1.identifier_pb2 import Identifier
from rapport_imports import own
from rapport_imports.exports.cells import Cell, amount, as_json, at, day

# A row of an import has 20 identifiers at most: one says which customer it is, one address that it is them.
_IDENTIFIERS_MAX = 18
_HANDLES = {
    Identifier.TYPE_EMAIL: "email",
    Identifier.TYPE_PHONE: "phone",
    Identifier.TYPE_FAX: "fax",
    Identifier.TYPE_ACCOUNT_NUMBER: "account_number",
    Identifier.TYPE_EXTERNAL_ID: "external_ids",
    Identifier.TYPE_SOCIAL: "social",
    Identifier.TYPE_DEVICE: "device",
}
_PERSON = (
    *("given_name", "additional_name", "family_name", "honorific_prefix", "honorific_suffix"),
    "organization_name",
)
_SAID = ("language_code", "time_zone", "region_code")
CUSTOMER = (
    own.CUSTOMER,
    "type",
    "display_name",
    *_PERSON,
    "birth_date",
    *_HANDLES.values(),
    "shared",
    "address",
    "addresses",
    *_SAID,
    "relationship_manager",
    "prospect",
    "create_time",
    "update_time",
)
PURCHASE = (
    *(own.MARKS["purchases"], "purchase_time", "amount", "currency", "refunded_amount", "pieces"),
    *("reference", "store", "line", "product", "quantity", "discount", "tax"),
    *("returned_purchase", "returned_line", "create_time", "update_time"),
)


def known_as(customer: Any) -> str:
    """By which name other installations know a customer: the one of that from which they came."""
    for each in customer.identifiers:
        if (each.type, each.system) == (Identifier.TYPE_EXTERNAL_ID, own.SYSTEM):
            return str(each.value)
    return str(customer.name)


def email_of(customer: Any) -> str:
    return next((str(each.value) for each in customer.identifiers if each.type == Identifier.TYPE_EMAIL), "")


def of_customer(customer: Any) -> Iterator[dict[str, Cell]]:
    """A customer: a row, and more that say the same of who has more identifiers than fit into it."""
    key = known_as(customer)
    held = [each for each in customer.identifiers if each.value != key]
    person, organization = customer.HasField("person"), customer.HasField("organization")
    said: dict[str, Cell] = {
        "type": "person" if person else "organization" if organization else "",
        "display_name": customer.display_name,
        "address": _shown(customer),
        "addresses": [as_json(each) for each in customer.addresses],
        "relationship_manager": customer.relationship_manager,
        "prospect": customer.prospect,
        "create_time": at(customer.create_time),
        "update_time": at(customer.update_time),
    }
    said |= {name: getattr(customer, name) for name in _SAID}
    if person:
        said |= {name: getattr(customer.person, name) for name in _PERSON}
        said["birth_date"] = day(customer.person.birth_date)
    if organization:
        said["organization_name"] = customer.organization.legal_name
    email = next((each for each in held if each.type == Identifier.TYPE_EMAIL), None)
    for start in range(0, max(1, len(held)), _IDENTIFIERS_MAX):
        some = held[start : start + _IDENTIFIERS_MAX]
        again = [email] if email and email not in some else []
        yield {own.CUSTOMER: key, **said, **_handles([*again, *some])}


def _handles(held: list[Any]) -> dict[str, Cell]:
    columns: dict[str, list[str]] = {name: [] for name in _HANDLES.values()}
    for each in held:
        columns[_HANDLES[each.type]].append(f"{each.system}:{each.value}" if each.system else each.value)
    shared = dict.fromkeys(each.value for each in held if each.shared)
    return {**columns, "shared": [*shared]}


def _shown(customer: Any) -> str:
    """The address that is used where nothing else is said, in one line."""
    found = next((each for each in customer.addresses if each.primary), None)
    if found is None and not customer.addresses:
        return ""
    of = (found or customer.addresses[0]).postal_address
    town = " ".join(filter(None, (of.postal_code, of.locality)))
    return ", ".join(filter(None, (*of.address_lines, town, of.administrative_area, of.region_code)))


def of_purchase(purchase: Any) -> Iterator[dict[str, Cell]]:
    """A purchase: a row for each of its lines, whose amounts add up to what was paid, or one."""
    said: dict[str, Cell] = {
        own.MARKS["purchases"]: purchase.name,
        "purchase_time": at(purchase.purchase_time),
        "currency": purchase.amount.currency_code,
        "reference": purchase.reference,
        "store": purchase.store,
        "returned_purchase": purchase.returned_purchase,
        "create_time": at(purchase.create_time),
        "update_time": at(purchase.update_time),
    }
    # Of the whole purchase, and so on its first row alone: columns of amounts can be added up.
    once: dict[str, Cell] = {"pieces": purchase.quantity, "amount": amount(purchase.amount)}
    if purchase.HasField("refunded_amount"):
        once["refunded_amount"] = amount(purchase.refunded_amount)
    for number, line in enumerate(purchase.lines, start=1):
        row = said | once | {"line": number, "product": line.product, "amount": amount(line.amount)}
        row["quantity"] = Decimal(line.quantity.value)
        for column in ("discount", "tax"):
            if line.HasField(f"{column}_amount"):
                row[column] = amount(getattr(line, f"{column}_amount"))
        row["returned_line"] = line.returned_line or ""
        yield row
        once = {}
    if not purchase.lines:
        yield said | once
