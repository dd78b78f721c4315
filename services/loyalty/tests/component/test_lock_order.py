"""What a member has is locked in one order: what they spend from, then what is beside it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis.context import Call, acting, service_itself
from chassis.db.statement import Statement
from chassis.db.transaction import Transaction
from loyalty.domain.ledger import Account, AccountType
from loyalty.domain.membership import Membership
from loyalty.names import MEMBERSHIP
from loyalty.usecases.book import Book
from loyalty.usecases.hand_over import lock_pairs
from loyalty.usecases.taking_back import accounts_of
from rapport_testing.running import Running
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

_WAITING = Statement[Any](
    sa.text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
)


@pytest.fixture
async def member(running: Running, desk: Any) -> Membership:
    """One whose id would have what is pending locked before what they spend from."""
    while True:
        joined = await desk.join()
        program_id, membership_id = MEMBERSHIP.parse(joined.name)
        now = running.db.clock.now()
        made = Membership(membership_id, program_id, UUID(joined.customer.partition("/")[2]), now, now)
        account = Account.of_member(made, "points", now)
        if account.beside(AccountType.PENDING, now).id < account.id:
            return made


async def others_wait(running: Running) -> None:
    async def waits() -> bool:
        return bool(await _WAITING.all(running.db))

    await eventually(waits)


async def earn(tx: Transaction, member: Membership) -> None:
    account = Account.of_member(member, "points", tx.now)
    await Book.lock(tx, accounts_of(account, tx.now))


async def close(tx: Transaction, member: Membership) -> None:
    await lock_pairs(tx, member, None)


@pytest.mark.parametrize(("is_there", "other"), [(True, earn), (False, close)])
async def test_who_has_what_a_member_spends_from_has_what_is_beside_it(
    running: Running, member: Membership, is_there: bool, other: Any
) -> None:
    db, account = running.db, Account.of_member(member, "points", running.db.clock.now())

    async def meanwhile() -> None:
        async with db.transaction() as tx:
            await other(tx, member)

    with acting(Call("test", service_itself("loyalty"))):
        if is_there:
            async with db.transaction() as tx:
                await close(tx, member)
        async with db.transaction() as tx:
            book = await Book.lock(tx, [account.name])
            waiting = asyncio.create_task(meanwhile())
            await others_wait(running)
            await book.beside(account, AccountType.PENDING)
        await waiting
