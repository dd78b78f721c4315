"""What somebody means by what they typed, told from how it is written, so that only who may know is asked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

LEAST, MOST = 2, 200
# Whose a resource is says the service that has it. People paste these from logs, letters and addresses.
_RESOURCE = re.compile(
    r"(?<![A-Za-z])(?:customers|cases|promises|notices|goodwill|workItems|purchases)"
    r"/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])"
)
_ORDER = re.compile(r"(?:orders?\s*[/#:]?\s*|#\s*)([A-Z0-9][\w.-]*)", re.ASCII | re.IGNORECASE)
_BARE = re.compile(r"\d{3,9}", re.ASCII)  # of more digits no shop numbers its orders, and every phone is
_CODED = re.compile(r"(?=.*[A-Z])(?=.*\d)[A-Z0-9]+(?:[.-][A-Z0-9]+)+", re.ASCII | re.IGNORECASE)
_REFERENCE = re.compile(r"[a-z][a-z-]*/[\w.:/#-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be asked for.

    Attributes:
        text: for the customer service: a handle or a name; empty when nothing else than `resource` is meant.
        resource: the name of a resource, `cases/{uuid}`.
        reference: what promises may be about, `orders/5021`.
        perhaps: the same of what may be an order's number, or no order's at all: `AB-5021`.
    """

    text: str = field(default="", repr=False)
    resource: str = ""
    reference: str = ""
    perhaps: str = ""

    @property
    def references(self) -> Sequence[str]:
        """All that promises may be about."""
        if self.perhaps:
            return f"orders/{self.perhaps}", self.perhaps
        return (self.reference,) if self.reference else ()


def classify(typed: str) -> Asked:
    """What is meant by a text of 2 to 200 characters.

    The name of a resource anywhere in it is that resource; `orders/5021`, `order 5021`, `#5021` and `5021`
    are an order, and a customer may have that number, too; `AB-5021` may be one; all else is of a customer.
    """
    text = typed.strip()
    if resource := _RESOURCE.search(text):
        return Asked(resource=resource[0])
    if (order := _ORDER.fullmatch(text)) and any(map(str.isdigit, order[1])):
        return Asked(order[1], reference=f"orders/{order[1]}")
    if _BARE.fullmatch(text):
        return Asked(text, reference=f"orders/{text}")
    if _CODED.fullmatch(text):
        return Asked(text, perhaps=text)
    return Asked(text, reference=text if _REFERENCE.fullmatch(text) else "")
