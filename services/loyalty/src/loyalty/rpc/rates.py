"""The gRPC service of rates between currencies."""

from datetime import datetime
from typing import ClassVar

from chassis.api.checks import Rules
from chassis.api.messages import exact
from chassis.api.validation import Check
from chassis.grpc.methods import change, get, listing
from chassis.money import Currency
from chassis.servicer import Rpc
from loyalty import names
from loyalty.domain.value import ValueFormula
from loyalty.store.rates import GET_RATE, LIST_RATES
from loyalty.usecases import rates
from rapport.loyalty.v1 import exchange_rate_service_pb2 as pb
from rapport.loyalty.v1.exchange_rate_pb2 import ExchangeRate
from rapport.loyalty.v1.exchange_rate_service_pb2_grpc import ExchangeRateServiceServicer


def _check_rate(check: Check, sent: ExchangeRate, now: datetime) -> None:
    """Between two currencies, over 0."""
    for field in ("base_currency", "quote_currency"):
        try:
            Currency.of(getattr(sent, field))
        except ValueError as error:
            check.refuse(field, "INVALID_CURRENCY", str(error))
    if sent.base_currency == sent.quote_currency:
        check.refuse("quote_currency", "INVALID_CURRENCY", "must be another than base_currency")
    _check_over_zero(check, sent)


def _check_over_zero(check: Check, sent: ExchangeRate) -> None:
    try:
        over_zero = exact(sent.rate) > 0
    except ArithmeticError:
        return  # that it is no number is said already
    if not over_zero:
        check.refuse("rate", "INVALID_NUMBER", "must be over 0")


def _check_batch(check: Check, request: pb.BatchCreateExchangeRatesRequest, now: datetime) -> None:
    """Each pair and day once."""
    sent = [each.exchange_rate for each in request.requests]
    pairs = (f"{each.base_currency}/{each.quote_currency}/{each.rate_date}" for each in sent)
    check.different(pairs, "requests[{}].exchange_rate")


class ExchangeRateRpc(Rpc, ExchangeRateServiceServicer):
    """What currencies are worth in others."""

    rules: ClassVar[Rules] = {ExchangeRate: _check_rate, pb.BatchCreateExchangeRatesRequest: _check_batch}

    formula: ValueFormula

    CreateExchangeRate = change(pb.CreateExchangeRateRequest, rates.create_rate, ExchangeRate)
    BatchCreateExchangeRates = change(
        pb.BatchCreateExchangeRatesRequest, rates.create_rates, pb.BatchCreateExchangeRatesResponse
    )
    GetExchangeRate = get(names.EXCHANGE_RATE, GET_RATE, ExchangeRate)
    ListExchangeRates = listing(pb.ListExchangeRatesResponse, LIST_RATES)
    UpdateExchangeRate = change(pb.UpdateExchangeRateRequest, rates.update_rate, ExchangeRate)
