"""Import jobs: rows are checked as they come in, wait for the commit, and are applied in chunks.

A job that nobody goes on with is cancelled after some days: its rows are people whom nobody imported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from chassis import ids
from chassis.api.entities import found, owned, write
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import Aborted, AlreadyExists, Violation
from customer.domain.identifiers import Draft
from customer.domain.import_effects import Outcome
from customer.domain.imports import WAITING, Finding, ImportJob, ImportMode, ImportState
from customer.names import IMPORT_JOB
from customer.store import imports as store
from customer.usecases.import_rows import Applied, apply_rows
from customer.usecases.provenance import IMPORT, Sayings
from customer.usecases.reverting import FORGET_TIMER, FORGOTTEN_AT_ONCE, act_for

# Another name than in the release before, whose replicas neither obey a mode nor keep what rows did.
APPLY_TIMER, PREVIEW_TIMER, EXPIRE_TIMER = "apply-import-rows", "preview-import", "expire-import"
APPLY_TIMER_BEFORE = "apply-import"
FORGET_PREVIEW_TIMER = "forget-import-preview"
ABANDONED_AFTER = timedelta(days=7)
CHUNK = 1000
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Draft)


@dataclass(frozen=True, slots=True)
class Row:
    """One checked row: a draft, or what is wrong with it."""

    line: int
    draft: Draft
    violations: Sequence[Violation]


async def create_job(tx: Transaction, *, source: str, system: str, mode: ImportMode | None) -> ImportJob:
    """A new job of the caller's department. IMPORT_UNDER_WAY while it has one of that source."""
    department_id, zeros = tx.call.principal.department, (0, 0, 0, 0, 0, 0)
    job = ImportJob(
        ids.uuid7(tx.now),
        source,
        ImportState.OPEN,
        *zeros,
        department_id,
        tx.now,
        tx.now,
        None,
        system=system,
        mode=mode or ImportMode.UNSPECIFIED,
    )
    if not await store.INSERT_JOB.all(tx, **values(job)):
        other = await store.JOB_UNDER_WAY.maybe(tx, department_id=department_id, source=source)
        if other is None:
            told = "A job of this source ended meanwhile: try again."
            raise Aborted("REQUEST_IN_FLIGHT", told, retry_after_s=1)
        name = IMPORT_JOB.format(other["id"])
        told = f"{name} is of this source, and not done yet: go on with it."
        raise AlreadyExists("IMPORT_UNDER_WAY", told, {"resource": name})
    tx.require_owner(job)
    await _wait_for_more(tx, job)
    return job


async def append_rows(tx: Transaction, job_id: UUID, rows: Sequence[Row]) -> ImportJob:
    """Keep rows for the commit, and the findings of refused ones; lines received before are skipped.

    NotFound; FailedPrecondition IMPORT_NOT_OPEN.
    """
    job = await owned(tx, IMPORT_JOB, store.LOCKED_JOB, job_id)
    by_line = {row.line: row for row in reversed(rows)}
    received = {row["line"] for row in await store.RECEIVED_LINES.all(tx, job_id=job.id, lines=list(by_line))}
    new = [row for line, row in sorted(by_line.items()) if line not in received]
    rejected = [row for row in new if row.violations]
    accepted = [row for row in new if not row.violations]
    job.receive(max((row.line for row in new), default=0), len(accepted), len(rejected))
    findings = [each for row in rejected for each in _findings(job, row.line, row.violations)]
    await store.INSERT_FINDINGS.rows(tx, findings)
    await store.INSERT_ROWS.rows(
        tx, [{"job_id": job.id, "line": row.line, "draft": _ENCODER.encode(row.draft)} for row in accepted]
    )
    await write(tx, store.SAVE_JOB, job)
    await _wait_for_more(tx, job)
    return job


def _findings(
    job: ImportJob, line: int, found: Sequence[Violation], *, applied: bool = False
) -> list[Finding]:
    return [
        Finding(job.id, line, position, each.field, each.reason, each.description, applied, job.is_preview)
        for position, each in enumerate(found)
    ]


async def _wait_for_more(tx: Transaction, job: ImportJob) -> None:
    await tx.schedule(EXPIRE_TIMER, str(job.id), tx.now + ABANDONED_AFTER)


async def expire_job(tx: Transaction, job_id: UUID) -> None:
    """Cancel a job that nobody committed, for a while after the last rows came."""
    job = await found(tx, IMPORT_JOB, store.LOCKED_JOB, job_id)
    tx.touch(job.name)
    if job.state in WAITING:  # a replica of the release before does not stop the timer
        await _forget(tx, job)


async def commit_job(tx: Transaction, *, import_job_id: UUID) -> ImportJob:
    """Begin to apply the rows; asked again, say how far that is. NotFound; IMPORT_NOT_OPEN."""
    job = await owned(tx, IMPORT_JOB, store.LOCKED_JOB, import_job_id)
    if job.commit(tx.call.principal.subject, tx.id):
        await tx.cancel(EXPIRE_TIMER, str(job.id))
        await tx.schedule(APPLY_TIMER, str(job.id), tx.now)
        await write(tx, store.SAVE_JOB, job)
    return job


