"""NoticeJobService: one message to many customers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import grpc

from chassis.api.checks import Rules
from chassis.api.decoding import into
from chassis.api.entities import found
from chassis.api.messages import to_message
from chassis.api.validation import Check
from chassis.api.wellknown import time_of
from chassis.errors import InvalidArgument, Unavailable, invalid
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.grpc.status import refusal
from chassis.servicer import Rpc
from notifications.domain.notice_job import Asked
from notifications.domain.template import COMPANY_NAME, Template
from notifications.names import JOB
from notifications.peers.asking import allowances
from notifications.peers.selection import Selection
from notifications.rpc.checks import check_delivery
from notifications.store import notice_jobs as store
from notifications.usecases import notice_job
from notifications.usecases.notice_job import Page
from notifications.usecases.partials import Whole
from notifications.usecases.samples import samples
from notifications.usecases.words import render, text_for
from rapport.customer.v1.consent_service_pb2 import CheckContactResponse
from rapport.notifications.v1 import notice_job_service_pb2 as pb
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.notifications.v1.notice_job_pb2 import NoticeJob
from rapport.notifications.v1.notice_job_service_pb2_grpc import NoticeJobServiceServicer
from rapport.notifications.v1.notice_service_pb2 import NoticeReport

if TYPE_CHECKING:
    from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceAsyncStub

_ASKED = into(NoticeJob, Asked)
_COUNTED, _CHECKED, _SHOWN = 1000, 100, 20


def check_job(check: Check, sent: NoticeJob, now: datetime) -> None:
    """It is of use when it begins."""
    begins, expires = time_of(sent, "schedule_time"), time_of(sent, "expire_time")
    if begins and expires and expires <= begins:
        check.refuse("expire_time", "INVALID_TIME", "must be after schedule_time")


class NoticeJobRpc(Rpc, NoticeJobServiceServicer):
    """Jobs that send to many customers."""

    rules: ClassVar[Rules] = {NoticeJob: check_job, DeliveryStrategy: check_delivery}

    selection: Selection
    consents: ConsentServiceAsyncStub
    channels: Sequence[str]  # on which notices are sent, best first
    company: str  # who we are to customers

    PauseNoticeJob = change(pb.PauseNoticeJobRequest, notice_job.pause_notice_job, NoticeJob)
    ResumeNoticeJob = change(pb.ResumeNoticeJobRequest, notice_job.resume_notice_job, NoticeJob)
    CancelNoticeJob = change(pb.CancelNoticeJobRequest, notice_job.cancel_notice_job, NoticeJob)
    GetNoticeJob = get(JOB, store.JOB, NoticeJob)
    ListNoticeJobs = listing(pb.ListNoticeJobsResponse, store.LIST_JOBS)
    ListNoticeJobResults = listing(
        pb.ListNoticeJobResultsResponse, store.LIST_RESULTS, parent=(JOB, store.JOB)
    )
    ExplainNoticeJob = explain(JOB, store.JOB, NoticeJob)

    async def CreateNoticeJob(self, request: pb.CreateNoticeJobRequest, context: Any) -> Any:
        """Begin a job, with a filter that customers are found by, as far as they can be asked."""
        with suppress(Unavailable):  # it waits for them
            await self._page(request.notice_job.filter, self.db.clock.now(), "", 1)
        return await self._create(request, context)

    _create = change(pb.CreateNoticeJobRequest, notice_job.create_notice_job, NoticeJob)

    async def ReportNoticeJob(self, request: pb.ReportNoticeJobRequest, context: Any) -> pb.NoticeJobReport:
        """What became of a job's notices."""
        (job_id,) = JOB.parse(request.name)
        await found(self.db, JOB, store.JOB, job_id)
        reasons = await store.REPORT_JOB.all(self.db, notice_job_id=job_id)
        return pb.NoticeJobReport(
            notice_count=sum(each.notice_count for each in reasons),
            reasons=[to_message(NoticeReport.Reason, each) for each in reasons],
        )

    async def PreviewNoticeJob(
        self, request: pb.PreviewNoticeJobRequest, context: Any
    ) -> pb.PreviewNoticeJobResponse:
        """Whom a job would reach now, as whoever asks may read customers, and what it would say."""
        asked = _ASKED(request.notice_job)
        template, texts = await notice_job.require_askable(self.db, asked)
        customers, answers, are_asked = list[str](), list[CheckContactResponse](), True
        try:
            customers = await self._find(asked)
            answers = await allowances(
                self.db.service,
                self.consents,
                customers[:_CHECKED],
                template,
                asked.delivery,
                self.channels,
            )
        except Unavailable:
            are_asked = False
        counts = Counter("" if each.allowed else each.reason_code for each in answers)
        read = [each.language_code for each in answers if each.allowed]
        return pb.PreviewNoticeJobResponse(
            customer_count=len(customers),
            customers=customers[:_SHOWN],
            counts=[
                pb.PreviewNoticeJobResponse.Count(reason_code=why, customer_count=count)
                for why, count in counts.most_common()
            ],
            samples=self._samples(asked, template, texts, read if are_asked else None),
            customers_asked=are_asked,
        )

    async def _find(self, asked: Asked) -> list[str]:
        """The first customers, and one more than are counted."""
        found, token, now = list[str](), "", self.db.clock.now()
        while len(found) <= _COUNTED:
            page = await self._page(asked.filter, now, token, _COUNTED)
            found, token = [*found, *page.customers], page.next_token
            if not token:
                break
        return found[: _COUNTED + 1]

    async def _page(self, filter: str, before: datetime, token: str, size: int) -> Page:
        try:
            return await self.selection.page(filter, before, token, size)
        except grpc.aio.AioRpcError as error:
            raise _refused(error) from None

    def _samples(
        self, asked: Asked, template: Template, texts: Sequence[Whole], read: Sequence[str] | None
    ) -> list[pb.PreviewNoticeJobResponse.Sample]:
        by_code = {each.language_code: each for each in texts}
        default = template.default_language_code
        codes = Counter(text.language_code for each in read or () if (text := text_for(texts, each, default)))
        if read is None and (text := text_for(texts, default, default)):
            codes = Counter({text.language_code: 0})
        shown = []
        for code, count in codes.most_common():
            text = by_code[code]
            given = {COMPANY_NAME: self.company} | asked.variables
            stand_in = samples(template, text, given, self.db.clock.now())
            words = render(template, text, given | stand_in, UTC)
            shown.append(
                pb.PreviewNoticeJobResponse.Sample(
                    language_code=code, subject=words.subject, body=words.body, customer_count=count
                )
            )
        return shown


def _refused(error: grpc.aio.AioRpcError) -> Exception:
    """What the customer service said, to whoever asked: a filter that is none, or that they may not."""
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
        told = refusal(error)
        said = [each.description for each in told.violations] if isinstance(told, InvalidArgument) else []
        why = f"must be one that ListCustomers takes: {'; '.join(filter(None, said))}".removesuffix(": ")
        return invalid("notice_job.filter", "INVALID_FILTER", why)
    if error.code() is grpc.StatusCode.PERMISSION_DENIED:
        return refusal(error)
    return Unavailable("CUSTOMERS_NOT_ASKED", "Customers cannot be asked for now. Try again.")
