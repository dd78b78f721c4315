"""A waterfall is true to its spans, whatever state they are in."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from desk.pages.traces.otlp import Span
from desk.pages.traces.waterfall import UNITS, Row, Waterfall, waterfall

MS = 1_000_000
CUSTOMER = "customers/0198c0de-0000-7000-8000-000000000001"


def span(span_id: str, parent_id: str = "", begin: float = 0, ms: float = 1, service: str = "cases") -> Span:
    begin_ns = 1_000_000 * MS + round(begin * MS)
    return Span("t", span_id, parent_id, service, f"do {span_id}", begin_ns, begin_ns + round(ms * MS))


def shown(*spans: Span, rows_max: int = 500) -> Waterfall:
    made = waterfall(spans, rows_max)
    assert made is not None
    return made


def drawn(made: Waterfall) -> list[tuple[int, str]]:
    return [(row.depth, row.span.span_id) for row in made.rows]


def test_there_is_no_waterfall_of_nothing() -> None:
    assert waterfall([]) is None


def test_what_was_called_is_below_its_caller_in_order_of_time() -> None:
    made = shown(
        span("late", "root", 6), span("root", ms=10), span("early", "root", 2), span("in", "early", 3)
    )
    assert drawn(made) == [(0, "root"), (1, "early"), (2, "in"), (1, "late")]
    assert (made.name, made.duration_ms) == ("do root", 10)
    assert [(row.x, row.width) for row in made.rows] == [(0, 1000), (200, 100), (300, 100), (600, 100)]


def test_one_whose_caller_is_missing_says_so_and_stands_by_itself() -> None:
    made = shown(span("root", ms=10), span("lost", "gone", 4), span("below", "lost", 5))
    assert drawn(made) == [(0, "root"), (0, "lost"), (1, "below")]
    assert [row.is_orphan for row in made.rows] == [False, True, False]


def test_a_circle_of_callers_is_shown_from_its_earliest() -> None:
    made = shown(span("a", "b", 1), span("b", "a", 2), span("self", "self", 3))
    assert drawn(made) == [(0, "a"), (1, "b"), (0, "self")]


def test_a_clock_that_is_behind_is_moved_to_its_caller_with_all_that_it_timed() -> None:
    made = shown(
        span("call", begin=10, ms=10),
        span("served", "call", 3, 5, "loyalty"),
        span("statement", "served", 4, 1, "loyalty"),
        span("asked", "statement", 12, 1, "customer"),
    )
    rows = {row.span.span_id: row for row in made.rows}
    assert [(each, row.begin_ms, row.skew_ms) for each, row in rows.items()] == [
        ("call", 0, 0),
        ("served", 0, 7),
        ("statement", 1, 7),
        ("asked", 2, 0),
    ]
    assert made.duration_ms == 10


def test_an_event_that_is_handled_after_its_caller_ended_is_not_moved() -> None:
    made = shown(span("call", ms=5), span("handled", "call", 60, 5, "loyalty"))
    assert [(row.begin_ms, row.skew_ms) for row in made.rows] == [(0, 0), (60, 0)]
    assert made.duration_ms == 65


def test_a_time_in_which_nothing_was_done_is_drawn_short_and_said() -> None:
    made = shown(span("call", ms=50), span("timer", "call", 60_000, 50), span("in", "timer", 60_010, 10))
    assert [(row.x, row.width) for row in made.rows] == [(0, 476), (523, 477), (619, 95)]
    assert (made.duration_ms, made.idle_ms) == (60_050, 59_945)


def test_one_that_ends_before_it_begins_took_no_time_and_is_still_seen() -> None:
    made = shown(span("root", ms=10), span("odd", "root", 9.999, -3))
    assert [(row.duration_ms, row.x + row.width) for row in made.rows] == [(10, UNITS), (0, UNITS)]


def test_whom_a_trace_concerned_and_what_it_goes_on_with_are_named_once() -> None:
    names = CUSTOMER, f"{CUSTOMER}/identifiers/1", "cases/2"
    one = replace(span("a"), resources=names, links=("u", "v"))
    made = shown(one, replace(span("b", "a", 1), resources=(CUSTOMER,), links=("u",)))
    assert (made.customers, made.links) == ([CUSTOMER], ["u", "v"])


def test_of_too_many_those_that_lead_to_failures_are_shown_then_the_outermost() -> None:
    many = [span(f"s{n}", "root", n) for n in range(10_000)]
    deep = [span("in", "s9999", 9999), replace(span("worst", "in", 9999), failed=True)]
    made = shown(span("root", ms=20_000), *many, *deep, rows_max=5)
    assert drawn(made) == [(0, "root"), (1, "s0"), (1, "s9999"), (2, "in"), (3, "worst")]
    assert (made.span_count, made.hidden_count, made.failed_count) == (10_003, 9_998, 1)


IDS = st.sampled_from(["", *"abcdefghij"])
FEW = settings(max_examples=30)
SPANS = st.lists(
    st.builds(
        Span,
        trace_id=st.just("t"),
        span_id=IDS,
        parent_id=IDS,
        service=st.sampled_from(["cases", "loyalty"]),
        name=st.just("do"),
        begin_ns=st.integers(0, 10**18),
        end_ns=st.integers(0, 10**18),
        failed=st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


def callers(rows: Sequence[Row]) -> list[tuple[Row, Row | None]]:
    """Each row with the nearest above it that is one less deep."""
    above: dict[int, Row] = {}
    found = []
    for row in rows:
        above[row.depth] = row
        found.append((row, above.get(row.depth - 1)))
    return found


@FEW
@given(SPANS, st.integers(1, 12))
def test_every_span_is_shown_once_or_counted(spans: list[Span], rows_max: int) -> None:
    made = shown(*spans, rows_max=rows_max)
    ids = [row.span.span_id for row in made.rows]
    assert len(set(ids)) == len(ids) == min(rows_max, made.span_count)
    assert made.span_count == len({each.span_id for each in spans})


@FEW
@given(SPANS, st.integers(1, 12))
def test_no_row_is_without_its_caller_nor_begins_before_it(spans: list[Span], rows_max: int) -> None:
    for row, caller in callers(shown(*spans, rows_max=rows_max).rows):
        if row.depth:
            assert caller is not None
            assert row.span.parent_id == caller.span.span_id
            assert row.begin_ms >= caller.begin_ms


@FEW
@given(SPANS)
def test_what_begins_later_is_not_drawn_before(spans: list[Span]) -> None:
    rows = sorted(shown(*spans).rows, key=lambda row: row.begin_ms)
    assert [row.x for row in rows] == sorted(row.x for row in rows)


@FEW
@given(SPANS)
def test_every_bar_lies_within_the_drawing_and_is_seen(spans: list[Span]) -> None:
    for row in shown(*spans).rows:
        assert 0 <= row.x < row.x + row.width <= UNITS


@FEW
@given(SPANS, st.randoms(use_true_random=False))
def test_the_order_in_which_spans_arrive_changes_nothing(spans: list[Span], random: object) -> None:
    once = list({each.span_id: each for each in spans}.values())
    shuffled = [*once]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert waterfall(once) == waterfall(shuffled)
