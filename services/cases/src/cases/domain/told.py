"""What others tell of customers, in any order and more than once."""

from collections.abc import Iterable
from typing import Protocol, TypeVar
from uuid import UUID


class Told(Protocol):
    """What was told of a customer, as it was in that version of what it is about."""

    customer_id: UUID
    version: int


T = TypeVar("T", bound=Told)


def latest(told: Iterable[T]) -> list[T]:
    """The last of each customer, in the order in which several always lock rows."""
    by_customer = {each.customer_id: each for each in sorted(told, key=lambda each: each.version)}
    return [by_customer[customer_id] for customer_id in sorted(by_customer)]
