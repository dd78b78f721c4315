"""What people call each other for short, from `nicknames.csv` (its licence is beside it)."""

import csv
from functools import cache
from importlib.resources import files

from rapport_identity.normalise import compact


@cache
def _names_of() -> dict[str, frozenset[str]]:
    """The full names that each name is short for, itself among them."""
    found: dict[str, set[str]] = {}
    with (files("rapport_identity") / "nicknames.csv").open(encoding="utf-8") as source:
        for full, *short in list(csv.reader(source))[1:]:
            for name in filter(None, map(compact, [full, *short])):
                found.setdefault(name, set()).add(compact(full))
    return {name: frozenset(fulls) for name, fulls in found.items()}


def are_one(a: str, b: str) -> bool:
    """Whether two given names, as compared, are a name and what it is called for short, or two such."""
    known = _names_of()
    return not known.get(a, frozenset()).isdisjoint(known.get(b, ()))
