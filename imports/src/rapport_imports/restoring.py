"""What our own exports say of customers, as they were, beyond what other files do."""

from collections.abc import Iterator, Sequence

from google.protobuf.json_format import Parse, ParseError

from rapport.customer.v1 import customer_pb2
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport_imports.fields import Cells

_HANDLES = {
    "external_ids": Identifier.TYPE_EXTERNAL_ID,
    "social": Identifier.TYPE_SOCIAL,
    "device": Identifier.TYPE_DEVICE,
}
FIELDS = (*_HANDLES, "shared", "rapport_type", "addresses")
_PERSON = (
    *("given_name", "additional_name", "family_name", "honorific_prefix", "honorific_suffix"),
    "organization_name",
)


def handles(cells: Cells) -> Iterator[tuple[str, Identifier]]:
    """Ids in any system, `shop:4711`, and handles of networks and devices, each with its column."""
    for field, kind in _HANDLES.items():
        for text in cells.several(field):
            system, colon, value = text.partition(":") if field != "device" else ("", ":", text)
            if not (colon and value):
                cells.wrong(field, "INVALID_HANDLE", "must be like shop:4711, the system before the colon")
                continue
            yield cells.column(field), Identifier(type=kind, system=system, value=value)


def mark_shared(cells: Cells, found: Sequence[Identifier]) -> None:
    """Note of which handles others are known to have them, too."""
    shared = {*cells.several("shared")}
    for each in found:
        each.shared = each.value in shared


def name(cells: Cells, customer: customer_pb2.Customer) -> None:
    """What the customer is called, and is."""
    customer.display_name = cells.text("display_name")
    kind = cells.text("rapport_type")
    if kind == "person":
        said = {name: cells.text(name) for name in _PERSON}
        customer.person.CopyFrom(customer_pb2.Person(**said, birth_date=cells.born("birth_date")))
    elif kind == "organization":
        customer.organization.legal_name = cells.text("organization_name")


def addresses(cells: Cells) -> Iterator[customer_pb2.Address]:
    """Addresses, as the contract has them in JSON."""
    for text in cells.several("addresses"):
        try:
            yield Parse(text, customer_pb2.Address())
        except ParseError:
            cells.wrong("addresses", "INVALID_ROW", "must be an Address of the contract in JSON in each line")
