"""What a correction of a purchase earns: by who the customer was then, where they were then."""

from typing import Any
from uuid import uuid4

from .earning import doubled_by_tier, earning_of, held, in_force
from .test_earning import imported
from .test_households import Family
from .test_purchase_lines import basket, give_back, line, record


async def test_what_was_bought_before_a_tier_earns_as_before_it(running: Any, desk: Any) -> None:
    await doubled_by_tier(running, desk, "gold")
    customer = f"customers/{uuid4()}"
    await imported(desk, basket(line("a", "1", "200"), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 200}
    for said in ({"store": "store-8"}, {"reference": "7"}):
        await imported(desk, basket(line("a", "1", "200"), customer=customer, **said))
        assert await held(desk, customer) == {"MEMBERSHIP": 200}
    await imported(desk, basket(line("a", "1", "150"), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 150}
    await record(desk, basket(line("a", "1", "10"), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 170}


async def test_what_was_bought_before_a_band_earns_as_before_it(desk: Any) -> None:
    rich = "customer.band == ValueBand.VALUE_BAND_PLATINUM"
    await in_force(desk, "rich", condition=rich)
    customer = f"customers/{uuid4()}"
    await imported(desk, basket(line("a", "1", "5000"), customer=customer))
    bought = await imported(desk, basket(line("a", "1", "4000"), customer=customer))
    (award,) = (await earning_of(desk, bought)).awards
    assert (award.points, await held(desk, customer)) == (0, {})
    await record(desk, basket(line("a", "1", "10"), customer=customer))
    assert await held(desk, customer) == {"MEMBERSHIP": 10}


async def test_a_correction_leaves_points_with_the_household_that_has_them(running: Any, desk: Any) -> None:
    await in_force(desk)
    household, customer = await desk.join(), f"customers/{uuid4()}"
    family = Family(running, desk, household)
    member = await family.add(customer)
    await imported(desk, basket(line("a", "1", "40"), customer=customer))
    assert await held(desk, household.customer) == {"MEMBERSHIP": 40}
    await family.remove(member.name)
    own = await desk.join(customer)
    await imported(desk, basket(line("a", "1", "40"), customer=customer, store="store-8"))
    assert await held(desk, household.customer) == {"MEMBERSHIP": 40}
    await imported(desk, basket(line("a", "1", "30"), customer=customer, store="store-8"))
    assert await held(desk, household.customer) == {"MEMBERSHIP": 30}
    assert sum(await desk.points(*(each.name for each in await desk.accounts_of(own.name)))) == 0


async def test_a_return_that_names_another_purchase_now_gives_that_back(desk: Any) -> None:
    await in_force(desk)
    customer = f"customers/{uuid4()}"
    bought = [await record(desk, basket(line("a", "1", "10"), customer=customer)) for _ in range(2)]
    for each in bought:
        back = line("a", "-1", "-10", returned_line=1)
        await imported(desk, basket(back, customer=customer, returned_purchase=each.name))
    left = [(await earning_of(desk, each)).awards[0].points_left for each in bought]
    assert (left, await held(desk, customer)) == ([10, 0], {"MEMBERSHIP": 10})
    await give_back(desk, bought[0])
    assert await held(desk, customer) == {"MEMBERSHIP": 0}
