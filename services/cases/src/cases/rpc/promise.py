"""The gRPC service of promises."""

from datetime import datetime
from typing import Any

from cases.domain.promise import Promise
from cases.domain.promise_clock import PromiseClock
from cases.names import CASE, CUSTOMER, DEPARTMENT, PROMISE, WORK_ITEM
from cases.rpc.due import AHEAD_MAX, check_due
from cases.rpc.explanation import Explainer
from cases.store import promises as store
from cases.usecases import promise as usecases
from cases.usecases.make_promise import Made, MakePromise, check_promises, make_promise, make_promises
from cases.usecases.overlap import find_overlap
from chassis.api.etags import etag
from chassis.api.messages import to_message
from chassis.api.validation import EARLIEST, Check
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from chassis.overlap import Outcome
from rapport.cases.v1 import promise_pb2, promise_service_pb2, promise_service_pb2_grpc
from rapport.common.v1 import explanation_pb2

_Result = promise_service_pb2.BatchMakePromisesResponse.Result
_UNCLEAR = Made(None, Outcome.UNCLEAR)


class PromiseRpc(promise_service_pb2_grpc.PromiseServiceServicer):
    """The promise ledger."""

    def __init__(self, db: Database, clock: PromiseClock, explainer: Explainer) -> None:
        self.db = db
        self.clock = clock
        self.explainer = explainer

    @mutation
    async def MakePromise(
        self, request: promise_service_pb2.MakePromiseRequest, tx: Transaction
    ) -> promise_pb2.Promise:
        """Make a promise; one that is due in the past needs a keep time."""
        check = Check()
        check.alone(request)
        command = _command(check.at("promise"), request.promise, tx.now)
        if command.due and command.due.missed_by(tx.now) and not command.keep_time:
            field = "due_date" if command.due.day else "due_time"
            check.refuse(f"promise.{field}", "INVALID_TIME", "must be in the future, or keep_time be given")
        check.raise_if_any()
        return _message(await make_promise(tx, self.clock, command))

    @mutation
    async def BatchMakePromises(
        self, request: promise_service_pb2.BatchMakePromisesRequest, tx: Transaction
    ) -> promise_service_pb2.BatchMakePromisesResponse:
        """Make many promises, past ones included, each import key once ever."""
        check, commands = Check(), []
        requests = check.batch(request.requests, "requests")
        for i, item in enumerate(requests):
            within = check.at(f"requests[{i}]")
            command = _command(within.at("promise"), item.promise, tx.now)
            command.import_key = within.import_key(item.import_key, tx.call.principal.department)
            commands.append(command)
        check.raise_if_any()
        confirmed = [item.confirmed for item in requests]
        unclear = await find_overlap(tx, commands, confirmed, validate_only=request.validate_only)
        if unclear:  # nothing comes of these; whoever may not make them is told so all the same
            await check_promises(tx, self.clock, [commands[i] for i in sorted(unclear)])
        clear = [command for i, command in enumerate(commands) if i not in unclear]
        make = check_promises if request.validate_only else make_promises
        made = iter(await make(tx, self.clock, clear))
        return promise_service_pb2.BatchMakePromisesResponse(
            results=[_result(_UNCLEAR if i in unclear else next(made)) for i in range(len(commands))]
        )

    @mutation
    async def RenegotiatePromise(
        self, request: promise_service_pb2.RenegotiatePromiseRequest, tx: Transaction
    ) -> promise_pb2.Promise:
        """Replace a promise by one with a new due time."""
        check = Check()
        (promise_id,) = check.name(PROMISE, request.name, "name")
        latest = tx.now + AHEAD_MAX
        due_time = check.moment(request, "due_time", earliest=tx.now, latest=latest, required=False)
        due_date = check.date(request, "due_date", latest=latest)
        if request.HasField("due_time") == request.HasField("due_date"):
            check.refuse("due_time", "REQUIRED", "must be given, or due_date, not both")
        reason_code = check.code(request.reason_code, "reason_code")
        check.raise_if_any()
        promise = await usecases.renegotiate_promise(
            tx,
            self.clock,
            promise_id,
            due_time=due_time,
            due_date=due_date,
            reason_code=reason_code,
            customer_requested=request.customer_requested,
            etag=request.etag,
        )
        return _message(promise)

    @mutation
    async def KeepPromise(
        self, request: promise_service_pb2.KeepPromiseRequest, tx: Transaction
    ) -> promise_pb2.Promise:
        """Mark a promise as done."""
        check = Check()
        (promise_id,) = check.name(PROMISE, request.name, "name")
        keep_time = check.moment(request, "keep_time", latest=tx.now, required=False)
        check.raise_if_any()
        return _message(await usecases.keep_promise(tx, promise_id, keep_time=keep_time, etag=request.etag))

    @mutation
    async def WithdrawPromise(
        self, request: promise_service_pb2.WithdrawPromiseRequest, tx: Transaction
    ) -> promise_pb2.Promise:
        """Take a promise back."""
        check = Check()
        (promise_id,) = check.name(PROMISE, request.name, "name")
        reason_code = check.code(request.reason_code, "reason_code")
        check.raise_if_any()
        return _message(
            await usecases.withdraw_promise(
                tx, self.clock, promise_id, reason_code=reason_code, etag=request.etag
            )
        )

    async def GetPromise(
        self, request: promise_service_pb2.GetPromiseRequest, context: Any
    ) -> promise_pb2.Promise:
        """Get a promise."""
        return _message(await self._get(request.name))

    async def ListPromises(
        self, request: promise_service_pb2.ListPromisesRequest, context: Any
    ) -> promise_service_pb2.ListPromisesResponse:
        """List promises, latest due first."""
        promises, token = await store.LIST_PROMISES.page(self.db, request, _message)
        return promise_service_pb2.ListPromisesResponse(promises=promises, next_page_token=token)

    async def Explain(
        self, request: explanation_pb2.ExplainRequest, context: Any
    ) -> explanation_pb2.Explanation:
        """Explain the state of a promise: the rule, what it looked at, and the chain of causes."""
        check = Check()
        event_id = check.uuid(request.event_id, "event_id", required=False)
        check.raise_if_any()
        return await self.explainer.explain(await self._get(request.name), event_id)

    async def _get(self, name: str) -> Promise:
        (promise_id,) = PROMISE.parse(name)
        promise = await store.PROMISE.maybe(self.db, id=promise_id)
        if promise is None:
            raise NotFound(name)
        return promise


