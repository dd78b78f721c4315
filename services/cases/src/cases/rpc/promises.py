"""The gRPC service of promises."""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from cases.domain.due import Due
from cases.domain.explanation import why_promise
from cases.domain.promise_clock import PromiseClock
from cases.names import PROMISE
from cases.rpc.scorecard import check_score, score_promises
from cases.store import tables as store
from cases.usecases import promise
from cases.usecases.make_batch import make_batch
from cases.usecases.make_promise import make_promise
from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.api.wellknown import day_of, time_of
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from chassis.zones import NOT_A_TIME_ZONE, time_zone
from rapport.cases.v1 import promise_service_pb2 as pb
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceServicer
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


def check_renegotiation(check: Check, sent: pb.RenegotiatePromiseRequest, now: datetime) -> None:
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


class PromiseRpc(Rpc, PromiseServiceServicer):
    """The promise ledger."""

    rules: ClassVar[Rules] = {
        Promise: check_promise,
        pb.RenegotiatePromiseRequest: check_renegotiation,
        pb.ScorePromisesRequest: check_score,
    }

    clock: PromiseClock

    MakePromise = change(pb.MakePromiseRequest, make_promise, Promise)
    BatchMakePromises = change(pb.BatchMakePromisesRequest, make_batch, pb.BatchMakePromisesResponse)
    RenegotiatePromise = change(pb.RenegotiatePromiseRequest, promise.renegotiate_promise, Promise)
    KeepPromise = change(pb.KeepPromiseRequest, promise.keep_promise, Promise)
    WithdrawPromise = change(pb.WithdrawPromiseRequest, promise.withdraw_promise, Promise)
    RecordDelayNotification = change(
        pb.RecordDelayNotificationRequest, promise.record_delay_notification, Promise
    )
    GetPromise = get(PROMISE, store.PROMISE, Promise)
    ListPromises = listing(pb.ListPromisesResponse, store.LIST_PROMISES)

    async def ScorePromises(self, request: pb.ScorePromisesRequest, context: Any) -> pb.PromiseScorecard:
        """What became of the promises that were due in a period. TOO_LONG for too many rows."""
        return await score_promises(self.db, request)

    async def ExplainPromise(self, request: pb.ExplainPromiseRequest, context: Any) -> Explanation:
        """Why a promise is as it is, and why it took the place of another."""
        explained = await found(self.db, PROMISE, store.PROMISE, *PROMISE.parse(request.name))
        before = explained.predecessor_id
        replaced = await store.PROMISE.one(self.db, id=before) if before else None
        why = partial(why_promise, explained, replaced=replaced)
        return await self.explainer.explain(request, to_message(Promise, explained), why)
