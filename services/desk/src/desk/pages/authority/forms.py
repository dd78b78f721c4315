"""What somebody typed of an authority policy, as the message that says so."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import zip_longest
from typing import Any

from google.type.money_pb2 import Money

from chassis.api.messages import shown_amount, value_name
from chassis.errors import invalid
from desk.pages.trying import Typed, amount_of, whole
from rapport.cases.v1.authority_policy_pb2 import AuthorityPolicy
from rapport.common.v1.states_pb2 import Harm
from rapport.common.v1.value_band_pb2 import ValueBand

# What each act is counted in.
UNITS = {"GOODWILL": "points", "EXTENSION": "days", "REFUND": "money", "REPLACEMENT": "money"}


@dataclass(frozen=True)
class Row:
    """A limit as it stands in the form; each empty where it does not say it."""

    permission: str = ""
    band: str = ""  # `GOLD`
    harm: str = ""  # `LOSS`
    amount: str = ""
    day: str = ""  # within any 24 hours


LISTS = tuple(each.name for each in fields(Row))  # each of them once for every row, in their order


def rows_of(policy: AuthorityPolicy) -> list[Row]:
    """The limits of a policy."""
    unit = UNITS[value_name(policy, "act")]
    return [
        Row(
            each.permission,
            value_name(each, "least_band"),
            value_name(each, "least_harm"),
            _written(each, unit),
            _written(each, f"rolling_day_{unit}"),
        )
        for each in policy.limits
    ]


def rows_typed(typed: Typed) -> Sequence[Row]:
    """The limits as they were typed, without rows in which nothing is."""
    columns = ([each.strip() for each in typed.lists[name]] for name in LISTS)
    rows = [Row(*each) for each in zip_longest(*columns, fillvalue="")]
    return [each for each in rows if any(astuple(each))]


def policy_of(now: AuthorityPolicy, typed: Typed) -> AuthorityPolicy:
    """The policy as it is to be. InvalidArgument for a number that is none, a band or a harm."""
    unit = UNITS[value_name(now, "act")]
    read: Callable[[str, str], Any] = _money if unit == "money" else whole
    proposed = AuthorityPolicy(
        name=now.name,
        display_name=typed.text("display_name"),
        department=now.department,
        act=now.act,
        disabled=typed.text("disabled") == "on",
    )
    for place, row in enumerate(rows_typed(typed)):
        path = f"authority_policy.limits[{place}]"
        amounts = {unit: (row.amount, unit), f"rolling_day_{unit}": (row.day, f"rolling_day_{unit}")}
        proposed.limits.add(
            permission=row.permission,
            least_band=_member(f"{path}.least_band", ValueBand, "VALUE_BAND", row.band),
            least_harm=_member(f"{path}.least_harm", Harm, "HARM", row.harm),
            **{name: read(f"{path}.{field}", text) for name, (text, field) in amounts.items()},
        )
    return proposed


def _written(limit: AuthorityPolicy.Limit, field: str) -> str:
    """An amount as it is typed; empty when there is none."""
    amount = getattr(limit, field)
    if not isinstance(amount, Money):
        return str(amount or "")
    return shown_amount(amount) if limit.HasField(field) else ""  # type: ignore[arg-type]


def _money(field: str, text: str) -> Money | None:
    """An amount with its currency, `25 EUR`; None of nothing."""
    return amount_of(field, text) if text else None


def _member(field: str, enum: type, prefix: str, key: str) -> int:
    try:
        return int(enum.Value(f"{prefix}_{key}")) if key else 0  # type: ignore[attr-defined]
    except ValueError:
        raise invalid(field, "INVALID_ENUM", "must be one of those that the form has") from None
