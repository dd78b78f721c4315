"""Tiers, where memberships stand, and what the clock and merges make of that."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from chassis.api.entities import found, write
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists
from chassis.facts import Changes, changed, fact_of
from chassis.work.timers import Timer
from loyalty.domain.facts import TierDowngradeExpected
from loyalty.domain.membership import Membership
from loyalty.domain.program import Program
from loyalty.domain.tiers import Benefit, Standing, Tier, TierRules, after_review, earned
from loyalty.names import MEMBERSHIP, PROGRAM, TIER
from loyalty.store import tiers as store
from loyalty.store.memberships import GET_MEMBERSHIP
from loyalty.store.tables import GET_PROGRAM
from loyalty.usecases.qualify import (
    Held,
    is_higher,
    lock_standings,
    new_standing,
    progress_since,
    requalify,
)

REVIEW_TIMER = "tier-reviews"
WALK_TIMER = "tier-walk"
CHUNK = 250  # in a transaction
LOOK = timedelta(seconds=30)  # how often each shard is looked at
_FIRST, _NOTHING = UUID(int=0), Decimal(0)


async def create_tier(
    tx: Transaction,
    *,
    program_id: str,
    tier_id: str,
    display_name: str,
    threshold: Decimal,
    benefits: list[Benefit],
) -> Tier:
    """Make a tier. NotFound without the program; AlreadyExists, also of the threshold."""
    await found(tx, PROGRAM, GET_PROGRAM, program_id)
    tier = Tier(program_id, tier_id, display_name, threshold, 1, tx.now, tx.now, benefits)
    tier.check()
    if await store.INSERT_TIER.maybe(tx, **values(tier)) is None:
        other = await store.TIER_WITH.maybe(tx, program_id=program_id, threshold=threshold)
        raise ResourceExists(other.name if other else tier.name)
    await walk(tx, program_id)
    return tier


async def update_tier(
    tx: Transaction, *, program_id: str, tier_id: str, etag: str, changes: Changes[Tier]
) -> Tier:
    """Change a tier. NotFound; Aborted when the etag is stale; AlreadyExists of the threshold."""
    tier = await found(tx, TIER, store.LOCK_TIER, program_id, tier_id, etag=etag)
    if changed(tier, changes):
        tier.check()
        other = await store.TIER_WITH.maybe(tx, program_id=program_id, threshold=tier.threshold)
        if other and other.id != tier.id:
            raise ResourceExists(other.name)
        await write(tx, store.UPDATE_TIER, tier)
        await walk(tx, program_id)
    return tier


async def walk(tx: Transaction, program_id: str) -> None:
    """Have all members of a program be given the tiers that they have earned by what is changed."""
    await tx.schedule(WALK_TIMER, f"{program_id} {_FIRST}", tx.now)


async def walk_on(tx: Transaction, timer: Timer) -> None:
    """Look at some members, and come back for the next."""
    program_id, after = timer.key.split()
    members = await store.NEXT_MEMBERSHIPS.all(tx, program_id=program_id, after=UUID(after), limit=CHUNK)
    if members:
        await requalify(tx, program_id, {member.id for member in members})
        await tx.schedule(WALK_TIMER, f"{program_id} {members[-1].id}", tx.now)


async def review_tiers(tx: Transaction, timer: Timer) -> None:
    """Do what is due of a shard, a chunk of it; then again, at once when there is more."""
    due = await store.DUE_STANDINGS.all(tx, shard=int(timer.key), now=tx.now, limit=CHUNK)
    for program_id in sorted({row["program_id"] for row in due}):
        ids = [row["id"] for row in due if row["program_id"] == program_id]
        await _review(tx, await GET_PROGRAM.one(tx, id=program_id), ids)
    await tx.schedule(REVIEW_TIMER, timer.key, tx.now if due else tx.now + LOOK)


async def _review(tx: Transaction, program: Program, ids: list[UUID]) -> None:
    """Review those standings that are due, or tell of that. Without a policy a tier is held for ever."""
    members = await store.SOME_MEMBERSHIPS.all(tx, ids=sorted(ids))
    if program.tier_policy is None:
        kept = await store.GET_STANDINGS.all(tx, ids=ids)
        await store.SAVE_STANDINGS.rows(tx, [replace(each, due_time=None) for each in kept])
        return
    tiers = await store.TIERS_OF.all(tx, program_id=program.id)
    held = [
        each
        for each in await lock_standings(tx, program, program.tier_policy, members)
        if each.standing.due_time and each.standing.due_time <= tx.now
    ]
    since = {
        each.standing.id: each.rules.term_start(each.standing.term_end)
        for each in held
        if each.standing.term_end
    }
    progress = await progress_since(tx, program.tier_policy, since)
    for each in held:
        _see_to(tx, each, tiers, progress.get(each.standing.id, _NOTHING))
    await store.SAVE_STANDINGS.rows(tx, [each.standing for each in held])


def _see_to(tx: Transaction, each: Held, tiers: list[Tier], progress: Decimal) -> None:
    """Have a tier be kept, or lost; before that, say that it will be lost."""
    standing, rules = each.standing, each.rules
    if standing.term_end is None or standing.review_time is None:
        standing.due_time = None
        return
    has = next((tier for tier in tiers if tier.id == standing.tier_id), None)
    will = after_review(tiers, has, progress, rules.policy.downgrade)
    if standing.review_time <= tx.now:
        each.change(tx, tiers, will, rules.next_term_end(standing.term_end, tx.now))
        return
    if has and is_higher(tiers, has.id, will.id if will else ""):
        standing.version += 1
        told = fact_of(
            TierDowngradeExpected,
            standing,
            expected_tier=will.name if will else "",
            missing_to_keep=f"{has.threshold - progress:f}",
        )
        tx.record(told, version=standing.version)
    standing.told, standing.due_time = True, standing.review_time


async def merge_standings(tx: Transaction, into: Membership, merged: Membership) -> None:
    """Have the whole the higher of the tiers of two, and remember what it had, for when it is undone."""
    program = await GET_PROGRAM.one(tx, id=into.program_id)
    if program.tier_policy is None:
        return
    tiers = await store.TIERS_OF.all(tx, program_id=program.id)
    whole, part = await lock_standings(tx, program, program.tier_policy, [into, merged])
    part.standing.whole_tier_id = whole.standing.tier_id
    part.standing.whole_term_end = whole.standing.term_end
    part.standing.due_time = None
    if part.standing.term_end and is_higher(tiers, part.standing.tier_id, whole.standing.tier_id):
        tier = next(each for each in tiers if each.id == part.standing.tier_id)
        whole.change(tx, tiers, tier, part.standing.term_end)
    await store.SAVE_STANDINGS.rows(tx, [whole.standing, part.standing])
    await requalify(tx, program.id, {into.id})


async def unmerge_standings(tx: Transaction, into: Membership, merged: Membership) -> None:
    """Have the part the tier that it had, and the whole the highest that is left to it.

    That is what it had before, what another part brought, or what it has earned by itself since.
    """
    program = await GET_PROGRAM.one(tx, id=into.program_id)
    if program.tier_policy is None:
        return
    tiers = await store.TIERS_OF.all(tx, program_id=program.id)
    rest = await store.PARTS_OF.all(tx, whole_id=into.id)
    held = await lock_standings(tx, program, program.tier_policy, [into, merged, *rest])
    whole, part, others = held[0], held[1], [each.standing for each in held[2:]]
    since = {into.id: whole.rules.period_start(tx.now)}
    progress = (await progress_since(tx, program.tier_policy, since)).get(into.id, _NOTHING)
    reached = earned(tiers, progress)
    _forget(part.standing, others)
    had = [(part.standing.whole_tier_id, part.standing.whole_term_end)]
    had += [(each.tier_id, each.term_end) for each in others]
    until = {tier_id: max(end for of, end in had if end and of == tier_id) for tier_id, end in had if end}
    back = max((tier for tier in tiers if tier.id in until), key=lambda tier: tier.threshold, default=None)
    if back is None or (reached and reached.threshold > back.threshold):
        whole.change(tx, tiers, reached, whole.rules.term_end(tx.now))
    else:
        whole.change(tx, tiers, back, until[back.id])
    part.standing.whole_tier_id, part.standing.whole_term_end = "", None
    part.standing.until(part.standing.term_end, part.rules)
    await store.SAVE_STANDINGS.rows(tx, [whole.standing, part.standing, *others])
    await requalify(tx, program.id, {merged.id})


def _forget(gone: Standing, others: list[Standing]) -> None:
    """Have those who remember of the whole the tier that it had of this part remember what it had before."""
    for each in others:
        if gone.tier_id and (each.whole_tier_id, each.whole_term_end) == (gone.tier_id, gone.term_end):
            each.whole_tier_id, each.whole_term_end = gone.whole_tier_id, gone.whole_term_end


async def standing_of(
    on: Database, program_id: str, membership_id: UUID
) -> tuple[Standing, dict[str, object]]:
    """Where a membership stands, and what it has earned by now, as contracts call it. NotFound."""
    at = on.clock.now()
    member = await found(on, MEMBERSHIP, GET_MEMBERSHIP, program_id, membership_id)
    kept = await store.GET_STANDINGS.all(on, ids=[membership_id])
    standing = kept[0] if kept else new_standing(member, at)
    program = await GET_PROGRAM.one(on, id=program_id)
    told: dict[str, object] = dict.fromkeys(
        ("period_start_time", "progress", "missing_to_keep", "next_tier", "missing_to_next")
    )
    if program.tier_policy is None:
        return standing, told
    rules = TierRules(program.tier_policy, member.create_time, program.time_zone)
    tiers = await store.TIERS_OF.all(on, program_id=program_id)
    start = rules.period_start(at)
    progress = (await progress_since(on, rules.policy, {member.id: start})).get(member.id, _NOTHING)
    has = next((tier for tier in tiers if tier.id == standing.tier_id), None)
    following = next((tier for tier in tiers if is_higher(tiers, tier.id, standing.tier_id)), None)
    told |= {"period_start_time": start, "progress": progress}
    if has and standing.term_end:
        since = {member.id: rules.term_start(standing.term_end)}
        counted = (await progress_since(on, rules.policy, since)).get(member.id, _NOTHING)
        told["missing_to_keep"] = max(_NOTHING, has.threshold - counted)
    if following:
        told["next_tier"] = following.name
        told["missing_to_next"] = max(_NOTHING, following.threshold - progress)
    return standing, told
