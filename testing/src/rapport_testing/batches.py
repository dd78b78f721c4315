"""What became of the items of a batch."""

from typing import Any

from rapport.common.v1 import import_outcome_pb2 as outcomes


def created(answer: Any) -> int:
    """How many were recorded now and not before."""
    return _count(answer, outcomes.IMPORT_OUTCOME_CREATED)


def corrected(answer: Any) -> int:
    """How many were recorded before and say otherwise now."""
    return _count(answer, outcomes.IMPORT_OUTCOME_CORRECTED)


def unclear(answer: Any) -> list[int]:
    """Which, by their index, a person has to decide on."""
    unclear = outcomes.IMPORT_OUTCOME_UNCLEAR
    return [i for i, result in enumerate(answer.results) if result.outcome == unclear]


def standing(answer: Any) -> list[Any]:
    """What stands for each, in the order of the request; an empty one where nothing does."""
    (field,) = (f for f in answer.DESCRIPTOR.nested_types_by_name["Result"].fields if f.name != "outcome")
    return [getattr(result, field.name) for result in answer.results]


def _count(answer: Any, outcome: int) -> int:
    return sum(result.outcome == outcome for result in answer.results)
