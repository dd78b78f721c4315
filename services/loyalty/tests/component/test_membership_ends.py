"""Memberships merged and unmerged, closed and opened again, and points that go from one to another."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.api.messages import moment
from chassis.context import Call, acting, service_itself
from chassis.db.statement import Statement
from chassis.errors import Aborted
from loyalty.store.lots import WRONG_LOTS
from loyalty.store.tables import ACCOUNTS
from loyalty.usecases.membership_ends import merge_memberships, unmerge_membership
from loyalty.usecases.memberships import lock_membership
from rapport.loyalty.v1.card_pb2 import Card
from rapport.loyalty.v1.card_service_pb2 import CreateCardRequest, FindMembershipRequest
from rapport.loyalty.v1.card_service_pb2_grpc import CardServiceStub
from rapport.loyalty.v1.ledger_service_pb2 import (
    ListEntriesRequest,
    ReportLiabilityRequest,
)
from rapport.loyalty.v1.lot_pb2 import LotPolicy
from rapport.loyalty.v1.lot_service_pb2 import ListLotsRequest
from rapport.loyalty.v1.lot_service_pb2_grpc import LotServiceStub
from rapport.loyalty.v1.member_service_pb2 import ListMembersRequest
from rapport.loyalty.v1.member_service_pb2_grpc import MemberServiceStub
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.membership_service_pb2 import (
    GetMembershipRequest,
    ListMembershipsRequest,
    TransferPointsRequest,
)
from rapport.loyalty.v1.reservation_pb2 import Reservation
from rapport.loyalty.v1.reservation_service_pb2 import (
    CommitReservationRequest,
    CreateReservationRequest,
    ReleaseReservationRequest,
)
from rapport.loyalty.v1.reservation_service_pb2_grpc import ReservationServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, refused
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

MAIN = "programs/main"
POINTS = f"{MAIN}/units/points"
ISSUED, REDEEMED, EXPIRED = (f"{MAIN}/accounts/points-{kind}" for kind in ("issued", "redeemed", "expired"))
START = datetime(2026, 3, 2, 14, 3, tzinfo=UTC)
NOW, BY_HAND = LotPolicy.ACTIVATION_IMMEDIATE, LotPolicy.ACTIVATION_ON_ACTION
_IDS = Statement[Any](sa.select(ACCOUNTS.c.id))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


class Two:
    """Two members, what they hold, and what becomes of them."""

    def __init__(self, running: Running, desk: Any) -> None:
        self.running, self.desk = running, desk
        self.lots: Any = running.stub(LotServiceStub)
        self.reservations: Any = running.stub(ReservationServiceStub)
        self.members: Any = running.stub(MemberServiceStub)

    async def begin(self) -> "Two":
        self.joined = [await self.desk.join(), await self.desk.join()]
        self.one, self.other = (each.name for each in self.joined)
        accounts = [(await self.desk.accounts_of(each))[0].name for each in (self.one, self.other)]
        self.account = dict(zip((self.one, self.other), accounts, strict=True))
        return self

    async def earn(self, member: str, points: int, days: int = 0, activation: int = NOW) -> Any:
        request = self.desk.posting(ISSUED, self.account[member], points)
        if days:
            policy = LotPolicy(
                activation=activation, expiry=LotPolicy.EXPIRY_AFTER_EARNING, expiry_days=days, grace_days=3
            )
            request.transfer.legs[1].lot_policy.CopyFrom(policy)
        return await self.desk.ledger.PostTransfer(request)

    async def spend(self, member: str, points: int) -> Any:
        return await self.desk.ledger.PostTransfer(self.desk.posting(self.account[member], REDEEMED, points))

    async def reserve(self, member: str, points: int) -> Any:
        sent = Reservation(account=self.account[member], amount=points, reason_code="reward")
        asked = CreateReservationRequest(reservation=sent, request_id=str(uuid4()))
        return await self.reservations.CreateReservation(asked)

    async def merge(self) -> Any:
        return await self.desk.merge(self.one, self.other)

    async def unmerge(self) -> Any:
        return await self.desk.unmerge(self.other)

    def giving(self, points: int) -> Any:
        return TransferPointsRequest(
            name=self.one,
            receiving_membership=self.other,
            unit=POINTS,
            amount=points,
            reason_code="gift",
            request_id=str(uuid4()),
        )

    async def get(self, member: str) -> Any:
        return await self.desk.memberships.GetMembership(GetMembershipRequest(name=member))

    async def hold(self) -> list[int]:
        return await self.desk.points(*self.account.values())

    async def left(self, member: str) -> list[tuple[int, int]]:
        """Of each lot how much is left, and in how many days it ends; 0 for never."""
        page = await self.lots.ListLots(ListLotsRequest(parent=self.account[member]))
        return [
            (lot.remaining, (moment(lot.expire_time) - START).days if lot.HasField("expire_time") else 0)
            for lot in page.lots
        ]

    async def present(self, member: str) -> set[str]:
        page = await self.members.ListMembers(ListMembersRequest(parent=member))
        return {each.customer for each in page.members if not each.HasField("leave_time")}

    async def right(self) -> None:
        ids = [row["id"] for row in await _IDS.all(self.running.db)]
        assert await WRONG_LOTS.all(self.running.db, ids=ids) == []


@pytest.fixture
async def two(running: Running, desk: Any) -> Any:
    two = await Two(running, desk).begin()
    yield two
    await two.right()


async def test_who_are_merged_have_together_what_both_held_each_lot_with_its_end(two: Two) -> None:
    await two.earn(two.one, 100)
    await two.earn(two.other, 50)
    await two.earn(two.other, 20, days=30)
    await two.earn(two.other, 7, days=60, activation=BY_HAND)
    assert (await two.merge()).name == two.one
    assert await two.hold() == [170, 0]
    assert await two.left(two.one) == [(20, 30), (7, 60), (50, 0)]
    merged = await two.get(two.other)
    of_one = ListMembershipsRequest(parent=MAIN, filter=f'merged_into = "{two.one}"')
    parts = (await two.desk.memberships.ListMemberships(of_one)).memberships
    assert [each.name for each in parts] == [two.other]
    assert (merged.state, merged.merged_into, merged.close_reason_code) == (
        Membership.STATE_MERGED,
        two.one,
        "same-household",
    )
    assert await two.present(two.one) == {each.customer for each in two.joined}
    assert await two.present(two.other) == set()


async def test_a_merge_that_is_undone_gives_back_what_is_left_of_what_each_brought(two: Two) -> None:
    await two.earn(two.one, 100)
    await two.earn(two.other, 50)
    await two.earn(two.other, 20, days=30)
    await two.earn(two.other, 7, days=60, activation=BY_HAND)
    await two.merge()
    await two.spend(two.one, 30)  # the twenty that end, and ten of what was brought
    await two.earn(two.one, 5, days=10)
    assert (await two.unmerge()).state == Membership.STATE_ACTIVE
    assert await two.hold() == [105, 40]
    assert (await two.left(two.one), await two.left(two.other)) == ([(5, 10)], [(7, 60)])
    assert [await two.present(each.name) for each in two.joined] == [{each.customer} for each in two.joined]
    await two.spend(two.other, 40)
    assert await refused(two.unmerge()) == "MEMBERSHIP_NOT_MERGED"


async def test_undoing_what_is_merged_at_that_moment_undoes_nothing_by_half(
    two: Two, running: Running
) -> None:
    """The merge has the membership between the two looks of who undoes it."""

    async def waiting(many: int) -> bool:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1"
        async with running.db.connection() as connection:
            database = await connection.fetchval("SELECT current_database()")
            return bool(await connection.fetchval(sql, database) == many)

    async def in_turn(change: Any, **asked: Any) -> None:
        async with running.db.transaction(lock_timeout_ms=20_000) as tx:
            await change(tx, program_id="main", reason_code="same", **asked)

    await two.earn(two.other, 20, days=30)
    one, other = (UUID(each.rpartition("/")[2]) for each in (two.one, two.other))
    both = {"merged_membership_program_id": "main", "merged_membership_id": other}
    with acting(Call("test", service_itself("loyalty"))):
        async with running.db.transaction() as tx:
            await lock_membership(tx, "main", other)
            merging = asyncio.create_task(in_turn(merge_memberships, membership_id=one, **both))
            await eventually(lambda: waiting(1))
            undoing = asyncio.create_task(in_turn(unmerge_membership, membership_id=other))
            await eventually(lambda: waiting(2))
        await merging
        with pytest.raises(Aborted):
            await undoing
    assert (await two.get(two.other)).merged_into == two.one
    await two.unmerge()
    assert (await two.hold(), await two.left(two.other)) == ([0, 20], [(20, 30)])


async def test_what_a_merge_moved_is_undone_with_the_merge_alone(two: Two) -> None:
    await two.earn(two.other, 20, days=30)
    await two.merge()
    asked = ListEntriesRequest(parent=two.account[two.one], page_size=1)
    (merged,) = (await two.desk.ledger.ListEntries(asked)).entries
    await two.unmerge()
    (unmerged,) = (await two.desk.ledger.ListEntries(asked)).entries
    for moved in (merged, unmerged):
        assert await refused(two.desk.reverse(moved.transfer)) == "MANAGED_ACCOUNT"
    assert await two.hold() == [0, 20]


async def test_merging_and_undoing_it_at_once_changes_nothing(two: Two) -> None:
    for member in (two.one, two.other):
        await two.earn(member, 10)
        await two.earn(member, 20, days=30)
    before = await two.hold(), await two.left(two.one), await two.left(two.other)
    for _ in range(2):
        await two.merge()
        await two.unmerge()
    assert (await two.hold(), await two.left(two.one), await two.left(two.other)) == before


async def test_nothing_moves_on_what_is_merged_and_what_it_moved_is_undone_where_it_is_now(two: Two) -> None:
    earned = await two.earn(two.other, 20, days=30)
    spent = await two.spend(two.other, 5)
    await two.merge()
    assert await refused(two.earn(two.other, 1)) == "MEMBERSHIP_CLOSED"
    assert await refused(two.merge()) == "MEMBERSHIP_CLOSED"
    await two.desk.reverse(spent.name)
    assert (await two.hold(), await two.left(two.one)) == ([20, 0], [(20, 30)])
    await two.desk.reverse(earned.name)
    assert await two.hold() == [0, 0]


async def test_what_was_redeemed_before_a_merge_comes_back_to_the_whole(two: Two) -> None:
    await two.earn(two.other, 20, days=30)
    reserved = await two.reserve(two.other, 20)
    committed = await two.reservations.CommitReservation(
        CommitReservationRequest(name=reserved.name, request_id=str(uuid4()))
    )
    await two.merge()
    await two.desk.reverse(committed.end_transfer)
    assert (await two.hold(), await two.left(two.one)) == ([20, 0], [(20, 30)])
    await two.unmerge()
    assert await two.hold() == [0, 20]


async def test_what_was_spent_before_two_merges_comes_back_with_its_end(two: Two) -> None:
    await two.earn(two.other, 20, days=30)
    spent = await two.spend(two.other, 5)
    await two.merge()
    last = (await two.desk.join()).name
    (account,) = await two.desk.accounts_of(last)
    two.account[last], two.one, two.other = account.name, last, two.one
    await two.merge()
    await two.desk.reverse(spent.name)
    assert (await two.hold(), await two.left(last)) == ([0, 0, 20], [(20, 30)])


async def test_what_is_set_aside_ends_before_a_merge_or_a_closing(two: Two) -> None:
    await two.earn(two.other, 20)
    reserved = await two.reserve(two.other, 5)
    assert await refused(two.merge()) == "RESERVATIONS_OPEN"
    assert await refused(two.desk.close(two.other)) == "RESERVATIONS_OPEN"
    await two.reservations.ReleaseReservation(
        ReleaseReservationRequest(name=reserved.name, request_id=str(uuid4()))
    )
    await two.merge()
    held = await two.reserve(two.one, 5)
    assert await refused(two.unmerge()) == "RESERVATIONS_OPEN"
    await two.reservations.ReleaseReservation(
        ReleaseReservationRequest(name=held.name, request_id=str(uuid4()))
    )
    await two.unmerge()
    assert await two.hold() == [0, 20]


async def test_the_card_of_what_is_merged_finds_the_whole(two: Two, running: Running) -> None:
    cards: Any = running.stub(CardServiceStub)
    await cards.CreateCard(CreateCardRequest(parent=two.other, card=Card(number="50001")))
    asked = FindMembershipRequest(parent=MAIN, card_number="50001")
    await two.merge()
    assert (await cards.FindMembership(asked)).name == two.one
    await two.unmerge()
    assert (await cards.FindMembership(asked)).name == two.other


async def test_of_spending_and_merging_at_once_nothing_is_lost(two: Two) -> None:
    await two.earn(two.one, 50)
    await two.earn(two.other, 50)
    spending = [
        two.desk.insist(two.desk.ledger.PostTransfer, two.desk.posting(two.account[each], REDEEMED, 7))
        for each in (two.one, two.other) * 10
    ]
    answers = await asyncio.gather(two.merge(), *spending, return_exceptions=True)
    assert not isinstance(answers[0], BaseException)
    spent = sum(7 for each in answers[1:] if not isinstance(each, BaseException))
    assert await two.hold() == [100 - spent, 0]


async def test_what_a_closed_membership_held_is_forfeited_and_nothing_moves_there(two: Two) -> None:
    await two.earn(two.one, 10)
    await two.earn(two.one, 20, days=30)
    await two.earn(two.one, 7, days=60, activation=BY_HAND)
    assert (await two.desk.close(two.one)).state == Membership.STATE_CLOSED
    assert (await two.hold(), await two.left(two.one), await two.desk.points(EXPIRED)) == ([0, 0], [], [37])
    assert await refused(two.earn(two.one, 1)) == "MEMBERSHIP_CLOSED"
    assert await refused(two.desk.close(two.one)) == "MEMBERSHIP_CLOSED"
    rejoining = two.desk.joining(two.joined[0].customer)
    assert await refused(two.desk.memberships.CreateMembership(rejoining)) == "RESOURCE_EXISTS"
    await two.desk.reopen(two.one)
    assert await refused(two.desk.reopen(two.one)) == "MEMBERSHIP_NOT_CLOSED"
    await two.earn(two.one, 1)
    assert await two.hold() == [1, 0]


async def test_what_is_owed_and_what_nobody_came_for_is_reported_month_by_month(
    two: Two, clock: ManualClock
) -> None:
    await two.earn(two.one, 100)
    await two.spend(two.one, 30)
    await two.earn(two.other, 10)
    clock.advance(timedelta(days=31))
    await two.desk.close(two.other)
    await two.earn(two.one, 7, days=60, activation=BY_HAND)
    reserved = await two.reserve(two.one, 20)
    asked = ReportLiabilityRequest(name=POINTS, month_count=2)
    report = await two.desk.ledger.ReportLiability(asked)
    assert (report.outstanding, report.pending, report.reserved) == (50, 7, 20)
    assert [(moment(m.start_time).month, m.redeemed, m.expired) for m in report.months] == [
        (4, 0, 10),
        (3, 30, 0),
    ]
    assert (report.breakage_basis_points, report.expected_breakage) == (2500, 19)
    await two.reservations.ReleaseReservation(
        ReleaseReservationRequest(name=reserved.name, request_id=str(uuid4()))
    )


async def test_what_a_closed_membership_held_goes_to_another_with_its_ends(two: Two) -> None:
    await two.earn(two.one, 10)
    await two.earn(two.one, 20, days=30)
    await two.desk.close(two.one, two.other)
    assert (await two.hold(), await two.left(two.other)) == ([0, 30], [(20, 30)])


async def test_points_that_are_given_are_on_both_statements_as_one_transfer(two: Two) -> None:
    await two.earn(two.one, 10, days=30)
    given = await two.desk.memberships.TransferPoints(two.giving(4))
    assert await two.hold() == [6, 4]
    for account, amount in zip(two.account.values(), (-4, 4), strict=True):
        page = await two.desk.ledger.ListEntries(ListEntriesRequest(parent=account, page_size=1))
        assert [(each.transfer, each.amount, each.reason_code) for each in page.entries] == [
            (given.name, amount, "gift")
        ]
    assert await refused(two.desk.memberships.TransferPoints(two.giving(7))) == "INSUFFICIENT_BALANCE"
    await two.desk.close(two.other)
    assert await refused(two.desk.memberships.TransferPoints(two.giving(1))) == "MEMBERSHIP_CLOSED"


async def test_points_that_are_given_to_and_fro_end_when_they_would_have(
    two: Two, clock: ManualClock
) -> None:
    await two.earn(two.one, 10, days=3)
    await two.earn(two.one, 5)
    clock.advance(timedelta(days=3))
    given = await two.desk.memberships.TransferPoints(two.giving(12))
    assert (await two.left(two.one), await two.left(two.other)) == ([], [(10, 3)])
    back = two.giving(12)
    back.name, back.receiving_membership = two.other, two.one
    again = await two.desk.memberships.TransferPoints(back)
    assert (await two.left(two.one), await two.hold()) == ([(10, 3)], [15, 0])
    for transfer in (again, given):
        await two.desk.reverse(transfer.name)
    assert (await two.left(two.one), await two.hold()) == ([(10, 3)], [15, 0])
    clock.advance(timedelta(days=1))
    assert await refused(two.spend(two.one, 6)) == "INSUFFICIENT_BALANCE"


async def test_of_many_who_give_the_same_points_one_does(two: Two) -> None:
    await two.earn(two.one, 10)
    answers = await asyncio.gather(
        *[two.desk.insist(two.desk.memberships.TransferPoints, two.giving(10)) for _ in range(20)],
        return_exceptions=True,
    )
    assert len([each for each in answers if not isinstance(each, BaseException)]) == 1
    assert await two.hold() == [0, 10]


async def test_what_has_ended_while_merged_does_not_come_back(two: Two, clock: ManualClock) -> None:
    await two.earn(two.other, 20, days=2)
    await two.merge()
    clock.advance(timedelta(days=4))
    assert await refused(two.spend(two.one, 1)) == "INSUFFICIENT_BALANCE"
    await two.unmerge()
    assert await refused(two.spend(two.other, 1)) == "INSUFFICIENT_BALANCE"
