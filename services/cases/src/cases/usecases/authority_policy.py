"""What people may do alone: saying it, and asking it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from cases.domain.authority_policy import AuthorityAct, AuthorityPolicy, AuthorityPolicyChanges, Limit
from cases.domain.facts import AuthorityPolicyCreated
from cases.domain.priority import Band, Harm
from cases.names import AUTHORITY_POLICY, CASE
from cases.store import authority_policies as store
from cases.store.tables import CASE as CASE_BY_ID
from cases.usecases.standing import standing_of
from chassis.api.entities import found, own_department, owned, save, write
from chassis.authority import Authority, authority
from chassis.context import Principal
from chassis.db.database import Database
from chassis.db.statement import LOCK_NAME
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists
from chassis.facts import fact_of


class Reason(StrEnum):
    """Why somebody may do so much."""

    LIMIT = "LIMIT"
    NO_LIMIT_HOLDS = "NO_LIMIT_HOLDS"
    NO_POLICY = "NO_POLICY"


@dataclass(frozen=True, slots=True)
class Answer:
    """How much of an act somebody may do alone, as the contract has it."""

    act: AuthorityAct
    reason: Reason
    amount: int
    day_amount: int
    permission: str
    authority_policy: str
    policy_version: int


async def create_authority_policy(
    tx: Transaction,
    *,
    authority_policy_id: str,
    display_name: str,
    department_id: str | None,
    act: AuthorityAct,
    limits: list[Limit],
    disabled: bool,
) -> AuthorityPolicy:
    """Keep a new policy. AlreadyExists RESOURCE_EXISTS."""
    owner = own_department(tx, department_id, "authority_policy.department")
    policy = AuthorityPolicy(
        authority_policy_id, 1, display_name, owner, act, disabled, tx.now, tx.now, [], [], [], [], []
    )
    policy.limits = limits
    tx.require_owner(policy)
    await LOCK_NAME.run(tx, name=policy.name)
    if await store.AUTHORITY_POLICY.maybe(tx, id=policy.id):
        raise ResourceExists(policy.name)
    await write(tx, store.INSERT_AUTHORITY_POLICY, policy)
    tx.record(fact_of(AuthorityPolicyCreated, policy), version=policy.version)
    return policy


async def update_authority_policy(
    tx: Transaction, *, authority_policy_id: str, changes: AuthorityPolicyChanges, etag: str
) -> AuthorityPolicy:
    """Keep the next version. What is the same is none."""
    await LOCK_NAME.run(tx, name=AUTHORITY_POLICY.format(authority_policy_id))
    policy = await owned(tx, AUTHORITY_POLICY, store.AUTHORITY_POLICY, authority_policy_id, etag=etag)
    if updated := policy.update(changes):
        await save(tx, store.INSERT_AUTHORITY_POLICY, policy, updated)
    return policy


async def check_authority(
    db: Database, principal: Principal, customer_id: UUID | None, case_id: UUID | None
) -> list[Answer]:
    """What somebody may do alone for a customer, or on a case: of each act. NotFound for a case."""
    harm = Harm.NONE
    if case_id:
        case = await found(db, CASE, CASE_BY_ID, case_id)
        customer_id, harm = case.customer_id, case.harm
    standing = await standing_of(db, customer_id, db.clock.now()) if customer_id else None
    band = standing.band if standing else Band.STANDARD
    policies = await store.POLICIES_FOR.all(db, department_id=principal.department)
    return [
        _answer(act, authority([each for each in policies if each.act == act], principal, band, harm))
        for act in AuthorityAct
    ]


def _answer(act: AuthorityAct, may: Authority[AuthorityPolicy]) -> Answer:
    if may.policy is None:
        return Answer(act, Reason.NO_POLICY, 0, 0, "", "", 0)
    reason = Reason.NO_LIMIT_HOLDS if may.permission is None else Reason.LIMIT
    by = str(may.policy.name), may.policy.version
    return Answer(act, reason, may.amount, may.day_amount, may.permission or "", *by)
