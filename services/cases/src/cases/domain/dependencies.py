"""What of a case waits for what: in which order, and what a delay means for all that comes after it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple
from uuid import UUID

from cases.domain.facts import WorkItemForecast
from cases.domain.work_item import WorkItem, WorkItemState
from cases.names import WORK_ITEM
from chassis.errors import FailedPrecondition, NotFound

ITEMS_MAX = 200  # of a case


class Moved(NamedTuple):
    """A forecast that another one moved, and what it waits for that did."""

    item: WorkItem
    fact: WorkItemForecast
    cause_id: UUID


def earliest(item: WorkItem, others: Mapping[UUID, WorkItem]) -> datetime | None:
    """When what it waits for lets it be finished; None when it waits for nothing, or nobody knows."""
    ends = [end for each in item.predecessor_ids if (end := others[each].end)]
    return max(ends) + timedelta(minutes=item.duration_minutes) if ends else None


def move(items: Sequence[WorkItem], first: Collection[UUID]) -> Iterator[Moved]:
    """The forecasts of a case that follow from those of `first`, each after what it waits for."""
    by_id = {item.id: item for item in items}
    moved = set(first)
    for item in _in_order(items):
        because = [by_id[each] for each in item.predecessor_ids if each in moved]
        if item.state is WorkItemState.FINISHED or not because:
            continue
        if fact := item.wait_until(earliest(item, by_id)):
            moved.add(item.id)
            latest = max(because, key=lambda each: (each.end is not None, each.end))
            yield Moved(item, fact, latest.id)


def hold(items: Sequence[WorkItem]) -> list[WorkItem]:
    """Say of the work of a case whether what it waits for can go on. Returns that of which this is new."""
    by_id = {item.id: item for item in items}
    changed = []
    for item in _in_order(items):
        unfinished = item.state is not WorkItemState.FINISHED
        held = unfinished and not all(by_id[each].can_go_on for each in item.predecessor_ids)
        if held is not item.held:
            item.held = held
            changed.append(item)
    return changed


def require_order(item: WorkItem, items: Sequence[WorkItem]) -> None:
    """Refuse what waits for work of elsewhere (NotFound, `CASE_MISMATCH`) or for itself (`DEPENDENCY_CYCLE`).

    `items` are those of its case, without it or with it as it is to be, and all that it is to wait for.
    """
    by_id = {each.id: each for each in items} | {item.id: item}
    for each in item.predecessor_ids:
        if each not in by_id:
            raise NotFound(WORK_ITEM.format(each))
        if by_id[each].case_id != item.case_id:
            raise FailedPrecondition(
                "CASE_MISMATCH",
                f"{by_id[each].name} is of another case: work waits for work of its own case.",
                {"resource": by_id[each].name, "case": item.case},
            )
    try:
        list(_in_order(list(by_id.values())))
    except CycleError as error:
        circle = [WORK_ITEM.format(each) for each in error.args[1]]
        raise FailedPrecondition(
            "DEPENDENCY_CYCLE",
            f"{item.name} would wait for itself: nothing that it is to wait for may wait for it.",
            {"resource": item.name, "circle": ", ".join(circle)},
        ) from None


def _in_order(items: Sequence[WorkItem]) -> Iterator[WorkItem]:
    by_id = {item.id: item for item in items}
    order = TopologicalSorter({item.id: item.predecessor_ids for item in items}).static_order()
    return (by_id[each] for each in order if each in by_id)
