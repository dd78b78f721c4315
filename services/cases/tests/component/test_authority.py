"""What people may do alone: policies in versions, and one answer to who asks."""

import asyncio

import grpc
import pytest

from chassis.api.messages import value_name
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy
from rapport.cases.v1.authority_service_pb2 import (
    CheckAuthorityRequest,
    CreateAuthorityPolicyRequest,
    ExplainAuthorityPolicyRequest,
    GetAuthorityPolicyRequest,
    ListAuthorityPoliciesRequest,
    UpdateAuthorityPolicyRequest,
)
from rapport.cases.v1.authority_service_pb2_grpc import AuthorityServiceStub
from rapport.common.v1.states_pb2 import HARM_LOSS
from rapport.common.v1.value_band_pb2 import VALUE_BAND_GOLD
from rapport.loyalty.v1.loyalty_events_pb2 import CustomerValueChanged
from rapport_testing.running import reason
from rapport_testing.wait import eventually

READ = "cases.authority_policies.read"
LEAD = "cases.agents.write"


def limit(amount, **fields):
    return AuthorityPolicy.Limit(amount=amount, **fields)


@pytest.fixture
async def service(desk):
    return desk.running.stub(AuthorityServiceStub)


@pytest.fixture
def declare(service):
    async def create(policy_id, *limits, **fields):
        said = {"department": "departments/front-desk", "act": "AUTHORITY_ACT_GOODWILL"} | fields
        policy = AuthorityPolicy(limits=limits, **said)
        request = CreateAuthorityPolicyRequest(authority_policy_id=policy_id, authority_policy=policy)
        return await service.CreateAuthorityPolicy(request)

    return create


@pytest.fixture
def may(desk):
    """What somebody of the front desk is told of goodwill: how much, in a day, by which policy, and why."""

    async def ask(*permissions, department="front-desk", **about):
        stub = desk.running.stub(AuthorityServiceStub, [READ, *permissions], department=department)
        asked = about or {"customer": desk.customer}
        answer = await stub.CheckAuthority(CheckAuthorityRequest(act="AUTHORITY_ACT_GOODWILL", **asked))
        (told,) = answer.authorities
        return told.amount, told.day_amount, told.authority_policy, value_name(told, "reason")

    return ask


async def test_a_policy_has_versions_that_are_told_listed_and_explained(desk, service, declare):
    made = await declare("goodwill", limit(500, day_amount=2000))
    assert (made.version, made.etag) == (1, '"1"')
    changed = AuthorityPolicy(name=made.name, limits=[limit(700, permission=LEAD)], etag=made.etag)
    request = UpdateAuthorityPolicyRequest(authority_policy=changed, update_mask={"paths": ["limits"]})
    second = await service.UpdateAuthorityPolicy(request)
    assert (second.version, list(second.limits)) == (2, [limit(700, permission=LEAD)])
    assert await service.GetAuthorityPolicy(GetAuthorityPolicyRequest(name=made.name)) == second
    page = await service.ListAuthorityPolicies(ListAuthorityPoliciesRequest())
    assert list(page.authority_policies) == [second]
    (created,) = await desk.facts("AuthorityPolicyCreated")
    (updated,) = await desk.facts("AuthorityPolicyUpdated")
    assert (created.version, list(created.data.limits)) == (1, list(made.limits))
    assert (updated.version, list(updated.data.limits)) == (2, list(second.limits))
    assert list(updated.data.updated_fields) == ["limits"]
    explained = await service.ExplainAuthorityPolicy(ExplainAuthorityPolicyRequest(name=made.name))
    assert "Authority policy updated" in explained.summary


