"""`rapport traces`: what the local trace store knows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from rapport_tools.cli import cluster
from rapport_tools.cli.failures import Exit, Failure, stack_down
from rapport_tools.cli.output import AsJson, listing, write_json
from rapport_tools.local.home import Home

if TYPE_CHECKING:
    from rapport_tools.local.spans import SpanStore, TraceSummary

app = typer.Typer(
    name="traces",
    no_args_is_help=True,
    help="Look at traces: what called what, how long it took, what failed.",
)
T = TypeVar("T")
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
    from rapport_tools.cli.waterfall import draw

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
