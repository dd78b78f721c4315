"""Codes that find slips of the pen, days that end at midnight, and what is left of vouchers."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from loyalty.domain.voucher import Days, Outcome, Voucher, VoucherState
from loyalty.domain.voucher_code import ALPHABET, code_hash, new_code

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)


def voucher(**but: Any) -> Voucher:
    fields: dict[str, Any] = dict.fromkeys(Voucher.__dataclass_fields__) | {
        "id": UUID(int=1),
        "money_currency": "EUR",
        "max_uses": 1,
        "in_parts": False,
        "used_count": 0,
        "used_amount": Decimal(0),
        "start_time": NOW,
        "state": VoucherState.ACTIVE,
        "reason_code": "",
        "version": 1,
    }
    return Voucher(**fields | but)


@given(st.integers(0, 16), st.sampled_from(ALPHABET))
def test_every_wrong_letter_of_a_code_is_found(at: int, letter: str) -> None:
    code = new_code().replace("-", "")
    wrong = code[:at] + letter + code[at + 1 :]
    assert (code_hash(wrong) is None) == (wrong != code)


@given(st.integers(0, 16), st.integers(0, 16))
def test_any_two_letters_of_a_code_that_are_exchanged_are_found(one: int, other: int) -> None:
    letters = list(new_code().replace("-", ""))
    right = "".join(letters)
    letters[one], letters[other] = letters[other], letters[one]
    assert (code_hash("".join(letters)) is None) == ("".join(letters) != right)


def test_a_code_is_read_however_it_is_typed() -> None:
    code = new_code()
    typed = code.lower().replace("-", "").replace("0", "o").replace("1", "l")
    assert code_hash(typed) == code_hash(code) is not None
    assert [code_hash(each) for each in ("", "U" * 17, code + "0", "0000-0000")] == [None] * 4


def test_codes_have_80_bits_and_none_comes_twice() -> None:
    codes = {new_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert {len(code) for code in codes} == {17 + 4}
    assert {letter for code in codes for letter in code[0]} == set(ALPHABET)


def test_days_begin_and_end_at_midnight_in_the_zone_of_the_program() -> None:
    days = Days.of(NOW, "Europe/Berlin", date(2026, 3, 29), date(2026, 3, 29))
    assert days.expire_time is not None
    assert days.start_time.astimezone(UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert days.expire_time.astimezone(UTC) - days.start_time.astimezone(UTC) == timedelta(hours=23)


@pytest.mark.parametrize(("first", "last"), [(None, date(2026, 3, 27)), (date(2026, 4, 2), date(2026, 4, 1))])
def test_days_that_are_over_are_refused(first: date | None, last: date) -> None:
    with pytest.raises(InvalidArgument):
        Days.of(NOW, "Europe/Berlin", first, last)


def test_a_voucher_is_worth_something_from_its_first_moment_until_its_last() -> None:
    held = voucher(percent_off=10, expire_time=NOW + timedelta(days=1))
    at = (NOW - timedelta(seconds=1), NOW, NOW + timedelta(days=1))
    assert [held.worth(each) for each in at] == [Outcome.NOT_YET_VALID, Outcome.OK, Outcome.EXPIRED]


@given(st.lists(st.decimals("0.01", 60, places=2), max_size=6))
def test_no_more_is_taken_from_a_gift_card_than_it_holds(wanted: list[Decimal]) -> None:
    card = voucher(money=Decimal(100), in_parts=True)
    taken = [card.take(each, "EUR", NOW)[1] or Decimal(0) for each in wanted]
    assert card.remaining_money is not None
    assert sum(taken) + card.remaining_money.amount == 100
    assert (card.state is VoucherState.USED) == (card.remaining_money.amount == 0)


def test_a_gift_card_is_used_in_its_currency_and_by_default_whole() -> None:
    card = voucher(money=Decimal(100), in_parts=True)
    assert card.take(Decimal(1), "USD", NOW) == (Outcome.OTHER_CURRENCY, None)
    assert card.take(Decimal(101), "EUR", NOW) == (Outcome.TOO_LITTLE, None)
    assert card.take(None, "", NOW) == (Outcome.OK, Decimal(100))
    assert card.take(None, "", NOW) == (Outcome.USED, None)
