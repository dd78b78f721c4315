"""The gRPC service of work items."""

from typing import Any

from cases.domain.promise_clock import PromiseClock
from cases.domain.work_item import WorkItem
from cases.names import CASE, DEPARTMENT, WORK_ITEM
from cases.rpc.due import AHEAD_MAX
from cases.store import cases, work_items
from cases.usecases import work_item as usecases
from chassis.api.etags import etag
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from rapport.cases.v1 import work_item_pb2, work_item_service_pb2, work_item_service_pb2_grpc


class WorkItemRpc(work_item_service_pb2_grpc.WorkItemServiceServicer):
    """The departments' parts of a case."""

    def __init__(self, db: Database, clock: PromiseClock) -> None:
        self.db = db
        self.clock = clock

    @mutation
    async def CreateWorkItem(
        self, request: work_item_service_pb2.CreateWorkItemRequest, tx: Transaction
    ) -> work_item_pb2.WorkItem:
        """Give a department a part of an open case."""
        check = Check()
        (case_id,) = check.name(CASE, request.parent, "parent")
        (department_id,) = check.name(DEPARTMENT, request.work_item.department, "work_item.department")
        kind = check.code(request.work_item.kind, "work_item.kind")
        reference = check.reference(request.work_item.reference, "work_item.reference")
        check.raise_if_any()
        work_item = await usecases.create_work_item(
            tx, case_id, department_id=department_id, kind=kind, reference=reference
        )
        return _message(work_item)

    @mutation
    async def ForecastWorkItem(
        self, request: work_item_service_pb2.ForecastWorkItemRequest, tx: Transaction
    ) -> work_item_pb2.WorkItem:
        """Say when the work is now expected to finish."""
        check = Check()
        case_id, work_item_id = check.name(WORK_ITEM, request.name, "name")
        finish_time = check.moment(
            request, "forecast_finish_time", earliest=tx.now, latest=tx.now + AHEAD_MAX
        )
        reason_code = check.code(request.reason_code, "reason_code")
        check.raise_if_any()
        work_item = await usecases.forecast_work_item(
            tx,
            self.clock,
            case_id,
            work_item_id,
            finish_time=finish_time,  # type: ignore[arg-type]  # None only with a violation
            reason_code=reason_code,
            etag=request.etag,
        )
        return _message(work_item)

    @mutation
    async def StartWorkItem(
        self, request: work_item_service_pb2.StartWorkItemRequest, tx: Transaction
    ) -> work_item_pb2.WorkItem:
        """Begin the work."""
        case_id, work_item_id = WORK_ITEM.parse(request.name)
        return _message(await usecases.start_work_item(tx, case_id, work_item_id, etag=request.etag))

    @mutation
    async def FinishWorkItem(
        self, request: work_item_service_pb2.FinishWorkItemRequest, tx: Transaction
    ) -> work_item_pb2.WorkItem:
        """End the work, and keep the promises that rest on it."""
        check = Check()
        case_id, work_item_id = check.name(WORK_ITEM, request.name, "name")
        finish_time = check.moment(request, "finish_time", latest=tx.now, required=False)
        check.raise_if_any()
        work_item = await usecases.finish_work_item(
            tx, case_id, work_item_id, finish_time=finish_time, etag=request.etag
        )
        return _message(work_item)

    async def GetWorkItem(
        self, request: work_item_service_pb2.GetWorkItemRequest, context: Any
    ) -> work_item_pb2.WorkItem:
        """Get a work item."""
        case_id, work_item_id = WORK_ITEM.parse(request.name)
        work_item = await work_items.WORK_ITEM.maybe(self.db, case_id=case_id, id=work_item_id)
        if work_item is None:
            raise NotFound(request.name)
        return _message(work_item)

    async def ListWorkItems(
        self, request: work_item_service_pb2.ListWorkItemsRequest, context: Any
    ) -> work_item_service_pb2.ListWorkItemsResponse:
        """List the work items of a case, oldest first."""
        (case_id,) = CASE.parse(request.parent, "parent")
        found, token = await work_items.LIST_WORK_ITEMS.page(self.db, request, _message, case_id=case_id)
        if not found and await cases.CASE.maybe(self.db, id=case_id) is None:
            raise NotFound(request.parent)
        return work_item_service_pb2.ListWorkItemsResponse(work_items=found, next_page_token=token)


def _message(work_item: WorkItem) -> work_item_pb2.WorkItem:
    return to_message(work_item_pb2.WorkItem, work_item, etag=etag(work_item.version))
