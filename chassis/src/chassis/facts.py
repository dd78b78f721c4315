"""Facts of a domain: what happened to one of its entities, as its generated `facts.py` has them."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

F = TypeVar("F", bound="DataclassInstance")


def fact_of(kind: type[F], entity: Any, **told: Any) -> F:
    """What happened to `entity`: what is `told`, and else what the entity says itself, by the same names.

    The first field of a fact is the name of its resource: the entity's `name`. AttributeError when neither
    says what the fact needs, TypeError for what is told and no field of it.
    """
    resource, *others = (field.name for field in fields(kind))
    known = {resource: entity.name} | {name: getattr(entity, name) for name in others if name not in told}
    return kind(**known | told)
