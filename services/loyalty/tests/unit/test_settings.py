"""What the service makes of its environment."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.domain.value import Band
from loyalty.settings import Settings

NEEDED: dict[str, Any] = {
    "database_url": "postgresql:///x",
    "nats_url": "nats://x",
    "jwks_url": "file:///x",
    "issuer": "x",
}


def test_the_defaults_make_a_formula_and_a_policy() -> None:
    settings = Settings(**NEEDED)
    assert (settings.formula.currency, settings.formula.gold) == ("USD", Decimal(500))
    assert [settings.delay_goodwill.limits[band] for band in Band] == [500, 1000, 1500, 2000]


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "dollars"},
        {"currency": "ABC"},
        {"currency": "XAU"},
        {"value_silver_from": 0},
        {"goodwill_limit_gold": 0},
        {"goodwill_points_per_day": 0},
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**NEEDED, **wrong)
    assert [error["loc"] for error in refused.value.errors()] == [tuple(wrong)]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"value_gold_from": 100}, "RAPPORT_VALUE_"),
        ({"value_platinum_from": 499}, "RAPPORT_VALUE_"),
        ({"goodwill_limit_platinum": 3001}, "RAPPORT_GOODWILL_"),
        ({"goodwill_budget_grantor": 1999}, "RAPPORT_GOODWILL_"),
    ],
)
def test_settings_that_contradict_each_other_are_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Settings(**NEEDED, **wrong)
