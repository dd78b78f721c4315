"""What was earned on memberships that are one by now, or closed."""

import asyncio
from typing import Any

import asyncpg
import pytest

from loyalty.usecases import earning_posting
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.ledger_service_pb2 import ListEntriesRequest
from rapport_testing.running import refused

from .earning import earning_of, held, in_force
from .test_purchase_lines import basket, give_back, line, record

ISSUED, REDEEMED = (f"programs/main/accounts/points-{kind}" for kind in ("issued", "redeemed"))


async def owing(desk: Any, points: int, customer: str = "") -> str:
    """A member who owes so much: it was earned, spent, and what earned it given back."""
    given = {"customer": customer} if customer else {}
    bought = await record(desk, basket(line("a", "1", str(points)), **given))
    await spend(desk, bought.customer, points)
    await give_back(desk, bought)
    return bought.customer


async def spend(desk: Any, customer: str, points: int) -> None:
    accounts = await desk.accounts_of((await desk.membership_of(customer)).name)
    (account,) = (each.name for each in accounts if each.type == Account.TYPE_MEMBERSHIP)
    await desk.ledger.PostTransfer(desk.posting(account, REDEEMED, points))


async def merge(desk: Any, into: str, merged: str) -> Any:
    await desk.merge(*[(await desk.membership_of(each)).name for each in (into, merged)])


async def unmerge(desk: Any, merged: str) -> None:
    await desk.unmerge((await desk.membership_of(merged)).name)


async def debts(desk: Any, *customers: str) -> list[int]:
    return [(await held(desk, each)).get("DEBT", 0) for each in customers]


async def test_what_is_given_back_after_a_merge_is_taken_where_the_points_are(desk: Any) -> None:
    await in_force(desk)
    bought = await record(desk, basket(line("a", "2", "40")))
    into, merged = await desk.join(), await desk.membership_of(bought.customer)
    await desk.merge(into.name, merged.name)
    assert (await held(desk, into.customer))["MEMBERSHIP"] == 40
    await give_back(desk, bought, line1="1")
    assert (await held(desk, into.customer))["MEMBERSHIP"] == 20
    await give_back(desk, bought)
    assert (await held(desk, into.customer))["MEMBERSHIP"] == 0


async def test_what_is_owed_comes_with_a_merge(desk: Any) -> None:
    await in_force(desk)
    bought = await record(desk, basket(line("a", "1", "40")))
    account = await desk.account_of(bought.customer)
    await desk.ledger.PostTransfer(desk.posting(account, REDEEMED, 40))
    await give_back(desk, bought)
    into, merged = await desk.join(), await desk.membership_of(bought.customer)
    await desk.merge(into.name, merged.name)
    assert (await held(desk, into.customer))["DEBT"] == -40
    await record(desk, basket(line("a", "1", "50"), customer=into.customer))
    stands = await held(desk, into.customer)
    assert (stands["MEMBERSHIP"], stands["DEBT"]) == (10, 0)


async def test_a_merge_that_is_undone_gives_back_what_is_left_of_what_was_owed(desk: Any) -> None:
    await in_force(desk)
    merged, into = await owing(desk, 40), (await desk.join()).customer
    await merge(desk, into, merged)
    await record(desk, basket(line("a", "1", "15"), customer=into))
    await unmerge(desk, merged)
    assert await debts(desk, into, merged) == [0, -25]
    await record(desk, basket(line("a", "1", "25"), customer=merged))
    # What each owes by themselves stays theirs, whatever was brought once.
    await owing(desk, 10, into)
    await merge(desk, into, merged)
    await unmerge(desk, merged)
    assert await debts(desk, into, merged) == [-10, 0]


async def test_what_is_owed_is_paid_by_what_is_earned_and_never_more_than_that(
    running: Any, desk: Any
) -> None:
    await in_force(desk)
    customer = await owing(desk, 40)
    accounts = await desk.accounts_of((await desk.membership_of(customer)).name)
    (debt,) = (each.name for each in accounts if each.type == Account.TYPE_DEBT)
    for sent in (desk.posting(ISSUED, debt, 50), desk.posting(debt, ISSUED, 1)):
        assert await refused(desk.ledger.PostTransfer(sent)) == "MANAGED_ACCOUNT"
    with pytest.raises(asyncpg.CheckViolationError, match="debt_not_above_zero"):
        async with running.db.connection() as connection:
            await connection.execute("UPDATE accounts SET balance = 1 WHERE name = $1", debt)
    assert await debts(desk, customer) == [-40]