async def test_what_is_the_same_is_no_version_and_what_is_stale_is_refused(service, declare, refused):
    made = await declare("goodwill", limit(500))
    same = UpdateAuthorityPolicyRequest(authority_policy=made, update_mask={"paths": ["limits"]})
    assert await service.UpdateAuthorityPolicy(same) == made
    stale = AuthorityPolicy(name=made.name, disabled=True, etag='"7"')
    call = service.UpdateAuthorityPolicy(UpdateAuthorityPolicyRequest(authority_policy=stale))
    assert (await refused(call)).startswith("ABORTED")
    assert await refused(declare("goodwill", limit(1))) == "ALREADY_EXISTS RESOURCE_EXISTS"


async def test_a_day_is_enough_for_one_act(declare, refused):
    assert await refused(declare("goodwill", limit(500, day_amount=499))) == "INVALID_ARGUMENT INVALID_NUMBER"
    await declare("goodwill", limit(500, day_amount=500))


async def test_without_a_policy_it_is_said_so_and_of_each_act_there_is_an_answer(desk, service, may):
    assert await may() == (0, 0, "", "NO_POLICY")
    answer = await service.CheckAuthority(CheckAuthorityRequest(customer=desk.customer))
    acts = [value_name(each, "act") for each in answer.authorities]
    assert acts == ["GOODWILL", "REFUND", "REPLACEMENT", "EXTENSION"]


async def test_who_asks_has_the_highest_limit_of_their_department_by_what_their_token_says(declare, may):
    await declare("goodwill", limit(500, day_amount=2000), limit(900, permission=LEAD))
    await declare("everybody", limit(50), department="departments/platform")
    name = "authorityPolicies/goodwill"
    assert await may() == (500, 2000, name, "LIMIT")
    assert await may(LEAD) == (900, 0, name, "LIMIT")
    assert await may(LEAD, department="delivery") == (50, 0, "authorityPolicies/everybody", "LIMIT")


async def test_a_policy_that_is_switched_off_is_as_if_it_were_not_there(declare, may, service):
    made = await declare("goodwill", limit(500))
    off = AuthorityPolicy(name=made.name, disabled=True)
    await service.UpdateAuthorityPolicy(UpdateAuthorityPolicyRequest(authority_policy=off))
    assert await may() == (0, 0, "", "NO_POLICY")


async def test_the_harm_of_the_case_and_the_band_of_its_customer_count(desk, declare, may):
    await declare("goodwill", limit(700, least_harm=HARM_LOSS), limit(900, least_band=VALUE_BAND_GOLD))
    assert await may() == (0, 0, "authorityPolicies/goodwill", "NO_LIMIT_HOLDS")
    case = await desk.open(harm=HARM_LOSS)
    assert (await may(case=case.name))[0] == 700
    value = CustomerValueChanged(
        customer_value=desk.customer.replace("customers", "customerValues"),
        customer=desk.customer,
        band=VALUE_BAND_GOLD,
    )
    await desk.running.deliver(value, resource=value.customer_value, source="loyalty")

    async def worth_more():
        return (await may())[0] == 900

    await eventually(worth_more)


@pytest.mark.parametrize("about", [{}, {"customer": "x", "case": "x"}])
async def test_what_it_is_about_is_a_customer_or_a_case(desk, service, refused, about):
    case = await desk.open()
    named = {"customer": desk.customer, "case": case.name}
    call = service.CheckAuthority(CheckAuthorityRequest(**{each: named[each] for each in about}))
    assert await refused(call) == "INVALID_ARGUMENT REQUIRED"


async def test_of_two_who_change_the_version_that_both_have_read_one_wins(service, declare):
    made = await declare("goodwill", limit(500))

    async def change(amount):
        policy = AuthorityPolicy(name=made.name, limits=[limit(amount)], etag=made.etag)
        request = UpdateAuthorityPolicyRequest(authority_policy=policy, update_mask={"paths": ["limits"]})
        try:
            return (await service.UpdateAuthorityPolicy(request)).version
        except grpc.aio.AioRpcError as error:
            return reason(error)

    answers = await asyncio.gather(*(change(amount) for amount in range(1, 7)))
    assert answers.count(2) == 1
    assert set(answers) == {2, "ETAG_MISMATCH"}
