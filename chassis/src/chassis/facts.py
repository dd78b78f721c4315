"""Facts of a domain, what happened to one of its entities, and the words that explain them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

F = TypeVar("F", bound="DataclassInstance")
T = TypeVar("T")
_NEXT_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Told:
    """The latest fact about an entity: its name, `CaseOpened`, when and by whom. Empty when none is kept."""

    fact: str = ""
    time: datetime | None = None
    actor: str = ""


class Outcome(StrEnum):
    """What came of a step of a decision."""

    PASSED = "PASSED"  # nothing stands in the way
    DEFERRED = "DEFERRED"  # not yet
    STOPPED = "STOPPED"  # no


@dataclass(slots=True)
class Decision:
    """One step of a decision: what was asked, what came of it and why, and what it looked at.

    Codes, names, times and amounts, never personal data.
    """

    step: str
    outcome: Outcome
    reason_code: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    decide_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Why an entity is as it is: a sentence or two, the rule, and what that looked at beside the entity.

    Names, codes, times and amounts, never personal data.
    """

    summary: str
    rule: str = ""
    rule_version: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    decisions: Sequence[Decision] = ()  # by which it came to be so, the latest last


def fact_of(kind: type[F], entity: Any, **told: Any) -> F:
    """What happened to `entity`: what is `told`, and else what the entity says itself, by the same names.

    The first field of a fact is the name of its resource: the entity's `name`. AttributeError when neither
    says what the fact needs, TypeError for what is told and no field of it.
    """
    resource, *others = (field.name for field in fields(kind))
    known = {resource: entity.name} | {name: getattr(entity, name) for name in others if name not in told}
    return kind(**known | told)


class Changes(dict[str, Any], Generic[T]):
    """What of an entity is to change, by names of fields of a `T`: a dataclass of all that can."""


def changed(entity: Any, changes: Mapping[str, object]) -> list[str]:
    """Take over `changes`, as the next version if any is new. The fields that are, as contracts call them."""
    new = {name: value for name, value in changes.items() if value != getattr(entity, name)}
    for name, value in new.items():
        setattr(entity, name, value)
    entity.version += bool(new)
    return [name.removesuffix("_id") for name in new]


def why_told(entity: Any, told: Told) -> Why:
    """Why an entity is as it is of which there is no more to say than its latest fact; empty without one."""
    if told.time is None:
        return Why("")
    return Why(f"{_NEXT_WORD.sub(' ', told.fact).capitalize()} {shown(told.time)} by {told.actor}.")


def shown(at: datetime) -> str:
    """A moment as people read it: `2026-03-02 09:00 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
