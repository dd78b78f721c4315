"""Opening accounts: members', and a program's own."""

from uuid import UUID

from chassis.api.entities import found
from chassis.db.transaction import Transaction
from chassis.errors import ResourceExists, invalid
from loyalty.domain.ledger import Account, AccountType
from loyalty.names import ACCOUNT, UNIT
from loyalty.store.ledger import OPEN_ACCOUNTS, OPEN_SLOTS
from loyalty.store.tables import GET_UNIT
from loyalty.usecases.memberships import lock_membership


async def open_own(tx: Transaction, accounts: list[Account]) -> list[Account]:
    """Open accounts of the program's own, with their slots; those that are new."""
    new = await OPEN_ACCOUNTS.rows(tx, accounts)
    if new:
        await OPEN_SLOTS.run(tx, names=[account.name for account in new])
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
    """Open a member's account.

    NotFound without the membership or unit; AlreadyExists; FailedPrecondition `MEMBERSHIP_CLOSED`.
    """
    for field, of in (("unit", unit_program_id), ("membership", membership_program_id)):
        if of != program_id:
            raise invalid(f"account.{field}", "INVALID_NAME", "must be of the same program as the account")
    member = await lock_membership(tx, program_id, membership_id)
    member.require_active()
    await found(tx, UNIT, GET_UNIT, program_id, unit_id)
    new = Account.of_member(member, unit_id, tx.now)
    if not await OPEN_ACCOUNTS.rows(tx, [new]):
        raise ResourceExists(new.name)
    return new


async def open_account(
    tx: Transaction,
    *,
    program_id: str,
    unit_program_id: str,
    unit_id: str,
    type: AccountType,
    owner_code: str,
) -> Account:
    """Open an account of the program's own for a partner or an issuer. NotFound; AlreadyExists."""
    if unit_program_id != program_id:
        raise invalid("unit", "INVALID_NAME", "must be of the same program as the account")
    await found(tx, UNIT, GET_UNIT, program_id, unit_id)
    new = Account.of_program(program_id, unit_id, type, tx.now, owner_code)
    if ACCOUNT.match(new.name) is None:
        raise invalid(
            "owner_code", "TOO_LONG", "must fit with unit and type into the 63 characters of a code"
        )
    if not await open_own(tx, [new]):
        raise ResourceExists(new.name)
    return new
