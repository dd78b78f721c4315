"""How pressing a case is."""

from itertools import product

import pytest

from cases.domain.priority import Band, Harm, Priority, Standing, in_words, prioritized
from rapport.common.v1 import states_pb2, value_band_pb2

LIST = list(Priority)
STANDINGS = [Standing(band, missed) for band, missed in product(Band, (0, 1, 7))]


@pytest.mark.parametrize(
    ("harm", "standing", "priority", "reasons"),
    [
        (Harm.NONE, Standing(), Priority.P4, ["harm-none"]),
        (Harm.INCONVENIENCE, Standing(Band.SILVER), Priority.P3, ["harm-inconvenience"]),
        (Harm.LOSS, Standing(), Priority.P2, ["harm-loss"]),
        (Harm.LOSS, Standing(Band.GOLD), Priority.P1, ["harm-loss", "value-gold"]),
        (Harm.NONE, Standing(missed_promises=1), Priority.P3, ["harm-none", "promises-missed"]),
        (
            Harm.INCONVENIENCE,
            Standing(Band.PLATINUM, 3),
            Priority.P2,
            ["harm-inconvenience", "value-platinum", "promises-missed"],
        ),
        (Harm.SEVERE, Standing(Band.GOLD), Priority.P1, ["harm-severe", "value-gold"]),
    ],
)
def test_harm_sets_the_priority_and_what_we_owe_raises_it(harm, standing, priority, reasons):
    assert prioritized(harm, standing) == (priority, reasons)


@pytest.mark.parametrize(("harm", "standing"), [*product(Harm, STANDINGS)])
def test_nobody_is_raised_by_more_than_one_step_nor_lowered(harm, standing):
    plain, _ = prioritized(harm, Standing())
    found, reasons = prioritized(harm, standing)
    assert LIST.index(plain) - LIST.index(found) in (0, 1)
    assert in_words(found, reasons).startswith(f"Its priority is {found}: ")


def test_severe_harm_comes_first_whoever_has_it():
    assert {prioritized(Harm.SEVERE, each)[0] for each in STANDINGS} == {Priority.P1}


def test_no_value_puts_a_question_before_a_loss():
    best_asking = prioritized(Harm.NONE, Standing(Band.PLATINUM, 9))[0]
    assert best_asking > prioritized(Harm.LOSS, Standing())[0]  # P3 after P2


@pytest.mark.parametrize(
    ("codes", "contract"),
    [
        (Harm, states_pb2.Harm),
        (Priority, states_pb2.CasePriority),
        (Band, value_band_pb2.ValueBand),
    ],
    ids=["harm", "priority", "band"],
)
def test_they_are_named_as_in_the_contract(codes, contract):
    prefix = contract.keys()[0].removesuffix("UNSPECIFIED")
    assert [f"{prefix}{code}" for code in ("UNSPECIFIED", *codes)] == contract.keys()
