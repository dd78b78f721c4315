"""What the loyalty service is told by its environment."""

from datetime import timedelta
from decimal import Decimal
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from chassis.money import Currency
from chassis.settings import Pepper, ServiceSettings, Sources
from loyalty.domain.goodwill_rule import GoodwillRule
from loyalty.domain.value import Band, ValueFormula


class CardSettings(Sources):
    """What a migration is told as well."""

    card_pepper: Pepper = Field(
        SecretStr(""),
        description="the key under which card numbers are found, 32 characters or more, kept as a secret and"
        " never changed: cards are not found by another; empty, there are no cards",
    )


class Settings(CardSettings, ServiceSettings):
    """The service's settings. A change of bands or limits comes with a new version of them."""

    currency: str = Field("USD", description="ISO 4217; the currency that the bands below count")
    value_version: str = Field(
        "lifetime-2", min_length=1, description="names the formula and the bands below"
    )
    value_silver_from: Decimal = Field(Decimal(100), gt=0, description="least lifetime value of SILVER")
    value_gold_from: Decimal = Field(Decimal(500), gt=0, description="the same of GOLD")
    value_platinum_from: Decimal = Field(Decimal(2000), gt=0, description="the same of PLATINUM")
    goodwill_version: int = Field(1, ge=1, description="names the goodwill limits below")
    goodwill_reasons: frozenset[str] = Field(
        frozenset(),
        description="JSON list; the reasons of a delay that earn goodwill; without any, every reason does",
    )
    goodwill_points_per_day: int = Field(100, ge=1, description="points for each day of delay begun")
    goodwill_limit_standard: int = Field(500, ge=1, description="most points for one harm, band STANDARD")
    goodwill_limit_silver: int = Field(1000, ge=1, description="the same, band SILVER")
    goodwill_limit_gold: int = Field(1500, ge=1, description="the same, band GOLD")
    goodwill_limit_platinum: int = Field(2000, ge=1, description="the same, band PLATINUM")
    goodwill_budget_days: int = Field(30, ge=1, le=366, description="the days that the budgets below are for")
    goodwill_budget_customer: int = Field(3000, ge=1, description="most points for one customer in that time")
    goodwill_budget_grantor: int = Field(20000, ge=1, description="most points by one person in that time")

    goodwill_money_budget_customer: Decimal = Field(
        Decimal(300),
        gt=0,
        le=1_000_000,
        description="most money, and cost of gifts in kind, for one customer",
    )
    goodwill_money_budget_grantor: Decimal = Field(
        Decimal(3000), gt=0, le=1_000_000, description="the same by one person, in that time"
    )

    @field_validator("currency")
    @classmethod
    def _is_a_currency(cls, code: str) -> str:
        return Currency.of(code).code

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for names, made in (("VALUE_*", "formula"), ("GOODWILL_*", "delay_goodwill")):
            try:
                getattr(self, made)
            except ValueError as wrong:
                raise ValueError(f"RAPPORT_{names}: {wrong}") from None
        return self

    @property
    def formula(self) -> ValueFormula:
        """How lifetime value becomes a band."""
        least = self.value_silver_from, self.value_gold_from, self.value_platinum_from
        return ValueFormula(self.value_version, self.currency, *least)

    @property
    def money_goodwill(self) -> GoodwillRule:
        """How much goodwill may be granted in money and in kind: nothing, unless a policy says so."""
        currency = Currency.of(self.currency)
        return GoodwillRule(
            "goodwillRules/money",
            self.goodwill_version,
            frozenset(),
            0,
            dict.fromkeys(Band, 0),
            timedelta(days=self.goodwill_budget_days),
            currency.smallest(self.goodwill_money_budget_customer),
            currency.smallest(self.goodwill_money_budget_grantor),
            currency_code=self.currency,
        )

    @property
    def delay_goodwill(self) -> GoodwillRule:
        """How much goodwill may be granted."""
        return GoodwillRule(
            "goodwillRules/delay",
            self.goodwill_version,
            self.goodwill_reasons,
            self.goodwill_points_per_day,
            {band: getattr(self, f"goodwill_limit_{band.lower()}") for band in Band},
            timedelta(days=self.goodwill_budget_days),
            self.goodwill_budget_customer,
            self.goodwill_budget_grantor,
        )
