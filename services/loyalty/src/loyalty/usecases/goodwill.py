"""Granting goodwill."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from chassis import ids
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from loyalty.domain.facts import GoodwillGranted
from loyalty.domain.goodwill import AuthorityPolicy, Goodwill, goodwill_exists
from loyalty.domain.ledger import AccountKey, AccountKind
from loyalty.domain.value import Band, ValueFormula
from loyalty.names import CUSTOMER, GOODWILL, PROMISE
from loyalty.store.goodwill import INSERT_GOODWILL
from loyalty.store.purchases import GET_VALUE
from loyalty.usecases.ledger import PostTransfer, post_transfer
from loyalty.usecases.memberships import open_membership

PROGRAMME = "main"


@dataclass(frozen=True, slots=True)
class GrantGoodwill:
    """Give points to a customer for one harm, the promise that was not kept if there is one."""

    customer_id: UUID
    points: int
    reason_code: str
    promise_id: UUID | None


@dataclass(frozen=True, slots=True)
class Authority:
    """What decides how much may be granted."""

    policy: AuthorityPolicy
    formula: ValueFormula

    async def band(self, tx: Transaction, customer_id: UUID) -> Band:
        """The customer's value band."""
        return self.formula.band(await GET_VALUE.maybe(tx, customer_id=customer_id))


async def grant_goodwill(tx: Transaction, command: GrantGoodwill, authority: Authority) -> Goodwill:
    """Grant what a person decided. FailedPrecondition `OVER_AUTHORITY`, AlreadyExists `GOODWILL_EXISTS`."""
    authority.policy.authorise(command.points, await authority.band(tx, command.customer_id))
    goodwill = await _grant(tx, command, authority.policy)
    if goodwill is None:
        assert command.promise_id is not None
        raise goodwill_exists(PROMISE.format(command.promise_id))
    return goodwill


async def grant_for_delay(
    tx: Transaction, customer_id: UUID, promise_id: UUID, delay: timedelta, authority: Authority
) -> Goodwill | None:
    """Grant what the policy gives for a promise moved by `delay`; None when that is nothing, or was given."""
    points = authority.policy.for_delay(delay, await authority.band(tx, customer_id))
    if points == 0:
        return None
    return await _grant(
        tx, GrantGoodwill(customer_id, points, "promise-renegotiated", promise_id), authority.policy
    )


async def _grant(tx: Transaction, command: GrantGoodwill, policy: AuthorityPolicy) -> Goodwill | None:
    goodwill = Goodwill(
        id=ids.uuid7(tx.now),
        customer_id=command.customer_id,
        points=command.points,
        reason_code=command.reason_code,
        promise_id=command.promise_id,
        transfer_id=ids.uuid7(tx.now),
        policy=policy.name,
        policy_version=policy.version,
        grantor=tx.call.principal.subject,
        grant_time=tx.now,
    )
    if await INSERT_GOODWILL.maybe(tx, **values(goodwill)) is None:
        return None
    granted = tx.record(
        GoodwillGranted(
            goodwill=GOODWILL.format(goodwill.id),
            customer=CUSTOMER.format(goodwill.customer_id),
            points=goodwill.points,
            reason_code=goodwill.reason_code,
            promise=PROMISE.format(goodwill.promise_id) if goodwill.promise_id else "",
            policy=goodwill.policy,
        ),
        version=1,
    )
    membership = AccountKey(PROGRAMME, AccountKind.MEMBERSHIP, command.customer_id)
    await open_membership(tx, membership)
    await post_transfer(
        tx,
        PostTransfer(
            debit=AccountKey(PROGRAMME, AccountKind.GOODWILL),
            credit=membership,
            points=goodwill.points,
            reason_code=goodwill.reason_code,
            id=goodwill.transfer_id,
            caused_by=granted,
        ),
    )
    return goodwill
