"""Which rows of a source are those that another one brought."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chassis.overlap import Overlap, Row, overlap


def row(key: str, says: int, number: str = "O1", about: str = "C1") -> Row:
    return Row(f"sales/{key}", (about,), number, says)


def found(rows: list[Row], recorded: list[Row], before: dict[str, str] | None = None) -> Overlap:
    return overlap(dict(enumerate(rows)), recorded, before or {})


def test_a_row_about_the_same_that_says_the_same_is_that_thing() -> None:
    rows = [row("b:1", 10), row("b:2", 20, "O2")]
    assert found(rows, [row("a:7", 10)]) == Overlap({0: "sales/a:7"}, [])


def test_what_says_otherwise_about_the_same_is_for_a_person_to_decide() -> None:
    assert found([row("b:1", 7)], [row("a:1", 10)]) == Overlap({}, [0])
    assert found([row("b:1", 10), row("b:2", 20)], [row("a:1", 30)]) == Overlap({}, [0, 1])


def test_equal_rows_are_as_many_as_were_recorded_wherever_requests_end() -> None:
    rows, recorded = [row(f"b:{i}", 10) for i in range(3)], [row("a:1", 10), row("a:2", 10)]
    assert found(rows, recorded) == Overlap({0: "sales/a:1", 1: "sales/a:2"}, [2])
    before = {"sales/b:0": "sales/a:1"}
    assert found(rows[1:], recorded, before) == Overlap({0: "sales/a:2"}, [1])
    assert found(rows[:1], recorded, before) == Overlap({0: "sales/a:1"}, [])


def test_equal_rows_that_nothing_tells_apart_are_for_a_person_to_decide() -> None:
    for number, other in (("", ""), ("", "O1"), ("O1", "")):
        rows = [row("b:1", 10, number), row("b:2", 11, number), row("b:3", 10, number, about="C2")]
        assert found(rows, [row("a:1", 10, other)]) == Overlap({}, [0])


def test_equal_rows_of_two_numbers_are_two_things() -> None:
    assert found([row("b:1", 10, "O1"), row("b:2", 20, "O2")], [row("a:1", 10, "O3")]) == Overlap()


def test_rows_of_one_source_are_never_taken_for_each_other() -> None:
    assert found([row("a:2", 10), row("a:3", 20)], [row("a:1", 10)]) == Overlap()


def test_rows_of_two_sources_in_one_request_are_one_thing() -> None:
    assert found([row("a:1", 10), row("b:1", 10)], []) == Overlap({1: "sales/a:1"}, [])
    assert found([row("a:1", 10), row("b:1", 9)], []) == Overlap({}, [1])


def test_a_row_that_is_recorded_itself_stays_what_it_is() -> None:
    assert found([row("a:1", 10)], [row("b:1", 10), row("a:1", 10)]) == Overlap()


def test_a_row_that_was_recognised_and_says_otherwise_is_for_a_person_to_decide() -> None:
    before = {"sales/b:1": "sales/a:1"}
    assert found([row("b:1", 9)], [row("a:1", 10)], before) == Overlap({}, [0])


CONTENTS = st.lists(st.tuples(st.sampled_from("OP"), st.integers(1, 2)), min_size=1, max_size=6)


@given(CONTENTS, st.data())
def test_two_exports_of_the_same_are_one_whatever_order_requests_come_in(
    contents: list[tuple[str, int]], data: st.DataObject
) -> None:
    """Refused rows come again later. No two of a source are ever one thing; none changes what it is."""
    rows = [
        row(f"{source}:{i}", says, number)
        for source in "ab"
        for i, (number, says) in enumerate(data.draw(st.permutations(contents)))
    ]
    recorded: dict[str, Row] = {}
    before: dict[str, str] = {}

    def send(request: list[Row]) -> list[int]:
        answer = found(request, list(recorded.values()), before)
        for i, sent in enumerate(request):
            if i in answer.known:
                assert before.setdefault(sent.key, answer.known[i]) == answer.known[i]
            elif i not in answer.unclear:
                recorded[sent.key] = sent
        return answer.unclear

    for request in data.draw(st.lists(st.lists(st.sampled_from(rows), max_size=6, unique=True), max_size=8)):
        send(request)
    for _ in rows:
        send(rows)
    assert send(rows) == []
    assert len(recorded) == len(contents)
    assert len({(key.partition(":")[0], known_as) for key, known_as in before.items()}) == len(before)
    assert Counter((r.number, r.says) for r in recorded.values()) == Counter(contents)
