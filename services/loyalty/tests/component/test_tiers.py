"""Tiers: reached by what is earned, held for a time, reviewed by the clock, and told of before they end."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.api.messages import exact_number, moment, money, timestamp
from chassis.context import Call, acting, service_itself
from chassis.db.statement import Statement
from loyalty.names import MEMBERSHIP
from loyalty.store import tiers
from loyalty.store.tables import ACCOUNTS
from loyalty.usecases import qualify
from loyalty.usecases.book import Book
from loyalty.usecases.tiers import LOOK, REVIEW_TIMER, WALK_TIMER
from rapport.loyalty.v1 import loyalty_events_pb2 as facts
from rapport.loyalty.v1.ledger_service_pb2 import ReverseTransferRequest
from rapport.loyalty.v1.program_pb2 import Program
from rapport.loyalty.v1.program_service_pb2 import UpdateProgramRequest
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import BatchRecordPurchasesRequest, RecordPurchaseRequest
from rapport.loyalty.v1.tier_pb2 import Tier, TierPolicy
from rapport.loyalty.v1.tier_service_pb2 import (
    CheckBenefitRequest,
    CreateTierRequest,
    ExplainTierStandingRequest,
    GetTierStandingRequest,
    ListTiersRequest,
    UpdateTierRequest,
)
from rapport.loyalty.v1.tier_service_pb2_grpc import TierServiceStub
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, refused

from .earning import in_force
from .test_purchase_lines import basket, give_back, line, record

pytestmark = pytest.mark.together

_kept = tiers.COUNTED_POINTS.c
KEPT = Statement[Any](
    sa.select(ACCOUNTS.c.membership_id, ACCOUNTS.c.unit_id, _kept.since).join_from(
        ACCOUNTS, tiers.COUNTED_POINTS, _kept.account_id == ACCOUNTS.c.id
    )
)
FORGET = Statement[None](sa.delete(tiers.COUNTED_POINTS))
START = datetime(2026, 3, 2, 14, 3, tzinfo=UTC)
MAIN = "programs/main"
ISSUED, REDEEMED, GOODWILL = (f"{MAIN}/accounts/points-{kind}" for kind in ("issued", "redeemed", "goodwill"))
POINTS = {"measure": TierPolicy.MEASURE_POINTS, "unit_code": "points"}
SPEND = {"measure": TierPolicy.MEASURE_SPEND, "currency_code": "USD"}
VISITS = {"measure": TierPolicy.MEASURE_VISITS}
CALENDAR, ROLLING, OWN = (
    TierPolicy.PERIOD_CALENDAR_YEAR,
    TierPolicy.PERIOD_ROLLING_YEAR,
    TierPolicy.PERIOD_MEMBERSHIP_YEAR,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(autouse=True)
async def counted_once(monkeypatch: pytest.MonkeyPatch, running: Running) -> AsyncIterator[None]:
    """What points were counted is kept from the first entry on, else of many; it is what all entries say."""
    monkeypatch.setattr(qualify, "KEEP_AFTER", 1)
    yield
    kept = await KEPT.all(running.db)
    asked = [
        {"ids": [each["membership_id"]], "starts": [each["since"]], "unit_id": each["unit_id"]}
        for each in kept
    ]
    once = [total(await tiers.PROGRESS_BY_POINTS.all(running.db, **each)) for each in asked]
    with acting(Call("recount", service_itself("loyalty"))):
        async with running.db.transaction() as tx:
            await FORGET.run(tx)
    assert once == [total(await tiers.PROGRESS_BY_POINTS.all(running.db, **each)) for each in asked]


def total(found: list[tiers.AccountProgress]) -> int:
    """What was earned on all accounts."""
    return sum(each.amount for each in found)


class Club:
    """A program with tiers, one member of it, and the clock."""

    def __init__(self, running: Running, desk: Any, clock: ManualClock) -> None:
        self.running, self.desk, self.clock = running, desk, clock
        self.tiers: Any = running.stub(TierServiceStub)

    async def begin(self, **thresholds: str) -> "Club":
        self.member = await self.desk.join()
        self.account = (await self.desk.accounts_of(self.member.name))[0].name
        for tier, threshold in (thresholds or {"silver": "100", "gold": "500", "platinum": "1000"}).items():
            await self.tier(tier, threshold)
        return self

    async def tier(self, tier_id: str, threshold: str, *benefits: Tier.Benefit) -> Any:
        made = Tier(display_name=tier_id, threshold=exact_number(Decimal(threshold)), benefits=list(benefits))
        return await self.tiers.CreateTier(CreateTierRequest(parent=MAIN, tier_id=tier_id, tier=made))

    async def policy(self, **said: Any) -> None:
        said = {"period": CALENDAR, "downgrade": TierPolicy.DOWNGRADE_TO_EARNED} | said
        request = UpdateProgramRequest(program=Program(name=MAIN, tier_policy=TierPolicy(**said)))
        request.update_mask.paths.append("tier_policy")
        await self.desk.programs.UpdateProgram(request)
        await self.tick()

    async def earn(self, points: int, to: str = "", giver: str = ISSUED) -> Any:
        return await self.desk.ledger.PostTransfer(self.desk.posting(giver, to or self.account, points))

    async def buy(self, amount: str, *, customer: str = "", currency: str = "USD", ago: int = 0) -> None:
        at = timestamp(self.clock.now() - timedelta(days=ago))
        bought = Purchase(
            customer=customer or self.member.customer,
            amount=money(Decimal(amount), currency),
            purchase_time=at,
            quantity=1,
        )
        request = RecordPurchaseRequest(purchase=bought, request_id=str(uuid4()))
        await self.desk.purchases.RecordPurchase(request)

    async def stands(self, member: str = "") -> Any:
        name = f"{member or self.member.name}/tierStanding"
        return await self.tiers.GetTierStanding(GetTierStandingRequest(name=name))

    async def has(self, member: str = "") -> str:
        return str((await self.stands(member)).tier).rpartition("/")[2]

    async def merge(self, other: str) -> None:
        await self.desk.merge(self.member.name, other)

    async def unmerge(self, other: str) -> None:
        await self.desk.unmerge(other)

    async def until(self, *day: int) -> None:
        """Let time pass, and the clock do what is due on the way."""
        self.clock.advance(datetime(*day, 12, tzinfo=UTC) - self.clock.now())  # type: ignore[arg-type,misc]
        await self.tick()

    async def tick(self) -> None:
        self.clock.advance(LOOK)
        await self.running.fire(REVIEW_TIMER, WALK_TIMER)

    async def told(self, kind: Any) -> list[Any]:
        """What was told of a kind, oldest first."""
        return [each.data for each in await self.running.published() if isinstance(each.data, kind)]


@pytest.fixture
async def club(running: Running, desk: Any, clock: ManualClock) -> Club:
    return await Club(running, desk, clock).begin()


async def test_a_tier_is_reached_in_the_transaction_that_earns_it(club: Club) -> None:
    await club.policy(**POINTS)
    await club.earn(99)
    assert await club.has() == ""
    await club.earn(1)
    stands = await club.stands()
    assert (stands.tier, stands.next_tier) == (f"{MAIN}/tiers/silver", f"{MAIN}/tiers/gold")
    assert (stands.progress.value, stands.missing_to_next.value, stands.missing_to_keep.value) == (
        "100",
        "400",
        "0",
    )
    assert moment(stands.period_start_time) == datetime(2026, 1, 1, tzinfo=UTC)
    assert moment(stands.review_time) == datetime(2027, 1, 1, tzinfo=UTC)
    await club.earn(1000)
    assert await club.has() == "platinum"
    assert [each.tier.rpartition("/")[2] for each in await club.told(facts.TierUpgraded)] == [
        "silver",
        "platinum",
    ]


async def test_what_is_given_spent_or_moved_earns_no_tier(club: Club) -> None:
    await club.policy(**POINTS)
    await club.earn(100, giver=GOODWILL)
    (other,) = await club.desk.accounts_of((await club.desk.join()).name)
    await club.earn(100, to=other.name)
    await club.desk.ledger.PostTransfer(club.desk.posting(other.name, club.account, 100))
    await club.desk.ledger.PostTransfer(club.desk.posting(club.account, REDEEMED, 150))
    assert (await club.has(), (await club.stands()).progress.value) == ("", "0")


async def test_what_is_taken_back_lowers_the_progress_and_the_tier_at_its_review(club: Club) -> None:
    await club.policy(**POINTS)
    earned = await club.earn(100)
    asked = ReverseTransferRequest(name=earned.name, reason_code="returned", request_id=str(uuid4()))
    await club.desk.ledger.ReverseTransfer(asked)
    stands = await club.stands()
    assert (await club.has(), stands.progress.value, stands.missing_to_keep.value) == ("silver", "0", "100")
    await club.until(2027, 1, 1)
    assert await club.has() == ""


async def test_what_is_given_back_after_its_points_were_spent_counts_for_no_tier(club: Club) -> None:
    await club.policy(**POINTS)
    await in_force(club.desk)
    bought = await record(club.desk, basket(line("a", "1", "100"), customer=club.member.customer))
    assert await club.has() == "silver"
    await club.desk.ledger.PostTransfer(club.desk.posting(club.account, REDEEMED, 100))
    await give_back(club.desk, bought)
    assert (await club.stands()).progress.value == "0"
    await record(club.desk, basket(line("a", "1", "30"), customer=club.member.customer))  # pays the debt
    assert (await club.stands()).progress.value == "30"
    await club.until(2027, 1, 1)
    assert await club.has() == ""


async def test_what_is_given_back_counts_for_the_year_in_which_it_was_earned(club: Club) -> None:
    await club.policy(**POINTS, grace_days=60)
    await in_force(club.desk)
    bought = await record(club.desk, basket(line("a", "1", "100"), customer=club.member.customer))
    await club.until(2027, 1, 5)
    await record(club.desk, basket(line("a", "1", "10"), customer=club.member.customer))
    await give_back(club.desk, bought)
    assert (await club.has(), (await club.stands()).progress.value) == ("silver", "10")
    await club.until(2027, 3, 5)
    assert await club.has() == ""


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_progress_is_what_all_entries_say_and_few_are_looked_at(
    club: Club, seed: int
) -> None:
    await club.policy(**POINTS)
    other, chosen = await club.desk.join(), random.Random(seed)
    (theirs,) = await club.desk.accounts_of(other.name)
    earned, merged = [await club.earn(100)], False
    for _ in range(25):
        match chosen.choice(["earn", "earn", "theirs", "spend", "reverse", "merge", "wait"]):
            case "earn":
                earned.append(await club.earn(chosen.randint(1, 50)))
            case "theirs" if not merged:
                await club.earn(chosen.randint(1, 50), to=theirs.name)
            case "spend":
                await club.desk.ledger.PostTransfer(club.desk.posting(club.account, REDEEMED, 1))
            case "reverse" if len(earned) > 3:
                back = earned.pop(chosen.randrange(1, len(earned)))
                asked = ReverseTransferRequest(
                    name=back.name, reason_code="returned", request_id=str(uuid4())
                )
                await club.desk.ledger.ReverseTransfer(asked)
            case "merge":
                await (club.unmerge if merged else club.merge)(other.name)
                merged = not merged
            case "wait":
                club.clock.advance(timedelta(days=40))
    await club.earn(1)
    (kept, *_) = await KEPT.all(club.running.db)
    asked = {"ids": [kept["membership_id"]], "starts": [kept["since"]], "unit_id": kept["unit_id"]}
    looked_at = [each.looked_at for each in await tiers.PROGRESS_BY_POINTS.all(club.running.db, **asked)]
    assert max(looked_at) <= 25 // 2


async def test_of_many_entries_the_last_few_alone_are_looked_at_and_none_is_forgotten(
    club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qualify, "KEEP_AFTER", 16)
    await club.policy(**POINTS)
    earned = [await club.earn(points) for points in range(1, 41)]
    (kept,) = await KEPT.all(club.running.db)
    asked = {"ids": [kept["membership_id"]], "starts": [kept["since"]], "unit_id": kept["unit_id"]}
    (found,) = await tiers.PROGRESS_BY_POINTS.all(club.running.db, **asked)
    assert (found.looked_at, found.amount) == (40 % 16, sum(range(1, 41)))
    back = ReverseTransferRequest(name=earned[0].name, reason_code="returned", request_id=str(uuid4()))
    await club.desk.ledger.ReverseTransfer(back)
    assert (await club.stands()).progress.value == str(sum(range(2, 41)))


async def test_of_a_rolling_year_which_begins_anew_each_day_nothing_is_kept(club: Club) -> None:
    await club.policy(**POINTS, period=ROLLING)
    for _ in range(3):
        await club.earn(10)
    assert await KEPT.all(club.running.db) == []


async def test_who_counts_points_waits_for_nobody_who_has_the_account(club: Club) -> None:
    await club.policy(**POINTS)
    await club.earn(1)
    db, (program_id, membership_id) = club.running.db, MEMBERSHIP.parse(club.member.name)

    async def count() -> None:
        with acting(Call("count", service_itself("loyalty"))):
            async with db.transaction() as tx:
                await FORGET.run(tx)
                await qualify.requalify(tx, program_id, {membership_id})

    with acting(Call("earn", service_itself("loyalty"))):
        async with db.transaction() as tx:
            await Book.lock(tx, [club.account])
            await asyncio.create_task(count())
    assert len(await KEPT.all(db)) == 1


async def test_of_many_who_earn_at_once_the_last_reaches_the_tier(club: Club) -> None:
    await club.policy(**SPEND)
    customers = [club.member.customer] * 10
    await asyncio.gather(*[club.buy("10", customer=each) for each in customers])
    assert await club.has() == "silver"
    assert len(await club.told(facts.TierUpgraded)) == 1


async def test_spend_counts_what_was_paid_less_what_came_back_in_one_currency(club: Club) -> None:
    await club.policy(**SPEND)
    await club.buy("80.50")
    await club.buy("500", currency="EUR")
    await club.buy("500", ago=100)  # in the year before
    await club.buy("-0.51")
    assert (await club.has(), (await club.stands()).progress.value) == ("", "79.99")
    await club.buy("20.01")
    assert await club.has() == "silver"


async def test_what_is_given_back_counts_for_the_year_in_which_it_was_bought(club: Club) -> None:
    await club.policy(**SPEND, grace_days=60)
    of = {"customer": club.member.customer, "purchase_time": timestamp(club.clock.now())}
    bought = await record(club.desk, basket(line("a", "1", "100"), **of))
    await club.until(2027, 1, 5)
    await club.buy("10")
    await give_back(club.desk, bought)
    assert (await club.has(), (await club.stands()).progress.value) == ("silver", "10")
    await club.buy("-2")  # of what nobody knows
    assert (await club.stands()).progress.value == "8"
    await club.until(2027, 3, 5)
    assert await club.has() == ""


async def test_visits_count_purchases_that_were_kept(running: Running, desk: Any, clock: ManualClock) -> None:
    club = await Club(running, desk, clock).begin(regular="3")
    await club.policy(**VISITS)
    at = timestamp(clock.now())
    rows = [
        RecordPurchaseRequest(
            purchase=Purchase(
                customer=club.member.customer,
                amount=money(Decimal(10), "USD"),
                refunded_amount=money(Decimal(back), "USD"),
                purchase_time=at,
                quantity=1,
            )
        )
        for back in (0, 5, 10)
    ]
    request = BatchRecordPurchasesRequest(requests=rows, request_id=str(uuid4()))
    await club.desk.purchases.BatchRecordPurchases(request)
    assert (await club.has(), (await club.stands()).progress.value) == ("", "2")
    await club.buy("1")
    assert await club.has() == "regular"


@pytest.mark.parametrize(
    ("downgrade", "after_one", "after_two"),
    [(TierPolicy.DOWNGRADE_TO_EARNED, "", ""), (TierPolicy.DOWNGRADE_ONE_DOWN, "gold", "silver")],
)
async def test_who_does_not_earn_a_tier_again_is_downgraded_as_the_policy_says(
    club: Club, downgrade: int, after_one: str, after_two: str
) -> None:
    await club.policy(**POINTS, downgrade=downgrade)
    await club.earn(1000)
    await club.until(2026, 12, 31)
    assert await club.has() == "platinum"
    await club.until(2027, 1, 1)
    assert await club.has() == "platinum"  # earned in the year that has ended
    await club.until(2028, 1, 1)
    assert await club.has() == after_one
    await club.until(2029, 1, 1)
    assert await club.has() == after_two


async def test_in_the_days_of_grace_a_tier_can_still_be_earned(club: Club) -> None:
    await club.policy(**POINTS, grace_days=31)
    await club.earn(100)
    await club.until(2027, 2, 2)
    assert await club.has() == "silver"
    await club.until(2028, 1, 20)
    assert await club.has() == "silver"
    await club.earn(100)
    await club.until(2028, 2, 2)
    assert await club.has() == "silver"
    await club.until(2029, 2, 2)  # those earned in January 2028 count for the year that they are of
    assert await club.has() == "silver"
    await club.until(2030, 2, 2)
    assert await club.has() == ""


async def test_who_will_lose_a_tier_is_told_of_once_in_time(club: Club) -> None:
    await club.policy(**POINTS, grace_days=10, notice_days=30)
    await club.earn(130)
    await club.until(2026, 12, 20)
    assert await club.told(facts.TierDowngradeExpected) == []  # it is earned again
    await club.until(2027, 6, 1)
    await club.earn(20)
    await club.until(2027, 12, 11)
    assert await club.told(facts.TierDowngradeExpected) == []
    for day in (13, 14, 20):
        await club.until(2027, 12, day)
    (told,) = await club.told(facts.TierDowngradeExpected)
    assert (told.tier, told.expected_tier, told.missing_to_keep) == (f"{MAIN}/tiers/silver", "", "80")
    assert moment(told.review_time) == datetime(2028, 1, 11, tzinfo=UTC)
    await club.until(2028, 1, 11)
    (lost,) = await club.told(facts.TierDowngraded)
    assert (lost.tier, lost.previous_tier, lost.HasField("review_time")) == (
        "",
        f"{MAIN}/tiers/silver",
        False,
    )


async def test_a_year_of_ones_own_begins_on_the_day_of_joining(club: Club) -> None:
    await club.policy(**POINTS, period=OWN)
    await club.earn(100)
    assert moment((await club.stands()).review_time) == datetime(2027, 3, 2, tzinfo=UTC)
    await club.until(2027, 3, 1)
    await club.earn(100)
    await club.until(2028, 3, 1)
    assert await club.has() == "silver"
    await club.until(2028, 3, 2)
    assert await club.has() == ""


async def test_in_a_rolling_year_what_is_older_does_not_count(club: Club) -> None:
    await club.policy(**POINTS, period=ROLLING)
    await club.earn(60)
    await club.until(2027, 3, 1)
    await club.earn(30)
    assert (await club.stands()).progress.value == "90"
    await club.until(2027, 3, 4)
    assert (await club.stands()).progress.value == "30"
    await club.earn(70)
    stands = await club.stands()
    assert (await club.has(), moment(stands.review_time)) == ("silver", datetime(2028, 3, 4, tzinfo=UTC))


async def test_who_has_earned_a_new_tier_gets_it_soon_after(club: Club) -> None:
    await club.earn(300)
    await club.policy(**POINTS)
    assert await club.has() == "silver"
    await club.tier("bronze-plus", "250")
    await club.tick()
    assert await club.has() == "bronze-plus"
    assert await refused(club.tier("other", "250")) == "RESOURCE_EXISTS"
    assert await refused(club.tier("other", "0")) == "INVALID_NUMBER"
    listed = (await club.tiers.ListTiers(ListTiersRequest(parent=MAIN))).tiers
    assert [each.name.rpartition("/")[2] for each in listed] == ["bronze-plus", "gold", "platinum", "silver"]
    request = UpdateTierRequest(
        tier=Tier(name=f"{MAIN}/tiers/gold", threshold=exact_number(Decimal(300)), etag='"1"')
    )
    await club.tiers.UpdateTier(request)
    await club.tick()
    assert await club.has() == "gold"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"measure": TierPolicy.MEASURE_POINTS}, "INVALID_CODE"),
        (VISITS | {"unit_code": "points"}, "INVALID_CODE"),
        ({"measure": TierPolicy.MEASURE_SPEND, "currency_code": "XYZ"}, "INVALID_CURRENCY"),
    ],
)
async def test_a_policy_that_does_not_go_together_is_refused(club: Club, said: Any, why: str) -> None:
    assert await refused(club.policy(**said)) == why


async def test_who_has_a_benefit_is_said_by_customer_and_by_membership(club: Club) -> None:
    benefit = Tier.Benefit(code="free-delivery", display_name="Free", value=exact_number(Decimal("0.5")))
    await club.tier("bronze", "10", benefit)
    await club.policy(**POINTS)

    async def ask(code: str = "free-delivery", **of: str) -> Any:
        return await club.tiers.CheckBenefit(CheckBenefitRequest(parent=MAIN, benefit_code=code, **of))

    of = club.member.customer
    assert not (await ask(customer=of)).granted
    await club.earn(10)
    for asked in ({"customer": of}, {"membership": club.member.name}):
        answer = await ask(**asked)
        assert (answer.granted, answer.tier, answer.value.value) == (True, f"{MAIN}/tiers/bronze", "0.5")
    assert not (await ask("lounge", customer=of)).granted
    assert not (await ask(customer=f"customers/{uuid4()}")).granted
    assert await refused(ask()) == "REQUIRED"


async def test_a_standing_is_explained_by_what_was_earned(club: Club) -> None:
    await club.policy(**POINTS)
    await club.earn(100)
    request = ExplainTierStandingRequest(name=f"{club.member.name}/tierStanding")
    explained = await club.tiers.ExplainTierStanding(request)
    assert "Tier upgraded" in explained.summary


async def test_merged_members_have_one_tier_and_each_their_own_again(club: Club) -> None:
    await club.policy(**POINTS)
    other = await club.desk.join()
    (account,) = await club.desk.accounts_of(other.name)
    await club.earn(60)
    await club.earn(110, to=account.name)
    assert (await club.has(), await club.has(other.name)) == ("", "silver")
    await club.merge(other.name)
    assert await club.has() == "silver"
    assert (await club.stands()).progress.value == "170"
    await club.earn(330)
    assert await club.has() == "gold"
    await club.unmerge(other.name)
    # What was earned since stays: 60 and 330 are silver.
    assert (await club.has(), await club.has(other.name)) == ("silver", "silver")
    assert (await club.stands()).progress.value == "390"
    await club.until(2027, 1, 1)
    assert await club.has(other.name) == "silver"
    await club.until(2028, 1, 1)
    assert await club.has(other.name) == ""


@pytest.mark.parametrize(
    ("points", "first", "then"),
    [((500, 0), 0, ""), ((500, 100), 0, "silver"), ((100, 500), 0, "gold"), ((500, 500), 1, "gold")],
)
async def test_of_two_who_were_merged_the_tier_of_who_goes_goes_with_them(
    club: Club, points: tuple[int, int], first: int, then: str
) -> None:
    await club.policy(**POINTS)
    parts = [(await club.desk.join()).name for _ in points]
    for part, some in zip(parts, points, strict=True):
        if some:
            await club.earn(some, to=(await club.desk.accounts_of(part))[0].name)
        await club.merge(part)
    await club.unmerge(parts.pop(first))
    assert await club.has() == then
    await club.unmerge(parts[0])
    assert await club.has() == ""
