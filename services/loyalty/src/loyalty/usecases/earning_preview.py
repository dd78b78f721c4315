"""What purchases would earn: one now, or many of the past if a rule were otherwise. Nothing is posted."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from chassis.db.database import Database
from chassis.db.statement import values
from loyalty.domain.earning import EVERYBODY, Given, Used
from loyalty.domain.earning_rule import EarningRule
from loyalty.domain.value import Purchase, ValueFormula
from loyalty.names import CUSTOMER
from loyalty.store import earning as store
from loyalty.store.earning import RuleInForce
from loyalty.store.purchases import SOME_PURCHASES
from loyalty.store.tables import GET_PROGRAM
from loyalty.usecases.bands import bands_of
from loyalty.usecases.earning_caps import count, counted_in, versions_by
from loyalty.usecases.earning_rule import RuleDraft, require_possible
from loyalty.usecases.evaluating import given_for, items_of, matter_of
from loyalty.usecases.memberships import earning_memberships

CHECKED_MAX, AT_ONCE, MOVES_MAX = 10_000, 500, 100


@dataclass(slots=True)
class Move:
    """What a customer's purchases would have earned, and what they did."""

    customer: str
    points: int = 0
    earned_points: int = 0


@dataclass(slots=True)
class Preview:
    """How many purchases were looked at, and what they would have earned."""

    checked_count: int = 0
    truncated: bool = False
    points: int = 0
    earned_points: int = 0
    moved_count: int = 0
    moves: list[Move] = field(default_factory=list)


async def evaluate(
    db: Database,
    formula: ValueFormula,
    purchase: Purchase,
    tried: tuple[str, RuleDraft] | None,
    recorded_id: UUID | None = None,
) -> list[Given]:
    """What a purchase would earn now, as far as caps leave it; nobody's as of who is not known yet.

    One that is recorded already has what it has taken of caps left for itself. With a rule that is tried:
    what it refuses.
    """
    customer_id = purchase.customer_id or EVERYBODY
    now = db.clock.now()
    rules = [rule for rule in await rules_with(db, tried) if not rule.has_ended(now)]
    bands = await bands_of(db, formula, [customer_id], now)
    members = {p: await earning_memberships(db, p, [customer_id]) for p in _programs(rules)}
    holders = [EVERYBODY, *(member.id for of in members.values() for member in of.values())]
    rows = await store.SOME_CAPS.all(db, holders=holders)
    parts = await store.CAPS_OF_PARTS.all(db, holders=holders, rule_ids=[rule.id for rule in rules])
    used = counted_in([*rows, *parts])
    if recorded_id:
        await _leave_out(db, recorded_id, used, {row["part"]: row["holder"] for row in parts})
    return given_for(matter_of(purchase), customer_id, rules, members, bands, used)


async def _leave_out(db: Database, purchase_id: UUID, used: Used, wholes: Mapping[UUID, UUID]) -> None:
    """Have caps count nothing of a purchase that is recorded, by those whom memberships are part of."""
    recorded = {each.id: each.purchase_time for each in await SOME_PURCHASES.all(db, ids=[purchase_id])}
    for earning in await store.SOME_EARNINGS.all(db, ids=list(recorded)):
        given = [replace(each, member=wholes.get(each.member, each.member)) for each in earning.given]
        count(used, await versions_by(db, given), given, recorded[earning.id], -1)


async def preview_rule(
    db: Database,
    formula: ValueFormula,
    rule_id: str,
    draft: RuleDraft,
    start: datetime | None,
    end: datetime | None,
) -> Preview:
    """What purchases of a time would have earned in the rule's unit. Caps count from nothing."""
    rules = await rules_with(db, (rule_id, draft))
    unit = draft.unit_program_id, draft.unit_id
    purchases = await store.BOUGHT_BETWEEN.all(db, start=start, end=end, limit=CHECKED_MAX + 1)
    preview = Preview(truncated=len(purchases) > CHECKED_MAX)
    moves: dict[UUID, Move] = {}
    used: Used = Counter()
    chosen = sorted(purchases[:CHECKED_MAX], key=lambda each: (each.purchase_time, each.id))
    for first in range(0, len(chosen), AT_ONCE):
        some = [each for each in chosen[first : first + AT_ONCE] if items_of(each)]
        customers = {each.customer_id for each in some if each.customer_id}
        bands = await bands_of(db, formula, customers, db.clock.now())
        members = {p: await earning_memberships(db, p, customers) for p in _programs(rules)}
        kept = {each.id: each for each in await store.SOME_EARNINGS.all(db, ids=[e.id for e in some])}
        for each in some:
            customer_id = each.customer_id or EVERYBODY
            move = moves.setdefault(customer_id, Move(CUSTOMER.format(customer_id)))
            move.points += _in(unit, given_for(matter_of(each), customer_id, rules, members, bands, used))
            move.earned_points += _in(unit, kept[each.id].given) if each.id in kept else 0
            await asyncio.sleep(0)  # others are answered meanwhile
        preview.checked_count += len(some)
    preview.points = sum(each.points for each in moves.values())
    preview.earned_points = sum(each.earned_points for each in moves.values())
    moved = [each for each in moves.values() if each.points != each.earned_points]
    preview.moved_count = len(moved)
    moved.sort(key=lambda each: (-abs(each.points - each.earned_points), each.customer))
    preview.moves = moved[:MOVES_MAX]
    return preview


async def rules_with(db: Database, tried: tuple[str, RuleDraft] | None) -> Sequence[RuleInForce]:
    """The rules in force, with one as it would be."""
    now = db.clock.now()
    rules = await store.RULES_IN_FORCE.all(db, at=now)
    if tried is None:
        return rules
    rule_id, draft = tried
    rule = draft.rule(rule_id, "", now)
    await require_possible(db, rule)
    others = [each for each in rules if each.id != rule_id]
    return sorted([*others, await _zoned(db, rule)], key=lambda each: (each.position, each.id))


async def _zoned(db: Database, rule: EarningRule) -> RuleInForce:
    program = await GET_PROGRAM.one(db, id=rule.program_id)
    return RuleInForce(**values(rule), time_zone=program.time_zone)


def _programs(rules: Sequence[RuleInForce]) -> set[str]:
    return {rule.program_id for rule in rules}


def _in(unit: tuple[str, str], given: Sequence[Given]) -> int:
    return sum(sum(each.points) for each in given if (each.program, each.unit) == unit)
