"""From the customers in checked requests to drafts, every handle judged; and back."""

import json
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToDict
from google.type.date_pb2 import Date

from chassis.api import customers
from chassis.api.messages import seen, to_message
from chassis.api.resources import changeable, chosen
from customer.domain.customers import KIND_FIELDS, ORGANIZATION, PERSON, ProfileUpdate
from customer.domain.identifiers import Draft, Handle
from customer.usecases.customers import Held, judged
from rapport.customer.v1.customer_pb2 import Address, Customer, Organization, Person
from rapport.customer.v1.customer_service_pb2 import UpdateCustomerRequest
from rapport.customer.v1.identifier_pb2 import Identifier

_PATHS = changeable(UpdateCustomerRequest.DESCRIPTOR, Customer.DESCRIPTOR)
_PERSON = [field for field in KIND_FIELDS if field != "birth_date"]
KINDS = ("person", "organization")
_SHARED = ("display_name", "language_code", "time_zone", "region_code")


def read_draft(sent: Customer, *, confirmed: bool = False) -> Draft:
    """A customer to be made. Handles that cannot be right are kept, flagged, and match nobody."""
    handles = tuple(read_handle(each, sent.region_code) for each in sent.identifiers)
    return Draft(_profile(sent), handles, confirmed)


def read_changes(request: UpdateCustomerRequest) -> ProfileUpdate:
    """What the mask of an update names, and nothing else that is sent."""
    sent, mask, masked = request.customer, request.update_mask, Customer()
    paths = chosen(mask, sent, _PATHS) or []
    FieldMask(paths=paths).MergeMessage(sent, masked)
    profile = _profile(masked)
    return ProfileUpdate(
        fields={(field := _field(path)): profile[field] for path in paths},
        kinds={path.partition(".")[0].upper() for path in paths if "." in path},
        as_a_whole=not {"*", *KINDS}.isdisjoint(mask.paths),
        kind=profile["kind"],
    )


def _field(path: str) -> str:
    """What a profile calls a field of the contract."""
    return path.rpartition(".")[2].replace("legal_name", "organization_name")


def read_handle(sent: Identifier, region_code: str = "") -> Handle:
    """A handle with its quality."""
    return judged(sent.system, sent.value, customers.judged(sent, region_code))


def shown(held: Held) -> Customer:
    """A customer as the contract has them."""
    customer = held.customer
    kind: dict[str, Any] = {}
    if customer.kind == PERSON:
        kind["person"] = to_message(Person, customer, birth_date=_date(customer.birth_date))
    elif customer.kind == ORGANIZATION:
        kind["organization"] = Organization(legal_name=customer.organization_name)
    return to_message(
        Customer,
        customer,
        **kind,
        display_name=customer.shown_name,
        identifiers=[to_message(Identifier, identifier) for identifier in held.identifiers],
        addresses=[Address(**address) for address in json.loads(customer.addresses or "[]")],
    )


def _profile(sent: Customer) -> dict[str, str]:
    """What a customer is called and where they are, flat: see `customer.domain.customers.Customer`."""
    profile = {field: seen(getattr(sent, field)).strip() for field in _SHARED}
    profile |= {field: seen(getattr(sent.person, field)).strip() for field in _PERSON}
    if sent.HasField("organization"):
        profile["organization_name"] = seen(sent.organization.legal_name).strip()
    addresses = [MessageToDict(address, preserving_proto_field_name=True) for address in sent.addresses]
    return profile | {
        "kind": (sent.WhichOneof("type") or "").upper(),
        "birth_date": _text(sent.person.birth_date),
        "addresses": json.dumps(addresses, ensure_ascii=False) if addresses else "",
    }


def _text(born: Date) -> str:
    """A birth date as it is kept: 1984-04-12, 1984-04, 1984 or --04-12; empty for none."""
    parts = [f"{part:02}" for part in (born.month, born.day) if part]
    return "-".join([str(born.year or "-"), *parts]) if born.year or parts else ""


def _date(text: str) -> Date | None:
    year, _, day = ("0", "-", text[2:]) if text.startswith("--") else text.partition("-")
    month, _, day = day.partition("-")
    return Date(year=int(year), month=int(month or 0), day=int(day or 0)) if text else None
