"""Keeping customer views: what arrived is stored, and the views of everybody concerned are rendered anew."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from chassis.db.statement import arrays, values
from chassis.db.transaction import Transaction
from chassis.errors import Malformed
from customer.domain.timeline import TimelineEntry
from customer.store.customers import CUSTOMERS_BY_ID
from customer.store.tables import PartRow, ViewRow
from customer.store.timeline import INSERT_FACTS, LATEST_ENTRIES, TOLD_BY
from customer.store.views import (
    ENSURE_VIEWS,
    LOCKED_VIEWS,
    PARTS,
    SAVE_PARTS,
    SAVE_VIEWS,
    SHOWN_PARTS,
    ShownPart,
)
from customer.usecases.parts import Fact, PartKind, folded, merged
from customer.usecases.rendering import rendered

R = TypeVar("R", ShownPart, TimelineEntry)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ROW = [field.name for field in fields(ViewRow)]


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
    customer_ids = sorted({event.customer_id for event in events})
    await ENSURE_VIEWS.rows(
        tx, [values(ViewRow(i, _NEVER, 0, 0)) | {"view": b"", "version": 0} for i in customer_ids]
    )
    rows = {row.customer_id: row for row in await LOCKED_VIEWS.all(tx, customer_ids=customer_ids)}
    for event in events:
        rows[event.customer_id].update_time = max(event.time, rows[event.customer_id].update_time)
    await _enter(tx, [event.entry for event in events if event.entry])
    await _store_parts(tx, [(event.customer_id, event.about) for event in events if event.about], rows)
    await render(tx, rows)
    return customer_ids


async def _enter(tx: Transaction, entries: Sequence[TimelineEntry]) -> None:
    """Put facts on timelines. Malformed when one has the id of another service's."""
    if len(await INSERT_FACTS.rows(tx, entries)) == len(entries):
        return
    told_by = {row["id"]: row["service"] for row in await TOLD_BY.all(tx, ids=[each.id for each in entries])}
    if any(told_by[entry.id] != entry.service for entry in entries):
        raise Malformed("an event with the id of another service's")


async def render(tx: Transaction, rows: Mapping[UUID, ViewRow]) -> None:
    """Render the locked views of several customers from what is stored."""
    customer_ids = sorted(rows)
    customers = {c.id: c for c in await CUSTOMERS_BY_ID.all(tx, ids=customer_ids)}
    parts = _grouped(await SHOWN_PARTS.all(tx, customer_ids=customer_ids, kinds=list(PartKind)))
    entries = _grouped(await LATEST_ENTRIES.all(tx, customer_ids=customer_ids))
    await tx.defer(
        SAVE_VIEWS,
        view=[rendered(i, customers.get(i), parts[i], entries[i], rows[i]) for i in customer_ids],
        **arrays(_ROW, [rows[i] for i in customer_ids]),
    )


async def _store_parts(
    tx: Transaction, told: Iterable[tuple[UUID, About]], views: Mapping[UUID, ViewRow]
) -> None:
    """Fold what was told into the parts, and count which became live or ended."""
    news: dict[tuple[UUID, str], list[About]] = defaultdict(list)
    for customer_id, about in told:
        news[customer_id, about.resource].append(about)
    if not news:
        return
    held = await PARTS.all(
        tx, customer_ids=[i for i, _ in news], resources=[resource for _, resource in news]
    )
    kept = {(row.customer_id, row.resource): row for row in held}
    rows = []
    for (customer_id, resource), abouts in sorted(news.items()):
        before = kept.get((customer_id, resource))
        facts = merged(before.facts if before else b"", (about.fact for about in abouts))
        kind = abouts[0].kind
        now = folded(kind, facts)
        _count(views[customer_id], kind, (not now.ended) - (before is not None and not before.ended))
        part = now.part.SerializeToString(deterministic=True)
        rows.append(PartRow(customer_id, resource, kind, facts, part, now.ended, now.urgent, now.change_time))
    await SAVE_PARTS.rows(tx, rows)


def _count(view: ViewRow, kind: PartKind, more: int) -> None:
    if kind is PartKind.PROMISE:
        view.open_promises += more
    elif kind is PartKind.CASE:
        view.open_cases += more


def _grouped(rows: Iterable[R]) -> dict[UUID, list[R]]:
    groups: dict[UUID, list[R]] = defaultdict(list)
    for row in rows:
        groups[row.customer_id].append(row)
    return groups
