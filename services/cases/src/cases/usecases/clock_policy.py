"""The rules that start clocks, each change of which makes a version."""

from collections.abc import Sequence
from typing import TypedDict

from cases.domain.clock_policy import ClockPolicy, Subject, Target, check_targets
from cases.names import CALENDAR, CLOCK_POLICY
from cases.store import clocks as store
from cases.store.calendars import CALENDAR as CALENDAR_LATEST
from cases.usecases.conditions import require_rule
from chassis.api.entities import found, own_department, owned, write
from chassis.db.statement import LOCK_NAME
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists
from chassis.facts import changed


class ClockPolicyChanges(TypedDict, total=False):
    """What of a policy can change."""

    display_name: str
    condition: str
    position: int
    targets: list[Target]
    disabled: bool


async def create_clock_policy(
    tx: Transaction,
    *,
    clock_policy_id: str,
    display_name: str,
    department_id: str | None,
    subject: Subject,
    condition: str,
    position: int,
    targets: Sequence[Target],
    disabled: bool,
) -> ClockPolicy:
    """Keep a new policy. ResourceExists; what `_require_sound` finds."""
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
        metrics=[],
        business_minutes=[],
        warning_minutes=[],
        calendar_ids=[],
    )
    policy.targets = targets
    tx.require_owner(policy)
    await _require_sound(tx, policy)
    await LOCK_NAME.run(tx, name=policy.name)
    if await store.CLOCK_POLICY.maybe(tx, id=policy.id):
        raise ResourceExists(policy.name)
    await write(tx, store.INSERT_CLOCK_POLICY, policy)
    return policy


async def update_clock_policy(
    tx: Transaction, *, clock_policy_id: str, changes: ClockPolicyChanges, etag: str
) -> ClockPolicy:
    """Keep the next version. What is the same is none. What `_require_sound` finds."""
    await LOCK_NAME.run(tx, name=CLOCK_POLICY.format(clock_policy_id))
    policy = await owned(tx, CLOCK_POLICY, store.CLOCK_POLICY, clock_policy_id, etag=etag)
    if changed(policy, changes):
        await _require_sound(tx, policy)
        await write(tx, store.INSERT_CLOCK_POLICY, policy)
    return policy


async def _require_sound(tx: Transaction, policy: ClockPolicy) -> None:
    """Refuse a condition that is none (`INVALID_RULE`), a calendar that is not there, and bad targets."""
    check_targets(policy.subject, policy.targets)
    for calendar_id in sorted(set(policy.calendar_ids)):
        await found(tx, CALENDAR, CALENDAR_LATEST, calendar_id)
    require_rule(policy.condition, "clock_policy.condition")
