"""Sending to many customers: what the chassis' queue does with a step of a job."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import grpc

from chassis.api.entities import write
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.work import Outcome, Refused, Turn, Verdict, Work
from chassis.work.item import not_answered
from notifications.domain.notice_job import CUSTOMERS_NOT_ASKED, INVALID_FILTER, INVALID_WORDS, NoticeJob
from notifications.domain.template import Template
from notifications.jobs.stepping import Stepping
from notifications.store.notice_jobs import JOB, LOCK_JOB, UPDATE_JOB
from notifications.usecases.notice import require_words
from notifications.usecases.notice_job import NOTICE_JOB, Page, request_some


@dataclass(eq=False)
class NoticeJobs(Stepping):
    """The worker that takes a step of a job."""

    kind: str = NOTICE_JOB

    async def act(self, work: Work, turn: Turn) -> tuple[Template, Page]:
        """Find the next customers, and that they can be told still: once for all of them."""
        job = await JOB.one(self.db, id=_job_id(work.key))
        try:
            template, _ = await require_words(self.db, job.template_id, job.variables, "notice_job")
        except (InvalidArgument, FailedPrecondition, NotFound):  # its texts were changed meanwhile
            raise Refused(INVALID_WORDS) from None
        try:
            page = await self.selection.page(job.filter, job.begins, job.page_token, job.at_once)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                raise Refused(INVALID_FILTER) from None
            raise not_answered("customer", error) from None
        return template, page

    async def lock(self, tx: Transaction, key: str) -> NoticeJob:
        """Lock the job."""
        return await LOCK_JOB.one(tx, id=_job_id(key))

    async def record(
        self, tx: Transaction, subject: NoticeJob, work: Work, attempt: int, outcome: Outcome
    ) -> None:
        """Request what is to be requested, unless the job was paused meanwhile; block one that cannot."""
        if not subject.due_for(work.key):
            return
        if outcome.verdict is Verdict.DONE:
            await request_some(tx, self.per_customer, subject, *outcome.result)
        elif outcome.verdict in (Verdict.REFUSED, Verdict.EXPIRED):
            subject.block(outcome.code if outcome.verdict is Verdict.REFUSED else CUSTOMERS_NOT_ASKED)
            tx.touch(subject.name)
            await write(tx, UPDATE_JOB, subject)


def _job_id(key: str) -> UUID:
    return UUID(key.partition("/")[0])
