"""The gRPC service of promises."""

from typing import ClassVar

from cases.domain.explanation import why_promise
from cases.domain.promise_clock import PromiseClock
from cases.names import PROMISE
from cases.rpc.due import check_promise, check_renegotiation
from cases.store import promises as store
from cases.usecases import promise as usecases
from cases.usecases.make_batch import make_batch
from cases.usecases.make_promise import make_promise
from chassis.api.checks import Rules
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import promise_service_pb2 as pb
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceServicer


class PromiseRpc(Rpc, PromiseServiceServicer):
    """The promise ledger."""

    rules: ClassVar[Rules] = {Promise: check_promise, pb.RenegotiatePromiseRequest: check_renegotiation}

    clock: PromiseClock

    MakePromise = change(pb.MakePromiseRequest, make_promise, Promise)
    BatchMakePromises = change(pb.BatchMakePromisesRequest, make_batch, pb.BatchMakePromisesResponse)
    RenegotiatePromise = change(pb.RenegotiatePromiseRequest, usecases.renegotiate_promise, Promise)
    KeepPromise = change(pb.KeepPromiseRequest, usecases.keep_promise, Promise)
    WithdrawPromise = change(pb.WithdrawPromiseRequest, usecases.withdraw_promise, Promise)
    GetPromise = get(PROMISE, store.PROMISE, Promise)
    ListPromises = listing(pb.ListPromisesResponse, store.LIST_PROMISES)
    ExplainPromise = explain(PROMISE, store.PROMISE, Promise, why_promise)
