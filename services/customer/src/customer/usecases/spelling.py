"""Learning which words there are, since they may be meant by others."""

from collections.abc import Iterable
from uuid import UUID

from chassis.db.transaction import Transaction
from customer.store.spelling import LEARN_WORDS


async def learn_words(tx: Transaction, customer_ids: Iterable[UUID]) -> None:
    """Know the words of these customers, whoever of them is here."""
    await LEARN_WORDS.run(tx, ids=sorted(set(customer_ids)))
