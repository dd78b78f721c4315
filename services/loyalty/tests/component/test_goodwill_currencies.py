"""Goodwill in another currency than that of the budgets counts by the rate of the day."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type.money_pb2 import Money

from chassis.api.messages import date_of, decimal, money
from chassis.grpc.status import refusal
from rapport.loyalty.v1 import exchange_rate_service_pb2 as rates_pb
from rapport.loyalty.v1.exchange_rate_service_pb2_grpc import ExchangeRateServiceStub
from rapport.loyalty.v1.goodwill_service_pb2 import (
    ApproveGoodwillRequest,
    CheckGoodwillRequest,
    ExplainGoodwillRequest,
    RequestGoodwillRequest,
)
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport_testing.running import Running, error_of, reason, refused

from .giving import new
from .test_exchange_rates import create, rate
from .test_goodwill_kinds import grant, item, tell, usd

__all__ = ["tell"]


@pytest.fixture
async def rates(running: Running) -> Any:
    return running.stub(ExchangeRateServiceStub)


@pytest.fixture
def today(running: Running) -> date:
    return running.db.clock.now().date()


def of(currency: str, amount: str) -> Money:
    return money(Decimal(amount), currency)


async def test_money_counts_by_the_rate_of_the_day_which_the_grant_keeps(
    running: Running, desk: Any, rates: Any, tell: Any, today: date
) -> None:
    await tell("REFUND", usd(25), usd(60))
    customer = new("customers")
    euros = grant(customer, money=of("EUR", "20"))
    assert await refused(desk.goodwill.GrantGoodwill(euros)) == "NO_EXCHANGE_RATE"
    (old,) = await create(rates, rate("EUR", "USD", "1.20", today))
    await create(rates, rate("EUR", "USD", "9", today + timedelta(days=1)))
    granted = await desk.goodwill.GrantGoodwill(euros)
    by = granted.conversion
    assert (granted.money, by.converted_amount, by.exchange_rate) == (of("EUR", "20"), usd(24), old.name)
    assert (Decimal(by.rate.value), date_of(by.rate_date)) == (Decimal("1.20"), today)
    over = grant(customer, money=of("EUR", "20.84"))  # 25.01 USD
    error = refusal(await error_of(desk.goodwill.GrantGoodwill(over)))
    assert (error.reason, error.metadata["amount"]) == ("OVER_AUTHORITY", "25.01")
    may = await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=customer))
    assert (may.money.grantor_left, may.money.customer_left) == (usd(36), usd(276))
    account = "programs/goodwill/accounts/eur"
    assert await desk.points(f"{account}-goodwill", f"{account}-redeemed") == [-2000, 2000]
    (told,) = [each.data for each in await running.published() if each.type.endswith("GoodwillGranted")]
    assert (told.money, told.converted_money) == (of("EUR", "20"), usd(24))
    why = await desk.goodwill.ExplainGoodwill(ExplainGoodwillRequest(name=granted.name))
    assert f"20.00 EUR, counted as 24.00 USD by {old.name} (1.20) given" in why.summary
    update = rates_pb.UpdateExchangeRateRequest(exchange_rate=old)
    update.exchange_rate.rate.value = "2"
    await rates.UpdateExchangeRate(update)
    may = await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=customer))
    assert may.money.grantor_left == usd(36)


@pytest.mark.parametrize(
    ("currency", "amount", "value", "counts"),
    [
        ("JPY", "1500", "0.0067", "10.05"),
        ("JPY", "1", "0.0001", "0.01"),  # never as nothing
        ("KWD", "5.125", "3.25", "16.66"),  # 16.65625
        ("KWD", "0.001", "3.25", "0.01"),
    ],
)
async def test_amounts_have_the_decimals_of_their_currencies(
    desk: Any, rates: Any, tell: Any, today: date, currency: str, amount: str, value: str, counts: str
) -> None:
    await tell("REFUND", usd(25))
    await tell("REPLACEMENT", usd(25))
    await create(rates, rate(currency, "USD", value, today))
    for gift in ({"money": of(currency, amount)}, {"in_kind": item(of(currency, amount))}):
        granted = await desk.goodwill.GrantGoodwill(grant(new("customers"), **gift))
        assert decimal(granted.conversion.converted_amount) == Decimal(counts)


async def test_many_grants_at_once_in_several_currencies_stay_within_the_budget(
    desk: Any, rates: Any, tell: Any, today: date
) -> None:
    await tell("REFUND", usd(50), usd(200))
    await create(rates, rate("EUR", "USD", "1.25", today), rate("USD", "JPY", "150", today))
    gifts = [usd(50), of("EUR", "40"), of("JPY", "7500")] * 3
    requests = [grant(new("customers"), money=gift) for gift in gifts]
    calls = [desk.insist(desk.goodwill.GrantGoodwill, each) for each in requests]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    errors = [reason(each) for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert errors == ["OVER_BUDGET"] * 5
    may = await desk.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=new("customers")))
    assert may.money.grantor_left == usd(0)


async def test_what_was_asked_for_is_reckoned_anew_with_the_yes(
    running: Running, desk: Any, rates: Any, tell: Any, today: date
) -> None:
    await tell("REFUND", usd(25))
    (by,) = await create(rates, rate("EUR", "USD", "1.25", today))
    wanted = grant(new("customers"), money=of("EUR", "40")).goodwill
    asked = await desk.goodwill.RequestGoodwill(
        RequestGoodwillRequest(goodwill=wanted, request_id=str(uuid4()))
    )
    assert asked.conversion.converted_amount == usd(50)
    bob = running.stub(GoodwillServiceStub, ["loyalty.goodwill.approve"], subject="agent:bob")
    yes = ApproveGoodwillRequest(name=asked.name, request_id=str(uuid4()))
    assert await refused(bob.ApproveGoodwill(yes)) == "OVER_AUTHORITY"
    by.rate.value = "0.5"
    await rates.UpdateExchangeRate(rates_pb.UpdateExchangeRateRequest(exchange_rate=by))
    granted = await bob.ApproveGoodwill(ApproveGoodwillRequest(name=asked.name, request_id=str(uuid4())))
    assert (granted.money, granted.conversion.converted_amount) == (of("EUR", "40"), usd(20))
    assert Decimal(granted.conversion.rate.value) == Decimal("0.5")
