"""Sending to many customers: what the chassis' queue does with a step of a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import grpc

from chassis.api.entities import write
from chassis.backoff import RETRIES, Backoff
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.work import Outcome, Refused, Turn, Verdict, Work
from chassis.work.item import not_answered
from notifications.domain.notice_job import CUSTOMERS_NOT_ASKED, INVALID_FILTER, INVALID_WORDS, NoticeJob
from notifications.domain.template import Template
from notifications.peers.selection import Selection
from notifications.store.notice_jobs import JOB, LOCK_JOB, UPDATE_JOB
from notifications.usecases.notice import require_words
from notifications.usecases.notice_job import NOTICE_JOB, Page, request_some


@dataclass(eq=False)
class NoticeJobs:
    """The worker that takes a step of a job: see `chassis.work.Worker`.

    It changes nothing until it is recorded, in one transaction, so it never hands over: a step that died is
    taken again, here or by another replica.
    """

    db: Database
    selection: Selection
    per_customer: int  # notices of one purpose that departments may request for a customer within a day
    kind: str = NOTICE_JOB
    at_once: int = 2
    prepare_time: timedelta = timedelta(minutes=1)
    answer_time: timedelta = timedelta(minutes=1)
    retries: Backoff = RETRIES

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

    async def handing_over(self, tx: Transaction, subject: NoticeJob, work: Work, about: Any) -> bool:
        """Never called: see above."""
        return True

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
