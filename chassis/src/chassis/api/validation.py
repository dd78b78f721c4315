"""What is wrong with a request, as rules find it: see `chassis.api.checks`."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from chassis.errors import Violation

Found = list[Violation]


class Check:
    """Collects what is wrong with a message of a request; `prefix` is put before every field's path."""

    def __init__(self, prefix: str, found: Found) -> None:
        self._prefix, self._found = prefix, found

    def refuse(self, field: str, reason: str, description: str) -> None:
        """Note a violation. The description says what is allowed, and never what was sent."""
        self._found.append(Violation(self._prefix + field, reason, description))

    def different(self, names: Iterable[str], field: str) -> None:
        """Refuse each name that was there before; `field` is its path, with `{}` for its position."""
        seen: set[str] = set()
        for i, name in enumerate(names):
            if name in seen:
                self.refuse(field.format(i), "INVALID_NAME", "must be another than those before it")
            seen.add(name)


R = TypeVar("R", bound=Callable[[Check, Any, datetime], None])
_BOUNDS: set[Any] = set()


def bound(rule: R) -> R:
    """Make a rule of a request one of how much it may hold: of more, nothing else is looked at."""
    _BOUNDS.add(rule)
    return rule


def exceeding(rule: Any, request: Any, now: datetime) -> Found:
    """What `rule` refuses, if it is a bound."""
    found: Found = []
    if rule in _BOUNDS:
        rule(Check("", found), request, now)
    return found
