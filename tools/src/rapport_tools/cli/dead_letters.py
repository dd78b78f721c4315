"""`rapport dead-letters`: events that a consumer gave up on."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import typer
from google.protobuf.message import DecodeError

from chassis.events.registry import events
from rapport.operations.v1 import operations_service_pb2 as pb
from rapport.operations.v1.operations_pb2 import DeadLetter
from rapport.operations.v1.operations_service_pb2_grpc import OperationsServiceStub
from rapport_imports.wording import line
from rapport_tools.cli import cluster
from rapport_tools.cli.contracts import to_json
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.operations import dead_letters, list_of_each, operations
from rapport_tools.cli.output import AsJson, say, write_json
from rapport_tools.cli.session import Session

app = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    help="Look after events that a consumer gave up on: look at them, replay them, drop them.",
)
COLUMNS = ["name", "when", "subject", "resource", "error", "reason", "attempts"]
LETTER = "As `rapport dead-letters list` shows it."
MANY = typer.Argument(help=f"{LETTER} Or a consumer, for all of its.", metavar="NAME...")
REASON = typer.Option(help="Why, a code such as repaired-by-hand; it is kept in the audit.", metavar="CODE")


@app.command("list")
def list_(
    consumer: str = typer.Argument("", help="Only those of one consumer, for example cases-notices."),
    as_json: bool = AsJson,
) -> None:
    """List dead letters by service, oldest first."""
    list_of_each(
        _service(consumer) if consumer else "",
        lambda name, stub: map(_row, dead_letters(stub, name, consumer or "-")),
        as_json=as_json,
        empty="No dead letters.",
        columns=COLUMNS,
    )


@app.command()
def show(name: str = typer.Argument(help=LETTER), as_json: bool = AsJson) -> None:
    """Show one dead letter with its decoded content."""
    session = Session.open()
    letter = operations(session, _of(name)).GetDeadLetter(pb.GetDeadLetterRequest(name=name))
    row = _row(letter) | {"headers": dict(letter.headers), "data": _decoded(letter)}
    if as_json:
        write_json(row)
        return
    for field, value in row.items():
        text = (
            json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict) else line(str(value))
        )
        say(f"{field}: {text}")


@app.command()
def replay(names: list[str] = MANY) -> None:
    """Have the consumer that gave up try again. Until it gives up again, it is no dead letter."""
    _do(names, lambda stub, **asked: stub.ReplayDeadLetter(pb.ReplayDeadLetterRequest(**asked)), "Replayed")


@app.command()
def drop(names: list[str] = MANY, reason: str = REASON) -> None:
    """Forget dead letters for good, for a reason: their events are no longer missing anywhere."""

    def forget(stub: OperationsServiceStub, **asked: str) -> None:
        stub.DeleteDeadLetter(pb.DeleteDeadLetterRequest(reason_code=reason, **asked))

    _do(names, forget, "Dropped")


def _do(names: list[str], act: Callable[..., object], done: str) -> None:
    session = Session.open()
    for service, name in _each(session, names):
        act(operations(session, service), name=name, request_id=str(uuid4()))
        say(f"{done} {name}.")


def _each(session: Session, names: list[str]) -> list[tuple[str, str]]:
    """The service and the name of every letter that is meant."""
    meant = []
    for name in names:
        if "/" in name:
            meant.append((_of(name), name))
            continue
        service = _service(name)
        letters = [letter.name for letter in dead_letters(operations(session, service), service, name)]
        if not letters:
            say(f"{name} has no dead letters.")
        meant += [(service, letter) for letter in letters]
    return meant


def _of(name: str) -> str:
    """Whose dead letter it is."""
    kind, _, rest = name.partition("/consumers/")
    consumer, _, _ = rest.partition("/")
    if not kind.startswith("services/") or not consumer:
        like = "services/cases/consumers/cases-notices/deadLetters/0198..."
        raise Failure(
            f"{name!r} must be as `rapport dead-letters list` shows it, like {like}.", Exit.WRONG_USE
        )
    return _service(consumer)


def _service(consumer: str) -> str:
    """Whose consumer it is. Failure with those that there are when it is nobody's."""
    from rapport_tools.local.installed import installed

    declared = [service.declaration for service in installed()]
    known = {each.durable: of.service for of in declared for each in of.subscriptions}
    if consumer not in known and cluster.is_meant():  # a department's, whose code is not here
        return consumer.partition("-")[0]
    if consumer not in known:
        named = ", ".join(sorted(known))
        raise Failure(f"{consumer!r} is no consumer. Consumers are {named}.", Exit.WRONG_USE)
    return known[consumer]


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "name": letter.name,
        "when": letter.set_aside_time.ToDatetime().isoformat(timespec="seconds"),
        "subject": letter.subject,
        "resource": letter.resource,
        "error": letter.error,
        "reason": letter.reason,
        "attempts": letter.attempt_count,
        "type": letter.event_type,
        "customer": letter.customer,
    }


def _decoded(letter: DeadLetter) -> Any:
    message = events().get(letter.event_type)
    try:
        return json.loads(to_json(message.FromString(letter.data))) if message else letter.data.hex()
    except DecodeError:
        return letter.data.hex()
