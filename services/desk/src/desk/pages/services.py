"""Asking services for the parts of a page, each of which may be late, refused or away without the others."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message_factory import GetMessageClass

from chassis.api.filters import LENGTH_MAX, TERMS_MAX
from chassis.errors import DeadlineExceeded, Refusal
from chassis.explain.explainer import explained_by
from chassis.grpc import status
from chassis.grpc.client import Channels
from desk.settings import FRONT_DESK
from rapport.cases.v1.authority_service_pb2_grpc import AuthorityServiceStub
from rapport.cases.v1.calendar_service_pb2_grpc import CalendarServiceStub
from rapport.cases.v1.call_service_pb2_grpc import CallServiceStub
from rapport.cases.v1.case_job_service_pb2_grpc import CaseJobServiceStub
from rapport.cases.v1.case_link_service_pb2_grpc import CaseLinkServiceStub
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.clock_policy_service_pb2_grpc import ClockPolicyServiceStub
from rapport.cases.v1.clock_service_pb2_grpc import ClockServiceStub
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub
from rapport.cases.v1.escalation_service_pb2_grpc import EscalationServiceStub
from rapport.cases.v1.handoff_service_pb2_grpc import HandoffServiceStub
from rapport.cases.v1.note_service_pb2_grpc import NoteServiceStub
from rapport.cases.v1.presence_service_pb2_grpc import PresenceServiceStub
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.queue_service_pb2_grpc import QueueServiceStub
from rapport.cases.v1.team_service_pb2_grpc import TeamServiceStub
from rapport.cases.v1.topic_service_pb2_grpc import TopicServiceStub
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1.explanation_pb2 import Explanation
from rapport.customer.v1.advice_service_pb2_grpc import AdviceServiceStub
from rapport.customer.v1.attachment_service_pb2_grpc import AttachmentServiceStub
from rapport.customer.v1.attribute_service_pb2_grpc import AttributeServiceStub
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from rapport.customer.v1.customer_merge_service_pb2_grpc import CustomerMergeServiceStub
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import BatchGetCustomersRequest
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.import_profile_service_pb2_grpc import ImportProfileServiceStub
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceStub
from rapport.customer.v1.match_service_pb2_grpc import MatchServiceStub
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport.customer.v1.relationship_service_pb2_grpc import RelationshipServiceStub
from rapport.customer.v1.section_service_pb2_grpc import SectionServiceStub
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub
from rapport.customer.v1.suppression_service_pb2_grpc import SuppressionServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.loyalty.v1.card_service_pb2_grpc import CardServiceStub
from rapport.loyalty.v1.earning_service_pb2_grpc import EarningServiceStub
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport.loyalty.v1.ledger_service_pb2_grpc import LedgerServiceStub
from rapport.loyalty.v1.lot_service_pb2_grpc import LotServiceStub
from rapport.loyalty.v1.member_service_pb2_grpc import MemberServiceStub
from rapport.loyalty.v1.membership_service_pb2_grpc import MembershipServiceStub
from rapport.loyalty.v1.program_service_pb2_grpc import ProgramServiceStub
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from rapport.loyalty.v1.reevaluation_job_service_pb2_grpc import ReevaluationJobServiceStub
from rapport.loyalty.v1.reward_service_pb2_grpc import RewardServiceStub
from rapport.loyalty.v1.tier_service_pb2_grpc import TierServiceStub
from rapport.loyalty.v1.voucher_service_pb2_grpc import VoucherServiceStub
from rapport.notifications.v1.notice_job_service_pb2_grpc import NoticeJobServiceStub
from rapport.notifications.v1.notice_policy_service_pb2_grpc import NoticePolicyServiceStub
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport.notifications.v1.provider_service_pb2_grpc import ProviderServiceStub
from rapport.notifications.v1.template_service_pb2_grpc import TemplateServiceStub

T = TypeVar("T")
_AWAY = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN", "CANCELLED")


def _called(stub: Callable[[grpc.aio.Channel], T]) -> cached_property[T]:
    """The stub of a service: of its package, `rapport.cases.v1`, is which channel it goes by."""
    package = stub.__module__.split(".")[1]
    return cached_property(lambda services: stub(services.channels.to(package)))


class Services:
    """The services, called as whoever looks: `chassis.context.current_call` says who that is."""

    customers = _called(CustomerServiceStub)
    advice = _called(AdviceServiceStub)
    attachments = _called(AttachmentServiceStub)
    attributes = _called(AttributeServiceStub)
    merges = _called(CustomerMergeServiceStub)
    links = _called(SelfServiceLinkServiceStub)
    consents = _called(ConsentServiceStub)
    imports = _called(ImportServiceStub)
    import_profiles = _called(ImportProfileServiceStub)
    matches = _called(MatchServiceStub)
    purposes = _called(PurposeServiceStub)
    suppressions = _called(SuppressionServiceStub)
    relationships = _called(RelationshipServiceStub)
    timeline = _called(TimelineServiceStub)
    sections = _called(SectionServiceStub)
    views = _called(ViewServiceStub)
    cases = _called(CaseServiceStub)
    calls = _called(CallServiceStub)
    case_jobs = _called(CaseJobServiceStub)
    case_links = _called(CaseLinkServiceStub)
    calendars = _called(CalendarServiceStub)
    clock_policies = _called(ClockPolicyServiceStub)
    clocks = _called(ClockServiceStub)
    escalations = _called(EscalationServiceStub)
    authority = _called(AuthorityServiceStub)
    work_items = _called(WorkItemServiceStub)
    handoffs = _called(HandoffServiceStub)
    notes = _called(NoteServiceStub)
    presences = _called(PresenceServiceStub)
    promises = _called(PromiseServiceStub)
    queues = _called(QueueServiceStub)
    teams = _called(TeamServiceStub)
    directory = _called(DirectoryServiceStub)
    topics = _called(TopicServiceStub)
    earning = _called(EarningServiceStub)
    goodwill = _called(GoodwillServiceStub)
    cards = _called(CardServiceStub)
    ledger = _called(LedgerServiceStub)
    lots = _called(LotServiceStub)
    members = _called(MemberServiceStub)
    memberships = _called(MembershipServiceStub)
    programs = _called(ProgramServiceStub)
    purchases = _called(PurchaseServiceStub)
    reevaluations = _called(ReevaluationJobServiceStub)
    rewards = _called(RewardServiceStub)
    tiers = _called(TierServiceStub)
    vouchers = _called(VoucherServiceStub)
    notice_jobs = _called(NoticeJobServiceStub)
    notice_policies = _called(NoticePolicyServiceStub)
    notices = _called(NoticeServiceStub)
    providers = _called(ProviderServiceStub)
    templates = _called(TemplateServiceStub)

    def __init__(self, channels: Channels, front_desk: str = FRONT_DESK) -> None:
        self.channels, self.front_desk = channels, front_desk

    async def known(self, customers: Iterable[str]) -> dict[str, Customer]:
        """Those of these customers who are there, by the names asked: one who is gone costs no page."""
        names = sorted({*customers} - {""})
        if not names:
            return {}
        request = BatchGetCustomersRequest(names=names, allow_missing=True)
        answer = await self.customers.BatchGetCustomers(request)
        return {name: each for name, each in zip(names, answer.customers, strict=True) if each.name}

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
    """What one question to a service brought: the answer, or why there is none."""

    value: T | None = None
    refusal: Refusal | None = None

    @property
    def away(self) -> bool:
        """Whether another try in a moment may bring it: its service did not answer, or not in time."""
        return self.refusal is not None and self.refusal.code in _AWAY


class Parts(dict[str, Part[Any]]):
    """The parts of a page by name."""

    def of(self, name: str, kind: Callable[[], T]) -> T:
        """The answer, which is of this kind; an empty one without."""
        value: T | None = self[name].value if name in self else None
        return kind() if value is None else value

    def has(self, name: str) -> bool:
        return name in self and self[name].value is not None

    def away(self, *names: str) -> list[str]:
        """Those that another try in a moment may bring: of all, unless some are named."""
        return [name for name, part in self.items() if part.away and (not names or name in names)]


def patience(seconds: float) -> Callable[[], float]:
    """Gives how much is left of the time that a page waits for all that it asks, also after an answer."""
    until = time.monotonic() + seconds
    return lambda: max(0.0, until - time.monotonic())


async def ask(patience_s: float, **questions: Awaitable[Any] | Coroutine[Any, Any, Any]) -> Parts:
    """Ask everything at once, and wait no longer than `patience_s`.

    What is not there by then is a part that is away: `DEADLINE_EXCEEDED`.
    """
    tasks = {name: asyncio.ensure_future(question) for name, question in questions.items()}
    try:
        await asyncio.wait(tasks.values(), timeout=patience_s)
    finally:  # also of whoever asked and left; and what was refused has been seen
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    return Parts({name: _part(task) for name, task in tasks.items()})


def any_of(field: str, names: Iterable[str]) -> str:
    """The part of a filter that lets through what is of one of these; at least one."""
    return "(" + " OR ".join(f'{field} = "{name}"' for name in names) + ")"


def filters(also: str, field: str, names: Sequence[str]) -> list[str]:
    """Filters of what passes one and is of one of these, by as many as a service takes at once."""
    each = max((len(f'{field} = "{name}" OR ') for name in names), default=1)
    most = min((LENGTH_MAX - len(f"{also} AND ()")) // each, TERMS_MAX - also.count(" = ") - 2)
    parts = (names[start : start + most] for start in range(0, len(names), most))
    return [f"{also} AND {any_of(field, part)}" for part in parts]


def refusal_of(error: BaseException) -> Refusal:
    """What a service refused with, or that it is away."""
    if isinstance(error, grpc.aio.AioRpcError):
        refusal = status.refusal(error)
        for method in getattr(error, "__notes__", []):  # `rapport.cases.v1.CaseService/OpenCase`
            refusal.metadata.setdefault("service", method.split(".")[1])
        return refusal
    if isinstance(error, Refusal):
        return error
    if isinstance(error, asyncio.CancelledError | TimeoutError):
        return DeadlineExceeded("DEADLINE_EXCEEDED", "The service did not answer in time.")
    raise error


def _part(task: asyncio.Future[Any]) -> Part[Any]:
    if task.cancelled():
        return Part(refusal=refusal_of(TimeoutError()))
    if error := task.exception():
        return Part(refusal=refusal_of(error))
    return Part(task.result())


@dataclass(frozen=True)
class Silence:
    """That a service does not answer."""

    since: datetime  # when it was asked first of those times that it did not answer
    heard: datetime | None  # when it answered last; None when it never did while this desk runs


def silences(
    memory: dict[Any, Any], what: str, silent: Mapping[str, bool], now: datetime
) -> dict[str, Silence]:
    """Of services that were asked, those that are silent and since when, as this process of the desk saw it.

    It is remembered in `memory`, apart for other questions than `what`.
    """
    found = {}
    for service, is_silent in silent.items():
        heard, since = memory.get((what, service), (None, None))
        heard, since = (heard, since or now) if is_silent else (now, None)
        memory[what, service] = heard, since
        if since:
            found[service] = Silence(since, heard)
    return found


@dataclass(frozen=True)
class Listed(Generic[T]):
    """Some of what there is, in order; whether there is more; and `trouble`, why some is not to be seen."""

    rows: Sequence[T] = ()
    more: bool = False
    trouble: str = ""
