"""`/imports/{id}/refused`: the refused rows, whose cells are mended and imported by themselves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from chassis.errors import NotFound
from desk.pages.base import Look, Looking
from desk.pages.imports import view
from desk.pages.imports.route import found, keep, kept, made
from desk.store import transfers as store
from desk.store.transfers import Part, Transfer
from rapport_imports.mending import Refused, refused

router = APIRouter(prefix="/imports")
CELLS_MAX = 160  # a form has 200 fields at most
ROWS_MAX = 25
CELL_MAX = 2000
_CELL = re.compile(r"r(\d{1,7})c(\d{1,4})")


@dataclass(frozen=True)
class Row:
    """A refused row: where it was, why, and its cells with the names of their fields."""

    line: str
    why: str
    cells: Sequence[tuple[str, str, bool]]  # the last: whether it is at fault


@router.get("/{key}/refused")
async def rows(look: Look, key: UUID, start: int = 0) -> Response:
    """Some of them, as a form."""
    transfer = await found(look, key)
    refused, used = await _refused(look, transfer)
    faulty = {refused.told(row)[1] for row in range(len(refused.rows))}
    columns = [
        number for number, name in enumerate(refused.columns) if name in used or name in faulty or not used
    ]
    columns = (columns or [*range(len(refused.columns))])[:CELLS_MAX]
    several = range(len(refused.rows))[max(start, 0) :][: min(ROWS_MAX, CELLS_MAX // max(len(columns), 1))]
    return look.answer(
        "pages/imports/refused.html",
        transfer=transfer,
        columns=[refused.columns[number] for number in columns],
        rows=[_row(look, refused, row, columns) for row in several],
        of=len(refused.rows),
        first=several.start + 1,
        last=several.stop,
        more=several.stop < len(refused.rows),
        most=CELL_MAX,
    )


@router.post("/{key}/mend")
async def mended(look: Look, key: UUID) -> Response:
    """An import of these rows by themselves, as they are now."""
    transfer = await found(look, key)
    refused, _ = await _refused(look, transfer)
    cells: dict[tuple[int, int], str] = {}
    async with look.request.form(max_files=0) as sent:
        for name, said in sent.items():
            if match := _CELL.fullmatch(name):
                cells[int(match[1]), int(match[2])] = str(said).replace("\r\n", "\n")[:CELL_MAX]
    wanted = sorted({row for row, _ in cells if row < len(refused.rows)})
    if not wanted:
        raise NotFound("imports/…")
    as_they_are = {
        (row, number): said
        for (row, number), said in cells.items()
        if row in wanted and number < len(refused.columns) and said != refused.cells(row)[number]
    }
    stem = transfer.file_name.rpartition(".")[0] or transfer.file_name
    again = made(look, transfer.kind, f"{stem}-mended.csv")
    await keep(look, again, BytesIO(refused.mended(wanted, as_they_are)))
    return RedirectResponse(f"/imports/{again.id}", 303)


async def _refused(look: Looking, transfer: Transfer) -> tuple[Refused, set[str]]:
    """The refused rows, and which columns are read. NotFound."""
    content = await store.whole(look.db, transfer.id, Part.REFUSED)
    seen = await kept(look, transfer.id, Part.UNDERSTOOD)
    if not content or not seen:
        raise NotFound("imports/…")
    used = {each["name"] for each in seen["columns"] if each["field"] or each["spare_of"]}
    return refused(content, seen["encoding"], seen["delimiter"]), used


def _row(look: Looking, refused: Refused, row: int, columns: Sequence[int]) -> Row:
    line, column, why = refused.told(row)
    cells = refused.cells(row)
    return Row(
        line,
        view.plainly(why, look.say),
        [(f"r{row}c{number}", cells[number], refused.columns[number] == column) for number in columns],
    )
