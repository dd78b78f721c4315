"""`rapport dead-letters`: events that a consumer gave up on."""

import asyncio
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from chassis.cli.database import rows
from chassis.cli.failures import Exit, Failure
from chassis.cli.output import AsJson, line, listing, say, write_json

if TYPE_CHECKING:
    from chassis.events.dead_letters import DeadLetter

app = typer.Typer(help="Look after events that a consumer gave up on: look at them, replay them, drop them.")
COLUMNS = ["number", "when", "consumer", "subject", "resource", "error", "reason", "attempts", "times"]
Number = typer.Argument(help="As `rapport dead-letters list` shows it.")


@app.command("list")
def list_(
    consumer: str = typer.Argument("", help="Only those of one consumer, for example cases-notices."),
    as_json: bool = AsJson,
) -> None:
    """List dead letters, oldest first."""
    from chassis.cli.broker import admin_url
    from chassis.events.dead_letters import dead_letters
    from chassis.local.installed import load_services

    url = admin_url()
    known = [each.durable for service in load_services() for each in service.declaration().subscriptions]
    if consumer and consumer not in known:
        named = ", ".join(sorted(known))
        raise Failure(f"{consumer!r} is no consumer. Consumers are {named}.", Exit.WRONG_USE)
    found = asyncio.run(dead_letters(url, consumer))
    listing([_row(letter) for letter in found], COLUMNS, as_json=as_json, empty="No dead letters.")


@app.command()
def show(number: int = Number, as_json: bool = AsJson) -> None:
    """Show one dead letter with its decoded content."""
    from chassis.cli.broker import admin_url
    from chassis.events import dead_letters

    letter = _found(dead_letters.show(admin_url(), number))
    row = _row(letter) | {"headers": letter.headers, "data": _decoded(letter)}
    if as_json:
        write_json(row)
        return
    for name, value in row.items():
        say(f"{name}: {json.dumps(value, indent=2) if isinstance(value, dict) else line(str(value))}")


@app.command()
def replay(numbers: list[int] = Number) -> None:
    """Publish events again, so that the consumer that gave up gets another try."""
    from chassis.cli.broker import admin_url
    from chassis.events import dead_letters

    for number in numbers:
        _found(dead_letters.replay(admin_url(), number))
        say(f"Replayed {number}.")


@app.command()
def drop(numbers: list[int] = Number) -> None:
    """Forget dead letters for good: their events are no longer missing anywhere."""
    from chassis.cli.broker import admin_url
    from chassis.cli.session import Session
    from chassis.events import dead_letters

    for number in numbers:
        letter = _found(dead_letters.drop(admin_url(), number))
        url = Session.open().database_url(letter.consumer.partition("-")[0])
        asyncio.run(_unmark(url, letter))
        say(f"Dropped {number}.")


async def _unmark(url: str, letter: "DeadLetter") -> None:
    """Let the service that gave up no longer say that the event is missing."""
    mark = "DELETE FROM parked WHERE event_id = $1 AND consumer = $2 AND state = 'DEAD'"
    await rows(url, mark, UUID(letter.event_id), letter.consumer)


def _found(question: Any) -> Any:
    try:
        return asyncio.run(question)
    except LookupError as problem:
        raise Failure(f"{problem}. See `rapport dead-letters list`.") from None


def _row(letter: "DeadLetter") -> dict[str, Any]:
    return {
        "number": letter.number,
        "when": letter.at.strftime("%Y-%m-%d %H:%M:%S"),
        "consumer": letter.consumer,
        "type": letter.type,
        "resource": letter.resource,
        "error": letter.error,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "times": letter.times,
        "subject": letter.subject,
        "event_id": letter.event_id,
    }


def _decoded(letter: "DeadLetter") -> Any:
    from google.protobuf.message import DecodeError

    from chassis.cli.contracts import event_classes, to_json

    message = event_classes().get(letter.type)
    try:
        return json.loads(to_json(message.FromString(letter.data))) if message else letter.data.hex()
    except DecodeError:
        return letter.data.hex()
