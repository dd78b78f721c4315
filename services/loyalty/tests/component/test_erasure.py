"""Who is forgotten is in no row any more; what the rows add up to is there."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.api.messages import money
from chassis.context import Call, acting, service_itself
from chassis.db.schema import METADATA as OF_THE_CHASSIS
from chassis.db.statement import values
from chassis.errors import FailedPrecondition
from loyalty.domain.voucher import VoucherTry
from loyalty.store.vouchers import INSERT_TRY
from loyalty.usecases.erasure import forget_customer
from rapport.loyalty.v1.card_pb2 import Card
from rapport.loyalty.v1.card_service_pb2 import CreateCardRequest, FindMembershipRequest
from rapport.loyalty.v1.card_service_pb2_grpc import CardServiceStub
from rapport.loyalty.v1.goodwill_pb2 import Goodwill, Points
from rapport.loyalty.v1.goodwill_service_pb2 import GrantGoodwillRequest
from rapport.loyalty.v1.member_pb2 import Member
from rapport.loyalty.v1.member_service_pb2 import CreateMemberRequest, ListMembersRequest
from rapport.loyalty.v1.member_service_pb2_grpc import MemberServiceStub
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.membership_service_pb2 import GetMembershipRequest
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import RecordPurchaseRequest
from rapport.loyalty.v1.reservation_pb2 import Reservation
from rapport.loyalty.v1.reservation_service_pb2 import CreateReservationRequest
from rapport.loyalty.v1.reservation_service_pb2_grpc import ReservationServiceStub
from rapport_testing.running import Running, refused
from services.loyalty.tests.component.reading import tables_with

pytestmark = pytest.mark.together

MAIN = "programs/main"
ISSUED, EXPIRED, GOODWILL = (f"{MAIN}/accounts/points-{kind}" for kind in ("issued", "expired", "goodwill"))
WORDS = "It came late, and she had to miss her sister's wedding."
ORDER = "orders/erased-5021"
# Of these the days end by themselves that they are kept for.
PASSING = {each.name for each in OF_THE_CHASSIS.sorted_tables}


class Person:
    """Somebody with a membership, a card, points, a purchase and goodwill with words about her."""

    def __init__(self, running: Running, desk: Any) -> None:
        self.running, self.desk = running, desk
        self.cards: Any = running.stub(CardServiceStub)
        self.members: Any = running.stub(MemberServiceStub)
        self.number = str(uuid4().int)[:16]

    async def begin(self) -> "Person":
        self.membership = await self.desk.join()
        self.customer = self.membership.customer
        self.id = UUID(self.customer.partition("/")[2])
        (self.account,) = [each.name for each in await self.desk.accounts_of(self.membership.name)]
        await self.desk.ledger.PostTransfer(self.desk.posting(ISSUED, self.account, 100))
        await self.cards.CreateCard(
            CreateCardRequest(parent=self.membership.name, card=Card(number=self.number))
        )
        bought = Purchase(
            customer=self.customer,
            amount=money(Decimal("40"), "USD"),
            purchase_time=Timestamp(seconds=1_770_000_000),
            reference=ORDER,
        )
        await self.desk.purchases.RecordPurchase(
            RecordPurchaseRequest(purchase=bought, request_id=str(uuid4()))
        )
        given = Goodwill(
            customer=self.customer, points=Points(amount=7), reason_code="late-delivery", explanation=WORDS
        )
        await self.desk.goodwill.GrantGoodwill(GrantGoodwillRequest(goodwill=given, request_id=str(uuid4())))
        return self

    async def share(self) -> str:
        """Have another customer belong to the membership; who."""
        other = f"customers/{uuid4()}"
        request = CreateMemberRequest(parent=self.membership.name, member=Member(customer=other))
        await self.members.CreateMember(request)
        return other

    async def forget(self) -> None:
        with acting(Call("erase", service_itself("loyalty"))):
            async with self.running.db.transaction() as tx:
                await forget_customer(tx, customer_id=self.id)

    async def found_in(self, *texts: str) -> set[str]:
        held = await tables_with(self.running, *texts)
        return {each for each in held if not any(each.startswith(name) for name in PASSING)}


@pytest.fixture
async def person(running: Running, desk: Any) -> Person:
    return await Person(running, desk).begin()


async def test_nothing_of_who_is_forgotten_is_left_in_any_column(person: Person) -> None:
    texts = str(person.id), WORDS, ORDER
    assert {"members", "purchases", "goodwill", "accounts"} <= await person.found_in(*texts)
    await person.forget()
    assert await person.found_in(*texts) == set()
    asked = FindMembershipRequest(parent=MAIN, card_number=person.number)
    assert await refused(person.cards.FindMembership(asked)) == "RESOURCE_NOT_FOUND"


async def test_wrong_codes_that_were_tried_for_them_are_tries_of_a_pseudonym(person: Person) -> None:
    made = VoucherTry(uuid4(), person.customer, person.running.db.clock.now())
    await INSERT_TRY.run(person.running.db, **values(made))
    assert "voucher_tries" in await person.found_in(str(person.id))
    await person.forget()
    assert await person.found_in(str(person.id)) == set()


@pytest.mark.alone("it counts all that there is")
async def test_what_it_added_up_to_is_still_there(person: Person) -> None:
    before = await person.desk.points(ISSUED, GOODWILL)
    await person.forget()
    assert await person.desk.points(ISSUED, GOODWILL, EXPIRED) == [*before, 107]
    request = GetMembershipRequest(name=person.membership.name)
    kept = await person.desk.memberships.GetMembership(request)
    assert (kept.state, kept.close_reason_code) == (Membership.STATE_CLOSED, "customer-erased")
    assert kept.customer != person.customer
    worth = await person.desk.worth(kept.customer)
    assert worth.purchase_count == 1


async def test_a_household_keeps_its_points_and_somebody_else_answers_for_it(person: Person) -> None:
    other = await person.share()
    await person.forget()
    assert await person.desk.points(person.account) == [107]
    listed = await person.members.ListMembers(ListMembersRequest(parent=person.membership.name))
    present = [each for each in listed.members if not each.HasField("leave_time")]
    assert [(each.customer, each.role) for each in present] == [(other, Member.ROLE_PRIMARY)]
    asked = FindMembershipRequest(parent=MAIN, card_number=person.number)
    assert (await person.cards.FindMembership(asked)).name == person.membership.name


async def test_what_is_set_aside_ends_first(person: Person) -> None:
    sent = Reservation(account=person.account, amount=5, reason_code="reward")
    reservations: Any = person.running.stub(ReservationServiceStub)
    await reservations.CreateReservation(CreateReservationRequest(reservation=sent, request_id=str(uuid4())))
    with pytest.raises(FailedPrecondition, match="reservations"):
        await person.forget()
    assert "members" in await person.found_in(str(person.id))


async def test_to_forget_twice_at_once_is_to_forget(person: Person) -> None:
    await asyncio.gather(person.forget(), person.forget())
    await person.forget()
    assert await person.found_in(str(person.id)) == set()
