"""A trace as a waterfall: a pure function of its spans, whatever state they are in."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.pages.traces.otlp import Span, customers

ROWS_MAX = 500
UNITS = 1000  # the length of the whole trace, as the drawing has it
THIN = 3  # of those, so that the shortest span is still seen
IDLE = 20  # what lasts longer than this part of all work, and is none, is drawn as long as that


@dataclass(frozen=True, slots=True)
class Row:
    """One span."""

    span: Span
    depth: int  # how many callers it has above it
    begin_ms: float  # after the beginning of the trace
    duration_ms: float
    is_orphan: bool  # its caller is not in the trace: not recorded, or not yet arrived
    skew_ms: float  # how far its beginning was moved, because its clock said that it began before its caller
    x: int  # where its bar begins, in UNITS
    width: int  # how long its bar is, in UNITS


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A trace."""

    name: str
    started_at: datetime
    duration_ms: float
    idle_ms: float  # how much of the time, in which nothing was done, is left out of the drawing
    rows: list[Row]  # callers above what they called, by time; at most ROWS_MAX
    span_count: int  # how many spans there are, with those that are not shown
    failed_count: int
    services: list[str]
    customers: list[str]  # `customers/{customer}` whom it concerned
    links: list[str]  # other traces that it goes on with

    @property
    def hidden_count(self) -> int:
        return self.span_count - len(self.rows)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A span in the tree, and in time as that of its callers has it."""

    span: Span
    parent: "_Placed | None"
    depth: int
    begin_ns: int

    @property
    def shift_ns(self) -> int:
        return self.begin_ns - self.span.begin_ns

    @property
    def end_ns(self) -> int:
        return self.begin_ns + self.span.duration_ns


class _Axis:
    """Time as it is drawn: a timer that fires minutes later would make dots of all other bars."""

    def __init__(self, placed: Sequence[_Placed]) -> None:
        busy: list[list[int]] = []
        for each in sorted(placed, key=lambda each: each.begin_ns):
            if busy and each.begin_ns <= busy[-1][1]:
                busy[-1][1] = max(busy[-1][1], each.end_ns)
            else:
                busy.append([each.begin_ns, each.end_ns])
        longest = max(1, sum(end - begin for begin, end in busy) // IDLE)
        self._begins, self._drawn, self.length = [], list[int](), 0
        for before, (begin, end) in zip([busy[0], *busy], busy, strict=False):
            self.length += min(longest, max(0, begin - before[1]))
            self._begins.append(begin)
            self._drawn.append(self.length)
            self.length += end - begin

    def units(self, at_ns: int) -> int:
        """Where a moment, in which something is done, is drawn."""
        found = bisect_right(self._begins, at_ns) - 1
        return (self._drawn[found] + at_ns - self._begins[found]) * UNITS // (self.length or 1)


def waterfall(spans: Iterable[Span], rows_max: int = ROWS_MAX) -> Waterfall | None:
    """The waterfall of the spans of one trace; None when there are none.

    A span that was told twice is shown once. One whose caller is missing stands by itself, and so does one of
    those that call each other in a circle. When there are more than `rows_max`, those that lead to failures
    are shown, and then the outermost; never one without its caller.
    """
    placed = _placed(spans)
    if not placed:
        return None
    begin = min(each.begin_ns for each in placed)
    total = max(each.end_ns for each in placed) - begin
    axis = _Axis(placed)
    known = {each.span.span_id for each in placed}
    all_spans = [each.span for each in placed]
    return Waterfall(
        name=placed[0].span.what,
        started_at=datetime.fromtimestamp(begin / 1e9, UTC),
        duration_ms=total / 1e6,
        idle_ms=(total - axis.length) / 1e6,
        rows=[_row(each, begin, axis, known) for each in _kept(placed, rows_max)],
        span_count=len(placed),
        failed_count=sum(span.failed for span in all_spans),
        services=sorted({span.service for span in all_spans}),
        customers=customers(all_spans),
        links=list(dict.fromkeys(link for span in all_spans for link in span.links)),
    )


def _placed(spans: Iterable[Span]) -> list[_Placed]:
    """Every span once, each after its caller."""
    known: dict[str, Span] = {}
    for span in sorted(spans, key=lambda span: (span.begin_ns, span.span_id, span.end_ns)):
        known.setdefault(span.span_id, span)
    children = defaultdict[str | None, list[Span]](list)
    for span in known.values():
        has_caller = span.parent_id and span.parent_id in known
        children[span.parent_id if has_caller else None].append(span)
    placed: dict[str, _Placed] = {}
    for root in (*children[None], *known.values()):  # the latter for circles, which have no root
        waiting = [_place(root, None)]
        while waiting:
            each = waiting.pop()
            if each.span.span_id not in placed:
                placed[each.span.span_id] = each
                below = (_place(child, each) for child in children[each.span.span_id])
                waiting += sorted(below, key=lambda child: -child.begin_ns)
    return list(placed.values())


def _place(span: Span, parent: _Placed | None) -> _Placed:
    """Nothing begins before what called it: where it says so, its clock is behind by that much at least."""
    if parent is None:
        return _Placed(span, None, 0, span.begin_ns)
    known_shift = parent.shift_ns if span.service == parent.span.service else 0
    return _Placed(span, parent, parent.depth + 1, max(span.begin_ns + known_shift, parent.begin_ns))


def _kept(placed: Sequence[_Placed], rows_max: int) -> list[_Placed]:
    failing = set[str]()
    for each in reversed(placed):  # what was called comes before who called it
        if each.span.failed or each.span.span_id in failing:
            failing.add(each.span.span_id)
            if each.parent:
                failing.add(each.parent.span.span_id)
    worst = sorted(placed, key=lambda each: (each.span.span_id not in failing, each.depth))
    kept = {each.span.span_id for each in worst[:rows_max]}
    return [each for each in placed if each.span.span_id in kept]


def _row(each: _Placed, begin_ns: int, axis: _Axis, known: set[str]) -> Row:
    x = min(UNITS - THIN, axis.units(each.begin_ns))
    return Row(
        span=each.span,
        depth=each.depth,
        begin_ms=(each.begin_ns - begin_ns) / 1e6,
        duration_ms=each.span.duration_ns / 1e6,
        is_orphan=bool(each.span.parent_id) and each.span.parent_id not in known,
        skew_ms=each.shift_ns / 1e6,
        x=x,
        width=min(UNITS - x, max(THIN, axis.units(each.end_ns) - x)),
    )
