"""Who has something of a case now, and its work: one by one, or of much of it how much there is first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.customer.loading import Names
from desk.pages.services import Parts
from desk.ui import words
from desk.ui.speech import Speech
from rapport.cases.v1.handoff_service_pb2 import ListHandoffsResponse
from rapport.cases.v1.work_item_pb2 import WorkItem

T = TypeVar("T")
FEW = 10  # are told one by one
# How far work is, what a case waits for first.
_FAR = {
    "blocked": N_("cannot go on"),
    "nobody": N_("nobody yet"),
    "given": N_("given to somebody"),
    "begun": N_("begun"),
    "finished": N_("finished"),
}


@dataclass(frozen=True)
class Group(Generic[T]):
    """Work of one department that is equally far; of few there is one group, without words."""

    key: str
    words: str  # `Delivery, nobody yet: 150`
    rows: Sequence[T]


def grouped(items: Sequence[WorkItem], row: Callable[[WorkItem], T], say: Speech) -> list[Group[T]]:
    """Work by department and by how far it is; that of which most waits first."""
    if len(items) <= FEW:
        return [Group("", "", [row(each) for each in items])] if items else []
    found: dict[tuple[str, str], list[WorkItem]] = {}
    for each in items:
        found.setdefault((words.last(each.department), _how_far(each)), []).append(each)
    order = list(_FAR)
    ranked = sorted(found.items(), key=lambda each: (order.index(each[0][1]), -len(each[1]), each[0]))
    return [
        Group(
            f"{department}-{far}",
            say("{department}, {far}: {n}", department=say.titled(department), far=say(_FAR[far]), n=len(of)),
            [row(each) for each in of],
        )
        for (department, far), of in ranked
    ]


def _how_far(item: WorkItem) -> str:
    state = value_name(item, "state")
    if state == "FINISHED":
        return "finished"
    if item.block_reason_code:
        return "blocked"
    if state == "STARTED":
        return "begun"
    return "given" if item.assignee else "nobody"


def holder(item: WorkItem, parts: Parts, names: Names, say: Speech) -> str:
    """`Delivery, Bob: Deliver order 5021, since 3 October`: of the hand-off that has not ended."""
    lines = parts.of("handoffs", ListHandoffsResponse).handoffs
    came = [
        moment(each.hand_over_time)
        for each in lines
        if each.work_item == item.name and not each.HasField("end_time")
    ]
    told = {
        "department": say.named(item.department),
        "what": say.about(item),
        "day": say.moment(max(came, default=moment(item.create_time))),
    }
    if item.assignee:
        return say("{department}, {who}: {what}, since {day}", who=names(item.assignee), **told)
    return say("{department}, nobody yet: {what}, since {day}", **told)
