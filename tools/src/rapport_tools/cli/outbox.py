"""`rapport outbox`: facts on their way to the broker, and publishing them again."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import typer

from chassis.api.messages import timestamp
from rapport.operations.v1.operations_pb2 import Backlog
from rapport.operations.v1.operations_service_pb2 import GetBacklogRequest, RepublishFactsRequest
from rapport_imports.wording import counted
from rapport_tools.cli import cluster
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.operations import list_of_each, operations
from rapport_tools.cli.output import AsJson, say
from rapport_tools.cli.session import Session

app = typer.Typer(
    name="outbox",
    no_args_is_help=True,
    help="See what waits to be published, and publish again what a consumer lost.",
)


@app.command()
def status(as_json: bool = AsJson) -> None:
    """Show for each service how many facts wait to be published, and for how long."""
    list_of_each(
        "",
        lambda name, stub: [_row(name, stub.GetBacklog(GetBacklogRequest(name=f"services/{name}/backlog")))],
        as_json=as_json,
        empty="No service.",
    )


@app.command()
def republish(
    since: str = typer.Option(
        ..., help="From this moment, for example 2026-01-31T08:00 (UTC unless it says otherwise)."
    ),
    until: str = typer.Option("", help="Until before this moment; now when not given."),
    service: str = typer.Option("", help="Only of one service."),
) -> None:
    """Publish again what was recorded in a span of time. Consumers that know an event do nothing."""
    session = Session.open()
    begin, end = moment("--since", since), moment("--until", until) if until else datetime.now(UTC)
    for name in [service] if service else session.peers:
        sent, refused = _republish(session, name, begin, end)
        say(f"{name}: {counted(sent, 'event')} published again.")
        if refused:
            look = cluster.advice(f"`rapport logs {name}`")
            say(f"{name}: the broker refused {counted(refused, 'event')}: see {look}.")


def moment(option: str, text: str) -> datetime:
    """A moment from the command line. Failure when it is none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        message = f"{option} {text!r} is not a time such as 2026-01-31T08:00 or 2026-01-31T08:00+01:00."
        raise Failure(message, Exit.WRONG_USE) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def waiting_s(backlog: Backlog) -> float:
    """For how long the oldest unpublished fact waits, in seconds."""
    if not backlog.HasField("oldest_unpublished_time"):
        return 0.0
    return (datetime.now(UTC) - backlog.oldest_unpublished_time.ToDatetime(UTC)).total_seconds()


def _row(service: str, backlog: Backlog) -> dict[str, Any]:
    return {
        "service": service,
        "waiting": backlog.unpublished_fact_count,
        "oldest_waiting_s": waiting_s(backlog),
    }


def _republish(session: Session, service: str, since: datetime, until: datetime) -> tuple[int, int]:
    """How many events were published again, and how many were not."""
    request = RepublishFactsRequest(
        parent=f"services/{service}",
        start_time=timestamp(since),
        end_time=timestamp(until),
        page_size=1000,
    )
    sent = refused = 0
    while True:
        request.request_id = str(uuid4())
        answer = operations(session, service).RepublishFacts(request, timeout=30)
        sent, refused = sent + answer.fact_count, refused + answer.refused_fact_count
        if not answer.next_page_token:
            return sent, refused
        request.page_token = answer.next_page_token
