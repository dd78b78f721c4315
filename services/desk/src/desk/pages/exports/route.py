"""`/exports`: what the services have, in a file: asked for, followed, downloaded; each sees their own."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse, RedirectResponse, Response

from chassis.db.statement import values
from chassis.errors import InvalidArgument, NotFound, PermissionDenied, Refusal, invalid
from desk.language.catalogues import N_
from desk.pages.base import Card, Look, Looking, card, macros, message
from desk.pages.exports import view
from desk.pages.imports.route import begun, download, made
from desk.store import transfers as store
from desk.store.transfers import Part, State, Transfer
from desk.ui import words

router = APIRouter(prefix="/exports")
SHOWN, FILTER_MAX = 25, 1000


@router.get("")
async def exports(look: Look, after: UUID | None = None) -> Response:
    """The form, and the viewer's exports, newest first."""
    return await _all(look, after)


@router.post("")
async def begin(look: Look) -> Response:
    """Have it written, once for each form."""
    async with look.request.form(max_files=0) as sent:
        said = {name: str(sent.get(name, "")).strip() for name in ("kind", "format", "filter", "customers")}
    try:
        if said["kind"] not in view.KINDS or said["format"] not in view.FORMATS:
            raise invalid("kind", "INVALID_CODE", N_("is not understood"))
        _require(look, said["kind"])
        if max(len(said["filter"]), len(said["customers"])) > FILTER_MAX:
            raise invalid("filter", "TOO_LONG", N_("must be shorter"))
    except InvalidArgument as refusal:
        return await _all(look, None, refusal)
    name = f"{said['kind']}-{look.db.clock.now():%Y-%m-%d}.{said['format']}"
    transfer = made(look, said.pop("kind"), name, "export")
    transfer.wanted = {**said}
    async with look.db.transaction() as tx:
        await store.INSERT.run(tx, **values(transfer))
        await begun(look, tx, transfer, State.RUNNING)
    return RedirectResponse(f"/exports/{transfer.id}", 303)


@router.get("/{key}")
async def one(look: Look, key: UUID) -> Response:
    """The page of one, which goes on by itself."""
    transfer = await _found(look, key)
    return look.answer("pages/exports/page.html", transfer=transfer, card=_card(look, transfer))


@router.get("/{key}/cards")
async def fresh_cards(look: Look, key: UUID) -> JSONResponse:
    cards = {"far": _card(look, await _found(look, key))}
    return JSONResponse(message(f"exports/{key}", cards, look.say.now))


@router.post("/{key}/stop")
async def stopped(look: Look, key: UUID) -> Response:
    await _found(look, key)
    async with look.db.transaction() as tx:
        transfer = await store.LOCK.one(tx, id=key)
        if transfer.state in store.UNDER_WAY:
            await store.stop(tx, transfer)
    return RedirectResponse(f"/exports/{key}", 303)


@router.get("/{key}/file")
async def file(look: Look, key: UUID) -> Response:
    """What was written."""
    transfer = await _found(look, key)
    _require(look, transfer.kind)  # which they may not have any more
    if transfer.state is not State.DONE or transfer.forgotten:
        raise NotFound("exports/…")
    return download(look, transfer, Part.FILE, transfer.file_name)


async def _found(look: Looking, key: UUID) -> Transfer:
    """An export of the viewer's own, of their department: what is in it is what they saw there. NotFound."""
    transfer = await store.GET.maybe(look.db, id=key)
    mine = ("export", look.viewer.principal.subject, words.last(look.viewer.department))
    if transfer is None or (transfer.direction, transfer.subject, transfer.department) != mine:
        raise NotFound("exports/…")
    return transfer


def _require(look: Looking, kind: str) -> None:
    for permission in view.needed(kind):
        look.require(permission)


def _card(look: Looking, transfer: Transfer) -> Card:
    told = macros("pages/exports/cards.html", say=look.say, viewer=look.viewer)
    return card(told.far(view.shown(transfer, look.say)))


async def _all(look: Looking, after: UUID | None, refusal: Refusal | None = None) -> Response:
    kinds = view.kinds(look.viewer, look.say)
    if not kinds:
        raise PermissionDenied("PERMISSION_DENIED", "This needs the permission to read what is exported.")
    last = await store.GET.maybe(look.db, id=after) if after else None
    listed = await store.newest(
        look.db,
        "export",
        words.last(look.viewer.department),
        [*view.KINDS],
        last,
        SHOWN + 1,
        whose=look.viewer.principal.subject,
    )
    return look.answer(
        "pages/exports/all.html",
        422 if refusal else 200,
        exports=[view.shown(each, look.say) for each in listed[:SHOWN]],
        more=listed[SHOWN - 1].id if len(listed) > SHOWN else "",
        kinds=kinds,
        formats=[(name, look.say(said)) for name, said in view.FORMATS.items()],
        refusal=look.say.refusal(refusal) if refusal else "",
        most=FILTER_MAX,
    )
