import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer.domain.spelling import NEAR_MAX, apart, near

WORDS = st.text("abcd", max_size=9)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("anna", "anna", 0),
        ("anna", "ana", 1),
        ("anna", "annna", 1),
        ("anna", "anda", 1),
        ("anna", "nana", 1),  # neighbours changed places
        ("anna", "naan", 2),
        ("sommer", "sonner", 2),
        ("sommer", "winter", 3),
        ("", "ab", 2),
    ],
)
def test_the_distance_counts_letters_and_neighbours_that_changed_places_once(one, other, distance):
    assert apart(one, other, 2) == distance


def plainly(one, other):
    """The definition, without a table."""
    if not one or not other:
        return len(one) + len(other)
    ways = [
        plainly(one[:-1], other) + 1,
        plainly(one, other[:-1]) + 1,
        plainly(one[:-1], other[:-1]) + (one[-1] != other[-1]),
    ]
    if one[-2:] == other[-2:][::-1] and len(one) > 1:
        ways.append(plainly(one[:-2], other[:-2]) + 1)
    return min(ways)


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.integers(0, 3))
def test_the_distance_is_its_definition_as_far_as_it_is_asked_for(one, other, most):
    assert apart(one, other, most) == min(plainly(one, other), most + 1)


@given(WORDS, WORDS)
def test_the_distance_is_the_same_both_ways(one, other):
    assert apart(one, other, 9) == apart(other, one, 9)


def test_the_nearest_come_first_and_not_those_that_begin_with_the_word():
    others = ["sommerfeld", "summar", "simmer", "sommars"]
    assert near("sommer", others) == ["simmer"]
    assert near("sommers", others) == ["sommars", "simmer"]
    assert len(near("aaaa", [f"aaa{chr(n)}" for n in range(98, 120)])) == NEAR_MAX
