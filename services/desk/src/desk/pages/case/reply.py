"""What a customer said of a case after it was resolved."""

from collections.abc import Iterable

from chassis.api.messages import moment
from desk.ui.speech import Speech
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.work_item_pb2 import WorkItem

KIND = "customer-reply"  # of the work to look at it


def reply(case: Case, unfinished: Iterable[WorkItem], say: Speech) -> str:
    """That nobody has looked at it yet; empty when there is no such thing."""
    since = [moment(each.create_time) for each in unfinished if each.kind == KIND]
    if not since or not case.HasField("resolve_time"):
        return ""
    return say(
        "The customer said something after this was resolved, on {day}: reopen it, or mark that work as"
        " done if there is nothing to do.",
        day=say.moment(min(since)),
    )
