"""Promises that two sources bring: exports overlap."""

from collections.abc import Iterable, Sequence

from cases.domain.promise import Promise
from cases.store.promises import IMPORTED_ABOUT, PROMISES_BY_IMPORT_KEY
from cases.usecases.make_promise import MakePromise
from chassis import overlap
from chassis.db.transaction import Transaction


async def find_overlap(
    tx: Transaction, commands: Sequence[MakePromise], confirmed: Sequence[bool], *, validate_only: bool
) -> set[int]:
    """Give commands the import keys under which another source of the department brought what they are.

    One with a reference that is due when another's about the same is, is that one. One that is due otherwise
    may be another or the same, moved. Returns the indexes of these that are not `confirmed`: a person knows.
    """
    rows = {
        i: _row(command)
        for i, (command, sure) in enumerate(zip(commands, confirmed, strict=True))
        if command.import_key and command.reference and not sure
    }

    async def read(keys: Iterable[str]) -> Iterable[overlap.Row]:
        imported = await PROMISES_BY_IMPORT_KEY.all(tx, import_keys=list(keys))
        about = await IMPORTED_ABOUT.all(
            tx,
            references=list({commands[i].reference for i in rows}),
            customer_ids=list({commands[i].customer_id for i in rows}),
            department=f"{tx.call.principal.department}/",
        )
        return [_row(promise) for promise in (*imported, *about)]

    found = await overlap.find_overlap(tx, rows, read, validate_only=validate_only)
    for i, key in found.known.items():
        commands[i].import_key = key
    return set(found.unclear)


def _row(promised: MakePromise | Promise) -> overlap.Row:
    if isinstance(promised, Promise):
        due = promised.due_date or promised.due_time
    else:
        due = promised.due.day or promised.due.time
    about = (promised.customer_id, promised.department_id, promised.kind)
    return overlap.Row(key=promised.import_key or "", about=about, number=promised.reference, says=due)