def _command(check: Check, promise: promise_pb2.Promise, now: datetime) -> MakePromise:
    """What to make of a promise as it was sent. A work item's name says which case it belongs to."""
    (customer_id,) = check.name(CUSTOMER, promise.customer, "customer")
    (case_id,) = check.name(CASE, promise.case, "case", required=False)
    work_case_id, work_item_id = check.name(WORK_ITEM, promise.work_item, "work_item", required=False)
    if case_id and work_case_id and case_id != work_case_id:
        check.refuse("work_item", "INVALID_NAME", "must be a work item of the promise's case")
    (department_id,) = check.name(DEPARTMENT, promise.department, "department")
    due = check_due(check, promise, now)
    make_time = check.moment(promise, "make_time", latest=min(now, due.time) if due else now, required=False)
    return MakePromise(
        customer_id=customer_id,
        department_id=department_id,
        kind=check.code(promise.kind, "kind"),
        due=due,  # type: ignore[arg-type]  # None only with a violation
        reference=check.reference(promise.reference, "reference"),
        case_id=case_id or work_case_id,
        work_item_id=work_item_id,
        make_time=make_time,
        keep_time=check.moment(
            promise, "keep_time", earliest=make_time or EARLIEST, latest=now, required=False
        ),
    )


def _result(made: Made) -> _Result:
    promise = _message(made.promise) if made.promise else None
    return to_message(_Result, None, outcome=made.outcome, promise=promise)


def _message(promise: Promise) -> promise_pb2.Promise:
    return to_message(promise_pb2.Promise, promise, etag=etag(promise.version))
