"""The gRPC service of promises."""

from typing import Any, ClassVar
from uuid import UUID

from cases.domain.promise_clock import PromiseClock
from cases.names import PROMISE
from cases.rpc.due import check_promise, check_renegotiation
from cases.rpc.explanation import Explainer
from cases.store import promises as store
from cases.usecases import promise as usecases
from cases.usecases.make_batch import make_batch
from cases.usecases.make_promise import make_promise
from chassis.api.checks import Rules
from chassis.api.entities import found
from chassis.db.database import Database
from chassis.grpc.methods import change, get, listing
from rapport.cases.v1 import promise_service_pb2 as pb
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceServicer
from rapport.common.v1 import explanation_pb2


class PromiseRpc(PromiseServiceServicer):
    """The promise ledger."""

    rules: ClassVar[Rules] = {Promise: check_promise, pb.RenegotiatePromiseRequest: check_renegotiation}

    def __init__(self, db: Database, clock: PromiseClock, explainer: Explainer) -> None:
        self.db = db
        self.clock = clock
        self.explainer = explainer

    MakePromise = change(pb.MakePromiseRequest, make_promise, Promise)
    BatchMakePromises = change(pb.BatchMakePromisesRequest, make_batch, pb.BatchMakePromisesResponse)
    RenegotiatePromise = change(pb.RenegotiatePromiseRequest, usecases.renegotiate_promise, Promise)
    KeepPromise = change(pb.KeepPromiseRequest, usecases.keep_promise, Promise)
    WithdrawPromise = change(pb.WithdrawPromiseRequest, usecases.withdraw_promise, Promise)
    GetPromise = get(PROMISE, store.PROMISE, Promise)
    ListPromises = listing(pb.ListPromisesResponse, store.LIST_PROMISES)

    async def Explain(
        self, request: explanation_pb2.ExplainRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Explain the state of a promise: the rule, what it looked at, and the chain of causes."""
        promise = await found(self.db, PROMISE, store.PROMISE, *PROMISE.parse(request.name))
        return await self.explainer.explain(promise, UUID(request.event_id) if request.event_id else None)
