"""The customer view as bytes: a pure function of what is stored, of 64 KiB at most, whatever a customer has.

Every list has its share of a view. What one leaves of it the lists after it may use, and sections use what
all leave. In each the most urgent comes first; the view names the lists of which not all fits.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.api.actors import actor_name, service_name
from chassis.api.etags import etag
from chassis.api.messages import duration, money, timestamp, to_message
from customer.domain.customers import Customer
from customer.domain.timeline import Channel, Direction, ShownEntry
from customer.domain.zones import zone_of
from customer.names import ATTACHMENT, CUSTOMER, ENTRY, VIEW
from customer.store.tables import ViewRow
from customer.store.timeline import LATEST_IN_VIEW
from customer.store.views import ENDED_IN_VIEW, LIVE_IN_VIEW, ShownPart
from customer.usecases.parts import PARTS, PartKind, add_value, excerpt
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import timeline_pb2, view_pb2
from rapport.customer.v1.timeline_pb2 import AttachedFile

VIEW_MAX_BYTES = 64 * 1024
# For what an answer adds to a stored view: its name, advice, freshness, what is not applied, and excerpts.
ADDED_MAX_BYTES = 9 * 1024
UNAPPLIED_MAX_BYTES = 3 * 1024
_CURRENCIES_MAX = 100
_FRAME = 8  # bytes around a message within a list, of one that is in a list's message, too
_KIB = 1024
_SHARES: Mapping[PartKind, int] = {
    PartKind.PROMISE: 13 * _KIB,
    PartKind.CASE: 8 * _KIB,
    PartKind.BALANCE: 4 * _KIB,
    PartKind.GOODWILL: 4 * _KIB + 512,
    PartKind.NOTICE: 4 * _KIB,
}
_TIMELINE_SHARE = 8 * _KIB
FILES_IN_VIEW = 3  # of an entry


_LISTS: Mapping[PartKind, str] = {
    PartKind.PROMISE: "promises",
    PartKind.CASE: "cases",
    PartKind.NOTICE: "notices",
    PartKind.BALANCE: "loyalty.balances",
    PartKind.GOODWILL: "loyalty.goodwill",
}
FIELDS: Mapping[PartKind, str] = {
    PartKind.VALUE: "value",
    **{kind: each.partition(".")[0] for kind, each in _LISTS.items()},
}
_CHANNELS = {channel: channel_pb2.Channel.Value(f"CHANNEL_{channel}") for channel in Channel}
_DIRECTIONS = {direction: channel_pb2.Direction.Value(f"DIRECTION_{direction}") for direction in Direction}


def rendered(
    customer_id: UUID,
    customer: Customer | None,
    parts: Sequence[ShownPart],
    entries: Sequence[ShownEntry],
    row: ViewRow,
) -> bytes:
    """The serialised view, the same bytes for the same arguments.

    `customer` is None when facts about them came before they did; `parts` have the latest change first,
    `entries` of the timeline are the latest, newest first; `row` also counts what is open and not shown. Of
    each kind, and of entries, as many are looked at as are shown at most, and one more.
    """
    view = view_pb2.CustomerView(
        update_time=timestamp(row.update_time),
        open_promise_count=row.open_promises,
        open_case_count=row.open_cases,
    )
    if customer is not None:
        _profile(view, customer)
    excerpt(view)
    view.name, view.customer = VIEW.format(customer_id), CUSTOMER.format(customer_id)
    room = 0
    for kind, share in _SHARES.items():
        of_kind = [part for part in parts if part.kind == kind]
        different = _seen_once(of_kind) if kind is PartKind.BALANCE else of_kind
        shown, room = _fitting(different, room + share)
        for part in shown:
            PARTS[kind].add(view).MergeFromString(part.part)
        if len(shown) < len(different):
            view.excerpts.append(_LISTS[kind])
    for part in parts:
        if part.kind == PartKind.VALUE:
            _add_value(view, view_pb2.ValuePart.FromString(part.part))
    _enter(view, entries, room + _TIMELINE_SHARE)
    return view.SerializeToString(deterministic=True)


def with_sections(view: bytes, drawn: Sequence[bytes]) -> bytes:
    """A view with sections, each of which is serialised as a view with that section alone.

    When they do not fit, the smallest are shown: no department can take another's place by what it puts.
    """
    room = VIEW_MAX_BYTES - ADDED_MAX_BYTES - len(view)
    shown = set()
    for section in sorted(drawn, key=len):
        if (room := room - len(section)) >= 0:
            shown.add(section)
    sections = b"".join(section for section in drawn if section in shown)
    if len(shown) == len(drawn):
        return view + sections
    return view + sections + view_pb2.CustomerView(excerpts=["sections"]).SerializeToString()


def stored(row: Any) -> bytes | None:
    """The view in a row of `VIEWS_BY_ID`, by the name that it was asked by; None when there is none yet."""
    if row["view"] is None:
        return None
    view = with_sections(row["view"], row["sections"] or ())
    return view if row["customer_id"] == row["asked"] else view + named(row["asked"])


def bare(customer: Customer) -> bytes:
    """The serialised view of a customer of whom nothing was told yet."""
    return rendered(customer.id, customer, [], [], ViewRow(customer.id, customer.update_time))


def named(customer_id: UUID) -> bytes:
    """What makes a serialised view one of that name, appended to it."""
    return view_pb2.CustomerView(name=VIEW.format(customer_id)).SerializeToString()


def cut_unapplied(view: view_pb2.CustomerView, total: int) -> bytes:
    """A view with nothing but facts that could not be applied: the first that fit, of so many."""
    sizes = [excerpt(fact).ByteSize() + _FRAME for fact in view.unapplied_facts]
    shown = _how_many(sizes, UNAPPLIED_MAX_BYTES)
    del view.unapplied_facts[shown:]
    if shown < total:
        view.excerpts.append("unapplied_facts")
    return view.SerializeToString()


def entry_message(entry: ShownEntry) -> timeline_pb2.TimelineEntry:
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
        outcome_code=entry.outcome_code,
        duration=duration(entry.duration),
        attachments=[ATTACHMENT.format(entry.customer_id, each) for each in entry.attachment_ids.split()],
        attached_files=[to_message(AttachedFile, each) for each in entry.files],
    )


def _profile(view: view_pb2.CustomerView, customer: Customer) -> None:
    view.display_name = customer.shown_name
    view.relationship_manager = customer.relationship_manager
    view.language_code = customer.language_code
    # Where neither was said nor is known by their country, the installation's stands in when it is read.
    view.time_zone = zone_of(customer, installation="").name
    view.profile_source.service = service_name("customer")
    view.profile_source.resource_version = customer.version
    view.profile_source.occur_time.CopyFrom(timestamp(customer.update_time))


def _seen_once(balances: Iterable[ShownPart]) -> list[ShownPart]:
    """Without those that the customer sees by another of their names, too."""
    found: dict[str, ShownPart] = {}
    for part in balances:
        found.setdefault(view_pb2.BalancePart.FromString(part.part).account, part)
    return list(found.values())


def _fitting(parts: Sequence[ShownPart], room: int) -> tuple[list[ShownPart], int]:
    """Of parts, in their order, the most urgent that fit into so many bytes; and how many bytes are left.

    As many are shown at most of what is live, and of what ended, however short they are.
    """
    live, ended = [part for part in parts if not part.ended], [part for part in parts if part.ended]
    by_urgency = sorted(live, key=lambda part: not part.urgent)[:LIVE_IN_VIEW] + ended[:ENDED_IN_VIEW]
    sizes = [len(part.part) + _FRAME for part in by_urgency]
    count = _how_many(sizes, room)
    shown = {id(part) for part in by_urgency[:count]}
    return [part for part in parts if id(part) in shown], room - sum(sizes[:count])


def _how_many(sizes: Iterable[int], room: int) -> int:
    """How many of the first fit."""
    count = 0
    for size in sizes:
        if (room := room - size) < 0:
            break
        count += 1
    return count


def _add_value(view: view_pb2.CustomerView, value: view_pb2.ValuePart) -> None:
    if view.HasField("value"):
        add_value(view.value, value)
    else:
        view.value.CopyFrom(value)
    del view.value.lifetime_values[_CURRENCIES_MAX:]


def _enter(view: view_pb2.CustomerView, entries: Sequence[ShownEntry], room: int) -> None:
    """Show the newest entries that fit."""
    latest = [excerpt(entry_message(entry)) for entry in entries[:LATEST_IN_VIEW]]
    for entry in latest:
        del entry.attached_files[FILES_IN_VIEW:]
    shown = _how_many((entry.ByteSize() + _FRAME for entry in latest), room)
    view.latest_timeline_entries.extend(latest[:shown])
    if shown < len(entries):
        view.excerpts.append("latest_timeline_entries")
