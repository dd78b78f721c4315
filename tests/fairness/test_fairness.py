"""Nobody waits past their deadline because they are worth less."""

from statistics import mean

import pytest

from cases.domain.priority import Band
from tests.fairness.__main__ import PICTURE, drawn
from tests.fairness.simulation import LOADS, late, runs

NOISE = 0.005  # of the work


@pytest.mark.parametrize("load", LOADS)
def test_as_much_work_of_who_is_worth_least_is_late_with_what_customers_are_worth_as_without(load):
    without = late(load, "by deadline alone")
    assert without > 0.03, "where nobody is late nothing is proved"
    assert abs(late(load, "the queue") - without) <= NOISE


@pytest.mark.parametrize("load", LOADS)
def test_the_same_measure_shows_what_value_without_a_floor_does(load):
    assert late(load, "value first") - late(load, "by deadline alone") > 3 * NOISE


def test_who_is_worth_more_waits_less_while_there_is_time():
    def waited(order):
        return mean(run[Band.PLATINUM].wait_hours for run in runs(0.8, order))

    assert waited("the queue") < waited("by deadline alone")


def test_the_picture_shows_it():
    assert PICTURE.read_text() == drawn(), "run `make fairness`"
