"""Creating a notice policy, or a new version of it."""

from dataclasses import dataclass

from chassis.db.locks import LOCK_NAME
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from notifications.domain.policy import NoticePolicy
from notifications.store.policies import GET_POLICY, INSERT_POLICY
from notifications.store.templates import GET_TEMPLATE
from notifications.usecases.sendable import require_sendable


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    """A rule: this fact leads to this notice. `template` is the template's id."""

    id: str
    event_type: str
    template: str
    enabled: bool
    department_id: str


async def create_policy(tx: Transaction, command: CreatePolicy) -> NoticePolicy:
    """Keep the next version of a policy.

    NotFound when there is no such template; what `require_sendable` finds.
    """
    policy = NoticePolicy(**values(command), version=1, create_time=tx.now)
    await LOCK_NAME.run(tx, name=policy.name)
    await LOCK_NAME.run(tx, name=f"templates/{command.template}")
    if (latest := await GET_POLICY.maybe(tx, id=command.id)) is not None:
        policy.version, policy.department_id = latest.version + 1, latest.department_id
    tx.require_owner(policy)
    template = await GET_TEMPLATE.maybe(tx, id=command.template)
    if template is None:
        raise NotFound(f"templates/{command.template}")
    require_sendable(template, command.event_type)
    await tx.defer(INSERT_POLICY, **values(policy))
    return policy
