"""Acts, and what each stands on: who calls, about whom, in one trace, what the customer view said last."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.api.messages import timestamp
from chassis.telemetry import tracing
from rapport.customer.v1 import view_pb2, view_service_pb2
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport_tools.cli.failures import Failure, reason_of
from rapport_tools.cli.session import Session
from rapport_tools.demo.changes import changes

T = TypeVar("T")
PATIENCE_S = 60.0


class Person(NamedTuple):
    """Somebody who acts: `ROLE:NAME`, of a department."""

    who: str
    department: str


EVERYONE = Person("agent:demo", "front-desk")  # may do everything
ALICE = Person("agent:alice", "front-desk")
SAM = Person("supervisor:sam", "front-desk")
DORA = Person("department:dora", "delivery")
BILL = Person("department:bill", "billing")
RITA = Person("manager:rita", "billing")


@dataclass
class Stage:
    """Where acts are played."""

    open_session: Callable[[str, str], Session]  # as `ROLE:NAME` of a department
    # Called after each step with what was done and with what changed in the customer view.
    tell: Callable[[str, str], None]
    customer: str = ""  # whom it is about; the first act makes a new one when there is none
    # Called where there is something to look at that does not last, with what comes next.
    pause: Callable[[str], None] = lambda _: None
    # What the act that is played has led to so far, resource names by what they are.
    names: dict[str, str | list[str]] = field(default_factory=dict, init=False)
    refusals: list[str] = field(default_factory=list, init=False)  # the reasons of what it was refused
    _sessions: dict[Person, Session] = field(default_factory=dict, init=False)
    _told: view_pb2.CustomerView = field(default_factory=view_pb2.CustomerView, init=False)
    _tokens: list[str] = field(default_factory=list, init=False)

    @contextmanager
    def about(self, customer: str) -> Iterator[None]:
        """For as long as the block lasts the story is about somebody else, of whom nothing was told yet."""
        before = self.customer, self._told
        self.customer, self._told, self._tokens = customer, view_pb2.CustomerView(), []
        try:
            yield
        finally:
            self.customer, self._told = before

    def stub(self, person: Person, stub: Callable[[grpc.Channel], T], service: str) -> T:
        if person not in self._sessions:
            self._sessions[person] = self.open_session(*person)
        return self._sessions[person].stub(stub, service)

    def call(self, method: Any, request: Any) -> Any:
        """Call within the act's trace, and remember the write for the next look at the view.

        As every client should: with a request id, so that the call may be repeated when its answer is lost.
        """
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = str(uuid4())
        metadata = (("traceparent", tracing.traceparent()),)
        response, call = patiently(lambda: method.with_call(request, metadata=metadata))
        self._tokens += [value for key, value in call.trailing_metadata() or () if key == "consistency-token"]
        return response

    def refused(self, method: Any, request: Any) -> str:
        """Call, be refused, and return the sentence that says why. Failure when it is allowed."""
        try:
            self.call(method, request)
        except grpc.RpcError as error:
            told: Any = error
            if not (reason := reason_of(told)):
                raise
            self.refusals.append(reason)
            return str(told.details())
        raise Failure(f"{type(request).__name__} was to be refused, and is not.")

    def view(self) -> view_pb2.CustomerView:
        """The customer view, containing every write of the story so far."""
        tokens, self._tokens = self._tokens or [""], []
        return [self._view(token) for token in tokens][-1]

    def glance(self) -> view_pb2.CustomerView:
        """The customer view as it is, whether or not our writes have arrived in it."""
        return self._view("")

    def step(self, text: str, view: view_pb2.CustomerView | None = None) -> None:
        """Tell what was done, and what is different in the view: as it is, unless one is given."""
        view = view or self.view()
        self.tell(text, changes(self._told, view))
        self._told = view

    def until(self, condition: Callable[[], T], what: str) -> T:
        """Wait until a condition holds, and return what it returned. Failure after a minute."""
        deadline = time.monotonic() + PATIENCE_S
        while not (met := condition()):
            if time.monotonic() > deadline:
                raise Failure(f"Waited a minute for {what}. `rapport doctor` says what is wrong.")
            time.sleep(0.05)
        return met

    def _view(self, token: str) -> view_pb2.CustomerView:
        request = view_service_pb2.GetCustomerViewRequest(
            name=f"{self.customer}/view", consistency_token=token
        )
        views = self.stub(EVERYONE, ViewServiceStub, "customer")
        return patiently(partial(views.GetCustomerView, request))


@dataclass(frozen=True)
class Act:
    """What happens in it, how it is played (LeftOut where it cannot be), and what to see in its trace."""

    title: str
    play: Callable[[Stage], None]
    look: str


class LeftOut(Exception):
    """An act cannot be played here; the message is a sentence that says why."""


def in_days(days: float) -> Timestamp:
    return timestamp(datetime.now(UTC) + timedelta(days=days))


def patiently(attempt: Callable[[], T]) -> T:
    """Try again while the service is away."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return attempt()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
