"""Joining a programme, through the real service."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.clock import ManualClock
from rapport.loyalty.v1.membership_service_pb2 import EnrolRequest, GetMembershipRequest
from rapport_testing.running import reason


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code(), reason(error.value)


async def test_a_customer_who_joins_has_an_empty_membership(desk: Any, clock: ManualClock) -> None:
    customer = f"customers/{uuid4()}"
    joined = await desk.memberships.Enrol(EnrolRequest(parent="programmes/main", customer=customer))
    assert joined.name == customer.replace("customers", "programmes/main/memberships")
    assert (joined.customer, joined.points_balance) == (customer, 0)
    assert joined.join_time.ToDatetime(clock.now().tzinfo) == clock.now()
    assert await desk.memberships.GetMembership(GetMembershipRequest(name=joined.name)) == joined


async def test_joining_many_times_at_once_makes_one_membership(desk: Any) -> None:
    request = EnrolRequest(parent="programmes/main", customer=f"customers/{uuid4()}")
    joined = await asyncio.gather(*[desk.insist(desk.memberships.Enrol, request) for _ in range(20)])
    assert all(membership == joined[0] for membership in joined)


async def test_joining_again_returns_the_membership_with_its_points(desk: Any) -> None:
    name = await desk.member(70)
    customer = name.replace("programmes/main/memberships", "customers")
    again = await desk.memberships.Enrol(EnrolRequest(parent="programmes/main", customer=customer))
    assert (again.name, again.points_balance) == (name, 70)


async def test_a_programme_or_membership_that_does_not_exist_is_not_found(desk: Any) -> None:
    expected = (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    elsewhere = EnrolRequest(parent="programmes/staff", customer=f"customers/{uuid4()}")
    nobody = GetMembershipRequest(name=f"programmes/main/memberships/{uuid4()}")
    assert await refusal(desk.memberships.Enrol(elsewhere)) == expected
    assert await refusal(desk.memberships.GetMembership(nobody)) == expected


async def test_wrong_names_are_refused(desk: Any) -> None:
    expected = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_NAME")
    assert await refusal(desk.memberships.Enrol(EnrolRequest(parent="main", customer="alice"))) == expected
    request = GetMembershipRequest(name="programmes/main/memberships/alice")
    assert await refusal(desk.memberships.GetMembership(request)) == expected
