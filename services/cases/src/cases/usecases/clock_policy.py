"""The rules that start clocks, each change of which makes a version."""

from uuid import UUID

from cases.domain.calendar import ALWAYS
from cases.domain.clock_policy import (
    ClockMetric,
    ClockPolicy,
    Pause,
    Subject,
    Target,
    check_targets,
)
from cases.domain.facts import ClockPolicyCreated
from cases.names import CALENDAR, CLOCK_POLICY
from cases.store import clocks as store
from cases.store.calendars import CALENDAR as CALENDAR_LATEST
from cases.usecases.calendar import MEANWHILE, calendars
from cases.usecases.clock import FOLLOWING
from cases.usecases.clock_keeping import save_clock
from cases.usecases.conditions import VARIABLES
from chassis.api.entities import create_version, found, own_department, owned_version, save
from chassis.db.statement import Executor
from chassis.db.transaction import Transaction
from chassis.errors import invalid
from chassis.facts import Changes, fact_of
from chassis.rules import require_rule
from chassis.work.timers import Timer

APPLY_TIMER = "clocks-go-by-policy"  # clocks go by the version that was made


async def create_clock_policy(
    tx: Transaction,
    *,
    clock_policy_id: str,
    display_name: str,
    department_id: str | None,
    subject: Subject,
    condition: str,
    position: int,
    targets: list[Target],
    pauses: list[Pause],
    disabled: bool,
) -> ClockPolicy:
    """Keep a new policy. ResourceExists; what `require_sound` finds."""
    owner = own_department(tx, department_id, "clock_policy.department")
    policy = ClockPolicy(
        clock_policy_id,
        1,
        display_name,
        owner,
        subject,
        condition,
        position,
        disabled,
        create_time=tx.now,
        update_time=tx.now,
        targets=targets,
        pauses=[*pauses],
    )
    tx.require_owner(policy)
    await require_sound(tx, policy)
    created = fact_of(ClockPolicyCreated, policy)
    await create_version(tx, store.CLOCK_POLICY, store.INSERT_CLOCK_POLICY, policy, created)
    return policy


async def update_clock_policy(
    tx: Transaction, *, clock_policy_id: str, changes: Changes[ClockPolicy], apply_to_running: bool, etag: str
) -> ClockPolicy:
    """Keep the next version. What is the same is none. What `require_sound` finds.

    `apply_to_running`: clocks that it started go by it, too, as far as `Clock.go_by` lets them.
    """
    policy = await owned_version(tx, CLOCK_POLICY, store.CLOCK_POLICY, clock_policy_id, etag=etag)
    if updated := policy.update(changes):
        await require_sound(tx, policy)
        await save(tx, store.INSERT_CLOCK_POLICY, policy, updated)
    if apply_to_running:
        # And again for those that are being started meanwhile, by the version before this one.
        for again, at in enumerate((tx.now, tx.now + MEANWHILE)):
            await tx.schedule(APPLY_TIMER, f"{policy.id}/{policy.version}/{UUID(int=again)}", at)
    return policy


async def clocks_go_by(tx: Transaction, timer: Timer) -> None:
    """Some clocks go by a version of the policy that started them, and it comes back for the rest."""
    policy_id, version, after = timer.key.split("/")
    policy = await store.CLOCK_POLICY_VERSION.one(tx, id=policy_id, version=int(version))
    behind = await store.LOCK_CLOCKS_BEHIND_POLICY.all(
        tx, clock_policy_id=policy.id, policy_version=policy.version, after=UUID(after), limit=FOLLOWING
    )
    latest = {each: (await CALENDAR_LATEST.one(tx, id=each)).version for each in policy.calendar_ids}
    for clock in behind:
        if target := policy.target(clock.metric):
            calendar_id = target.calendar_id or ALWAYS
            calendar = await calendars(tx.db).of(tx, calendar_id, latest[calendar_id])
            await save_clock(tx, clock, clock.go_by(policy, latest[calendar_id], calendar, tx.now))
    if len(behind) == FOLLOWING:
        await tx.schedule(APPLY_TIMER, f"{policy.id}/{policy.version}/{behind[-1].id}", tx.now)


async def require_sound(on: Executor, policy: ClockPolicy) -> None:
    """Refuse a condition that is none (`INVALID_RULE`), a calendar that is not there, and bad targets."""
    check_targets(policy.subject, policy.targets)
    if policy.pauses and not any(each.metric is ClockMetric.RESOLUTION for each in policy.targets):
        raise invalid("clock_policy.pauses", "INVALID_ENUM", "must be empty without a target for RESOLUTION")
    for calendar_id in policy.calendar_ids:
        await found(on, CALENDAR, CALENDAR_LATEST, calendar_id)
    require_rule(policy.condition, VARIABLES, "clock_policy.condition")
