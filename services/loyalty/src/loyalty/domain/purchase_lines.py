"""The lines of a purchase, and how much of each can be given back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from chassis.money import Currency, Money

_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """What was bought of one product, in the currency of the purchase; given back when it names a line.

    A negative quantity without one was given back of a purchase that nobody knows.
    """

    product: str
    quantity: Decimal
    paid: Decimal
    discount: Decimal = _NONE
    tax: Decimal = _NONE
    returned_line: int = 0


class Shown(NamedTuple):
    """A line as others see it."""

    product: str
    quantity: Decimal
    amount: Money
    discount_amount: Money | None
    tax_amount: Money | None
    returned_line: int

    @classmethod
    def of(cls, line: Line, currency: str) -> "Shown":
        discount, tax = (Money(some, currency) if some else None for some in (line.discount, line.tax))
        return cls(line.product, line.quantity, Money(line.paid, currency), discount, tax, line.returned_line)


def left_of(bought: Sequence[Line], returned: Iterable[Line] = ()) -> dict[int, Line]:
    """What is left of the lines of a purchase, by their number from 1. What was given back has none."""
    left = {number: line for number, line in enumerate(bought, 1) if not line.returned_line}
    for back in returned:
        take(left, back)
    return left


def take(left: dict[int, Line], back: Line) -> None:
    """Let a line give back some of what is left."""
    if (line := left.get(back.returned_line)) is not None:
        left[back.returned_line] = replace(
            line,
            quantity=line.quantity + back.quantity,
            paid=line.paid + back.paid,
            tax=line.tax + back.tax,
        )


def exceeds(back: Line, left: Line | None) -> bool:
    """Whether a line gives back more than is left, or of what was never bought."""
    if left is None:
        return True
    pairs = (-back.paid, left.paid), (-back.quantity, left.quantity)
    return not all(min(_NONE, rest) <= some <= max(_NONE, rest) for some, rest in pairs)


def given_back(
    bought: Sequence[Line], left: Mapping[int, Line], wanted: Mapping[int, Decimal | None], currency: str
) -> list[Line]:
    """The lines that give back so much of each line, all that is left where that is None.

    A part is worth its part of what was paid, half to even, and never more than is left; the last part is
    worth what is left, so that all parts together are exactly what was paid.
    """
    cent = Decimal(1).scaleb(-Currency.of(currency).decimals)

    def part(whole: Decimal, rest: Decimal, quantity: Decimal, of: Decimal) -> Decimal:
        share = (whole * quantity / of).quantize(cent)
        return max(min(share, max(rest, _NONE)), min(rest, _NONE))

    lines = []
    for number, quantity in wanted.items():
        rest = left[number]
        if quantity is None or quantity == rest.quantity:
            back = rest
        else:
            whole = bought[number - 1]
            paid, tax = (
                part(*of, quantity, whole.quantity) for of in ((whole.paid, rest.paid), (whole.tax, rest.tax))
            )
            back = replace(rest, quantity=quantity, paid=paid, tax=tax)
        lines.append(Line(rest.product, -back.quantity, -back.paid, _NONE, -back.tax, number))
    return lines
