"""How a customer is reached, masked before it leaves the desk, and where they live."""

from dataclasses import dataclass
from typing import Any

from chassis.api.messages import value_name
from desk.ui.speech import Speech


@dataclass(frozen=True)
class Handle:
    """A way to reach the customer, its value masked."""

    name: str
    kind: str
    masked: str


def masked(kind: str, value: str) -> str:
    """Enough of a handle to tell it from another, too little to use it."""
    if kind == "EMAIL":
        local, _, domain = value.partition("@")
        return f"{_begun(local)}@{domain}"
    if kind in ("PHONE", "FAX"):
        return f"… {value[len(value) - min(3, len(value) // 2) :]}"
    return _begun(value)


def _begun(text: str) -> str:
    """Two characters, and at most half of what there is."""
    return f"{text[: min(2, len(text) // 2)]}…"


def handle(identifier: Any, say: Speech) -> Handle:
    """A way to reach a customer, as it is shown."""
    kind = value_name(identifier, "type")
    return Handle(identifier.name, say.titled(kind.lower()), masked(kind, identifier.value))


def address(customer: Any) -> str:
    """Where a customer lives, as far as anybody may see."""
    ordered = sorted(customer.addresses, key=lambda each: not each.primary)
    if not ordered:
        return ""
    postal = ordered[0].postal_address
    return ", ".join(filter(None, (postal.locality, postal.region_code)))
