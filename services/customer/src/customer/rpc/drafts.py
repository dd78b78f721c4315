"""From the customers in requests to drafts: every field checked, every handle judged."""

from chassis.api.customers import check_identifier, check_profile
from chassis.api.handles import INVALID_REASONS
from chassis.api.validation import Check
from customer.domain.identifiers import MAX_IDENTIFIERS, Draft, Handle, IdentifierType, Quality
from customer.usecases.handles import judged
from rapport.customer.v1 import customer_pb2

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


def read_handle(check: Check, identifier: customer_pb2.Identifier, region_code: str) -> Handle:
    """A handle with its quality."""
    found = check_identifier(check, identifier, region_code)
    return judged(identifier.system, identifier.value, found) if found else _PLACEHOLDER


def read_known_handle(check: Check, identifier: customer_pb2.Identifier, region_code: str = "") -> Handle:
    """A handle that somebody can be found by: INVALID_EMAIL, INVALID_PHONE or INVALID_HANDLE otherwise."""
    handle = read_handle(check, identifier, region_code)
    if handle.key is None and handle is not _PLACEHOLDER:
        check.refuse("value", *INVALID_REASONS[handle.type])
    return handle
