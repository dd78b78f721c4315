"""`rapport traces`: what the local trace store knows."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from rapport_imports.wording import counted, line
from rapport_tools.cli import cluster
from rapport_tools.cli.failures import Exit, Failure, stack_down
from rapport_tools.cli.output import AsJson, listing, write_json
from rapport_tools.cli.terminal import Terminal
from rapport_tools.local.home import Home

if TYPE_CHECKING:
    from rapport_tools.local.spans import SpanStore, StoredSpan, TraceSummary

app = typer.Typer(
    name="traces",
    no_args_is_help=True,
    help="Look at traces: what called what, how long it took, what failed.",
)
T = TypeVar("T")
BAR_CELLS = 40
COLUMNS = ["trace_id", "started_at", "name", "duration_ms", "spans", "services", "failed"]


@app.command("list")
def list_(
    slow: float = typer.Option(
        0, metavar="MS", help="Only traces with a span of at least so many milliseconds."
    ),
    failed: bool = typer.Option(False, "--failed", help="Only traces with an error."),
    limit: int = typer.Option(20, min=1, max=1000),
    as_json: bool = AsJson,
) -> None:
    """List the newest traces."""
    found = _ask(lambda store: store.traces(slow_ms=slow, failed=failed, limit=limit))
    _list(found, as_json, "No such trace.")


@app.command()
def find(
    resource: str = typer.Argument(help="A resource name: customers/..., cases/..., promises/..."),
    limit: int = typer.Option(20, min=1, max=1000),
    as_json: bool = AsJson,
) -> None:
    """List the newest traces about a resource."""
    found = _ask(lambda store: store.traces(resource=resource, limit=limit))
    _list(found, as_json, f"No trace is about {resource}.")


@app.command()
def show(trace_id: str = typer.Argument(help="32 hex digits."), as_json: bool = AsJson) -> None:
    """Show a trace as a waterfall."""
    from rapport_tools.local.spans import as_json as span_json

    spans = _ask(lambda store: store.trace(trace_id))
    if not spans:
        raise Failure(f"There is no trace {trace_id}. Traces are kept for 7 days.", Exit.REFUSED)
    if as_json:
        write_json([span_json(span) for span in spans])
        return
    draw(spans)


def _list(found: "list[TraceSummary]", as_json: bool, empty: str) -> None:
    from rapport_tools.local.spans import as_json as summary_json

    rows = [summary_json(summary) for summary in found]
    if not as_json:
        rows = [row | {"started_at": row["started_at"][:23].replace("T", " ")} for row in rows]
    listing(rows, COLUMNS, as_json=as_json, empty=empty)


def _ask(question: "Callable[[SpanStore], Awaitable[T]]") -> T:
    from rapport_tools.local.spans import SpanStore

    home = Home.current()
    env = home.read_env()
    if cluster.is_meant() or home.supervisor() is None:
        raise stack_down()
    if "RAPPORT_LOCAL_TRACES_URL" not in env:
        endpoint = env.get("RAPPORT_LOCAL_OTLP_ENDPOINT", "another place")
        raise Failure(f"This stack sends its traces to {endpoint}: look there.", Exit.WRONG_USE)

    async def ask() -> T:
        store = await SpanStore.open(env["RAPPORT_LOCAL_TRACES_URL"])
        try:
            return await question(store)
        finally:
            await store.close()

    return asyncio.run(ask())


def draw(spans: Sequence["StoredSpan"]) -> None:
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


def nested(spans: Sequence["StoredSpan"]) -> Iterator[tuple[int, "StoredSpan"]]:
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


def _offset_ms(span: "StoredSpan", begin: datetime) -> float:
    return (span.started_at - begin).total_seconds() * 1000


def _bar(start: float, length: float) -> str:
    before = min(round(start * BAR_CELLS), BAR_CELLS - 1)
    filled = max(1, min(round(length * BAR_CELLS), BAR_CELLS - before))
    return " " * before + "━" * filled
