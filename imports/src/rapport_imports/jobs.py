"""An ImportJob of the customer service: rows are staged, looked at or applied, and what became of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc

from chassis.api.messages import moment
from chassis.grpc.status import refusal
from rapport.common.v1.import_outcome_pb2 import IMPORT_OUTCOME_CORRECTED
from rapport.customer.v1 import import_service_pb2 as pb
from rapport.customer.v1.import_job_pb2 import ImportEffect, ImportJob, ImportRow
from rapport.customer.v1.import_service_pb2_grpc import ImportServiceStub
from rapport_imports.result import Change, Progress, Result
from rapport_imports.tabular import Problem

MODES = {"": ImportJob.MODE_UNSPECIFIED, "new": ImportJob.MODE_CREATE, "known": ImportJob.MODE_UPDATE}
CHANGES_MAX = 1000  # in a result
DRY_RUN = "dry-run:"  # before the source: what was staged to look at is nothing to go on with
_UNDER_WAY = (ImportJob.STATE_COMMITTING, ImportJob.STATE_PREVIEWING)
_SKIPPED = {"new": "known already", "known": "not known"}
ColumnOf = Callable[[int, str], str]


class Job:
    """The one job of a file, made when the first rows are sent. `source` is the file and how it is read.

    `progress` is told how many of its rows are applied, or looked at, and of how many.
    """

    source = ""
    progress: Progress = staticmethod(lambda done, total, doing="": None)

    def __init__(self, channel: grpc.aio.Channel, *, dry_run: bool, only: str) -> None:
        self._service = ImportServiceStub(channel)
        self._dry_run = dry_run
        self._only = only
        self._job: ImportJob | None = None
        self._opening = asyncio.Lock()

    async def send(self, rows: Sequence[ImportRow]) -> None:
        """Stage rows; nothing, where the file was imported already."""
        job = await self._opened()
        if job.state == ImportJob.STATE_OPEN:
            await self._service.AppendImportRows(pb.AppendImportRowsRequest(name=job.name, rows=rows))

    async def finish(self, result: Result, column: ColumnOf) -> dict[int, list[Problem]]:
        """Have the rows applied, or looked at; complete the result, and return what was refused, by line."""
        if self._job is None:
            return {}
        job = self._job
        repeated = job.state == ImportJob.STATE_DONE
        if repeated:
            then = moment(job.end_time).isoformat(timespec="minutes")
            result.notes.append(f"imported already at {then}, read so: nothing changes")
        else:
            job = await self._done(job)
        result.created = 0 if repeated else job.created_count
        result.known = job.matched_count + (job.created_count if repeated else 0)
        result.changed = 0 if repeated else job.changed_count
        result.renamed = 0 if repeated else job.renamed_count
        result.skipped += job.skipped_count
        if job.skipped_count:
            result.notes.append(
                f"skipped {job.skipped_count:,}: {_SKIPPED[self._only]} (--only {self._only})"
            )
        result.job = "" if self._dry_run else job.name
        refused = await self._refused(job.name, result, column, repeated=repeated)
        if self._dry_run and not repeated:
            await self._read_changes(job.name, result, column)
            await self._service.CancelImportJob(pb.CancelImportJobRequest(name=job.name))
        return refused

    async def _done(self, job: ImportJob) -> ImportJob:
        if job.state == ImportJob.STATE_OPEN and self._dry_run:
            job = await self._service.PreviewImportJob(pb.PreviewImportJobRequest(name=job.name))
        elif job.state == ImportJob.STATE_OPEN:
            job = await self._service.CommitImportJob(pb.CommitImportJobRequest(name=job.name))
        while job.state in _UNDER_WAY:
            self._tell(job)
            await asyncio.sleep(0.2)
            job = await self._service.GetImportJob(pb.GetImportJobRequest(name=job.name))
        self._tell(job)
        return job

    def _tell(self, job: ImportJob) -> None:
        done = job.created_count + job.matched_count + job.refused_count + job.skipped_count
        self.progress(done, job.row_count, "checked" if self._dry_run else "imported")

    async def _opened(self) -> ImportJob:
        async with self._opening:
            if self._job is None:
                self._job = await self._imported() or await self._begun()
            return self._job

    async def _imported(self) -> ImportJob | None:
        """The job that imported it already."""
        request = pb.ListImportJobsRequest(filter=f'source = "{self.source}" AND state = DONE', page_size=1)
        jobs = (await self._service.ListImportJobs(request)).import_jobs
        return jobs[0] if jobs else None

    async def _begun(self) -> ImportJob:
        """A new job, or the department's that was interrupted; of a dry run always a new one."""
        source = DRY_RUN + self.source if self._dry_run else self.source
        request = pb.CreateImportJobRequest(import_job=ImportJob(source=source, mode=MODES[self._only]))
        try:
            return await self._service.CreateImportJob(request)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise
            name = refusal(error).metadata["resource"]
        if self._dry_run:
            await self._service.CancelImportJob(pb.CancelImportJobRequest(name=name))
            return await self._service.CreateImportJob(request)
        return await self._service.GetImportJob(pb.GetImportJobRequest(name=name))

    async def _refused(
        self, job: str, result: Result, column: ColumnOf, *, repeated: bool
    ) -> dict[int, list[Problem]]:
        refused: dict[int, list[Problem]] = {}
        request = pb.ListImportFindingsRequest(parent=job, page_size=1000)
        async for page in _pages(self._service.ListImportFindings, request):
            for found in page.import_findings:
                problem = Problem(column(found.line, found.field), found.reason, found.description)
                if not found.applied:
                    refused.setdefault(found.line, []).append(problem)
                elif not repeated:
                    result.tell(found.line, problem)
        return refused

    async def _read_changes(self, job: str, result: Result, column: ColumnOf) -> None:
        """By what customers were found, and what would change of them from what to what."""
        request = pb.ListImportEffectsRequest(parent=job, page_size=1000)
        try:
            async for page in _pages(self._service.ListImportEffects, request):
                for effect in page.import_effects:
                    _note(result, effect, column)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.PERMISSION_DENIED:
                raise
            result.notes.append("what would change from what to what, only those see who may read customers")


def _note(result: Result, effect: ImportEffect, column: ColumnOf) -> None:
    if effect.matched_by:
        by = column(effect.line, effect.matched_by)
        result.known_by[by] = result.known_by.get(by, 0) + 1
    if effect.outcome != IMPORT_OUTCOME_CORRECTED:
        return
    handles = [(column(effect.line, field), "", "", False) for field in effect.added_identifiers]
    fields = [(column(effect.line, c.field), c.before, c.after, c.overwrites) for c in effect.changes]
    for name in dict.fromkeys(each[0] for each in (*fields, *handles)):
        result.changed_columns[name] = result.changed_columns.get(name, 0) + 1
    for field in fields:
        if len(result.changes) < CHANGES_MAX:
            result.changes.append(Change(effect.line, effect.customer, *field))


async def _pages(method: Any, request: Any) -> AsyncIterator[Any]:
    while True:
        page = await method(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
