"""Creating, changing and deleting notice policies: each makes a version."""

from typing import TypedDict

from chassis.api.entities import own_department, owned, write
from chassis.db.statement import LOCK_NAME
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists, invalid
from chassis.facts import changed
from notifications.domain.policy import NoticePolicy
from notifications.names import POLICY
from notifications.store.tables import GET_POLICY, INSERT_POLICY, LATEST_POLICY
from notifications.usecases.sendable import read_template, require_sendable


class PolicyChanges(TypedDict, total=False):
    """What of a policy can change."""

    event_type: str
    template_id: str
    disabled: bool


async def create_policy(
    tx: Transaction,
    *,
    notice_policy_id: str,
    event_type: str,
    template_id: str,
    disabled: bool,
    department_id: str | None,
) -> NoticePolicy:
    """Keep a new policy. ResourceExists; what `_keep` finds.

    One of a name that was deleted counts on from it, and stays the department's that it was: InvalidArgument
    INVALID_NAME when another is given.
    """
    owner = own_department(tx, department_id, "notice_policy.department")
    policy = NoticePolicy(notice_policy_id, 1, event_type, template_id, disabled, owner, tx.now, tx.now)
    await LOCK_NAME.run(tx, name=policy.name)
    latest = await LATEST_POLICY.maybe(tx, id=policy.id)
    if latest is not None and latest.deleted:
        policy.version, policy.department_id = latest.version + 1, latest.department_id
    tx.require_owner(policy)
    if department_id not in (None, policy.department_id):
        allowed = f"must be {policy.department}, whose the deleted one was, or absent"
        raise invalid("notice_policy.department", "INVALID_NAME", allowed)
    if latest is not None and not latest.deleted:
        raise ResourceExists(policy.name)
    return await _keep(tx, policy)


async def update_policy(
    tx: Transaction, *, notice_policy_id: str, changes: PolicyChanges, etag: str
) -> NoticePolicy:
    """Keep the next version. What is the same is none. What `_own` and `_keep` find."""
    policy = await _own(tx, notice_policy_id, etag)
    return await _keep(tx, policy) if changed(policy, changes) else policy


async def delete_policy(tx: Transaction, *, notice_policy_id: str, etag: str) -> None:
    """Keep that it is deleted. What `_own` finds."""
    policy = await _own(tx, notice_policy_id, etag)
    tx.touch(policy.name)  # of which the answer says nothing
    changed(policy, {"deleted": True})
    await write(tx, INSERT_POLICY, policy)


async def _own(tx: Transaction, policy_id: str, etag: str) -> NoticePolicy:
    """A policy of the caller's, which nobody else changes meanwhile. What `owned` finds."""
    await LOCK_NAME.run(tx, name=POLICY.format(policy_id))
    return await owned(tx, POLICY, GET_POLICY, policy_id, etag=etag)


async def _keep(tx: Transaction, policy: NoticePolicy) -> NoticePolicy:
    """Keep a version whose template there is, and says what it must: see `require_sendable`. NotFound."""
    await LOCK_NAME.run(tx, name=policy.template)
    template, texts = await read_template(tx, policy.template_id)
    require_sendable(template, texts, policy)
    await write(tx, INSERT_POLICY, policy)
    return policy
