"""What a row of an import does to a customer: what was before, so that it can be told, and taken back."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class Outcome(StrEnum):
    """What became of a row that was not refused."""

    CREATED = "CREATED"
    KNOWN = "KNOWN"
    CORRECTED = "CORRECTED"
    SKIPPED = "SKIPPED"


@dataclass(slots=True)
class FieldChange:
    """A field of a profile, as a row changed it; `path` is as the contract calls it.

    `said` is where it came from before, as `customer.domain.provenance` keeps it; empty when nobody knows.
    """

    name: str
    path: str
    before: str
    after: str
    overwrites: bool
    said: list[str]


@dataclass(slots=True)
class Added:
    """An identifier that a row gave its customer: which of the row's, counted from 0, and its id here."""

    position: int
    identifier_id: UUID


@dataclass(slots=True)
class Effect:
    """What one row did to a customer, or would do.

    Args:
        created_line: the line of the same job that created the customer; 0 for one who was known.
        matched: by which of the row's identifiers the customer was found, counted from 0; -1 for none.
        observation: what the row said of the profile, as it is kept; empty when it says nothing new.
        version: of the customer, after it.
        undone: whether it was taken back; None while nobody tried.
    """

    job_id: UUID
    line: int
    outcome: Outcome
    customer_id: UUID | None = None
    created_line: int = 0
    matched: int = -1
    changes: list[FieldChange] = field(default_factory=list)
    added: list[Added] = field(default_factory=list)
    observation: str = ""
    version: int = 0
    preview: bool = False
    undone: bool | None = None


def overwrites(name: str, before: str, after: str) -> bool:
    """Whether something that a field said is not there any more; of addresses, one of them."""
    if name != "addresses" or not before or not after:
        return bool(before and after)
    kept = [_plain(each) for each in json.loads(after)]
    return any(_plain(each) not in kept for each in json.loads(before))


def _plain(address: dict[str, Any]) -> dict[str, Any]:
    return address | {"primary": False}


@dataclass(frozen=True, slots=True)
class Net:
    """What several rows together changed in a field; `line` is the last that did."""

    line: int
    path: str
    before: str
    after: str
    said: list[str]


def net(effects: Sequence[Effect]) -> dict[str, Net]:
    """What an import changed of a customer, by field, from what it did in the order of its lines."""
    found: dict[str, Net] = {}
    for effect in effects:
        for each in effect.changes:
            first = found.get(each.name)
            before, said = (first.before, first.said) if first else (each.before, each.said)
            found[each.name] = Net(effect.line, each.path, before, each.after, said)
    return found


@dataclass(frozen=True, slots=True)
class Left:
    """A profile as it is now, by field, with whose words it is of; and what the import itself said."""

    now: Mapping[str, str]
    said: Mapping[str, str]
    observations: Collection[str]

    def is_as(self, name: str, change: Net) -> bool:
        """Whether a field is as the import left it: of that value, and of nobody else's word since."""
        is_said = name == "kind" or not change.after or self.said.get(name, "") in self.observations
        return self.now[name] == change.after and is_said

    def differing(self, changes: Mapping[str, Net]) -> list[str]:
        """The fields that the import made others, and that are not as it left them."""
        return [
            name for name, each in changes.items() if each.before != each.after and not self.is_as(name, each)
        ]

    def to_put_back(self, changes: Mapping[str, Net]) -> dict[str, Net]:
        """What is to be as it was: of what the import made as it was itself perhaps whose word it is."""
        return {name: each for name, each in changes.items() if self.is_as(name, each)}
