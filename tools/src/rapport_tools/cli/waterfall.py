"""A trace drawn in the terminal: one line a span, nested by parent, with its place in time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from rapport_imports.wording import counted, line
from rapport_tools.cli.terminal import Terminal
from rapport_tools.local.spans import StoredSpan

BAR_CELLS = 40


def draw(spans: Sequence[StoredSpan]) -> None:
    """Write the waterfall of one trace."""
    begin = min(span.started_at for span in spans)
    total_ms = max(_offset_ms(span, begin) + span.duration_ms for span in spans) or 1.0
    services = sorted({span.service for span in spans})
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("SPAN", "SERVICE", "MS"):
        table.add_column(column, justify="right" if column == "MS" else "left", no_wrap=True)
    table.add_column(f"0 to {total_ms:.1f} ms", no_wrap=True)
    for depth, span in nested(spans):
        name = Text("  " * depth + line(span.name), style="red" if span.failed else "")
        bar = _bar(_offset_ms(span, begin) / total_ms, span.duration_ms / total_ms)
        style = "red" if span.failed else "cyan"
        table.add_row(name, Text(line(span.service)), f"{span.duration_ms:.1f}", Text(bar, style=style))
    terminal = Terminal()
    terminal.print(table)
    failed = sum(span.failed for span in spans)
    errors = f", {failed} failed" if failed else ""
    spoken = f"{counted(len(spans), 'span')} in {line(', '.join(services))}{errors}"
    terminal.print(f"\n{spans[0].trace_id}: {spoken}", markup=False)
    for resource in sorted({name for span in spans for name in span.resources}):
        terminal.print(f"  about {line(resource)}", markup=False)


def nested(spans: Sequence[StoredSpan]) -> Iterator[tuple[int, StoredSpan]]:
    """Spans with their depth, children after their parent, by time. One whose parent is unknown is a root."""
    known = {span.span_id for span in spans}
    children: defaultdict[str, list[StoredSpan]] = defaultdict(list)
    for span in spans:
        children[span.parent_id if span.parent_id in known else ""].append(span)
    waiting = [(0, span) for span in reversed(children[""])]
    while waiting:
        depth, span = waiting.pop()
        yield depth, span
        waiting.extend((depth + 1, child) for child in reversed(children[span.span_id]))


def _offset_ms(span: StoredSpan, begin: datetime) -> float:
    return (span.started_at - begin).total_seconds() * 1000


def _bar(start: float, length: float) -> str:
    before = min(round(start * BAR_CELLS), BAR_CELLS - 1)
    filled = max(1, min(round(length * BAR_CELLS), BAR_CELLS - before))
    return " " * before + "━" * filled
