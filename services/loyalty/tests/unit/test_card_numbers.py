"""Numbers are found however they are written, and told by their end."""

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument
from loyalty.domain.card_numbers import CardNumbers

ONE, OTHER = CardNumbers("a" * 32), CardNumbers("b" * 32)


def test_a_number_is_the_same_however_it_is_written() -> None:
    assert ONE.kept("main", "1234-abcd 5678", "n") == ONE.kept("main", "1234ABCD5678", "n")


def test_a_number_is_another_in_another_program_and_under_another_key() -> None:
    hashes = {
        each.kept(program, "40001111", "n").number_hash
        for each in (ONE, OTHER)
        for program in ("main", "club")
    }
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("number", "told"), [("1234", "34"), ("70001", "01"), ("40001111", "1111"), ("9" * 64, "9999")]
)
def test_half_of_a_number_and_four_characters_at_most_are_told(number: str, told: str) -> None:
    assert ONE.kept("main", number, "n").number_end == told


@pytest.mark.parametrize("number", ["", "123", "12#45", "9" * 65])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(InvalidArgument):
        ONE.kept("main", number, "n")


def test_a_key_is_in_no_log() -> None:
    assert "a" * 32 not in repr(ONE)


def test_nothing_is_kept_without_a_key() -> None:
    with pytest.raises(FailedPrecondition, match="RAPPORT_CARD_PEPPER"):
        CardNumbers("").kept("main", "40001111", "n")
