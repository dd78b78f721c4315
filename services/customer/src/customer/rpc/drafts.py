"""From the customers in requests to drafts: every field checked, every handle judged; and back."""

import json
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from chassis.api.customers import birth_date, check_identifier, check_profile
from chassis.api.handles import INVALID_REASONS
from chassis.api.masks import masked
from chassis.api.messages import to_message
from chassis.api.validation import Check
from customer.domain.customers import KIND_FIELDS, ORGANIZATION, PERSON, PROFILE_FIELDS, Customer, path_of
from customer.domain.identifiers import MAX_IDENTIFIERS, Draft, Handle, IdentifierType, Quality
from customer.usecases.handles import judged
from rapport.customer.v1 import customer_pb2, identifier_pb2

_PATHS = (
    *(path_of(field, PERSON) for field in PROFILE_FIELDS if field != "kind"),
    path_of("organization_name", ORGANIZATION),
)
_PLACEHOLDER = Handle(IdentifierType.DEVICE, "", "", "", Quality.INVALID)


def read_draft(check: Check, customer: customer_pb2.Customer) -> Draft:
    """A customer to be made. Handles that cannot be right are kept, flagged, and match nobody."""
    profile = check_profile(check, customer)
    if len(customer.identifiers) > MAX_IDENTIFIERS:
        check.refuse("identifiers", "TOO_LONG", f"must hold at most {MAX_IDENTIFIERS} identifiers")
        return Draft(profile)
    handles = [
        read_handle(check.at(f"identifiers[{i}]"), identifier, profile["region_code"])
        for i, identifier in enumerate(customer.identifiers)
    ]
    return Draft(profile, tuple(handles))


def read_changes(
    check: Check, customer: customer_pb2.Customer, mask: FieldMask
) -> tuple[dict[str, str], bool]:
    """The profile fields that a mask changes, checked, and whether the kind is one of them.

    A field inside of a person or organization is of one who is that; `kind` says what.
    """
    paths = masked(mask, customer, _PATHS)
    chosen = customer_pb2.Customer()
    FieldMask(paths=paths).MergeMessage(customer, chosen)
    profile = check_profile(check, chosen)
    fields = {"organization_name" if path == _PATHS[-1] else path.rpartition(".")[2] for path in paths}
    changes = {field: profile[field] for field in PROFILE_FIELDS if field in fields}
    if not {"*", "person", "organization"}.isdisjoint(mask.paths):
        kind = (customer.WhichOneof("type") or "").upper()
        return changes | {field: profile[field] for field in KIND_FIELDS} | {"kind": kind}, True
    kinds = {path.partition(".")[0].upper() for path in paths if "." in path}
    if len(kinds) > 1:
        check.refuse("update_mask", "UNKNOWN_FIELD", "must be of a person or of an organization, not of both")
    return changes | dict.fromkeys(("kind",) if kinds else (), next(iter(kinds), "")), False


def shown(customer: Customer, **fields: Any) -> customer_pb2.Customer:
    """A customer as the contract has them."""
    kind: dict[str, Any] = {}
    if customer.kind == PERSON:
        born = birth_date(customer.birth_date)
        kind["person"] = to_message(customer_pb2.Person, customer, birth_date=born)
    elif customer.kind == ORGANIZATION:
        kind["organization"] = customer_pb2.Organization(legal_name=customer.organization_name)
    addresses = [customer_pb2.Address(**address) for address in json.loads(customer.addresses or "[]")]
    return to_message(customer_pb2.Customer, customer, **kind, **fields, addresses=addresses)


def read_handle(check: Check, identifier: identifier_pb2.Identifier, region_code: str) -> Handle:
    """A handle with its quality."""
    found = check_identifier(check, identifier, region_code)
    return judged(identifier.system, identifier.value, found) if found else _PLACEHOLDER


def read_known_handle(check: Check, identifier: identifier_pb2.Identifier, region_code: str = "") -> Handle:
    """A handle that somebody can be found by: INVALID_EMAIL, INVALID_PHONE or INVALID_HANDLE otherwise."""
    handle = read_handle(check, identifier, region_code)
    if handle.key is None and handle is not _PLACEHOLDER:
        check.refuse("value", *INVALID_REASONS[handle.type])
    return handle
