"""Releasing what customers suppressed by stopping everything, when they want something of the kind again."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from customer.domain.consents import Consent, ConsentState
from customer.domain.contact import REACHED_BY
from customer.domain.identifiers import Identifier, IdentifierType
from customer.domain.suppressions import AddressKey
from customer.store import consents as store
from customer.store.identifiers import owners_of
from customer.store.suppressions import LOCK_UNSUBSCRIBED
from customer.usecases.suppressions import own_addresses, release_suppression

WANTED_AGAIN = "wanted-again"
_Kind = tuple[IdentifierType | None, str]
"""Of which addresses something is wanted, and the category of its purpose."""


async def welcome_again(
    tx: Transaction, addresses: AddressKey, customer_id: UUID, consents: Iterable[Consent]
) -> None:
    """Release what a customer suppressed, as far as these consents, as they hold, let us reach them again.

    Of a shared address what somebody else who has it still stops is kept.
    """
    if not (wanted := await _allowed(tx, consents)):
        return
    own = await own_addresses(tx, customer_id)
    hashes = addresses.hashes_of(own)
    # Locked before others are looked at: who stops at this moment is seen, or waits and suppresses it anew.
    for each in await LOCK_UNSUBSCRIBED.all(tx, hashes=sorted(set(hashes.values()))):
        kind, same = (each.type, each.category), [i for i in own if hashes[i.id] == each.address_hash]
        if kind in wanted and not await _others_stop(tx, customer_id, same, kind):
            await release_suppression(
                tx, suppression_id=each.id, reason_code=WANTED_AGAIN, etag="", apart=True
            )


async def _allowed(on: Executor, consents: Iterable[Consent]) -> set[_Kind]:
    """What these allow that can be stopped: one that is to be confirmed allows nothing yet."""
    granted = [each for each in consents if each.state is ConsentState.GRANTED]
    if not granted:
        return set()
    categories = {
        each.id: each.category
        for each in await store.ALL_PURPOSES.all(on)
        if each.category and not each.essential
    }
    return {
        (REACHED_BY.get(each.channel), categories[each.purpose_id])
        for each in granted
        if each.purpose_id in categories
    }


async def _others_stop(on: Executor, customer_id: UUID, shared: Sequence[Identifier], kind: _Kind) -> bool:
    """Whether somebody else who has the address stopped everything, and allowed nothing of the kind since."""
    having = {owner for _, owner in await owners_of(on, [each.key for each in shared if each.key])}
    others = await store.OTHERS_STOPPED.all(on, customer_id=customer_id, ids=sorted(having))
    for other in others:
        holding = await store.HOLDING.all(on, customer_id=other["id"])
        if kind not in await _allowed(on, holding):
            return True
    return False
