"""What somebody means by what they typed, told from how it is written, so that only who may know is asked."""

import re
from dataclasses import dataclass, field

LEAST, MOST = 2, 200
# Whose a resource is says the service that has it. People paste these from logs, letters and addresses.
_RESOURCE = re.compile(
    r"(?<![A-Za-z])(?:customers|cases|promises|notices|goodwill|workItems|purchases)"
    r"/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])"
)
_ORDER = re.compile(r"(?:orders?\s*[/#:]?\s*|#\s*)([A-Z0-9][\w.-]*)", re.ASCII | re.IGNORECASE)
_BARE = re.compile(r"\d{3,9}", re.ASCII)  # of more digits no shop numbers its orders, and every phone is
_REFERENCE = re.compile(r"[a-z][a-z-]*/[\w.:/#-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be asked for.

    Attributes:
        text: for the customer service: a handle or a name; empty when nothing else than `resource` is meant.
        resource: the name of a resource, `cases/{uuid}`.
        reference: what promises may be about, `orders/5021`.

    """

    text: str = field(default="", repr=False)
    resource: str = ""
    reference: str = ""


def classify(typed: str) -> Asked:
    """What is meant by a text of 2 to 200 characters.

    The name of a resource anywhere in it is that resource; `orders/5021`, `order 5021`, `#5021` and `5021`
    are an order, and a customer may have that number, too; all else is of a customer.
    """
    text = typed.strip()
    if resource := _RESOURCE.search(text):
        return Asked(resource=resource[0])
    if (order := _ORDER.fullmatch(text)) and any(map(str.isdigit, order[1])):
        return Asked(order[1], reference=f"orders/{order[1]}")
    if _BARE.fullmatch(text):
        return Asked(text, reference=f"orders/{text}")
    return Asked(text, reference=text if _REFERENCE.fullmatch(text) else "")
