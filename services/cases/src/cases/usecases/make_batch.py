"""Making promises in batches. What two sources bring may be one: exports overlap."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from cases.domain.promise import Promise
from cases.domain.promise_clock import PromiseClock
from cases.store.tables import IMPORTED_ABOUT, PROMISES_BY_IMPORT_KEY
from cases.usecases.make_promise import Made, MakePromise, make_promises
from chassis import overlap
from chassis.db.aliases import groups_of
from chassis.db.transaction import Transaction
from chassis.overlap import Outcome


@dataclass(slots=True)
class Asked:
    """An item of a batch, where it comes from, and whether somebody says that it is no other source's."""

    promise: MakePromise
    import_key: str
    confirmed: bool


class Batch(NamedTuple):
    """What became of each item."""

    results: list[Made]


async def make_batch(
    tx: Transaction, clock: PromiseClock, *, requests: Sequence[Asked], validate_only: bool
) -> Batch:
    """Make many promises, past ones included, each import key once ever. None if they are only validated."""
    for asked in requests:
        if asked.import_key:  # what departments call their sources is their own business
            asked.promise.import_key = f"{tx.call.principal.department}/{asked.import_key}"
    commands = [asked.promise for asked in requests]
    unclear = await _find_overlap(
        tx, commands, [asked.confirmed for asked in requests], validate_only=validate_only
    )
    if unclear:  # nothing comes of these; whoever may not make them is told so all the same
        await make_promises(tx, clock, [commands[i] for i in sorted(unclear)], validate_only=True)
    clear = [command for i, command in enumerate(commands) if i not in unclear]
    made = iter(await make_promises(tx, clock, clear, validate_only=validate_only))
    none = Made(None, Outcome.UNCLEAR)
    return Batch([none if i in unclear else next(made) for i in range(len(commands))])


async def _find_overlap(
    tx: Transaction, commands: Sequence[MakePromise], confirmed: Sequence[bool], *, validate_only: bool
) -> set[int]:
    """Give commands the import keys under which another source of the department brought what they are.

    One with a reference that is due when another's about the same is, is that one. One that is due otherwise
    may be another or the same, moved. Returns the indexes of these that are not `confirmed`: a person knows.
    """
    compared = [
        i
        for i, (command, sure) in enumerate(zip(commands, confirmed, strict=True))
        if command.import_key and command.reference and not sure
    ]
    groups = await groups_of(tx, (commands[i].customer_id for i in compared))
    whose = groups.whose
    rows = {i: _row(commands[i], whose) for i in compared}

    async def read(keys: Iterable[str]) -> Iterable[overlap.Row]:
        imported = await PROMISES_BY_IMPORT_KEY.all(tx, import_keys=list(keys))
        about = await IMPORTED_ABOUT.all(
            tx,
            references=list({commands[i].reference for i in rows}),
            customer_ids=groups.everybody,
            department=f"{tx.call.principal.department}/",
        )
        return [_row(promise, whose) for promise in (*imported, *about)]

    found = await overlap.find_overlap(tx, rows, read, validate_only=validate_only)
    for i, key in found.known.items():
        commands[i].import_key = key
    return set(found.unclear)


def _row(promised: MakePromise | Promise, whose: Mapping[UUID, UUID]) -> overlap.Row:
    if isinstance(promised, Promise):
        due = promised.due_date or promised.due_time
    else:
        due = promised.due.day or promised.due.time
    customer_id = whose.get(promised.customer_id, promised.customer_id)
    about = (customer_id, promised.department_id, promised.kind)
    return overlap.Row(key=promised.import_key or "", about=about, number=promised.reference, says=due)
