"""How alike two values are, by the name of the level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_identity.levels import LEVEL, NAMES
from rapport_identity.record import Kind

PAIRS = [
    (Kind.GIVEN_NAME, "robert", "robert", "same"),
    (Kind.GIVEN_NAME, "robert", "bob", "nickname"),
    (Kind.GIVEN_NAME, "robert", "rboert", "one slip"),
    (Kind.GIVEN_NAME, "robert", "r", "short form"),
    (Kind.GIVEN_NAME, "annamaria", "maria", "short form"),
    (Kind.GIVEN_NAME, "lucas", "saluc", "alike"),
    (Kind.GIVEN_NAME, "robert", "alice", "different"),
    (Kind.FAMILY_NAME, "smith", "smyth", "one slip"),
    (Kind.FAMILY_NAME, "garciamarquez", "garcia", "alike"),
    (Kind.FAMILY_NAME, "smith", "jones", "different"),
    (Kind.DATE, "19600117", "19600117", "same"),
    (Kind.DATE, "19600117", "19600171", "one slip"),
    (Kind.DATE, "19600107", "19600701", "day and month swapped"),
    (Kind.DATE, "19600117", "19600128", "two slips"),
    (Kind.DATE, "19600117", "19850117", "two slips"),
    (Kind.DATE, "19600117", "19600220", "close"),
    (Kind.DATE, "19591230", "19600102", "close"),
    (Kind.DATE, "19600117", "19871225", "different"),
    (Kind.NUMBER, "12", "12a", "alike"),
    (Kind.NUMBER, "7", "8", "different"),
    (Kind.CODE, "3165", "3615", "one slip"),
    (Kind.CODE, "50667", "50999", "same region"),
    (Kind.EMAIL, "ada@example.org", "ada@exmaple.org", "one slip"),
    (Kind.EMAIL, "ada.okafor@example.org", "ada.okafor@other.example", "same mailbox name"),
    (Kind.EMAIL, "info@example.org", "sales@other.example", "different"),
    (Kind.PHONE, "301234567", "301234576", "one slip"),
]


@pytest.mark.parametrize(("kind", "a", "b", "level"), PAIRS)
def test_a_level_has_a_name_that_a_person_would_give(kind: Kind, a: str, b: str, level: str) -> None:
    assert NAMES[kind][LEVEL[kind](a, b)] == level


words = st.text(alphabet="abo1@.", min_size=1, max_size=12)
days = st.text(alphabet="0129", min_size=1, max_size=9)


@given(st.sampled_from(Kind), st.data())
def test_a_level_is_the_same_whichever_comes_first(kind: Kind, data: st.DataObject) -> None:
    a, b = (data.draw(days if kind is Kind.DATE else words) for _ in range(2))
    level = LEVEL[kind]
    assert level(a, b) == level(b, a)
    assert level(a, a) == 0
    assert 0 <= level(a, b) < len(NAMES[kind])
