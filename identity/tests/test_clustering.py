"""From links to people: strangers are not chained."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from rapport_identity.clustering import CONFLICT, Weigh, connected, settle

names = st.sampled_from("abcdefgh")
weights = st.dictionaries(
    st.tuples(names, names).filter(lambda pair: pair[0] < pair[1]),
    st.one_of(st.integers(-30, 30).map(float), st.just(CONFLICT)),
)


def weighing(known: dict[tuple[str, str], float]) -> Weigh:
    return lambda a, b: known.get((min(a, b), max(a, b)), -10.0)


def links_of(known: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {pair: bits for pair, bits in known.items() if bits > 6}


def people_of(known: dict[tuple[str, str], float]) -> list[list[str]]:
    return sorted(p for group in connected(links_of(known)) for p in settle(group, weighing(known)))


def test_who_is_linked_to_each_of_two_strangers_does_not_make_them_one() -> None:
    known = {("a", "b"): 9.0, ("b", "c"): 8.0, ("a", "c"): -15.0}
    assert people_of(known) == [["a", "b"], ["c"]]


def test_records_that_are_linked_by_others_are_one_where_the_whole_speaks_for_it() -> None:
    known = {("a", "b"): 20.0, ("b", "c"): 18.0, ("a", "c"): -2.0}
    assert people_of(known) == [["a", "b", "c"]]


def test_a_conflict_keeps_two_apart_whatever_others_say() -> None:
    known = {("a", "b"): 90.0, ("b", "c"): 80.0, ("a", "c"): CONFLICT}
    assert people_of(known) == [["a", "b"], ["c"]]


@given(weights)
def test_no_two_in_conflict_are_ever_one(known: dict[tuple[str, str], float]) -> None:
    for person in people_of(known):
        assert not any(known.get(pair) == CONFLICT for pair in combinations(person, 2))
