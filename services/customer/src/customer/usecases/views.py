"""Customer views: what arrived is stored, and the views of everybody concerned are rendered anew.

A view is one document, a pure function of what is stored about a customer; beside departments' sections,
which are drawn where they are put and added where a view is read.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from chassis.api.actors import actor_name, service_name
from chassis.api.etags import etag
from chassis.api.messages import money, timestamp
from chassis.db.aliases import Groups, groups_of
from chassis.db.statement import arrays, values
from chassis.db.transaction import Transaction
from chassis.errors import Malformed
from customer.domain.customers import Customer
from customer.domain.timeline import Channel, Direction, TimelineEntry
from customer.names import CUSTOMER, ENTRY, VIEW
from customer.store import timeline
from customer.store import views as store
from customer.store.tables import CUSTOMERS_BY_ID, PartRow, ViewRow
from customer.usecases.households import News, hear
from customer.usecases.parts import PARTS, About, PartKind, add_value, excerpt, folded, merged
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import timeline_pb2, view_pb2

_CHANNELS = {channel: channel_pb2.Channel.Value(f"CHANNEL_{channel}") for channel in Channel}
_DIRECTIONS = {direction: channel_pb2.Direction.Value(f"DIRECTION_{direction}") for direction in Direction}
R = TypeVar("R", store.ShownPart, TimelineEntry)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ROW = [field.name for field in fields(ViewRow)]


def rendered(
    customer_id: UUID,
    customer: Customer | None,
    parts: Sequence[store.ShownPart],
    entries: Sequence[TimelineEntry],
    row: ViewRow,
) -> bytes:
    """The serialised view, the same bytes for the same arguments.

    `customer` is None when facts about them came before they did; `parts` have the latest change first,
    `entries` of the timeline are the latest, newest first; `row` also counts live parts that are not shown.
    """
    view = view_pb2.CustomerView(
        name=VIEW.format(customer_id),
        customer=CUSTOMER.format(customer_id),
        update_time=timestamp(row.update_time),
        open_promise_count=row.open_promises,
        open_case_count=row.open_cases,
    )
    if customer is not None:
        _profile(view, customer)
    for part in parts:
        if part.kind == PartKind.VALUE and view.HasField("value"):
            add_value(view.value, view_pb2.ValuePart.FromString(part.part))
        elif not _is_shown(view, part):
            PARTS[PartKind(part.kind)].add(view).MergeFromString(part.part)
    view.latest_timeline_entries.extend(excerpt(entry_message(entry)) for entry in entries)
    return view.SerializeToString(deterministic=True)


def _is_shown(view: view_pb2.CustomerView, part: store.ShownPart) -> bool:
    """Whether it is a balance that the customer sees by another of their names, too."""
    if part.kind != PartKind.BALANCE:
        return False
    account = view_pb2.BalancePart.FromString(part.part).account
    return any(each.account == account for each in view.loyalty.balances)


def entry_message(entry: TimelineEntry) -> timeline_pb2.TimelineEntry:
    """A timeline entry as the contract has it. Written out, because a page has up to a thousand of them."""
    return timeline_pb2.TimelineEntry(
        name=ENTRY.format(entry.customer_id, entry.id),
        occur_time=timestamp(entry.occur_time),
        event_type=entry.event_type,
        service=service_name(entry.service),
        resource=entry.resource,
        reference=entry.reference,
        channel=_CHANNELS[entry.channel],
        direction=_DIRECTIONS[entry.direction],
        topic=entry.topic,
        summary=entry.summary,
        department=entry.department,
        actor=actor_name(entry.actor, entry.service),
        trace_id=entry.trace_id,
        amount=None if entry.amount is None else money(entry.amount, entry.currency_code),
        reason_code=entry.reason_code,
        assigned_customer=CUSTOMER.format(entry.assigned_customer_id) if entry.assigned_customer_id else "",
        etag=etag(entry.version),
    )


def _profile(view: view_pb2.CustomerView, customer: Customer) -> None:
    view.display_name = customer.shown_name
    view.relationship_manager = customer.relationship_manager
    view.language_code = customer.language_code
    view.time_zone = customer.time_zone
    view.profile_source.service = service_name("customer")
    view.profile_source.resource_version = customer.version
    view.profile_source.occur_time.CopyFrom(timestamp(customer.update_time))


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


def stored(row: Any) -> bytes | None:
    """The view in a row of `VIEWS_BY_ID`, by the name that it was asked by; None when there is none yet."""
    if row["view"] is None:
        return None
    view: bytes = row["view"] + (row["sections"] or b"")
    return view if row["customer_id"] == row["asked"] else view + named(row["asked"])


def named(customer_id: UUID) -> bytes:
    """What makes a serialised view one of that name, appended to it."""
    return view_pb2.CustomerView(name=VIEW.format(customer_id)).SerializeToString()


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
    await render(tx, rows, groups)
    return groups.everybody


async def locked_views(tx: Transaction, customer_ids: Collection[UUID]) -> tuple[dict[UUID, ViewRow], Groups]:
    """The rows of the views of these names and of those that survived them, locked; and whose they are."""
    groups = await groups_of(tx, customer_ids)
    rows: dict[UUID, ViewRow] = {}
    while wanted := {*customer_ids, *groups.members} - rows.keys():
        new = [values(ViewRow(i, _NEVER, 0, 0)) | {"view": b"", "version": 0} for i in sorted(wanted)]
        await store.ENSURE_VIEWS.rows(tx, new)
        rows |= {
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


async def render(tx: Transaction, rows: Mapping[UUID, ViewRow], groups: Groups) -> None:
    """Render the locked views of several customers from what is stored of all of their names.

    Only the name that survives has a view; what is counted stays with the name that it was told of.
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
            parts[survivor] if len(members) == 1 else _first(parts[survivor]),
            entries[survivor][: timeline.LATEST_IN_VIEW],
            _together(survivor, [counted[each] for each in members if each in counted]),
        )
        for survivor, members in groups.members.items()
    }
    saved = sorted(rows)
    await tx.defer(
        store.SAVE_VIEWS,
        view=[views.get(i, b"") for i in saved],
        **arrays(_ROW, [rows[i] for i in saved]),
    )


