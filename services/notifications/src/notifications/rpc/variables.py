"""Checks of variables: their names where a template declares them, their values where a sender gives them."""

import re
from collections.abc import Mapping, Sequence

from chassis.api.validation import Check
from notifications.domain.template import STANDARD

DECLARED_MAX = 30
GIVEN_MAX = 50
VALUE_MAX = 500
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NAME_ALLOWED = "must be 1 to 63 lower-case letters, digits and underscores, beginning with a letter"


def check_declared(check: Check, names: Sequence[str]) -> list[str]:
    """The names of a template's own variables, each once. INVALID_CODE, VARIABLE_RESERVED, TOO_LONG."""
    if len(names) > DECLARED_MAX:
        check.refuse("variables", "TOO_LONG", f"must hold at most {DECLARED_MAX} items")
        return []
    for i, name in enumerate(names):
        if not _NAME.fullmatch(name):
            check.refuse(f"variables[{i}]", "INVALID_CODE", _NAME_ALLOWED)
        elif name in STANDARD:
            described = f"must not be one that every template has: {', '.join(sorted(STANDARD))}"
            check.refuse(f"variables[{i}]", "VARIABLE_RESERVED", described)
    return list(dict.fromkeys(names))


def check_values(check: Check, given: Mapping[str, str]) -> dict[str, str]:
    """The values by name; a value may be empty. INVALID_CODE, INVALID_TEXT, TOO_LONG."""
    if len(given) > GIVEN_MAX:
        check.refuse("variables", "TOO_LONG", f"must hold at most {GIVEN_MAX} items")
        return {}
    for name, value in sorted(given.items()):
        if _NAME.fullmatch(name):
            check.text(value, f"variables.{name}", max=VALUE_MAX, required=False)
        else:
            check.refuse("variables", "INVALID_CODE", f"names {_NAME_ALLOWED}")
    return dict(given)
