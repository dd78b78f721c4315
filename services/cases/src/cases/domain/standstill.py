"""Work that stands still, for the clocks whose policy says that they do not count meanwhile."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cases.domain.clock_policy import Pause
from cases.domain.work_item import CUSTOMER_ANSWER, WorkItem, WorkItemState

# Why a clock is paused then.
REASON_CODES = {Pause.WORK_BLOCKED: "work-blocked", Pause.CUSTOMER_ANSWER: CUSTOMER_ANSWER}


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why work stands still, a code, and since when."""

    reason_code: str
    since: datetime


def standstill(
    pauses: Collection[str], items: Sequence[WorkItem], work_item_id: UUID | None
) -> Standstill | None:
    """Whether a clock of a case, or of one work item of it, stands still with the work of the case, `items`.

    That it waits for the customer goes before that it cannot go on.
    """
    by_id = {item.id: item for item in items if item.state is not WorkItemState.FINISHED}
    about = [item for item in by_id.values() if work_item_id in (None, item.id)]
    asked = [t for item in about if item.block_reason_code == CUSTOMER_ANSWER and (t := item.block_time)]
    if asked and Pause.CUSTOMER_ANSWER in pauses:
        return Standstill(REASON_CODES[Pause.CUSTOMER_ANSWER], max(asked))
    blocked = [item.block_time for item in _with_predecessors(about, by_id) if item.block_time]
    if blocked and Pause.WORK_BLOCKED in pauses and not any(item.can_go_on for item in about):
        return Standstill(REASON_CODES[Pause.WORK_BLOCKED], max(blocked))
    return None


def _with_predecessors(items: Sequence[WorkItem], by_id: Mapping[UUID, WorkItem]) -> list[WorkItem]:
    """Work, and all that it waits for, each once."""
    found = {item.id: item for item in items}
    todo = list(items)
    while todo:
        new = [each for each in todo.pop().predecessor_ids if each in by_id and each not in found]
        found |= {each: by_id[each] for each in new}
        todo += [by_id[each] for each in new]
    return list(found.values())


def is_by_itself(pauses: Collection[str], reason_code: str) -> bool:
    """Whether a clock that is paused for this reason goes on when the work does."""
    return reason_code in [REASON_CODES[Pause(each)] for each in pauses]


def waits_for_work(pauses: Collection[str], reason_code: str) -> bool:
    """Whether it goes on only then, whatever the customer says."""
    return Pause.WORK_BLOCKED in pauses and reason_code == REASON_CODES[Pause.WORK_BLOCKED]