def _together(survivor: UUID, rows: Sequence[ViewRow]) -> ViewRow:
    """What the rows of all names of a customer say."""
    latest = max(row.update_time for row in rows)
    promises, cases = sum(row.open_promises for row in rows), sum(row.open_cases for row in rows)
    return ViewRow(survivor, latest, promises, cases)


def _first(parts: Sequence[store.ShownPart]) -> list[store.ShownPart]:
    """Of what is shown of each of several names, as much as is shown of one, in the same order."""
    room: dict[tuple[str, bool], int] = {}
    shown = set()
    for part in sorted(parts, key=lambda part: not part.urgent):
        key = part.kind, part.ended
        left = room.setdefault(key, store.ENDED_IN_VIEW if part.ended else store.LIVE_IN_VIEW)
        if left:
            room[key] = left - 1
            shown.add(id(part))
    return [part for part in parts if id(part) in shown]


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
        _count(views[customer_id], kind, (not now.ended) - (before is not None and not before.ended))
        part = now.part.SerializeToString(deterministic=True)
        rows.append(PartRow(customer_id, resource, kind, facts, part, now.ended, now.urgent, now.change_time))
    await store.SAVE_PARTS.rows(tx, rows)


def _count(view: ViewRow, kind: PartKind, more: int) -> None:
    if kind is PartKind.PROMISE:
        view.open_promises += more
    elif kind is PartKind.CASE:
        view.open_cases += more


def _grouped(rows: Iterable[R], whose: Mapping[UUID, UUID]) -> dict[UUID, list[R]]:
    groups: dict[UUID, list[R]] = defaultdict(list)
    for row in rows:
        groups[whose[row.whose_id]].append(row)
    return groups
