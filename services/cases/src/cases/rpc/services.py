"""The gRPC services: request to use case to message. No SQL, no try."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from cases.domain.due import Due
from cases.domain.explanation import why_promise
from cases.domain.promise_clock import PromiseClock
from cases.names import CASE, NOTE, PROMISE, WORK_ITEM
from cases.rpc.scorecard import check_score, score_promises
from cases.store import tables as store
from cases.usecases import case, dependencies, handing, promise, work_item
from cases.usecases.make_batch import make_batch
from cases.usecases.make_promise import make_promise
from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.api.wellknown import day_of, time_of
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from chassis.zones import NOT_A_TIME_ZONE, time_zone
from rapport.cases.v1 import note_service_pb2 as note_pb
from rapport.cases.v1 import promise_service_pb2 as promise_pb
from rapport.cases.v1 import work_item_service_pb2 as work_item_pb
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2_grpc import NoteServiceServicer
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceServicer
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceServicer
from rapport.common.v1.explanation_pb2 import Explanation

# What no option of the contract can say of a promise: how its dates go together.


def check_promise(check: Check, sent: Promise, now: datetime) -> None:
    """One date, with its time zone; made before it is due, and kept after that."""
    _one_date(check, sent, "must be given, or due_date and time_zone, not both")
    if sent.HasField("due_date") and not sent.time_zone:
        check.refuse("time_zone", "INVALID_CODE", NOT_A_TIME_ZONE)
    elif sent.time_zone and not sent.HasField("due_date"):
        check.refuse("time_zone", "INVALID_CODE", "must be empty without due_date")
    if made := time_of(sent, "make_time"):
        due, kept = _due(sent), time_of(sent, "keep_time")
        if due and made > due.time:
            check.refuse("make_time", "INVALID_TIME", "must not be after it is due")
        if kept and kept < made:
            check.refuse("keep_time", "INVALID_TIME", "must not be before make_time")


def check_renegotiation(check: Check, sent: promise_pb.RenegotiatePromiseRequest, now: datetime) -> None:
    """One date."""
    _one_date(check, sent, "must be given, or due_date, not both")


def _one_date(check: Check, sent: Any, allowed: str) -> None:
    if sent.HasField("due_time") == sent.HasField("due_date"):
        check.refuse("due_time", "REQUIRED", allowed)


def _due(sent: Promise) -> Due | None:
    """By when, as far as it is said."""
    day = day_of(sent, "due_date")
    if day and time_zone(sent.time_zone):
        return Due.of_day(day, sent.time_zone)
    at = time_of(sent, "due_time")
    return Due(at) if at else None


class NoteRpc(Rpc, NoteServiceServicer):
    """Notes for colleagues and for customers."""

    CreateNote = change(note_pb.CreateNoteRequest, case.create_note, Note)
    GetNote = get(NOTE, store.NOTE, Note)
    ListNotes = listing(note_pb.ListNotesResponse, store.LIST_NOTES, parent=(CASE, store.CASE))
    ExplainNote = explain(NOTE, store.NOTE, Note)


class WorkItemRpc(Rpc, WorkItemServiceServicer):
    """The departments' parts of a case."""

    clock: PromiseClock

    CreateWorkItem = change(work_item_pb.CreateWorkItemRequest, work_item.create_work_item, WorkItem)
    ForecastWorkItem = change(work_item_pb.ForecastWorkItemRequest, work_item.forecast_work_item, WorkItem)
    StartWorkItem = change(work_item_pb.StartWorkItemRequest, work_item.start_work_item, WorkItem)
    AssignWorkItem = change(work_item_pb.AssignWorkItemRequest, handing.assign_work_item, WorkItem)
    BlockWorkItem = change(work_item_pb.BlockWorkItemRequest, handing.block_work_item, WorkItem)
    UnblockWorkItem = change(work_item_pb.UnblockWorkItemRequest, handing.unblock_work_item, WorkItem)
    HandOverWorkItem = change(work_item_pb.HandOverWorkItemRequest, handing.hand_over_work_item, WorkItem)
    AddPredecessor = change(work_item_pb.AddPredecessorRequest, dependencies.add_predecessor, WorkItem)
    RemovePredecessor = change(
        work_item_pb.RemovePredecessorRequest, dependencies.remove_predecessor, WorkItem
    )
    FinishWorkItem = change(work_item_pb.FinishWorkItemRequest, work_item.finish_work_item, WorkItem)
    GetWorkItem = get(WORK_ITEM, store.WORK_ITEM, WorkItem)
    ListWorkItems = listing(work_item_pb.ListWorkItemsResponse, store.LIST_WORK_ITEMS)
    ExplainWorkItem = explain(WORK_ITEM, store.WORK_ITEM, WorkItem)


class PromiseRpc(Rpc, PromiseServiceServicer):
    """The promise ledger."""

    rules: ClassVar[Rules] = {
        Promise: check_promise,
        promise_pb.RenegotiatePromiseRequest: check_renegotiation,
        promise_pb.ScorePromisesRequest: check_score,
    }

    clock: PromiseClock

    MakePromise = change(promise_pb.MakePromiseRequest, make_promise, Promise)
    BatchMakePromises = change(
        promise_pb.BatchMakePromisesRequest, make_batch, promise_pb.BatchMakePromisesResponse
    )
    RenegotiatePromise = change(promise_pb.RenegotiatePromiseRequest, promise.renegotiate_promise, Promise)
    KeepPromise = change(promise_pb.KeepPromiseRequest, promise.keep_promise, Promise)
    WithdrawPromise = change(promise_pb.WithdrawPromiseRequest, promise.withdraw_promise, Promise)
    RecordDelayNotification = change(
        promise_pb.RecordDelayNotificationRequest, promise.record_delay_notification, Promise
    )
    GetPromise = get(PROMISE, store.PROMISE, Promise)
    ListPromises = listing(promise_pb.ListPromisesResponse, store.LIST_PROMISES)

    async def ScorePromises(
        self, request: promise_pb.ScorePromisesRequest, context: Any
    ) -> promise_pb.PromiseScorecard:
        """What became of the promises that were due in a period. TOO_LONG for too many rows."""
        return await score_promises(self.db, request)

    async def ExplainPromise(self, request: promise_pb.ExplainPromiseRequest, context: Any) -> Explanation:
        """Why a promise is as it is, and why it took the place of another."""
        explained = await found(self.db, PROMISE, store.PROMISE, *PROMISE.parse(request.name))
        before = explained.predecessor_id
        replaced = await store.PROMISE.one(self.db, id=before) if before else None
        why = partial(why_promise, explained, replaced=replaced)
        return await self.explainer.explain(request, to_message(Promise, explained), why)