async def preview_job(tx: Transaction, *, import_job_id: UUID) -> ImportJob:
    """Begin to look what the rows would do; asked again, say how far that is. NotFound; IMPORT_NOT_OPEN."""
    job = await owned(tx, IMPORT_JOB, store.LOCKED_JOB, import_job_id)
    if job.preview(tx.call.principal.subject, tx.id):
        await _wait_for_more(tx, job)
        await tx.schedule(PREVIEW_TIMER, str(job.id), tx.now)
        await write(tx, store.SAVE_JOB, job)
    return job


async def cancel_job(tx: Transaction, *, import_job_id: UUID) -> ImportJob:
    """Give up a job and forget its rows. NotFound; FailedPrecondition IMPORT_NOT_OPEN."""
    job = await owned(tx, IMPORT_JOB, store.LOCKED_JOB, import_job_id)
    await _forget(tx, job)
    return job


async def _forget(tx: Transaction, job: ImportJob) -> None:
    if job.cancel(tx.now):
        await tx.cancel(EXPIRE_TIMER, str(job.id))
        await tx.cancel(PREVIEW_TIMER, str(job.id))
        await tx.schedule(FORGET_PREVIEW_TIMER, str(job.id), tx.now)
        await write(tx, store.SAVE_JOB, job)


async def forget_preview(tx: Transaction, job_id: UUID) -> None:
    """Forget what customers would be, and the rest of a job that was given up; come back for more."""
    job = await found(tx, IMPORT_JOB, store.JOB, job_id)
    tx.touch(job.name)
    given_up = store.FORGET_GIVEN_UP if job.state == ImportState.CANCELLED else []
    forgotten = [
        len(await each.all(tx, job_id=job.id, limit=FORGOTTEN_AT_ONCE))
        for each in (*store.FORGET_PREVIEWED, *given_up)
    ]
    if FORGOTTEN_AT_ONCE in forgotten:
        await tx.schedule(FORGET_PREVIEW_TIMER, str(job.id), tx.now)


async def preview_chunk(tx: Transaction, job_id: UUID, relationship_manager: str) -> None:
    """Look what the next rows of a job would do, as who asked for it, and come back for the rest."""
    job = await found(tx, IMPORT_JOB, store.LOCKED_JOB, job_id)
    act_for(tx, job, job.importer, job.commit_id)
    rows = await store.ROWS_AFTER.all(tx, job_id=job.id, line=job.previewed_line, limit=CHUNK)
    applied = await _apply(tx, job, rows, relationship_manager)
    last = len(rows) < CHUNK
    line = rows[-1]["line"] if rows else job.previewed_line
    job.looked_at(applied.outcomes, line, last=last)
    await tx.schedule(FORGET_PREVIEW_TIMER if last else PREVIEW_TIMER, str(job.id), tx.now)
    await write(tx, store.SAVE_JOB, job)


async def apply_chunk(tx: Transaction, job_id: UUID, relationship_manager: str, kept_for: timedelta) -> None:
    """Apply the next rows of a committed job, on behalf of who committed it, and come back for the rest.

    What they did is kept for so long after the last.
    """
    job = await found(tx, IMPORT_JOB, store.LOCKED_JOB, job_id)
    act_for(tx, job, job.importer, job.commit_id)
    rows = sorted(await store.TAKE_ROWS.all(tx, job_id=job.id, limit=CHUNK), key=lambda row: row["line"])
    if job.previewed_line:
        for each in store.DELETE_PREVIEWED_LINES:
            await each.run(tx, job_id=job.id, lines=[row["line"] for row in rows])
    applied = await _apply(tx, job, rows, relationship_manager)
    last = len(rows) < CHUNK
    job.applied(applied.outcomes, tx.now, last=last, kept_for=kept_for)
    if last:
        await tx.schedule(FORGET_TIMER, str(job.id), tx.now + kept_for)
    else:
        await tx.schedule(APPLY_TIMER, str(job.id), tx.now)
    await write(tx, store.SAVE_JOB, job)


async def _apply(tx: Transaction, job: ImportJob, rows: Sequence[Any], relationship_manager: str) -> Applied:
    """Apply rows, or look what they would do, and keep what is to be known of each, and what it did."""
    drafts = {row["line"]: _DECODER.decode(row["draft"]) for row in rows}
    sayings = Sayings(job.system or IMPORT, origin=job.name)
    applied = await apply_rows(tx, job, drafts, relationship_manager, sayings)
    findings = [
        each
        for i, (line, notes) in enumerate(zip(drafts, applied.notes, strict=True))
        for each in _findings(job, line, notes, applied=i not in applied.refused)
    ]
    await store.INSERT_FINDINGS.rows(tx, findings)
    # Also what a row said that was known: an import before it is not taken back below it.
    kept = [e for e in applied.effects if job.is_preview or e.outcome is not Outcome.SKIPPED]
    await store.INSERT_EFFECTS.rows(tx, kept)
    return applied
