"""Which tier memberships have earned: looked at whenever they earn something, and at their reviews."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from chassis.db.statement import LOCK_NAMES, Executor
from chassis.db.transaction import Transaction
from chassis.facts import fact_of
from loyalty.domain.facts import TierDowngraded, TierUpgraded
from loyalty.domain.ledger import EARNED_FROM, HeldAccount, Transfer
from loyalty.domain.membership import Membership
from loyalty.domain.program import Program
from loyalty.domain.shards import shard_of
from loyalty.domain.tiers import Measure, Period, Standing, Tier, TierPolicy, TierRules, earned
from loyalty.store import tiers as store
from loyalty.store.tables import GET_PROGRAM
from loyalty.usecases.memberships import earning_memberships

_NOTHING = Decimal(0)
KEEP_AFTER = 16  # entries that were looked at: so many may be looked at once more, for writing costs more


@dataclass(slots=True)
class Held:
    """A standing that nobody else changes, and the rules for it."""

    standing: Standing
    rules: TierRules

    def change(self, tx: Transaction, tiers: Sequence[Tier], tier: Tier | None, term_end: datetime) -> None:
        """Have another tier, and say so; or the same for longer."""
        before = self.standing.hold(tier, term_end, tx.now, self.rules)
        if self.standing.tier == before:
            return
        lower = {each.name for each in tiers if tier and each.threshold < tier.threshold}
        kind = TierUpgraded if tier and (not before or before in lower) else TierDowngraded
        tx.record(fact_of(kind, self.standing, previous_tier=before), version=self.standing.version)


def earners(
    transfers: Iterable[Transfer], accounts: Mapping[str, HeldAccount]
) -> Mapping[str, Collection[UUID]]:
    """By program the memberships that earned by these what counts for their tier; programs in one order."""
    found: dict[str, set[UUID]] = defaultdict(set)
    for transfer in transfers:
        legs = [(accounts[leg.account], leg.amount) for leg in transfer.legs]
        if any(account.type in EARNED_FROM and amount < 0 for account, amount in legs):
            for account, amount in legs:
                if amount > 0 and account.membership_id and account.counts_for_tiers:
                    found[account.program_id].add(account.membership_id)
    return dict(sorted(found.items()))


async def requalify(tx: Transaction, program_id: str, membership_ids: Collection[UUID]) -> None:
    """Give those of these memberships that are active the tier that they have earned, if it is a higher one.

    Whoever earns something takes this lock after what they earn it with: of two the second counts what the
    first earned.
    """
    program = await GET_PROGRAM.one(tx, id=program_id)
    tiers = await store.TIERS_OF.all(tx, program_id=program_id)
    if program.tier_policy is None or not tiers or not membership_ids:
        return
    members = await store.ACTIVE_MEMBERSHIPS.all(tx, ids=sorted(membership_ids))
    held = await lock_standings(tx, program, program.tier_policy, members)
    since = {each.standing.id: each.rules.period_start(tx.now) for each in held}
    progress = await progress_since(tx, program.tier_policy, since, keep=tx)
    changed = []
    for each in held:
        reached = earned(tiers, progress.get(each.standing.id, _NOTHING))
        if reached and is_higher(tiers, reached.id, each.standing.tier_id):
            each.change(tx, tiers, reached, each.rules.term_end(tx.now))
            changed.append(each.standing)
    await store.SAVE_STANDINGS.rows(tx, changed)


async def qualify_by_purchases(tx: Transaction, customer_ids: Collection[UUID]) -> None:
    """The same of the memberships of customers who bought something, where that is what counts."""
    for program in await store.BY_PURCHASES.all(tx):
        members = await earning_memberships(tx, program.id, customer_ids)
        await requalify(tx, program.id, {member.id for member in members.values()})


async def lock_standings(
    tx: Transaction, program: Program, policy: TierPolicy, members: Sequence[Membership]
) -> list[Held]:
    """Where these stand; nobody else changes that."""
    await LOCK_NAMES.run(tx, names=[f"{member.name}/tierStanding" for member in members])
    kept = {each.id: each for each in await store.GET_STANDINGS.all(tx, ids=[each.id for each in members])}
    return [
        Held(
            kept.get(member.id) or new_standing(member, tx.now),
            TierRules(policy, member.create_time, program.time_zone),
        )
        for member in members
    ]


def new_standing(member: Membership, at: datetime) -> Standing:
    """Of a membership that never had a tier."""
    return Standing(
        id=member.id,
        program_id=member.program_id,
        customer_id=member.customer_id,
        tier_id="",
        reach_time=None,
        term_end=None,
        review_time=None,
        told=False,
        due_time=None,
        shard=shard_of(member.id),
        create_time=at,
        update_time=at,
    )


async def progress_since(
    on: Executor, policy: TierPolicy, since: Mapping[UUID, datetime], *, keep: Transaction | None = None
) -> Mapping[UUID, Decimal]:
    """What memberships earned since a moment each, in one statement; nothing of those that are not there.

    What points were counted is kept where somebody will ask for the same time again, which of a rolling year
    is another each day: who says so holds the locks of these standings.
    """
    if not since:
        return {}
    asked = {"ids": list(since), "starts": list(since.values())}
    match policy.measure:
        case Measure.POINTS:
            found = await store.PROGRESS_BY_POINTS.all(on, **asked, unit_id=policy.unit_code)
            if keep and policy.period is not Period.ROLLING_YEAR:
                # By account: one that was merged meanwhile is there as its own, and as part of the whole.
                new = {each.account_id: each for each in found if each.looked_at >= KEEP_AFTER}
                await store.KEEP_COUNTED.rows(keep, list(new.values()))
            progress: dict[UUID, Decimal] = defaultdict(Decimal)
            for each in found:
                progress[each.id] += each.amount
            return progress
        case Measure.SPEND:
            rows = await store.PROGRESS_BY_SPEND.all(on, **asked, currency_code=policy.currency_code)
        case Measure.VISITS:
            rows = await store.PROGRESS_BY_VISITS.all(on, **asked, currency_code="")
    return {row.id: row.progress for row in rows}


def is_higher(tiers: Sequence[Tier], one: str, other: str) -> bool:
    """Whether a tier takes more than another; any takes more than none."""
    takes = {tier.id: tier.threshold for tier in tiers}
    return takes.get(one, _NOTHING) > takes.get(other, _NOTHING)
