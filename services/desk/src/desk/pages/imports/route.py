"""`/imports`: a file is brought, understood, looked at, imported, mended; and those that were."""

import json
from collections.abc import AsyncIterator
from typing import Any, BinaryIO
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.datastructures import UploadFile

from chassis import ids
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import InvalidArgument, NotFound, PermissionDenied, Refusal, invalid
from desk.language.catalogues import N_
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.imports import form, view
from desk.pages.services import ask
from desk.store import transfers as store
from desk.store.transfers import Part, State, Transfer
from desk.ui import words
from rapport.customer.v1.import_job_pb2 import ImportJob
from rapport.customer.v1.import_service_pb2 import GetImportJobRequest, RevertImportJobRequest

router = APIRouter(prefix="/imports")
SHOWN = 25
_NO_FILE = N_("choose a file that has something in it")


@router.get("")
async def imports(look: Look, after: UUID | None = None) -> Response:
    """The form, and the department's imports, newest first."""
    return await _all(look, after)


@router.post("")
async def brought(look: Look) -> Response:
    """Keep the file, and have it looked at."""
    sent = look.request.state.form
    try:
        kind, file = str(sent.get("kind", "")), sent.get("file")
        _require(look, kind)
        try:
            if not isinstance(file, UploadFile) or not file.size:
                raise invalid("file", "REQUIRED", _NO_FILE)
        except InvalidArgument as refusal:
            return await _all(look, None, refusal)
        transfer = made(look, kind, form.file_name(file.filename or ""))
        await keep(look, transfer, file.file)
    finally:
        await sent.close()
    return back(transfer)


@router.get("/{key}")
async def one(look: Look, key: UUID) -> Response:
    """The page of one, which goes on by itself."""
    transfer = await found(look, key)
    return look.answer("pages/imports/page.html", transfer=transfer, cards=await _cards(look, transfer))


@router.get("/{key}/cards")
async def fresh_cards(look: Look, key: UUID) -> JSONResponse:
    return JSONResponse(message(f"imports/{key}", await _cards(look, await found(look, key)), look.say.now))


@router.post("/{key}/check")
async def checked(look: Look, key: UUID) -> Response:
    """Look at it again, read as the form says."""
    transfer = await found(look, key)
    understood = await kept(look, key, Part.UNDERSTOOD)
    async with look.request.form(max_files=0) as sent:
        kind = str(sent.get("kind", "")) or transfer.kind
        _require(look, kind)
        columns = understood.get("columns", []) if kind == transfer.kind else []
        wanted = form.wanted(sent, transfer.wanted if columns else {}, columns)
    return await look_again(look, key, kind, wanted)


async def look_again(look: Looking, key: UUID, kind: str, wanted: dict[str, Any]) -> Response:
    """Have it looked at anew, read as is wanted: the file of one that was done as another import.

    So each is taken back by itself.
    """
    async with look.db.transaction() as tx:
        transfer = await _locked(tx, look, key)
        if transfer.state is State.DONE and not transfer.forgotten:
            again = made(look, kind, transfer.file_name)
            again.wanted, again.size_bytes = wanted, transfer.size_bytes
            await store.INSERT.run(tx, **values(again))
            await store.COPY_FILE.run(tx, of=key, to=again.id)
            await begun(look, tx, again, State.CHECKING)
            return back(again)
        if transfer.state is not State.RUNNING and not transfer.forgotten:
            transfer.kind, transfer.wanted, transfer.counts = kind, wanted, {}
            for part in (Part.UNDERSTOOD, Part.RESULT, Part.REFUSED):
                await store.DROP.run(tx, of=key, part=part)
            await begun(look, tx, transfer, State.CHECKING)
    return back(transfer)


@router.post("/{key}/run")
async def run(look: Look, key: UUID) -> Response:
    """Import it, as it was shown: once, however often that is sent. What was stopped goes on."""
    async with look.request.form(max_files=0) as sent:
        shown = str(sent.get("round", ""))
    async with look.db.transaction() as tx:
        transfer = await _locked(tx, look, key)
        may = transfer.state in (State.CHECKED, State.STOPPED) and not transfer.forgotten
        if shown == str(transfer.round) and may:
            # What is counted was seen: without that it is looked at first.
            await begun(look, tx, transfer, State.RUNNING if transfer.counts else State.CHECKING)
    return back(transfer)


@router.post("/{key}/stop")
async def stopped(look: Look, key: UUID) -> Response:
    """Stop it; what was done stays, and can be gone on with."""
    async with look.db.transaction() as tx:
        transfer = await _locked(tx, look, key)
        if transfer.state in store.UNDER_WAY:
            await store.stop(tx, transfer)
    return back(transfer)


@router.post("/{key}/revert")
async def reverted(look: Look, key: UUID) -> Response:
    """Take back what it did to customers."""
    transfer = await found(look, key)
    if transfer.job:
        await look.services.imports.RevertImportJob(RevertImportJobRequest(name=transfer.job))
    return back(transfer)


@router.get("/{key}/refused.csv")
async def refused(look: Look, key: UUID) -> Response:
    """The refused rows, to be mended elsewhere."""
    transfer = await found(look, key)
    return download(look, transfer, Part.REFUSED, f"{transfer.file_name.rpartition('.')[0]}-refused.csv")


def download(look: Looking, transfer: Transfer, part: Part, name: str) -> Response:
    """A part of a transfer as a file."""

    async def content() -> AsyncIterator[bytes]:
        async for piece in store.pieces(look.db, transfer.id, part):
            yield piece

    told = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return StreamingResponse(content(), media_type="application/octet-stream", headers=told)


