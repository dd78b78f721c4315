"""What was earned and has ended, and is given back after that."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pytest

from loyalty.usecases.book import Book
from rapport.loyalty.v1.membership_service_pb2 import MergeMembershipsRequest
from rapport.loyalty.v1.program_pb2 import Unit
from rapport.loyalty.v1.program_service_pb2 import UpdateUnitRequest

from .earning import held, in_force
from .test_lots import EXPIRED, Shop
from .test_purchase_lines import basket, give_back, line, record

pytestmark = pytest.mark.together

ISSUED, REDEEMED = (f"programs/main/accounts/points-{kind}" for kind in ("issued", "redeemed"))


@pytest.fixture
async def shop(running: Any, desk: Any, clock: Any) -> Shop:
    """Everything that is earned ends after 30 days."""
    policy = {"activation": "ACTIVATION_IMMEDIATE", "expiry": "EXPIRY_AFTER_EARNING", "expiry_days": 30}
    unit = Unit(name="programs/main/units/points", lot_policy=policy)
    await desk.programs.UpdateUnit(UpdateUnitRequest(unit=unit))
    await in_force(desk)
    return Shop(running, desk, clock, "")


async def test_what_ended_is_not_owed_and_what_was_spent_of_it_is(desk: Any, shop: Shop) -> None:
    first = await record(desk, basket(line("a", "2", "100")))
    customer = first.customer
    second = await record(desk, basket(line("a", "1", "50"), customer=customer))
    await desk.ledger.PostTransfer(desk.posting(await desk.account_of(customer), REDEEMED, 30))
    await shop.days(31)
    assert (await held(desk, customer), await desk.points(EXPIRED)) == ({"MEMBERSHIP": 0}, [120])
    left = []
    for purchase, lines in ((first, {"line1": "1"}), (first, {}), (second, {})):
        await give_back(desk, purchase, **lines)
        left.append((await held(desk, customer), await desk.points(EXPIRED)))
    assert left == [
        ({"MEMBERSHIP": 0}, [70]),
        ({"MEMBERSHIP": 0}, [20]),
        ({"MEMBERSHIP": 0, "DEBT": -30}, [0]),
    ]
    await shop.right()


async def test_what_ended_before_a_merge_is_not_taken_of_the_other(desk: Any, shop: Shop) -> None:
    bought = await record(desk, basket(line("a", "1", "100")))
    await shop.days(31)
    other = await record(desk, basket(line("a", "1", "40")))
    into, merged = [await desk.membership_of(each.customer) for each in (other, bought)]
    request = MergeMembershipsRequest(
        name=into.name, merged_membership=merged.name, reason_code="household", request_id=str(uuid4())
    )
    await desk.memberships.MergeMemberships(request)
    await give_back(desk, bought)
    stands = await held(desk, into.customer)
    assert (stands["MEMBERSHIP"], stands["DEBT"], await desk.points(EXPIRED)) == (40, 0, [0])
    await shop.right()


async def test_what_ended_and_what_was_issued_are_locked_in_the_order_of_everybody(
    running: Any, desk: Any, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that taking back and a transfer between the two cannot wait for each other, in whatever slot."""
    bought = await record(desk, basket(line("a", "1", "100")))
    await shop.days(31)
    locked: list[set[str]] = []
    lock = Book._lock

    async def noted(book: Book, names: Iterable[str]) -> None:
        locked.append(set(names))
        await lock(book, locked[-1])

    monkeypatch.setattr(Book, "_lock", noted)
    await give_back(desk, bought)
    together = [names & {EXPIRED, ISSUED} for names in locked if EXPIRED in names]
    assert together == [{EXPIRED, ISSUED}]
