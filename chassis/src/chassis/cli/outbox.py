"""`rapport outbox`: facts on their way to the broker, and publishing them again."""

import asyncio
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import typer

from chassis.cli.database import rows
from chassis.cli.failures import Exit, Failure
from chassis.cli.output import AsJson, counted, listing, say

app = typer.Typer(help="See what waits to be published, and publish again what a consumer lost.")
COLUMNS = ["service", "recorded", "waiting", "oldest_waiting_s"]
STATUS = """
SELECT count(*) AS recorded, count(*) FILTER (WHERE published_at IS NULL) AS waiting,
       coalesce(extract(epoch FROM now() - min(time) FILTER (WHERE published_at IS NULL)), 0)::float8
           AS oldest_waiting_s
FROM outbox
"""


@app.command()
def status(as_json: bool = AsJson) -> None:
    """Show for each service how many facts are kept, how many wait, and for how long."""
    from chassis.cli.session import Session

    session = Session.open()
    found = asyncio.run(waiting({name: session.database_url(name) for name in session.peers}))
    listing(found, COLUMNS, as_json=as_json, empty="No service.")


@app.command()
def republish(
    since: str = typer.Option(
        ..., help="From this moment, for example 2026-01-31T08:00 (UTC unless it says otherwise)."
    ),
    until: str = typer.Option("", help="Until before this moment; now when not given."),
    service: str = typer.Option("", help="Only of one service."),
) -> None:
    """Publish again what was recorded in a span of time. Consumers that know an event do nothing."""
    from chassis.cli.broker import admin_url
    from chassis.cli.session import Session

    session = Session.open()
    begin, end = moment("--since", since), moment("--until", until) if until else datetime.now(UTC)
    for name in [service] if service else session.peers:
        sent = asyncio.run(_republish(name, session.database_url(name), admin_url(), begin, end))
        say(f"{name}: {counted(sent, 'event')} published again.")


async def waiting(urls: dict[str, str]) -> list[dict[str, Any]]:
    """The state of each service's outbox, by service."""
    return [{"service": name, **row} for name, url in urls.items() for row in await rows(url, STATUS)]


def moment(option: str, text: str) -> datetime:
    """A moment from the command line. Failure when it is none."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        message = f"{option} {text!r} is not a time such as 2026-01-31T08:00 or 2026-01-31T08:00+01:00."
        raise Failure(message, Exit.WRONG_USE) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


async def _republish(service: str, url: str, nats_url: str, since: datetime, until: datetime) -> int:
    from chassis.clock import Clock
    from chassis.db.database import Database
    from chassis.events.facts import FactCodec
    from chassis.events.nats import connect
    from chassis.events.republish import republish as publish_again

    events = import_module(f"rapport.{service}.v1.{service}_events_pb2")
    db = Database(url, service, FactCodec(events), Clock(), pool_size=2)
    await db.open()
    connection = await connect(nats_url, "republish")
    try:
        return await publish_again(db, connection, since, until)
    finally:
        await connection.close()
        await db.close()
