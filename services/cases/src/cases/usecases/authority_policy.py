"""What people may do alone: saying it."""

from contextlib import suppress

from cases.domain.authority_policy import AuthorityAct, AuthorityPolicy, Limit
from cases.domain.facts import AuthorityPolicyCreated
from cases.domain.priority import Band
from cases.names import AUTHORITY_POLICY
from cases.store import authority_policies as store
from chassis.api.entities import create_version, own_department, owned_version, save
from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists
from chassis.facts import Changes, fact_of
from chassis.names import PLATFORM

GOODWILL = "goodwill"  # the platform's policy that is there from the beginning


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
    """Keep a new policy. AlreadyExists RESOURCE_EXISTS; what `require_limits` refuses."""
    owner = own_department(tx, department_id, "authority_policy.department")
    policy = AuthorityPolicy(
        authority_policy_id, 1, display_name, owner, act, disabled, tx.now, tx.now, limits
    )
    policy.require_limits()
    tx.require_owner(policy)
    await _create(tx, policy)
    return policy


async def _create(tx: Transaction, policy: AuthorityPolicy) -> None:
    created = fact_of(AuthorityPolicyCreated, policy)
    await create_version(tx, store.AUTHORITY_POLICY, store.INSERT_AUTHORITY_POLICY, policy, created)


async def seed_goodwill(db: Database) -> None:
    """Make sure that people may put something right. What was made of the policy since stays."""
    now = db.clock.now()
    bands = {None: 500, Band.SILVER: 1000, Band.GOLD: 1500, Band.PLATINUM: 2000}
    limits = [Limit("", band, None, points=points) for band, points in bands.items()]
    policy = AuthorityPolicy(
        GOODWILL, 1, "Goodwill", PLATFORM, AuthorityAct.GOODWILL, False, now, now, limits
    )
    with acting(Call("seed", service_itself(db.service))), suppress(ResourceExists):
        async with db.transaction() as tx:
            await _create(tx, policy)


async def update_authority_policy(
    tx: Transaction, *, authority_policy_id: str, changes: Changes[AuthorityPolicy], etag: str
) -> AuthorityPolicy:
    """Keep the next version. What is the same is none."""
    policy = await owned_version(tx, AUTHORITY_POLICY, store.AUTHORITY_POLICY, authority_policy_id, etag=etag)
    if updated := policy.update(changes):
        await save(tx, store.INSERT_AUTHORITY_POLICY, policy, updated)
    return policy
