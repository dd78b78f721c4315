"""The gRPC service of work items."""

from cases.domain.promise_clock import PromiseClock
from cases.names import WORK_ITEM
from cases.store import work_items
from cases.usecases import work_item as usecases
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import work_item_service_pb2 as pb
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceServicer


class WorkItemRpc(Rpc, WorkItemServiceServicer):
    """The departments' parts of a case."""

    clock: PromiseClock

    CreateWorkItem = change(pb.CreateWorkItemRequest, usecases.create_work_item, WorkItem)
    ForecastWorkItem = change(pb.ForecastWorkItemRequest, usecases.forecast_work_item, WorkItem)
    StartWorkItem = change(pb.StartWorkItemRequest, usecases.start_work_item, WorkItem)
    FinishWorkItem = change(pb.FinishWorkItemRequest, usecases.finish_work_item, WorkItem)
    GetWorkItem = get(WORK_ITEM, work_items.WORK_ITEM, WorkItem)
    ListWorkItems = listing(pb.ListWorkItemsResponse, work_items.LIST_WORK_ITEMS)
    ExplainWorkItem = explain(WORK_ITEM, work_items.WORK_ITEM, WorkItem)
