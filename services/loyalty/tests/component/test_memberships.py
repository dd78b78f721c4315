"""Joining a program, through the real service."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.grpc.status import refusal as told
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.ledger_service_pb2 import CreateAccountRequest, GetAccountRequest
from rapport.loyalty.v1.membership_pb2 import Membership
from rapport.loyalty.v1.membership_service_pb2 import (
    CreateMembershipRequest,
    GetMembershipRequest,
    ListMembershipsRequest,
)
from rapport.loyalty.v1.program_pb2 import Unit
from rapport.loyalty.v1.program_service_pb2 import CreateUnitRequest
from rapport_testing.clock import ManualClock
from rapport_testing.running import refusal

pytestmark = pytest.mark.together

MAIN = "programs/main"


def joining(customer: str, program: str = MAIN) -> CreateMembershipRequest:
    return CreateMembershipRequest(parent=program, membership=Membership(customer=customer))


async def test_a_customer_who_joins_has_an_empty_account_in_each_unit(desk: Any, clock: ManualClock) -> None:
    unit = CreateUnitRequest(parent=MAIN, unit_id="stamps", unit=Unit(display_name="Stamps"))
    await desk.programs.CreateUnit(unit)
    joined = await desk.join()
    assert joined.create_time.ToDatetime(clock.now().tzinfo) == clock.now()
    assert (joined.update_time, joined.etag) == (joined.create_time, '"1"')
    assert await desk.memberships.GetMembership(GetMembershipRequest(name=joined.name)) == joined
    accounts = await desk.accounts_of(joined.name)
    assert {account.unit for account in accounts} == {f"{MAIN}/units/points", f"{MAIN}/units/stamps"}
    assert {(account.membership, account.balance, account.version) for account in accounts} == {
        (joined.name, 0, 0)
    }
    assert await desk.ledger.GetAccount(GetAccountRequest(name=accounts[0].name)) == accounts[0]


async def test_of_many_who_make_a_customer_a_member_one_does_and_the_others_hear_its_name(desk: Any) -> None:
    request = joining(f"customers/{uuid4()}")
    answers = await asyncio.gather(
        *[desk.insist(desk.memberships.CreateMembership, request) for _ in range(20)], return_exceptions=True
    )
    (made,) = [answer for answer in answers if isinstance(answer, Membership)]
    refused = [told(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert {(each.reason, each.metadata["resource"]) for each in refused} == {("RESOURCE_EXISTS", made.name)}
    assert len(await desk.accounts_of(made.name)) == 1


@pytest.mark.alone("it counts all that there is")
async def test_a_membership_is_found_by_its_customer(desk: Any) -> None:
    one, other = await desk.join(), await desk.join()
    for member in (one, other):
        request = ListMembershipsRequest(parent=MAIN, filter=f'customer = "{member.customer}"')
        assert list((await desk.memberships.ListMemberships(request)).memberships) == [member]
    everybody = await desk.memberships.ListMemberships(ListMembershipsRequest(parent=MAIN))
    assert list(everybody.memberships) == [one, other]


async def test_a_member_gets_an_account_in_a_unit_that_came_later(desk: Any) -> None:
    member = await desk.join()
    unit = CreateUnitRequest(parent=MAIN, unit_id="miles", unit=Unit(display_name="Miles"))
    miles = (await desk.programs.CreateUnit(unit)).name
    request = CreateAccountRequest(parent=MAIN, account=Account(membership=member.name, unit=miles))
    made = await desk.ledger.CreateAccount(request)
    assert (made.type, made.membership, made.unit) == (Account.TYPE_MEMBERSHIP, member.name, miles)
    assert made in await desk.accounts_of(member.name)
    assert await refusal(desk.ledger.CreateAccount(request)) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "RESOURCE_EXISTS",
    )
    account = desk.transfer((f"{MAIN}/accounts/miles-issued", -7), (made.name, 7))
    await desk.ledger.PostTransfer(account)
    assert await desk.points(made.name) == [7]
    (points, *_) = [a.name for a in await desk.accounts_of(member.name) if a.name != made.name]
    mixed = desk.transfer((f"{MAIN}/accounts/points-issued", -7), (points, 6), (made.name, 1))
    assert (await refusal(desk.ledger.PostTransfer(mixed)))[1] == "UNBALANCED"
    of_both = desk.transfer(
        (f"{MAIN}/accounts/points-issued", -5),
        (points, 5),
        (made.name, -2),
        (f"{MAIN}/accounts/miles-redeemed", 2),
    )
    await desk.ledger.PostTransfer(of_both)
    assert await desk.points(points, made.name) == [5, 5]


@pytest.mark.alone("what it makes is there once")
async def test_what_does_not_exist_is_not_found(desk: Any) -> None:
    expected = (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    nobody = f"{MAIN}/memberships/{uuid4()}"
    member = await desk.join()
    elsewhere = joining(f"customers/{uuid4()}", "programs/staff")
    assert await refusal(desk.memberships.CreateMembership(elsewhere)) == expected
    for name in (nobody, member.name.replace("main", "staff")):
        assert await refusal(desk.memberships.GetMembership(GetMembershipRequest(name=name))) == expected
    for membership, unit in ((nobody, "points"), (member.name, "miles")):
        account = Account(membership=membership, unit=f"{MAIN}/units/{unit}")
        request = CreateAccountRequest(parent=MAIN, account=account)
        assert await refusal(desk.ledger.CreateAccount(request)) == expected


async def test_wrong_names_are_refused(desk: Any) -> None:
    expected = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_NAME")
    assert await refusal(desk.memberships.CreateMembership(joining("alice", "main"))) == expected
    request = GetMembershipRequest(name=f"{MAIN}/memberships/alice")
    assert await refusal(desk.memberships.GetMembership(request)) == expected
    member = await desk.join()
    account = Account(membership=member.name, unit="programs/staff/units/points")
    elsewhere = CreateAccountRequest(parent=MAIN, account=account)
    assert await refusal(desk.ledger.CreateAccount(elsewhere)) == expected
