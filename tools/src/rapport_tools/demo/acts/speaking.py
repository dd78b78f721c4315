"""Alice calls the customer, where a person is to."""

from collections.abc import Sequence
from typing import Any

from rapport.cases.v1 import call_pb2, call_service_pb2, work_item_service_pb2
from rapport.cases.v1.call_service_pb2_grpc import CallServiceStub
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport_tools.demo.acts.order import work
from rapport_tools.demo.stage import ALICE, Stage


def is_called_first(stage: Stage, promise: str) -> bool:
    """Whether a person is to tell her of a delay before a message does."""
    calls = stage.stub(ALICE, CallServiceStub, "cases")
    asked = call_service_pb2.CheckCallFirstRequest(name=promise)
    return bool(stage.call(calls.CheckCallFirst, asked).call_first)


def waiting(stage: Stage) -> Sequence[WorkItem]:
    """The call about her; none as long as nobody has asked for it."""
    asked = f'customer = "{stage.customer}" AND kind = call-customer AND state = PENDING'
    request = work_item_service_pb2.ListWorkItemsRequest(filter=asked)
    found: Any = stage.call(work(stage, ALICE).ListWorkItems, request)
    items: Sequence[WorkItem] = found.work_items
    return items


def speak(stage: Stage, call: WorkItem) -> None:
    """Alice takes the call, and says what became of it."""
    mine = work_item_service_pb2.AssignWorkItemRequest(name=call.name, assignee="agents/alice")
    stage.call(work(stage, ALICE).AssignWorkItem, mine)
    outcome = call_service_pb2.RecordCallOutcomeRequest(name=call.name, outcome=call_pb2.CALL_OUTCOME_REACHED)
    stage.call(stage.stub(ALICE, CallServiceStub, "cases").RecordCallOutcome, outcome)
