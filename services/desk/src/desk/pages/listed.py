"""A list of a page, wherever one may be short."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Listed(Generic[T]):
    """Some of what there is, in order; whether there is more; and `trouble`, why some is not to be seen."""

    rows: Sequence[T] = ()
    more: bool = False
    trouble: str = ""