async def test_what_a_closing_handed_over_is_not_undone_when_the_other_has_paid(desk: Any) -> None:
    await in_force(desk)
    customer, heir = await owing(desk, 40), await desk.join()
    closed = (await desk.membership_of(customer)).name
    await desk.close(closed, heir.name)
    accounts = await desk.accounts_of(heir.name)
    (debt,) = (each.name for each in accounts if each.type == Account.TYPE_DEBT)
    (moved,) = (await desk.ledger.ListEntries(ListEntriesRequest(parent=debt))).entries
    await record(desk, basket(line("a", "1", "15"), customer=heir.customer))
    await desk.reopen(closed)
    assert await refused(desk.reverse(moved.transfer)) == "INSUFFICIENT_BALANCE"
    assert await debts(desk, customer, heir.customer) == [0, -25]


async def test_what_is_owed_is_owed_after_closing_and_opening_again(desk: Any) -> None:
    await in_force(desk)
    customer = await owing(desk, 40)
    name = (await desk.membership_of(customer)).name
    await desk.close(name)
    await desk.reopen(name)
    await record(desk, basket(line("a", "1", "50"), customer=customer))
    stands = await held(desk, customer)
    assert (stands["MEMBERSHIP"], stands["DEBT"]) == (10, 0)


async def test_a_closed_membership_earns_nothing_and_takes_no_return_away(desk: Any) -> None:
    await in_force(desk)
    bought = await record(desk, basket(line("a", "1", "40")))
    member = await desk.membership_of(bought.customer)
    await desk.close(member.name)
    again = await record(desk, basket(line("a", "1", "10"), customer=bought.customer))
    (award,) = (await earning_of(desk, again)).awards
    assert (award.points, award.reason) == (0, 8)  # closed
    await give_back(desk, bought)
    assert (await held(desk, bought.customer))["MEMBERSHIP"] == 0


async def test_what_is_given_back_after_closing_is_taken_from_who_got_the_points(desk: Any) -> None:
    await in_force(desk)
    bought, other = (
        await record(desk, basket(line("a", "2", "40"))),
        await record(desk, basket(line("b", "1", "5"))),
    )
    closed, heir = await desk.membership_of(bought.customer), await desk.membership_of(other.customer)
    await desk.close(closed.name, heir.name)
    await give_back(desk, bought, line1="1")
    assert (await held(desk, heir.customer))["MEMBERSHIP"] == 25
    await spend(desk, heir.customer, 25)
    await desk.reopen(closed.name)
    assert await debts(desk, closed.customer, heir.customer) == [0, 0]
    await desk.close(closed.name, heir.name)
    await give_back(desk, bought)
    assert await debts(desk, closed.customer, heir.customer) == [0, -20]


async def test_what_is_bought_while_its_membership_is_merged_earns_on_the_other(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_force(desk)
    into, merged = await desk.join(), await desk.join()
    read, go, lock = asyncio.Event(), asyncio.Event(), earning_posting._lock

    async def hold(*args: Any) -> Any:
        read.set()
        await go.wait()
        return await lock(*args)

    monkeypatch.setattr(earning_posting, "_lock", hold)
    buying = asyncio.ensure_future(record(desk, basket(line("a", "1", "40"), customer=merged.customer)))
    await read.wait()
    await desk.merge(into.name, merged.name)
    go.set()
    bought = await buying
    (award,) = (await earning_of(desk, bought)).awards
    assert (award.points, (await held(desk, into.customer))["MEMBERSHIP"]) == (40, 40)
    await give_back(desk, bought)
    assert (await held(desk, into.customer))["MEMBERSHIP"] == 0


async def test_what_a_part_gives_back_is_taken_of_what_it_brought(desk: Any) -> None:
    """Also of points that were in no lot, by parts, and when what has them is merged on."""
    await in_force(desk)
    bought = await record(desk, basket(line("a", "2", "40")))
    others = [await record(desk, basket(line("a", "1", "50"))) for _ in range(2)]
    await merge(desk, others[0].customer, bought.customer)
    await give_back(desk, bought, line1="1")
    await merge(desk, others[1].customer, others[0].customer)
    await give_back(desk, bought)
    assert (await held(desk, others[1].customer))["MEMBERSHIP"] == 100
    for each in (others[0], bought):
        await unmerge(desk, each.customer)
    stands = [(await held(desk, each.customer))["MEMBERSHIP"] for each in (*others, bought)]
    assert stands == [50, 50, 0]
