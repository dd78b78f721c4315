"""Joining a program."""

from uuid import UUID

from chassis import ids
from chassis.api.entities import found
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists, invalid
from chassis.facts import fact_of
from loyalty.domain.facts import MembershipCreated
from loyalty.domain.ledger import Account
from loyalty.domain.program import Membership
from loyalty.names import MEMBERSHIP, PROGRAM, UNIT
from loyalty.store.ledger import OPEN_ACCOUNTS
from loyalty.store.programs import (
    GET_MEMBERSHIP,
    GET_PROGRAM,
    GET_UNIT,
    INSERT_MEMBERSHIP,
    MEMBERSHIP_OF,
    UNITS_OF,
)


async def create_membership(tx: Transaction, *, program_id: str, customer_id: UUID) -> Membership:
    """Make a customer a member, with an account in each unit. NotFound without the program; AlreadyExists."""
    await found(tx, PROGRAM, GET_PROGRAM, program_id)
    new = await _join(tx, program_id, customer_id)
    if new is None:
        raise ResourceExists(
            (await MEMBERSHIP_OF.one(tx, program_id=program_id, customer_id=customer_id)).name
        )
    units = await UNITS_OF.all(tx, program_id=program_id)
    await OPEN_ACCOUNTS.rows(tx, [Account.of_member(new, unit.id, tx.now) for unit in units])
    return new


async def create_account(
    tx: Transaction,
    *,
    program_id: str,
    unit_program_id: str,
    unit_id: str,
    membership_program_id: str,
    membership_id: UUID,
) -> Account:
    """Open a member's account. NotFound without the membership or unit; AlreadyExists."""
    for field, of in (("unit", unit_program_id), ("membership", membership_program_id)):
        if of != program_id:
            raise invalid(f"account.{field}", "INVALID_NAME", "must be of the same program as the account")
    member = await found(tx, MEMBERSHIP, GET_MEMBERSHIP, program_id, membership_id)
    await found(tx, UNIT, GET_UNIT, program_id, unit_id)
    new = Account.of_member(member, unit_id, tx.now)
    if not await OPEN_ACCOUNTS.rows(tx, [new]):
        raise ResourceExists(new.name)
    return new


async def _join(tx: Transaction, program_id: str, customer_id: UUID) -> Membership | None:
    """A new membership; None when there is one."""
    new = Membership(ids.uuid7(tx.now), program_id, customer_id, tx.now, tx.now)
    made = await INSERT_MEMBERSHIP.maybe(tx, **values(new))
    if made is not None:
        tx.record(fact_of(MembershipCreated, made), version=made.version)
    return made


async def account_of(tx: Transaction, program_id: str, customer_id: UUID, unit_id: str) -> Account:
    """A customer's account, of a membership; both are made when there are none."""
    member = await MEMBERSHIP_OF.maybe(tx, program_id=program_id, customer_id=customer_id)
    if member is None:
        made = await _join(tx, program_id, customer_id)
        # Without: somebody else made it meanwhile.
        member = made or await MEMBERSHIP_OF.one(tx, program_id=program_id, customer_id=customer_id)
    account = Account.of_member(member, unit_id, tx.now)
    await OPEN_ACCOUNTS.rows(tx, [account])
    return account
