"""Keeping customer views: what arrived is stored, and the views of everybody concerned are rendered anew."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from chassis.db.transaction import Transaction
from customer.domain.timeline import TimelineEntry
from customer.store.customers import CUSTOMERS_BY_ID
from customer.store.timeline import INSERT_FACTS, LATEST_ENTRIES
from customer.store.views import (
    ENSURE_VIEWS,
    LOCKED_VIEWS,
    PARTS,
    SAVE_PARTS,
    SAVE_VIEWS,
    SHOWN_PARTS,
    PartRow,
    ShownPart,
)
from customer.usecases.parts import Fact, PartKind, folded, merged
from customer.usecases.rendering import rendered

R = TypeVar("R", ShownPart, TimelineEntry)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_WITH_AN_END = [PartKind.PROMISE, PartKind.CASE, PartKind.NOTICE, PartKind.GOODWILL]


@dataclass(frozen=True, slots=True)
class About:
    """One thing of a customer that the view shows."""

    kind: PartKind
    resource: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that concerns a customer.

    `entry` is its place on the timeline, None when it has one already; `about` what it says about a part
    of the view, None when it says nothing.
    """

    customer_id: UUID
    time: datetime
    entry: TimelineEntry | None
    about: About | None


async def apply(tx: Transaction, events: Sequence[Happened]) -> list[UUID]:
    """Store what happened and render the views concerned. Returns whose they are, in order.

    A customer's view row is locked first, so that projectors of several streams and replicas take turns;
    everything after that reads what the ones before have committed.
    """
    latest: dict[UUID, datetime] = {}
    for event in events:
        latest[event.customer_id] = max(event.time, latest.get(event.customer_id, _NEVER))
    customer_ids = sorted(latest)
    await ENSURE_VIEWS.rows(
        tx, [{"customer_id": i, "view": b"", "update_time": _NEVER, "version": 0} for i in customer_ids]
    )
    for row in await LOCKED_VIEWS.all(tx, customer_ids=customer_ids):
        latest[row["customer_id"]] = max(row["update_time"], latest[row["customer_id"]])
    await INSERT_FACTS.rows(tx, [event.entry for event in events if event.entry])
    await _store_parts(tx, [(event.customer_id, event.about) for event in events if event.about])
    await render(tx, latest)
    return customer_ids


async def render(tx: Transaction, update_times: dict[UUID, datetime]) -> None:
    """Render the locked views of several customers from what is stored."""
    customer_ids = sorted(update_times)
    customers = {c.id: c for c in await CUSTOMERS_BY_ID.all(tx, ids=customer_ids)}
    parts = _grouped(await SHOWN_PARTS.all(tx, customer_ids=customer_ids, kinds=_WITH_AN_END))
    entries = _grouped(await LATEST_ENTRIES.all(tx, customer_ids=customer_ids))
    views = [rendered(i, customers.get(i), parts[i], entries[i], update_times[i]) for i in customer_ids]
    await tx.defer(
        SAVE_VIEWS, customer_id=customer_ids, view=views, update_time=[update_times[i] for i in customer_ids]
    )


async def _store_parts(tx: Transaction, told: Iterable[tuple[UUID, About]]) -> None:
    news: dict[tuple[UUID, str], list[About]] = defaultdict(list)
    for customer_id, about in told:
        news[customer_id, about.resource].append(about)
    if not news:
        return
    held = await PARTS.all(
        tx, customer_ids=[i for i, _ in news], resources=[resource for _, resource in news]
    )
    kept = {(row.customer_id, row.resource): row.facts for row in held}
    rows = []
    for (customer_id, resource), abouts in sorted(news.items()):
        facts = merged(kept.get((customer_id, resource), b""), (about.fact for about in abouts))
        kind = abouts[0].kind
        now = folded(kind, facts)
        part = now.part.SerializeToString(deterministic=True)
        rows.append(PartRow(customer_id, resource, kind, facts, part, now.ended, now.change_time))
    await SAVE_PARTS.rows(tx, rows)


def _grouped(rows: Iterable[R]) -> dict[UUID, list[R]]:
    groups: dict[UUID, list[R]] = defaultdict(list)
    for row in rows:
        groups[row.customer_id].append(row)
    return groups
