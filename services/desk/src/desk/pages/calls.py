"""Asking services for the parts of a page, each of which may be late, refused or away without the others."""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message_factory import GetMessageClass

from chassis.errors import DeadlineExceeded, Refusal
from chassis.explain.explainer import explained_by
from chassis.grpc import status
from chassis.grpc.client import Channels
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub
from rapport.cases.v1.note_service_pb2_grpc import NoteServiceStub
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceStub

T = TypeVar("T")
_AWAY = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN", "CANCELLED")


class Services:
    """The services, called as whoever looks: `chassis.context.current_call` says who that is."""

    def __init__(self, channels: Channels) -> None:
        self.channels = channels

    @cached_property
    def customers(self) -> CustomerServiceStub:
        """Who customers are."""
        return CustomerServiceStub(self.channels.to("customer"))

    @cached_property
    def consents(self) -> ConsentServiceStub:
        """Whether they may be contacted."""
        return ConsentServiceStub(self.channels.to("customer"))

    @cached_property
    def timeline(self) -> TimelineServiceStub:
        """What happened."""
        return TimelineServiceStub(self.channels.to("customer"))

    @cached_property
    def views(self) -> ViewServiceStub:
        """Everything about one customer."""
        return ViewServiceStub(self.channels.to("customer"))

    @cached_property
    def cases(self) -> CaseServiceStub:
        """Concerns."""
        return CaseServiceStub(self.channels.to("cases"))

    @cached_property
    def work_items(self) -> WorkItemServiceStub:
        """Departments' parts of them."""
        return WorkItemServiceStub(self.channels.to("cases"))

    @cached_property
    def notes(self) -> NoteServiceStub:
        """What colleagues wrote down."""
        return NoteServiceStub(self.channels.to("cases"))

    @cached_property
    def promises(self) -> PromiseServiceStub:
        """What was promised."""
        return PromiseServiceStub(self.channels.to("cases"))

    @cached_property
    def directory(self) -> DirectoryServiceStub:
        """Colleagues."""
        return DirectoryServiceStub(self.channels.to("cases"))

    @cached_property
    def goodwill(self) -> GoodwillServiceStub:
        """What makes up for a harm."""
        return GoodwillServiceStub(self.channels.to("loyalty"))

    @cached_property
    def purchases(self) -> PurchaseServiceStub:
        """What was bought, and what customers are worth."""
        return PurchaseServiceStub(self.channels.to("loyalty"))

    @cached_property
    def notices(self) -> NoticeServiceStub:
        """What customers were told."""
        return NoticeServiceStub(self.channels.to("notifications"))

    @cached_property
    def templates(self) -> TemplateServiceStub:
        """In which words."""
        return TemplateServiceStub(self.channels.to("notifications"))

    async def explain(self, name: str) -> Explanation | None:
        """Why something is as it is; None for what nothing explains. AioRpcError."""
        method = explained_by(name)
        if method is None:
            return None
        service = method.containing_service.full_name
        request = GetMessageClass(method.input_type)
        channel = self.channels.to(service.split(".")[-3])
        ask = channel.unary_unary(
            f"/{service}/{method.name}", request.SerializeToString, Explanation.FromString
        )
        answered: Explanation = await ask(request(name=name))
        return answered


@dataclass(frozen=True)
class Part(Generic[T]):
    """What one question to a service brought.

    Attributes:
        value: the answer, if there is one.
        refusal: why there is none.

    """

    value: T | None = None
    refusal: Refusal | None = None

    @property
    def away(self) -> bool:
        """Whether another try in a moment may bring it: its service did not answer, or not in time."""
        return self.refusal is not None and self.refusal.code in _AWAY


class Parts(dict[str, Part[Any]]):
    """The parts of a page by name."""

    def of(self, name: str) -> Any:
        """The answer; None without."""
        part = self.get(name)
        return part.value if part else None


async def ask(patience_s: float, **questions: Awaitable[Any] | Coroutine[Any, Any, Any]) -> Parts:
    """Ask everything at once, and wait no longer than `patience_s`.

    What is not there by then is a part that is away: `DEADLINE_EXCEEDED`.
    """
    tasks = {name: asyncio.ensure_future(question) for name, question in questions.items()}
    _, late = await asyncio.wait(tasks.values(), timeout=patience_s)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return Parts({name: _part(task) for name, task in tasks.items()})


def refusal_of(error: BaseException) -> Refusal:
    """What a service refused with, or that it is away."""
    if isinstance(error, grpc.aio.AioRpcError):
        return status.refusal(error)
    if isinstance(error, Refusal):
        return error
    if isinstance(error, asyncio.CancelledError | TimeoutError):
        return DeadlineExceeded("DEADLINE_EXCEEDED", "The service did not answer in time.")
    raise error


def _part(task: "asyncio.Future[Any]") -> Part[Any]:
    if task.cancelled():
        return Part(refusal=refusal_of(TimeoutError()))
    if error := task.exception():
        return Part(refusal=refusal_of(error))
    return Part(task.result())
