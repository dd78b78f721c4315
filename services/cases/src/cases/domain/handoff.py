"""The ledger of hand-offs: a line for each stay of a work item with a department."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import NamedTuple
from uuid import UUID

from cases.names import CASE, CUSTOMER, DEPARTMENT, HANDOFF, WORK_ITEM


class Block(NamedTuple):
    """A time in which the work could not go on; without an end while it lasts."""

    start_time: datetime
    end_time: datetime | None


@dataclass(slots=True)
class Handoff:
    """That a work item came to a department, and how long it waited there and was worked on."""

    id: UUID
    work_item_id: UUID
    case_id: UUID
    customer_id: UUID
    requesting_department_id: str
    department_id: str
    hand_over_time: datetime
    reason_code: str = ""
    asked_customer_again: bool = False
    returned: bool = False
    start_time: datetime | None = None
    end_time: datetime | None = None
    block_times: list[datetime] = field(default_factory=list)
    unblock_times: list[datetime] = field(default_factory=list)

    name = HANDOFF.named("id")
    work_item = WORK_ITEM.named("work_item_id")
    case = CASE.named("case_id")
    customer = CUSTOMER.named("customer_id")
    requesting_department = DEPARTMENT.named("requesting_department_id")
    department = DEPARTMENT.named("department_id")

    @property
    def blocks(self) -> Sequence[Block]:
        """The times in which the work could not go on."""
        return [Block(*each) for each in zip_longest(self.block_times, self.unblock_times)]
