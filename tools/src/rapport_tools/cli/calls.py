"""`rapport call`: any method of any service, from JSON to JSON."""

import json
import sys
from typing import Any
from uuid import uuid4

import typer
from google.protobuf.json_format import ParseDict, ParseError

from rapport_tools.cli import contracts
from rapport_tools.cli.contracts import message_class
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import write_json, write_lines
from rapport_tools.cli.session import Session

app = typer.Typer()


@app.command()
def call(
    method: str = typer.Argument(help="SERVICE.METHOD, for example CaseService.GetCase."),
    body: str = typer.Argument("{}", metavar="JSON", help="The request; - reads it from standard input."),
    who: str = typer.Option(
        "agent:demo", "--as", metavar="ROLE:NAME", help="Who calls; agent:demo may do all."
    ),
    department: str = typer.Option("front-desk", help="Where they work."),
    timeout: float = typer.Option(0, min=0, help="Seconds; 0 means 10, and an hour for streams."),
    service: str = typer.Option("", help="Whom to ask what every service answers, as OperationsService."),
    compact: bool = typer.Option(False, help="One line of JSON for each message."),
) -> None:
    """Call a method with an identity and write the response as JSON, fields named as in the contracts.

    A `request_id` that the method needs and the JSON does not give is made.
    """
    found = contracts.method(method)
    request = _request(found.input_type, sys.stdin.read() if body == "-" else body)
    session, owner = Session.open(who, department), contracts.owner(found.containing_service)
    if owner not in session.peers and not service:
        raise Failure(
            f"Every service answers {found.containing_service.name}: say --service.", Exit.WRONG_USE
        )
    channel = session.channel(service or owner)
    path = f"/{found.containing_service.full_name}/{found.name}"
    answers = _call(channel, path, found, request, timeout or None)
    for answer in answers:
        document = contracts.to_json(answer)
        if compact:
            write_lines([document], as_json=True)
        else:
            write_json(json.loads(document))


def _request(input_type: Any, text: str) -> Any:
    request = message_class(input_type)()
    try:
        ParseDict(_json(text), request)
    except ParseError as problem:
        raise Failure(f"{input_type.name}: {str(problem).splitlines()[0]}", Exit.WRONG_USE) from None
    if "request_id" in input_type.fields_by_name and not request.request_id:  # type: ignore[attr-defined]
        request.request_id = str(uuid4())  # type: ignore[attr-defined]
    return request


def _json(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as problem:
        raise Failure(f"The request is not JSON: {problem}", Exit.WRONG_USE) from None
    if not isinstance(parsed, dict):
        raise Failure("The request must be a JSON object.", Exit.WRONG_USE)
    return parsed


def _call(channel: Any, path: str, method: Any, request: Any, timeout: float | None) -> Any:
    serialize = type(request).SerializeToString
    parse = message_class(method.output_type).FromString
    if method.server_streaming:
        return channel.unary_stream(path, serialize, parse)(request, timeout=timeout)
    return [channel.unary_unary(path, serialize, parse)(request, timeout=timeout)]
