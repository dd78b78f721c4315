"""Which words may be meant by those of a text; and learning them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from customer.domain.spelling import near
from customer.store.search import LEARN_WORDS, NEAR_WORDS

LEARNT_WITHIN = timedelta(seconds=10)  # of whoever is made the words are known after this, but for an outage


async def learn_words(tx: Transaction, customer_ids: Iterable[UUID]) -> None:
    """Know the words of these customers, whoever of them is here."""
    await LEARN_WORDS.run(tx, ids=sorted(set(customer_ids)))


async def meant(on: Executor, text: str) -> dict[str, Any]:
    """What `customer.store.search.SEARCH` takes: for words of a text others that may have been meant."""
    candidates: dict[str, list[str]] = defaultdict(list)
    for row in await NEAR_WORDS.all(on, text=text):
        candidates[row["asked"]].append(row["word"])
    pairs = [(asked, other) for asked, others in candidates.items() for other in near(asked, others)]
    asked, others = map(list, zip(*pairs, strict=True)) if pairs else ([], [])
    return {"near_asked": asked, "near_words": others}
