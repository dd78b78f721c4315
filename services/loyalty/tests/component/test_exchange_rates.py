"""What customers paid in several currencies, by the rates that somebody supplies."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal as Number
from prometheus_client import REGISTRY

from chassis.api.messages import decimal, money, timestamp, value_name
from chassis.grpc.status import refusal
from rapport.loyalty.v1 import exchange_rate_service_pb2 as pb
from rapport.loyalty.v1.exchange_rate_pb2 import ExchangeRate
from rapport.loyalty.v1.exchange_rate_service_pb2_grpc import ExchangeRateServiceStub
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import ExplainCustomerValueRequest, RecordPurchaseRequest
from rapport_testing.clock import ManualClock
from rapport_testing.running import Running, error_of, reason
from rapport_testing.wait import eventually

pytestmark = pytest.mark.together

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def rates(running: Running) -> Any:
    return running.stub(ExchangeRateServiceStub)


@pytest.fixture
def today(running: Running) -> date:
    return running.db.clock.now().date()


def rate(base: str, quote: str, value: str, day: date, source: str = "ecb") -> ExchangeRate:
    return ExchangeRate(
        base_currency=base,
        quote_currency=quote,
        rate=Number(value=value),
        rate_date=Date(year=day.year, month=day.month, day=day.day),
        source=source,
    )


async def create(rates: Any, *sent: ExchangeRate) -> list[ExchangeRate]:
    requests = [pb.CreateExchangeRateRequest(exchange_rate=each) for each in sent]
    answer = await rates.BatchCreateExchangeRates(pb.BatchCreateExchangeRatesRequest(requests=requests))
    return list(answer.exchange_rates)


async def pay(desk: Any, customer: str, **amounts: str) -> None:
    for currency, amount in amounts.items():
        purchase = Purchase(
            customer=customer, amount=money(Decimal(amount), currency), purchase_time=timestamp(AT)
        )
        await desk.purchases.RecordPurchase(RecordPurchaseRequest(purchase=purchase, request_id=str(uuid4())))


async def told_bands(running: Running, customer: str, count: int) -> list[tuple[str, str]]:
    """The bands that others were told of a customer, with those before, once they are so many."""

    async def told() -> list[tuple[str, str]]:
        changes = [each.data for each in await running.published() if hasattr(each.data, "previous_band")]
        of = [each for each in changes if each.customer == customer]
        bands = [(value_name(each, "band"), value_name(each, "previous_band")) for each in of]
        return bands if len(bands) >= count else []

    return await eventually(told)


async def test_a_value_is_told_in_the_currency_of_the_installation_with_how_it_was_converted(
    desk: Any, rates: Any, today: date
) -> None:
    """Yen have no decimals, dinars three; pounds have no rate, and are said to have none."""
    of = f"customers/{uuid4()}"
    await create(
        rates,
        rate("EUR", "USD", "1.0825", today),
        rate("USD", "JPY", "150.5", today - timedelta(days=3)),
        rate("KWD", "USD", "3.25", today),
        rate("KWD", "USD", "9", today - timedelta(days=1)),
    )
    await pay(desk, of, USD="10", EUR="100.01", JPY="1505", KWD="1.001", GBP="5")
    worth = await desk.worth(of)
    told = {
        each.amount.currency_code: (
            decimal(each.converted_amount) if each.HasField("converted_amount") else None,
            each.exchange_rate.removeprefix("exchangeRates/"),
            each.rate.value,
        )
        for each in worth.conversions
    }
    assert told == {
        "EUR": (Decimal("108.26"), f"eur-usd-{today}", "1.0825"),
        "GBP": (None, "", ""),
        "JPY": (Decimal("10.00"), f"usd-jpy-{today - timedelta(days=3)}", "150.5"),
        "KWD": (Decimal("3.25"), f"kwd-usd-{today}", "3.25"),
    }
    assert worth.reporting_value == money(Decimal("131.51"), "USD")
    assert (value_name(worth, "band"), worth.formula_version) == ("SILVER", "lifetime-2")
    why = await desk.purchases.ExplainCustomerValue(ExplainCustomerValueRequest(name=worth.name))
    assert f"100.01 EUR is 108.26 USD by exchangeRates/eur-usd-{today} (1.0825)." in why.summary
    assert "5 GBP has no rate and counts for nothing." in why.summary


@pytest.mark.alone("what it makes is there once")
async def test_a_new_rate_moves_who_paid_in_its_currency_and_tells_of_it(
    desk: Any, rates: Any, running: Running, today: date
) -> None:
    moved, other = (f"customers/{uuid4()}" for _ in range(2))
    await pay(desk, moved, EUR="90")
    await pay(desk, other, EUR="10", USD="20")
    assert value_name(await desk.worth(moved), "band") == "STANDARD"
    await create(rates, rate("EUR", "USD", "1.2", today))
    assert await told_bands(running, moved, 2) == [("STANDARD", "STANDARD"), ("SILVER", "STANDARD")]
    [known] = (await rates.ListExchangeRates(pb.ListExchangeRatesRequest())).exchange_rates
    known.rate.value = "1.0"
    await rates.UpdateExchangeRate(pb.UpdateExchangeRateRequest(exchange_rate=known))
    assert (await told_bands(running, moved, 3))[2] == ("STANDARD", "SILVER")
    assert len(await told_bands(running, other, 2)) == 2  # whom it does not move nothing is told of
    assert value_name(await desk.worth(moved), "band") == "STANDARD"


async def test_what_counts_for_nothing_for_want_of_a_rate_is_a_metric(
    desk: Any, rates: Any, today: date
) -> None:
    def told() -> float:
        return REGISTRY.get_sample_value("rapport_value_unrated_total", {"currency": "NOK"}) or 0.0

    before, customer = told(), f"customers/{uuid4()}"
    await pay(desk, customer, USD="5")
    assert told() == before
    await pay(desk, customer, NOK="100")
    assert told() == before + 1
    await create(rates, rate("NOK", "USD", "0.1", today))
    await pay(desk, customer, NOK="100")
    assert told() == before + 1


async def test_a_rate_holds_from_its_day_on(desk: Any, rates: Any, clock: ManualClock, today: date) -> None:
    of = f"customers/{uuid4()}"
    await pay(desk, of, EUR="100")
    await create(rates, rate("EUR", "USD", "1.5", today + timedelta(days=1)))
    assert decimal((await desk.worth(of)).reporting_value) == 0
    clock.advance(timedelta(days=1))

    async def is_silver() -> bool:
        return value_name(await desk.worth(of), "band") == "SILVER"

    await eventually(is_silver)
    assert decimal((await desk.worth(of)).reporting_value) == 150


@pytest.mark.alone("what it makes is there once")
async def test_a_day_may_be_loaded_twice_but_not_otherwise(rates: Any, today: date) -> None:
    day = [rate("EUR", "USD", "1.08", today), rate("USD", "JPY", "150", today)]
    assert await create(rates, *day) == (await create(rates, *reversed(day)))[::-1]
    error = await error_of(create(rates, day[0], rate("USD", "JPY", "151", today)))
    assert (error.code(), reason(error)) == (grpc.StatusCode.ALREADY_EXISTS, "RESOURCE_EXISTS")
    outcomes = await asyncio.gather(
        *(create(rates, rate("EUR", "CHF", f"0.9{i}", today)) for i in range(10)), return_exceptions=True
    )
    assert sum(isinstance(each, list) for each in outcomes) == 1
    listed = await rates.ListExchangeRates(pb.ListExchangeRatesRequest(filter='base_currency = "EUR"'))
    assert {each.quote_currency for each in listed.exchange_rates} == {"USD", "CHF"}
    name = listed.exchange_rates[0].name
    assert (await rates.GetExchangeRate(pb.GetExchangeRateRequest(name=name))).name == name


@pytest.mark.parametrize(
    ("sent", "field", "why"),
    [
        (("EUR", "EUR", "1"), "quote_currency", "INVALID_CURRENCY"),
        (("EUR", "XAU", "1"), "quote_currency", "INVALID_CURRENCY"),
        (("eur", "USD", "1"), "base_currency", "INVALID_CURRENCY"),
        (("EUR", "USD", "0"), "rate", "INVALID_NUMBER"),
        (("EUR", "USD", "-1"), "rate", "INVALID_NUMBER"),
        (("EUR", "USD", "much"), "rate", "INVALID_NUMBER"),
        (("EUR", "USD", "NaN"), "rate", "INVALID_NUMBER"),
        (("EUR", "USD", "Infinity"), "rate", "INVALID_NUMBER"),
        (("EUR", "USD", "1.1234567891"), "rate", "INVALID_NUMBER"),
    ],
)
async def test_what_is_no_rate_is_refused(
    rates: Any, today: date, sent: tuple[str, str, str], field: str, why: str
) -> None:
    request = pb.CreateExchangeRateRequest(exchange_rate=rate(*sent, today))
    found = refusal(await error_of(rates.CreateExchangeRate(request)))
    assert (f"exchange_rate.{field}", why) in {
        (each.field, each.reason) for each in getattr(found, "violations", ())
    }


async def test_a_pair_is_in_a_batch_once(rates: Any, today: date) -> None:
    twice = rate("EUR", "USD", "1.08", today)
    assert reason(await error_of(create(rates, twice, twice))) == "INVALID_NAME"
