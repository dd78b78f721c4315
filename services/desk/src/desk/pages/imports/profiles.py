"""`/imports/{id}/profile`: a file is read as one before was, and how it is read is kept for the next."""

from pathlib import Path
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.errors import invalid
from desk.pages.base import Look, Looking
from desk.pages.imports import form
from desk.pages.imports.route import back, found, kept, look_again
from desk.store import transfers as store
from desk.store.transfers import Part
from rapport_imports import profiles
from rapport_imports.wanted import Kind, Wanted, WrongOption

router = APIRouter(prefix="/imports")


@router.post("/{key}/profile")
async def read_so(look: Look, key: UUID) -> Response:
    """Look at it again, read by a profile."""
    transfer, name = await found(look, key), await _named(look)
    there = await profiles.listed(look.services.import_profiles)
    try:
        wanted = profiles.read_by(Wanted(Kind(transfer.kind), Path()), there, name)
    except WrongOption as error:
        raise invalid("profile", "INVALID_NAME", str(error)) from None
    return await look_again(look, key, transfer.kind, form.said(wanted))


@router.post("/{key}/profile/keep")
async def keep_reading(look: Look, key: UUID) -> Response:
    """Keep how it is read under a name."""
    transfer, name = await found(look, key), await _named(look)
    seen, result = await kept(look, key, Part.UNDERSTOOD), await kept(look, key, Part.RESULT)
    used = {column["field"]: column["name"] for column in seen.get("columns", ()) if column["field"]}
    wanted = Wanted(Kind(transfer.kind), Path(), **transfer.wanted)
    profile = profiles.of_file(wanted, used, result.get("decimal", ""), result.get("first", ""))
    try:
        await profiles.save(look.services.import_profiles, name, profile)
    except WrongOption as error:
        raise invalid("profile", "INVALID_NAME", str(error)) from None
    async with look.db.transaction() as tx:
        transfer = await store.LOCK.one(tx, id=key)
        transfer.wanted = transfer.wanted | {"profile": name}
        await store.save(tx, transfer)
    return back(transfer)


async def _named(look: Looking) -> str:
    async with look.request.form(max_files=0) as sent:
        return str(sent.get("profile", "")).strip()
