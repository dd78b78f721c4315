"""Taking handles for customers: once, however many want one at the same time, and shared if it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.db.transaction import Transaction
from customer.domain.identifiers import NUMBERS, Identifier, Key
from customer.store import identifiers as store


@dataclass(frozen=True, slots=True)
class Claimed:
    """What became of identifiers that were claimed; those in neither list are as they were claimed."""

    lost: list[Identifier]  # they belong to somebody else by now, and were not inserted
    joined: list[Identifier]  # nobody said that they are shared, but who has them already: now they are


async def claim(tx: Transaction, identifiers: Sequence[Identifier]) -> Claimed:
    """Insert identifiers, as `shared` when somebody says so or has the handle shared already.

    Waits for whoever is about to commit the same handle. All go in by one statement in the order of the
    handles, so that no two transactions wait for each other. Who shares what others share waits for nobody.
    """
    said = {each.key for each in identifiers if each.shared and each.key}
    with_others = await _shared_by_others(tx, {key for key in said if key[0] not in NUMBERS})
    ordered = sorted(identifiers, key=lambda i: (i.type, i.system, i.normalized_value))
    first: dict[Key, Identifier] = {}
    beside: dict[UUID, Identifier] = {}  # whoever has the handle is known to share it, or is in this batch
    for each in ordered:
        each.shared = each.shared or each.key in said
        if not each.key or not each.shared or each.type in NUMBERS:
            continue
        if each.key in with_others or first.setdefault(each.key, each) is not each:
            beside[each.id] = each
    entering = [each for each in ordered if each.id not in beside]
    inserted = await store.insert_identifiers(tx, entering)
    lost = [each for each in entering if each.id not in inserted]
    keys = {each.key for each in entering if each.id in inserted and each.key}
    # Looked for after they went in: who shares one of these then is committed, or waits for us.
    known = await store.known_shared(tx, keys)
    joined = [each for each in entering if each.id in inserted and each.key in known and not each.shared]
    for each in joined:
        each.shared = True
    if shared := [each.id for each in entering if each.id in inserted and each.shared]:
        await store.SHARE_IDENTIFIERS.run(tx, ids=shared)
    taken = {each.key for each in lost}
    await store.insert_shared(tx, [each for each in beside.values() if each.key not in taken])
    return Claimed(lost + [each for each in beside.values() if each.key in taken], joined)


async def _shared_by_others(tx: Transaction, keys: set[Key]) -> set[Key]:
    """Which handles somebody shares, and does until the transaction ends.

    Of those who are first to share one, at the same time, one goes on, and the others wait for that one.
    """
    if not keys:
        return set()
    known = await store.hold_shared(tx, keys)
    if first := keys - known:
        await store.LOCK_FIRST.run(tx, names=sorted(f"shared {key}" for key in first))
        known |= await store.hold_shared(tx, first)
    return known
