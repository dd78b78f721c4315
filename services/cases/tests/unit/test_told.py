"""What others tell of customers."""

from dataclasses import dataclass
from uuid import UUID

from cases.domain.told import latest


@dataclass(slots=True)
class Said:
    customer_id: UUID
    version: int


def test_the_last_of_each_customer_counts_in_whatever_order_it_is_told():
    one, other = UUID(int=1), UUID(int=2)
    told = [Said(other, 2), Said(other, 3), Said(other, 1), Said(one, 7)]
    assert latest(told) == [Said(one, 7), Said(other, 3)]
