"""Values of attributes as the contract has them, as they are kept, and back."""

import json
from decimal import Decimal
from typing import Any

from chassis.api.messages import seen
from customer.domain.attributes import Attribute, Type
from customer.domain.provenance import attribute_of
from customer.rpc.dates import date_of_text, text_of_date
from customer.usecases.observations import Value
from rapport.customer.v1 import attribute_pb2


def read_value(sent: attribute_pb2.TypedValue) -> Value:
    """A value as it is kept: the same for what is the same."""
    kind = sent.WhichOneof("kind")
    if kind is None:
        return Value(Type.UNSPECIFIED, "")
    said: Any = getattr(sent, kind)
    if kind == "text":
        said = seen(said).strip()
    elif kind == "decimal":
        said = format(Decimal(said).normalize(), "f") if Decimal(said) else "0"
    elif kind == "date":
        said = text_of_date(said)
    elif kind == "boolean":
        said = "true" if said else "false"
    return Value(Type(kind.upper()), str(said))


def shown_value(type: Type, text: str) -> attribute_pb2.TypedValue:
    """A value as the contract has it."""
    if type is Type.WHOLE_NUMBER:
        return attribute_pb2.TypedValue(whole_number=int(text))
    if type is Type.BOOLEAN:
        return attribute_pb2.TypedValue(boolean=text == "true")
    if type is Type.DATE:
        return attribute_pb2.TypedValue(date=date_of_text(text))
    shown = attribute_pb2.TypedValue()
    setattr(shown, type.lower(), text)
    return shown


def shown_content(attribute: Attribute, text: str) -> attribute_pb2.TypedValue:
    """A value of an attribute; addresses, which are a list, in a line each."""
    if attribute.id != attribute_of("addresses"):
        return shown_value(attribute.type, text)
    lines = ("postal_code", "locality", "region_code")
    each = [address.get("postal_address", {}) for address in json.loads(text)]
    shown = [
        ", ".join([*a.get("address_lines", ()), *(a[line] for line in lines if a.get(line))]) for a in each
    ]
    return attribute_pb2.TypedValue(text="; ".join(shown))
