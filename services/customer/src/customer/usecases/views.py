"""Customer views: what arrived is stored, and the views of everybody concerned are rendered anew.

A view is one document, a pure function of what is stored about a customer; beside departments' sections,
which are drawn where they are put and added where a view is read.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from chassis.db.aliases import Groups, groups_of
from chassis.db.statement import arrays, values
from chassis.db.transaction import Transaction
from chassis.errors import Malformed
from customer.domain.timeline import ShownEntry, TimelineEntry
from customer.store import timeline
from customer.store import views as store
from customer.store.tables import CUSTOMERS_BY_ID, PartRow, ViewRow
from customer.usecases.households import News, hear
from customer.usecases.parts import About, PartKind, folded, merged
from customer.usecases.rendering import rendered

R = TypeVar("R", store.ShownPart, ShownEntry)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ROW = [field.name for field in fields(ViewRow)]
_LIVE = {PartKind.PROMISE: "open_promises", PartKind.CASE: "open_cases"}


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


async def apply(tx: Transaction, events: Sequence[Happened], news: Sequence[News] = ()) -> list[UUID]:
    """Store what happened and render the views concerned. Returns whose they are, by all of their names.

    `news` of memberships concern all who belong to them. The rows of memberships are locked first; then the
    view rows of the names that are told of, and of those that survived them, so that projectors of several
    streams and replicas take turns, and merges too; everything after that reads what the ones before have
    committed.
    """
    shared = await hear(tx, news)
    rows, groups = await locked_views(tx, {event.customer_id for event in events} | shared.customers)
    times = [(event.customer_id, event.time) for event in events]
    for customer_id, time in times + [(who, about.fact.time) for who, about in shared.shown]:
        rows[customer_id].update_time = max(time, rows[customer_id].update_time)
    await _enter(tx, [event.entry for event in events if event.entry])
    parts = [(event.customer_id, event.about) for event in events if event.about]
    await _store_parts(tx, [*parts, *shared.shown], rows)
    if shared.gone:
        customer_ids, accounts = map(list, zip(*shared.gone, strict=True))
        await store.DELETE_PARTS.run(tx, customer_ids=customer_ids, resources=accounts)
    await save_views(tx, rows, await render(tx, rows, groups))
    return groups.everybody


async def locked_views(
    tx: Transaction, customer_ids: Collection[UUID], *, makes: bool = True
) -> tuple[dict[UUID, ViewRow], Groups]:
    """The rows of the views of these names and of those that survived them, locked; and whose they are.

    Those that were not there are made; or, unless it `makes` any, are as they would be, and lock nothing.
    """
    groups = await groups_of(tx, customer_ids)
    rows: dict[UUID, ViewRow] = {}
    while wanted := {*customer_ids, *groups.members} - rows.keys():
        new = {each: ViewRow(each, NEVER) for each in sorted(wanted)}
        if makes:
            await store.ENSURE_VIEWS.rows(tx, [values(row) | {"view": b""} for row in new.values()])
        rows |= new | {
            row.customer_id: row for row in await store.LOCKED_VIEWS.all(tx, customer_ids=sorted(wanted))
        }
        groups = await groups_of(tx, customer_ids)  # as it is while nobody can merge them
    # Of whom they were when it was first looked, and are no more, nothing is drawn.
    return {each: rows[each] for each in {*customer_ids, *groups.members}}, groups


async def _enter(tx: Transaction, entries: Sequence[TimelineEntry]) -> None:
    """Put facts on timelines. Malformed when one has the id of another service's."""
    if len(await timeline.INSERT_FACTS.rows(tx, entries)) == len(entries):
        return
    told_by = {
        row["id"]: row["service"] for row in await timeline.TOLD_BY.all(tx, ids=[each.id for each in entries])
    }
    if any(told_by[entry.id] != entry.service for entry in entries):
        raise Malformed("an event with the id of another service's")


async def render(tx: Transaction, rows: Mapping[UUID, ViewRow], groups: Groups) -> dict[UUID, bytes]:
    """Render the locked views of several customers from what is stored of all of their names.

    Only the name that survives has a view; what is counted stays with the name that it was told of. Returns
    the views.
    """
    survivors = sorted(groups.members)
    whose = groups.whose
    beside = (
        await store.VIEW_ROWS.all(tx, customer_ids=ids) if (ids := sorted(whose.keys() - rows.keys())) else []
    )
    counted = {**rows, **{row.customer_id: row for row in beside}}
    customers = {c.id: c for c in await CUSTOMERS_BY_ID.all(tx, ids=survivors)}
    everybody = sorted(whose)
    parts = _grouped(await store.SHOWN_PARTS.all(tx, customer_ids=everybody, kinds=list(PartKind)), whose)
    entries = _grouped(await timeline.LATEST_ENTRIES.all(tx, customer_ids=everybody), whose)
    views = {
        survivor: rendered(
            survivor,
            customers.get(survivor),
            parts[survivor],
            entries[survivor],
            _together(survivor, [counted[each] for each in members if each in counted]),
        )
        for survivor, members in groups.members.items()
    }
    return {customer_id: views.get(customer_id, b"") for customer_id in rows}


async def save_views(tx: Transaction, rows: Mapping[UUID, ViewRow], views: Mapping[UUID, bytes]) -> None:
    """Write locked views as they are rendered."""
    saved = sorted(rows)
    for row in rows.values():
        row.version += 1
    await tx.defer(
        store.SAVE_VIEWS,
        view=[views[each] for each in saved],
        **arrays(_ROW, [rows[each] for each in saved]),
    )


def _together(survivor: UUID, rows: Sequence[ViewRow]) -> ViewRow:
    """What the rows of all names of a customer say."""
    latest = max(row.update_time for row in rows)
    return ViewRow(
        survivor,
        latest,
        open_promises=sum(row.open_promises for row in rows),
        open_cases=sum(row.open_cases for row in rows),
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
    held = await store.PARTS.all(
        tx, customer_ids=[i for i, _ in news], resources=[resource for _, resource in news]
    )
    kept = {(row.customer_id, row.resource): row for row in held}
    rows = []
    for (customer_id, resource), abouts in sorted(news.items()):
        before = kept.get((customer_id, resource))
        facts = merged(before.facts if before else b"", (about.fact for about in abouts))
        kind = abouts[0].kind
        now = folded(kind, facts)
        was_live = before is not None and not before.ended
        _count(views[customer_id], kind, (not now.ended) - was_live)
        part = now.part.SerializeToString(deterministic=True)
        rows.append(PartRow(customer_id, resource, kind, facts, part, now.ended, now.urgent, now.change_time))
    await store.SAVE_PARTS.rows(tx, rows)


def _count(view: ViewRow, kind: PartKind, more: int) -> None:
    """So many more of one kind are live."""
    if name := _LIVE.get(kind):
        setattr(view, name, getattr(view, name) + more)


async def count_again(tx: Transaction, rows: Mapping[UUID, ViewRow]) -> None:
    """Count what is live of the parts that there are."""
    for row in rows.values():
        row.open_promises = row.open_cases = 0
    for found in await store.LIVE_PARTS.all(tx, customer_ids=sorted(rows)):
        _count(rows[found["customer_id"]], PartKind(found["kind"]), found["live"])


def _grouped(rows: Iterable[R], whose: Mapping[UUID, UUID]) -> dict[UUID, list[R]]:
    groups: dict[UUID, list[R]] = defaultdict(list)
    for row in rows:
        groups[whose[row.whose_id]].append(row)
    return groups
