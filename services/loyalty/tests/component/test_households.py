"""Households and cards: several customers on one membership, and what finds it at the till."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.grpc.status import refusal as told
from loyalty.service import service as loyalty
from rapport.customer.v1.customer_events_pb2 import CustomersMerged
from rapport.loyalty.v1.card_pb2 import Card
from rapport.loyalty.v1.card_service_pb2 import (
    BlockCardRequest,
    CreateCardRequest,
    FindMembershipRequest,
    ListCardsRequest,
    ReplaceCardRequest,
)
from rapport.loyalty.v1.card_service_pb2_grpc import CardServiceStub
from rapport.loyalty.v1.member_pb2 import Member
from rapport.loyalty.v1.member_service_pb2 import (
    CreateMemberRequest,
    ListMembersRequest,
    MakeMemberPrimaryRequest,
    RemoveMemberRequest,
)
from rapport.loyalty.v1.member_service_pb2_grpc import MemberServiceStub
from rapport_testing.running import Running, refused
from rapport_testing.wait import eventually
from services.loyalty.tests.component.reading import tables_with

pytestmark = pytest.mark.together

MAIN = "programs/main"
PRIMARY, OTHER = Member.ROLE_PRIMARY, Member.ROLE_MEMBER


class Family:
    """Adds and removes the members of one membership, and its cards."""

    def __init__(self, running: Running, desk: Any, membership: Any) -> None:
        self.desk, self.membership, self.name = desk, membership, membership.name
        self.members: Any = running.stub(MemberServiceStub)
        self.cards: Any = running.stub(CardServiceStub)

    def adding(self, customer: str, to: str = "") -> Any:
        return CreateMemberRequest(parent=to or self.name, member=Member(customer=customer))

    async def add(self, customer: str = "", to: str = "") -> Any:
        return await self.members.CreateMember(self.adding(customer or f"customers/{uuid4()}", to))

    async def remove(self, member: str, reason_code: str = "moved-out") -> Any:
        return await self.members.RemoveMember(RemoveMemberRequest(name=member, reason_code=reason_code))

    async def everybody(self) -> list[Any]:
        return list((await self.members.ListMembers(ListMembersRequest(parent=self.name))).members)

    async def roles(self) -> list[int]:
        return [each.role for each in await self.everybody() if not each.HasField("leave_time")]

    async def issue(self, number: str, to: str = "") -> Any:
        return await self.cards.CreateCard(
            CreateCardRequest(parent=to or self.name, card=Card(number=number))
        )

    async def find(self, **how: str) -> Any:
        return await self.cards.FindMembership(FindMembershipRequest(parent=MAIN, **how))


@pytest.fixture
async def family(running: Running, desk: Any) -> Family:
    return Family(running, desk, await desk.join())


async def test_a_customer_who_is_added_earns_on_the_membership_of_the_household(family: Family) -> None:
    anna = family.membership.customer
    bert = await family.add()
    assert [each.customer for each in await family.everybody()] == [anna, bert.customer]
    assert await family.roles() == [PRIMARY, OTHER]
    assert (await family.find(customer=bert.customer)).name == family.name
    assert await refused(family.desk.memberships.CreateMembership(family.desk.joining(bert.customer))) == (
        "RESOURCE_EXISTS"
    )


async def test_a_customer_is_in_one_membership_of_a_program_however_many_ask(family: Family) -> None:
    other, bert = (await family.desk.join()).name, f"customers/{uuid4()}"
    answers = await asyncio.gather(
        *[
            family.desk.insist(family.members.CreateMember, family.adding(bert, [family.name, other][i % 2]))
            for i in range(20)
        ],
        return_exceptions=True,
    )
    (made,) = [each for each in answers if isinstance(each, Member)]
    refusals = [told(each) for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    household = made.name.partition("/members/")[0]
    assert {(each.reason, each.metadata["resource"]) for each in refusals} == {("RESOURCE_EXISTS", household)}
    assert (await family.find(customer=bert)).name == household


async def test_who_left_may_join_again_elsewhere_and_where_they_were_is_kept(family: Family) -> None:
    bert = await family.add()
    gone = await family.remove(bert.name)
    assert (gone.leave_reason_code, gone.HasField("leave_time")) == ("moved-out", True)
    assert await refused(family.remove(bert.name)) == "MEMBER_LEFT"
    assert await refused(family.find(customer=bert.customer)) == "RESOURCE_NOT_FOUND"
    again = await family.desk.memberships.CreateMembership(family.desk.joining(bert.customer))
    assert (await family.find(customer=bert.customer)).name == again.name
    assert [each.customer for each in await family.everybody()] == [family.membership.customer, bert.customer]


async def test_who_answers_for_a_membership_leaves_when_another_does(family: Family) -> None:
    (anna,) = await family.everybody()
    bert = await family.add()
    assert await refused(family.remove(anna.name)) == "PRIMARY_MEMBER"
    for _ in range(2):
        await family.members.MakeMemberPrimary(MakeMemberPrimaryRequest(name=bert.name))
    assert await family.roles() == [OTHER, PRIMARY]
    await family.remove(anna.name)
    assert await refused(family.members.MakeMemberPrimary(MakeMemberPrimaryRequest(name=anna.name))) == (
        "MEMBER_LEFT"
    )
    # The membership that was made for them is not theirs any more: they can have another.
    own = await family.desk.memberships.CreateMembership(family.desk.joining(anna.customer))
    assert own.name != family.name


async def test_a_household_has_twenty_members(family: Family) -> None:
    for _ in range(19):
        await family.add()
    assert await refused(family.add()) == "TOO_MANY_MEMBERS"


async def test_who_is_a_member_by_one_name_is_not_added_by_another(family: Family, running: Running) -> None:
    anna, bert = family.membership.customer, f"customers/{uuid4()}"
    merge = f"customerMerges/{uuid4()}"
    fact = CustomersMerged(
        customer_merge=merge,
        customer=anna,
        merged_customer=bert,
        customers=[anna, bert],
        survivors=[anna, anna],
        sequence=1,
    )
    await running.deliver(fact, resource=merge, version=1, source="customer")

    async def is_one() -> bool:
        try:
            return bool((await family.find(customer=bert)).name == family.name)
        except grpc.aio.AioRpcError:
            return False

    await eventually(is_one)
    assert await refused(family.add(bert, (await family.desk.join()).name)) == "RESOURCE_EXISTS"


async def test_a_card_finds_its_membership_however_its_number_is_written(family: Family) -> None:
    card = await family.issue("1234-abcd 5678")
    assert (card.number, card.state) == ("5678", Card.STATE_ACTIVE)
    for written in ("1234ABCD5678", "1234 abcd 5678"):
        assert (await family.find(card_number=written)).name == family.name
    assert await refused(family.find(card_number="99999999")) == "RESOURCE_NOT_FOUND"
    assert await refused(family.find(card_number="12#4")) == "INVALID_CODE"
    assert await refused(family.find()) == "REQUIRED"


async def test_of_many_who_issue_a_number_one_does(family: Family) -> None:
    others = [(await family.desk.join()).name for _ in range(4)]
    answers = await asyncio.gather(
        *[
            family.desk.insist(
                family.cards.CreateCard, CreateCardRequest(parent=each, card=Card(number="40001"))
            )
            for each in others * 5
        ],
        return_exceptions=True,
    )
    (made,) = [each for each in answers if isinstance(each, Card)]
    refusals = [told(each) for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert {(each.reason, each.metadata["resource"]) for each in refusals} == {("RESOURCE_EXISTS", made.name)}


async def test_a_lost_card_finds_nothing_and_the_new_one_does(family: Family) -> None:
    lost = await family.issue("70001")
    asked = ReplaceCardRequest(name=lost.name, number="70002", reason_code="lost")
    new = await family.cards.ReplaceCard(asked)
    assert new.replaced_card == lost.name
    assert await refused(family.find(card_number="70001")) == "CARD_BLOCKED"
    assert (await family.find(card_number="70002")).name == family.name
    assert await refused(family.cards.ReplaceCard(asked)) == "CARD_BLOCKED"
    kept = (await family.cards.ListCards(ListCardsRequest(parent=family.name))).cards
    assert [(each.state, each.block_reason_code) for each in kept] == [
        (Card.STATE_BLOCKED, "lost"),
        (Card.STATE_ACTIVE, ""),
    ]
    # The number of one that is blocked may be another's.
    other = (await family.desk.join()).name
    await family.issue("70001", other)
    assert (await family.find(card_number="70001")).name == other
    await family.cards.BlockCard(BlockCardRequest(name=new.name, reason_code="lost"))
    assert await refused(family.find(card_number="70002")) == "CARD_BLOCKED"


async def test_nobody_who_reads_the_database_reads_a_number(family: Family, running: Running) -> None:
    asked = CreateCardRequest(
        parent=family.name, card=Card(number="4929 1234 5678 9010"), request_id=str(uuid4())
    )
    card = await family.cards.CreateCard(asked)
    assert (await family.cards.CreateCard(asked)).number == card.number == "9010"
    assert await tables_with(running, "4929123456789010", "4929 1234 5678 9010") == []
    assert await tables_with(running, card.name.rpartition("/")[2]) != []
    assert (await family.find(card_number="4929-1234-5678-9010")).name == family.name


async def test_without_a_key_there_are_no_cards(start: Any) -> None:
    running = await start(loyalty, peers=dict.fromkeys(loyalty.calls, "127.0.0.1:9"), card_pepper="")
    cards: Any = running.stub(CardServiceStub)
    asked = FindMembershipRequest(parent=MAIN, card_number="4000 1111")
    assert await refused(cards.FindMembership(asked)) == "NO_CARD_PEPPER"
