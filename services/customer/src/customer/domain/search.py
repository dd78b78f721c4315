"""What is searched for."""

from dataclasses import dataclass
from uuid import UUID

from customer.domain.identifiers import IdentifierType


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that a text may mean: what has any of it is found.

    Attributes:
        customer_id: the customer whose name it is.
        keys: handles as they are matched: type, system or None for any, and value.
        ends: how numbers end: digits, or an E.164 number whole, with its plus.
        text: the text, for its words.
    """

    customer_id: UUID | None
    keys: frozenset[tuple[IdentifierType, str | None, str]]
    ends: frozenset[str]
    text: str
