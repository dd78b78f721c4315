"""What exports write where there is nothing to say."""

import re

_NOTHING = frozenset(
    {"", "null", "\\n", "n/a", "#n/a", "nan", "nat", "none", "(null)", "(none)", "-", "--", "undefined"}
)
# There for no id: a guest is customer 0.
_NO_KEY = re.compile(r"(?i)[-+]?0+(?:[.,]0+)?|-1|guest|anonymous|unknown|gast|unbekannt")


def is_no_key(text: str) -> bool:
    """Whether it is what exports write where something has no id: a guest is customer 0."""
    return _NO_KEY.fullmatch(text) is not None


def is_nothing(cell: str) -> bool:
    """Whether a cell is empty, or holds what exports write for that."""
    return not cell or cell.strip().casefold() in _NOTHING
