"""The gRPC service of work items."""

from cases.domain.promise_clock import PromiseClock
from cases.names import WORK_ITEM
from cases.store import tables as store
from cases.usecases import dependencies, handing, work_item
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import work_item_service_pb2 as pb
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceServicer


class WorkItemRpc(Rpc, WorkItemServiceServicer):
    """The departments' parts of a case."""

    clock: PromiseClock

    CreateWorkItem = change(pb.CreateWorkItemRequest, work_item.create_work_item, WorkItem)
    ForecastWorkItem = change(pb.ForecastWorkItemRequest, work_item.forecast_work_item, WorkItem)
    StartWorkItem = change(pb.StartWorkItemRequest, work_item.start_work_item, WorkItem)
    AssignWorkItem = change(pb.AssignWorkItemRequest, handing.assign_work_item, WorkItem)
    RouteWorkItem = change(pb.RouteWorkItemRequest, handing.route_work_item, WorkItem)
    BlockWorkItem = change(pb.BlockWorkItemRequest, handing.block_work_item, WorkItem)
    UnblockWorkItem = change(pb.UnblockWorkItemRequest, handing.unblock_work_item, WorkItem)
    HandOverWorkItem = change(pb.HandOverWorkItemRequest, handing.hand_over_work_item, WorkItem)
    AddPredecessor = change(pb.AddPredecessorRequest, dependencies.add_predecessor, WorkItem)
    RemovePredecessor = change(pb.RemovePredecessorRequest, dependencies.remove_predecessor, WorkItem)
    FinishWorkItem = change(pb.FinishWorkItemRequest, work_item.finish_work_item, WorkItem)
    GetWorkItem = get(WORK_ITEM, store.WORK_ITEM, WorkItem)
    ListWorkItems = listing(pb.ListWorkItemsResponse, store.LIST_WORK_ITEMS)
    ExplainWorkItem = explain(WORK_ITEM, store.WORK_ITEM, WorkItem)
