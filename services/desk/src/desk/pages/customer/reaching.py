"""How a customer is reached, and where they live, as their page tells it."""

from typing import Any

from chassis.api.messages import value_name
from desk.pages.customer.masking import masked
from desk.pages.customer.page import Handle
from desk.ui.speech import Speech


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
