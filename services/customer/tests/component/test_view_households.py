"""Everybody who belongs to a membership has its balance in their view, and nothing else of it."""

import asyncio
import random
from unittest.mock import Mock
from uuid import uuid4

import pytest

from chassis.context import Call, Principal, current_call
from customer.events.view import project
from rapport.loyalty.v1 import loyalty_events_pb2 as loyalty

UNIT = "programs/main/units/points"


class Household:
    """What loyalty tells of one membership, in its order."""

    def __init__(self, customer):
        self.customer, self.name = customer, f"programs/main/memberships/{uuid4()}"
        self.account = f"programs/main/accounts/{uuid4()}"
        self.version = self.moves = 1

    def holds(self, balance):
        self.moves += 1
        of = {"customer": self.customer, "membership": self.name, "unit": UNIT, "reason_code": "bought-bread"}
        return loyalty.TransferPosted(account=self.account, balance=balance, **of), self.moves

    def _member(self, kind, customer):
        self.version += 1
        return kind(membership=self.name, customer=customer, member=f"{self.name}/members/x"), self.version

    def joins(self, customer):
        return self._member(loyalty.MemberJoined, customer)

    def leaves(self, customer):
        return self._member(loyalty.MemberLeft, customer)


@pytest.fixture
async def people(desk):
    return [
        (await desk.create(given_name=name, family_name="Berg")).name for name in ("Anna", "Bert", "Cleo")
    ]


async def shows(desk, customer, *balances):
    """Wait until the customer's view has these balances and no other."""
    return await desk.view_when(
        customer, lambda view: [each.balance for each in view.loyalty.balances] == list(balances)
    )


async def test_who_joins_sees_the_balance_and_who_leaves_does_not(desk, people):
    anna, bert, _ = people
    family = Household(anna)
    await desk.deliver(*family.holds(100))
    await shows(desk, anna, 100)
    await desk.deliver(*family.joins(bert))
    await shows(desk, bert, 100)
    await desk.deliver(*family.holds(70))
    view = await shows(desk, bert, 70)
    assert view.loyalty.balances[0] == (await shows(desk, anna, 70)).loyalty.balances[0]
    assert (view.loyalty.balances[0].unit, view.loyalty.balances[0].account) == (UNIT, family.account)
    # Nothing of what others bought is in it, or on the timeline.
    told = [each.event_type.rpartition(".")[2] for each in view.latest_timeline_entries]
    assert told == ["MemberJoined", "CustomerCreated"]
    assert "bought-bread" not in str(view)
    await desk.deliver(*family.leaves(bert))
    await shows(desk, bert)
    await desk.deliver(*family.holds(60))
    await shows(desk, anna, 60)
    await shows(desk, bert)
    await desk.deliver(*family.joins(bert))
    await shows(desk, bert, 60)


async def test_whom_it_was_made_for_sees_it_no_more_when_they_left(desk, people):
    anna, bert, _ = people
    family = Household(anna)
    for told in (family.holds(100), family.joins(bert), family.leaves(anna), family.holds(40)):
        await desk.deliver(*told)
    await shows(desk, bert, 40)
    await shows(desk, anna)


async def test_the_balance_of_whom_nobody_can_name_any_more_is_still_the_others(desk, people):
    anna, bert, _ = people
    family = Household(anna)
    for told in (family.holds(100), family.joins(bert), family.leaves(anna)):
        await desk.deliver(*told)
    family.customer = ""
    await desk.deliver(*family.holds(30))
    await shows(desk, bert, 30)


async def test_members_of_a_merged_membership_see_what_the_whole_holds(desk, people):
    anna, bert, cleo = people
    whole, part = Household(anna), Household(bert)
    for told in (whole.holds(100), part.holds(20), part.joins(cleo)):
        await desk.deliver(*told)
    await shows(desk, cleo, 20)
    moved = [part.holds(0), whole.holds(120)]
    moved += [part.leaves(bert), part.leaves(cleo), whole.joins(bert), whole.joins(cleo)]
    for told in moved:
        await desk.deliver(*told)
    for each in people:
        await shows(desk, each, 120)


async def test_one_person_by_two_names_sees_a_balance_once(desk, people):
    anna, bert, cleo = people
    family = Household(anna)
    for told in (family.holds(100), family.joins(bert), family.joins(cleo)):
        await desk.deliver(*told)
    await shows(desk, cleo, 100)
    await desk.merge(bert, cleo)
    await shows(desk, bert, 100)
    await desk.deliver(*family.leaves(bert))
    await desk.deliver(*family.holds(90))
    await shows(desk, bert, 90)  # they are in it by the other name
    await desk.deliver(*family.leaves(cleo))
    await shows(desk, bert)


@pytest.mark.parametrize("seed", range(3))
async def test_of_several_projectors_and_in_any_order_each_member_sees_what_there_is(desk, people, seed):
    draw, (anna, *others), family = random.Random(seed), people, Household(people[0])
    told, present, balance = [], {anna}, 0
    for step in range(60):
        if draw.random() < 0.5:
            balance = step + 1
            told.append(family.holds(balance))
        else:
            who = draw.choice([anna, *others])
            told.append(family.leaves(who) if who in present else family.joins(who))
            present ^= {who}
    events = [desk.event(message, version, 0) for message, version in told]
    events += draw.sample(events, 10)
    draw.shuffle(events)

    async def hear(some):
        token = current_call.set(Call("test", Principal("service:customer")))
        try:
            for i in range(0, len(some), 5):
                async with desk.running.db.transaction() as tx:
                    await project(tx, some[i : i + 5], Mock())
        finally:
            current_call.reset(token)

    await asyncio.gather(*(hear(events[i::3]) for i in range(3)))
    for each in people:
        await shows(desk, each, *([balance] if each in present else []))
