"""Views rendered anew from what is kept of each customer, however old: the latest facts about each thing."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from customer.names import VIEW
from customer.store import views as store
from customer.store.tables import KNOWN_CUSTOMERS, PartRow, ViewRow
from customer.usecases.hot_views import HotViews
from customer.usecases.parts import PartKind, folded
from customer.usecases.rendering import FIELDS
from customer.usecases.views import NEVER, count_again, locked_views, render, save_views
from rapport.customer.v1 import view_pb2

PARTS_MAX = 10_000  # of one step, beyond the first customer: what it costs, and for how long views are locked


@dataclass(frozen=True, slots=True)
class Difference:
    """A customer whose view is not what the facts say, and in which of its fields."""

    customer_id: UUID
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was found of the first customers that were asked for, until it was enough for a step."""

    customer_ids: Sequence[UUID]
    differences: Sequence[Difference]


async def rebuild(
    tx: Transaction, hot: HotViews, customer_ids: Sequence[UUID], *, validate_only: bool
) -> Rebuilt:
    """Fold the facts about each part again, count, render, and keep what is otherwise unless `validate_only`.

    Whose views another transaction changes waits for it, so that nothing is lost between the two.
    """
    customer_ids = await _enough(tx, customer_ids)
    if not customer_ids:
        return Rebuilt((), ())
    rows, groups = await locked_views(tx, customer_ids, makes=not validate_only)
    names = sorted({*rows, *groups.everybody})
    held = {
        row["customer_id"]: row["view"] for row in await store.HELD_VIEWS.all(tx, customer_ids=sorted(rows))
    }
    wrong: dict[UUID, set[str]] = defaultdict(set)
    mended = []
    for part in await store.PARTS_OF.all(tx, customer_ids=names):
        anew = _folded(part)
        if anew != part:
            wrong[groups.survivors.get(part.customer_id, part.customer_id)].add(FIELDS[PartKind(part.kind)])
            mended.append(anew)
    if not validate_only:
        await store.SAVE_PARTS.rows(tx, mended)
    counted = {customer_id: replace(row) for customer_id, row in rows.items()}
    await count_again(tx, rows)
    for customer_id, row in rows.items():
        was = counted[customer_id]
        for field, is_wrong in (
            ("open_promise_count", row.open_promises != was.open_promises),
            ("open_case_count", row.open_cases != was.open_cases),
        ):
            if is_wrong:
                wrong[customer_id].add(field)
    await _date(tx, [row for row in rows.values() if row.update_time == NEVER])
    views = await render(tx, rows, groups)
    for customer_id, view in views.items():
        if view != (before := held.get(customer_id, b"")):
            wrong[customer_id] |= _differing(before, view)
    if wrong and not validate_only:
        await save_views(tx, {each: row for each, row in rows.items() if each in wrong}, views)
        tx.after_commit(lambda: hot.committed(groups.everybody))
    return Rebuilt(customer_ids, [Difference(each, sorted(wrong[each])) for each in sorted(wrong)])


async def everybody(tx: Transaction, after: UUID, limit: int) -> list[UUID]:
    """The next so many customers who have a view or are to have one, in the order of their ids."""
    return [row["id"] for row in await store.NEXT_CUSTOMERS.all(tx, after=after, limit=limit)]


async def require_known(tx: Transaction, customer_ids: Sequence[UUID]) -> None:
    """NotFound for one of whom there is neither a record nor a view."""
    known = {row["id"] for row in await KNOWN_CUSTOMERS.all(tx, ids=customer_ids)}
    known |= {row["customer_id"] for row in await store.SIZES.all(tx, customer_ids=customer_ids)}
    for customer_id in customer_ids:
        if customer_id not in known:
            raise NotFound(VIEW.format(customer_id))


async def _enough(tx: Transaction, customer_ids: Sequence[UUID]) -> Sequence[UUID]:
    """The first of them that have as many parts as one step takes, and at least one."""
    parts = {row["customer_id"]: row["parts"] for row in await store.SIZES.all(tx, customer_ids=customer_ids)}
    room = PARTS_MAX
    for number, customer_id in enumerate(customer_ids):
        room -= parts.get(customer_id, 0)
        if room < 0 and number:
            return customer_ids[:number]
    return customer_ids


def _folded(part: PartRow) -> PartRow:
    """The part as its facts make it."""
    now = folded(PartKind(part.kind), part.facts)
    drawn = now.part.SerializeToString(deterministic=True)
    return PartRow(
        part.customer_id, part.resource, part.kind, part.facts, drawn, now.ended, now.urgent, now.change_time
    )


async def _date(tx: Transaction, rows: Collection[ViewRow]) -> None:
    """Of a view that was lost, say when it changed last, as far as what is kept says."""
    if not rows:
        return
    lost = {row.customer_id: row for row in rows}
    for found in await store.LAST_CHANGES.all(tx, customer_ids=sorted(lost)):
        lost[found["customer_id"]].update_time = found["at"] or NEVER


def _differing(held: bytes, view: bytes) -> set[str]:
    """The fields in which two serialised views differ; all that there are when one is not there."""
    one, other = view_pb2.CustomerView.FromString(held), view_pb2.CustomerView.FromString(view)
    names = {field.name for each in (one, other) for field, _ in each.ListFields()}
    return {name for name in names if getattr(one, name) != getattr(other, name)} or {"name"}
