"""Joining a programme."""

from uuid import UUID

from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from loyalty.domain.ledger import Account, AccountKey, AccountKind
from loyalty.names import PROGRAMME
from loyalty.store.ledger import GET_ACCOUNTS, GET_PROGRAMME, OPEN_ACCOUNT


async def enrol(tx: Transaction, programme: str, customer_id: UUID) -> Account:
    """The customer's membership, made when there is none. NotFound without such a programme."""
    if await GET_PROGRAMME.maybe(tx, programme=programme) is None:
        raise NotFound(PROGRAMME.format(programme))
    key = AccountKey(programme, AccountKind.MEMBERSHIP, customer_id)
    await open_membership(tx, key)
    return await GET_ACCOUNTS.one(tx, ids=[key.id])


async def open_membership(tx: Transaction, key: AccountKey) -> None:
    """Make the membership when there is none."""
    await OPEN_ACCOUNT.run(tx, **values(Account.opened(key, tx.now)))
