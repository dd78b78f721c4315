"""Promises that two sources bring: exports overlap."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

from cases.domain.promise import Promise
from cases.store.promises import IMPORTED_ABOUT, PROMISES_BY_IMPORT_KEY
from cases.usecases.make_promise import MakePromise
from chassis.db.locks import LOCK_NAME
from chassis.db.transaction import Transaction


async def find_overlap(tx: Transaction, commands: Sequence[MakePromise], occurrences: Sequence[int]) -> None:
    """Give commands with a reference the import key under which another source brought what they are.

    A command whose own key is known keeps it, and so do those of one source about the same: they are as many.
    What another department imported is another's. One import at a time looks, or two would both find nothing.
    """
    await LOCK_NAME.run(tx, name="overlap")
    keys = [command.import_key for command in commands]
    known = {p.import_key for p in await PROMISES_BY_IMPORT_KEY.all(tx, import_keys=keys)}
    asked = [
        (command, number)
        for command, number in zip(commands, occurrences, strict=True)
        if command.reference and command.import_key not in known
    ]
    own = {_source(command) for command in commands}
    ours = f"{tx.call.principal.department}/"
    others: dict[Hashable, list[str | None]] = defaultdict(list)
    for other in await IMPORTED_ABOUT.all(tx, references=list({command.reference for command, _ in asked})):
        if _source(other) not in own and other.import_key and other.import_key.startswith(ours):
            others[_about(other)].append(other.import_key)
    for command, number in asked:
        same = others[_about(command)]
        if number <= len(same):
            command.import_key = same[number - 1]


def _about(promised: MakePromise | Promise) -> Hashable:
    return promised.customer_id, promised.department_id, promised.kind, promised.reference


def _source(promised: MakePromise | Promise) -> str:
    return (promised.import_key or "").rpartition(":")[0]
