"""Whom work can be given to, as sentences."""

from hypothesis import given
from hypothesis import strategies as st

from cases.domain.lane import Abilities, Lane, spoken

CODES = st.from_regex("[a-z0-9][a-z0-9-]{0,9}", fullmatch=True)
LANES = st.builds(Lane, st.none() | CODES, st.frozensets(CODES, max_size=3), st.just("") | CODES)


def agent(teams=(), skills=(), languages=()):
    return Abilities(frozenset(teams), frozenset(skills), frozenset(languages))


@given(LANES)
def test_a_lane_is_written_and_read_as_it_is(lane):
    assert Lane.of(str(lane)) == lane


@given(LANES, LANES)
def test_two_lanes_are_written_alike_only_when_they_are(one, other):
    assert (str(one) == str(other)) == (one == other)


def test_what_asks_for_nothing_anybody_can_do():
    assert agent().missing(Lane()) == Lane()


def test_who_has_all_that_is_asked_for_can_do_it_and_else_is_told_what_is_missing():
    lane = Lane("returns", frozenset({"refunds", "tax"}), "de")
    assert agent({"returns", "claims"}, {"refunds", "tax", "wine"}, {"de", "fr"}).missing(lane) == Lane()
    assert agent((), {"tax"}, {"fr"}).missing(lane) == Lane("returns", frozenset({"refunds"}), "de")


def test_who_says_no_language_is_given_work_in_any():
    assert agent().missing(Lane(language="fi")) == Lane()


def test_of_a_language_only_that_counts_and_no_country():
    assert (spoken("de-AT"), spoken("DE"), spoken("")) == ("de", "de", "")