async def found(look: Looking, key: UUID) -> Transfer:
    """An import that the viewer may see: of their department, of what they may import. NotFound."""
    return _theirs(look, await store.GET.maybe(look.db, id=key))


async def _locked(tx: Transaction, look: Looking, key: UUID) -> Transfer:
    return _theirs(look, await store.LOCK.maybe(tx, id=key))


def _theirs(look: Looking, transfer: Transfer | None) -> Transfer:
    if (
        transfer is None
        or transfer.direction != "import"
        or transfer.department != words.last(look.viewer.department)
        or not view.may(look.viewer, transfer.kind)
    ):
        raise NotFound("imports/…")
    return transfer


def _require(look: Looking, kind: str) -> None:
    if kind not in view.KINDS:
        raise invalid("kind", "INVALID_CODE", "is not understood")
    for permission in view.KINDS[kind][1]:
        look.require(permission)


def made(look: Looking, kind: str, name: str, direction: str = "import") -> Transfer:
    """A transfer of the viewer's, of which nothing is kept yet."""
    now = look.db.clock.now()
    return Transfer(
        ids.uuid7(now),
        direction,
        kind,
        name,
        0,
        look.viewer.principal.subject,
        words.last(look.viewer.department),
        State.STOPPED,
        {},
        now,
        now,
    )


async def keep(look: Looking, transfer: Transfer, file: BinaryIO) -> None:
    """Keep a new import, and have it looked at."""
    async with look.db.transaction() as tx:
        await store.INSERT.run(tx, **values(transfer))
        transfer.size_bytes = await store.put(tx, transfer.id, Part.FILE, file)
        await begun(look, tx, transfer, State.CHECKING)


async def begun(look: Looking, tx: Transaction, transfer: Transfer, state: State) -> None:
    """Have it checked, or done, as the viewer."""
    lent = look.request.state.lend(str(transfer.id))
    await store.begin(tx, transfer, state, look.viewer.principal.subject, lent)


def back(transfer: Transfer) -> RedirectResponse:
    return RedirectResponse(f"/imports/{transfer.id}", 303)


async def kept(look: Looking, key: UUID, part: Part) -> dict[str, Any]:
    """A part that is JSON; nothing when there is none."""
    content = await store.whole(look.db, key, part)
    told: dict[str, Any] = json.loads(content) if content else {}
    return told


async def _all(look: Looking, after: UUID | None, refusal: Refusal | None = None) -> Response:
    kinds = view.kinds(look.viewer, look.say)
    if not kinds:
        raise PermissionDenied("PERMISSION_DENIED", "This needs the permission to write what is imported.")
    last = await store.GET.maybe(look.db, id=after) if after else None
    department, names = words.last(look.viewer.department), [kind for kind, _ in kinds]
    listed = await store.newest(look.db, "import", department, names, last, SHOWN + 1)
    return look.answer(
        "pages/imports/all.html",
        422 if refusal else 200,
        imports=[view.shown(each, look.say) for each in listed[:SHOWN]],
        more=listed[SHOWN - 1].id if len(listed) > SHOWN else "",
        kinds=kinds,
        refusal=look.say.refusal(refusal) if refusal else "",
    )


async def _cards(look: Looking, transfer: Transfer) -> dict[str, Card]:
    """How far it is, how it was read, and what became of its rows."""
    say, key = look.say, transfer.id
    understood, result = await kept(look, key, Part.UNDERSTOOD), await kept(look, key, Part.RESULT)
    job = await _job(look, transfer)
    profiles = await view.fitting(look.viewer, look.services, transfer, understood)
    told = macros("pages/imports/cards.html", say=say, viewer=look.viewer)
    columns = view.columns(understood["columns"], understood["fields"], say) if understood else []
    notes = [view.plainly(each, say) for each in (result or understood).get("notes", [])]
    sees = look.viewer.may("customer.customers.read")
    return {
        "far": card(
            told.far(view.shown(transfer, say), _taken_back(look, job), view.REVERTS.get(job.state, ""))
        ),
        "result": card(
            told.result(
                view.shown(transfer, say),
                result,
                view.remarks(result.get("refusals", ()), say),
                view.remarks(result.get("told", ()), say),
                result.get("changes", [])[: view.CHANGES_SHOWN] if sees else [],
            )
        ),
        "understood": card(
            told.understood(
                view.shown(transfer, say),
                understood,
                columns,
                notes,
                view.kinds(look.viewer, say),
                [(each, each) for each in understood.get("sheets", ())],
                profiles,
            )
        ),
    }


async def _job(look: Looking, transfer: Transfer) -> ImportJob:
    """The customer service's job of it; an empty one where there is none, or it is away."""
    if not transfer.job:
        return ImportJob()
    get = look.services.imports.GetImportJob(GetImportJobRequest(name=transfer.job))
    return (await ask(view.NEEDED_S, job=get)).of("job", ImportJob)


def _taken_back(look: Looking, job: ImportJob) -> dict[str, Any]:
    """Whether it may be taken back, and what became of that."""
    department = job.department
    may = job.state == ImportJob.STATE_DONE and job.HasField("revert_expire_time")
    return {
        "may": may and look.viewer.may_change("customer.import_jobs.write", department),
        "reverted": job.reverted_count,
        "kept": job.kept_count,
    }
