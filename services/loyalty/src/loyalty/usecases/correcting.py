"""What rows of imports say again, and otherwise than before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from chassis.db.aliases import groups_of
from chassis.db.transaction import Transaction
from loyalty.domain.value import Purchase
from loyalty.store import purchases as store
from loyalty.usecases.returns import buyer, lock_returns, refunded_beside

_NOTHING: Mapping[UUID, Sequence[Purchase]] = {}


async def of_their_names(
    tx: Transaction, again: Sequence[Purchase], known: Mapping[str | None, Purchase]
) -> list[Purchase]:
    """What is said again, of the name that it was recorded of where that is another name of the customer.

    A merge moves nothing, nor does an import that meanwhile finds the name that survived; and what was
    nobody's stays whose it is since.
    """
    born = {p.id: known[p.import_key].customer_id for p in again}
    other = [p for p in again if p.customer_id != born[p.id]]
    if not other:
        return list(again)
    people = {name for p in other for name in (p.customer_id, born[p.id]) if name}
    whose = (await groups_of(tx, people)).whose
    before = {p.id: buyer(known[p.import_key], whose) for p in other}
    kept = {p.id for p in other if buyer(p, whose) in (None, before[p.id])}
    return [replace(p, customer_id=born[p.id]) if p.id in kept else p for p in again]


def corrections(
    again: Iterable[Purchase],
    known: Mapping[str | None, Purchase],
    returns: Mapping[UUID, Sequence[Purchase]] = _NOTHING,
) -> dict[str | None, Purchase]:
    """What those of the known purchases are now that say otherwise than their rows say again."""
    said: dict[str | None, Purchase] = {}
    for p in again:
        said[p.import_key] = said.get(p.import_key, known[p.import_key]).corrected_by(p)
    stand = {key: refunded_beside(p, returns.get(known[key].id, ())) for key, p in said.items()}
    return {key: p for key, p in stand.items() if not p.says(known[key])}


async def correct(
    tx: Transaction,
    again: Sequence[Purchase],
    known: Mapping[str | None, Purchase],
    wrong: Mapping[str | None, Purchase],
) -> tuple[dict[str | None, Purchase], list[Purchase], dict[str | None, Purchase], list[Purchase]]:
    """Let purchases say what their rows say now: as said, as all were, as recorded now.

    With one that is another customer's go the returns of its lines that are no rows: the last are these.
    """
    if not wrong:
        return {}, [], {}, []
    # Before the rows, as whoever claims one does; and nobody gives back any of it meanwhile.
    asked = [
        known[key].id for key, p in wrong.items() if p.refunded or p.customer_id != known[key].customer_id
    ]
    returns = await lock_returns(tx, asked) if asked else {}
    # What was read without the lock only says what to lock: somebody may have corrected or claimed it since.
    before = {p.import_key: p for p in await store.LOCK_IMPORTED.all(tx, import_keys=list(wrong))}
    said_again = [p for p in again if p.import_key in before]
    said = corrections(await of_their_names(tx, said_again, before), before, returns)
    after = {p.import_key: p for p in await store.CORRECT_PURCHASES.rows(tx, list(said.values()))}
    back = {
        each.id: (each, after[key].customer_id)
        for key in said
        for each in returns.get(before[key].id, ())
        if not each.import_key and each.customer_id == before[key].customer_id != after[key].customer_id
    }
    to = {"ids": list(back), "customer_ids": [customer_id for _, customer_id in back.values()]}
    went = await store.MOVE_PURCHASES.all(tx, at=tx.now, **to) if back else []
    return said, [*(before[key] for key in said), *(each for each, _ in back.values())], after, list(went)
