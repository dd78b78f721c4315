"""What customers may stop by a link: said by who sends the link, and kept by who takes what they say."""

from rapport.customer.v1.purpose_pb2 import Purpose

_NEEDED = ("service", "legal")  # what they have of us, such as a promise, and what a law demands


def is_needed(purpose: Purpose) -> bool:
    """Whether nobody stops it: by its category, or by what it is called."""
    return needed(purpose.name, purpose.category)


def needed(name: str, category: str) -> bool:
    """The same of `purposes/{purpose}` with that category."""
    return category in _NEEDED or name.removeprefix("purposes/") in _NEEDED
