"""Finding customers by whatever a text may mean, the likeliest first."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis import ids
from chassis.db.statement import Executor
from customer.domain.spelling import near
from customer.store.search import (
    FOUND,
    FOUND_BY_BEGINNING,
    FOUND_BY_SPELLING,
    FOUND_MAX,
    Found,
)
from customer.store.spelling import NEAR_WORDS
from customer.usecases.resolve import wanted

LEARNT_WITHIN = timedelta(seconds=10)  # of whoever is made the words are known after this, but for an outage


ENOUGH = 20  # a page: of whoever finds so many nobody asks whether they mistyped


async def search_customers(on: Executor, text: str, now: datetime) -> list[Found]:
    """Who is found by a text, each once, by `key`. What is less likely is looked for while there is room."""
    asked = wanted(text)
    found = await FOUND.all(on, **asked.parameters())
    if len(found) < FOUND_MAX:
        latest_id = ids.floor(now - LEARNT_WITHIN)
        found += await FOUND_BY_BEGINNING.all(on, text=asked.text, latest_id=latest_id)
    if len(found) < ENOUGH and (meant := await _meant(on, asked.text)):
        found += await FOUND_BY_SPELLING.all(on, text=asked.text, **meant)
    return _each_once(found)[:FOUND_MAX]


def _each_once(found: Iterable[Found]) -> list[Found]:
    """Each customer by their best and then their oldest handle."""
    best: dict[UUID, Found] = {}
    for each in sorted(found, key=lambda one: (one.rank, one.identifier_id is None, str(one.identifier_id))):
        best.setdefault(each.customer_id, each)
    return sorted(best.values(), key=key)


def key(found: Found) -> tuple[int, UUID]:
    """By what a page goes on."""
    return found.rank, found.customer_id


async def _meant(on: Executor, text: str) -> dict[str, Any]:
    """What `FOUND_BY_SPELLING` takes: for words of a text others that may be meant, if there are any."""
    candidates: dict[str, list[str]] = defaultdict(list)
    for row in await NEAR_WORDS.all(on, text=text):
        candidates[row["asked"]].append(row["word"])
    pairs = [(asked, other) for asked, others in candidates.items() for other in near(asked, others)]
    if not pairs:
        return {}
    asked, others = map(list, zip(*pairs, strict=True))
    return {"near_asked": asked, "near_words": others}
