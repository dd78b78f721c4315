"""`rapport demo`: import the demo's customers, play the story act by act, show where to look."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from rich.text import Text

from chassis.api.actors import what
from rapport_imports.wanted import Kind, Wanted
from rapport_imports.wording import line
from rapport_tools.cli import cluster
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.import_file import run
from rapport_tools.cli.output import say, write_json
from rapport_tools.cli.session import Session
from rapport_tools.cli.terminal import Terminal
from rapport_tools.demo.changes import named
from rapport_tools.local.home import Home

SYSTEM = "demo"
STARTING_S = 60.0

_PROMISE = re.compile(r"promises/[0-9a-f-]{36}")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")

app = typer.Typer()


@app.command()
def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object and nothing else.")] = False,
) -> None:
    """Run the story in four acts, live. Starts the platform for the demo when it is not up.

    Of a cluster, it acts as several people: RAPPORT_HOME must be what `rapport deploy prepare` wrote, with an
    issuer of its own.
    """
    from chassis.telemetry import tracing

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what the demo stopped goes on, and its own ends
    with _platform(as_json) as own:
        _import_customers(as_json)
        if endpoint := Session.open().env.get("RAPPORT_LOCAL_OTLP_ENDPOINT"):
            os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
        os.environ["OTEL_TRACES_SAMPLER"] = "always_on"
        tracing.setup("demo")
        try:
            outcome = _tell_in_json() if as_json else _tell()
        finally:
            tracing.shutdown()
        if as_json:
            write_json(asdict(replace(outcome, explain=None)) | {"explain": MessageToDict(outcome.explain)})
        else:
            _conclude(outcome, stopped=own)


def _tell_in_json() -> Any:
    from rapport_tools.demo.story import ACTS, Story

    story = Story(Session.open, lambda *_: None)
    for act in ACTS:
        story.play(act)
    return story.outcome()


def _tell() -> Any:
    from rapport_tools.demo.story import ACTS, Story

    is_page_told = False

    def tell(what: str, changed: str) -> None:
        nonlocal is_page_told
        if not is_page_told and not cluster.is_meant():
            say(f"  Watch it in a browser, live (sign in as Alice): {_page(story.customer)}")
        is_page_told = True
        _tell_step(what, changed)

    story = Story(Session.open, tell, pause=_pause)
    for number, act in enumerate(ACTS, 1):
        if number > 1:
            _pause("the next act")
        say(f"\nAct {number}. {act.title}")
        if left_out := story.play(act).left_out:
            say(f"  Left out: {left_out}")
    return story.outcome()


def _pause(following: str) -> None:
    """Wait until whoever watches on a terminal has seen enough. Nobody does anywhere else."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        with suppress(EOFError):
            input(f"\nLook at the desk, then press Enter: {following}. ")


@contextmanager
def _platform(quiet: bool) -> Iterator[bool]:
    """The running platform: the one that is up, or one of our own (True) for as long as the block lasts."""
    home = Home.current()
    if cluster.is_meant():
        if os.environ.get(cluster.TOKEN):
            raise Failure(f"The demo acts as several people, and {cluster.TOKEN} is one's.", Exit.WRONG_USE)
        yield False
        return
    if home.supervisor() is not None:
        deadline = time.monotonic() + STARTING_S  # `make run` may have begun a moment ago
        while home.supervisor() is not None and not home.is_furnished() and time.monotonic() < deadline:
            time.sleep(0.2)
        yield False
        return
    if not quiet:
        say(f"No platform is up in {home.path}: starting one for the demo.")
    with tempfile.TemporaryFile() as output:
        own = subprocess.Popen([sys.argv[0], "up"], stdout=output, stderr=output)
        try:
            while not home.is_furnished():
                if own.poll() is not None:
                    output.seek(0)
                    raise Failure(f"The platform did not start: {output.read().decode()[-500:]}")
                time.sleep(0.2)
            yield True
        finally:
            own.terminate()
            own.wait(60)


def _import_customers(quiet: bool) -> None:
    """Import the demo's files; what was imported before is not imported again."""
    from rapport_imports.result import Result

    with tempfile.TemporaryDirectory() as scratch:
        for kind in Kind:
            file = Path(str(files("rapport_tools.demo") / "data" / f"{kind}.csv"))
            errors = Path(scratch) / "errors.csv"
            result = Result()
            asyncio.run(run(Wanted(kind, file, errors=errors, system=SYSTEM), result, show_progress=False))
            if not quiet:
                say(f"{kind}: {result.created} new, {result.known} known already")


def _tell_step(what: str, changed: str) -> None:
    terminal = Terminal()
    terminal.print(Text(f"\n{what}", style="bold"))
    for each in changed.splitlines():
        terminal.print(Text(f"  {each}", style="green" if each.startswith("+") else "red"))


def _page(customer: str) -> str:
    return f"{Session.open().env['RAPPORT_DESK_URL']}/{customer}"


def own_page(customer: str) -> str:
    """The customer's own page, as the mails to them have it."""
    from rapport.customer.v1.self_service_link_service_pb2 import GetSelfServiceLinkRequest
    from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub

    session = Session.open()
    links = session.stub(SelfServiceLinkServiceStub, "customer")
    link = links.GetSelfServiceLink(GetSelfServiceLinkRequest(name=f"{customer}/selfServiceLink"))
    return f"{session.env['RAPPORT_DESK_URL']}/c/{link.token}"


def _conclude(outcome: Any, *, stopped: bool) -> None:
    why = _PROMISE.sub("the promise", line(outcome.explain.summary))
    say(f"\nWhy was the customer told, in the first act? {why}")
    for cause in outcome.explain.causes:
        happened = _WORDS.sub(" ", what(cause).replace("/", ".").rpartition(".")[2]).lower().capitalize()
        when = f"{cause.occur_time.ToDatetime():%H:%M:%S.%f}"
        say(f"  {when}  {happened:<22} {named(cause.actor)}")
    if cluster.is_meant():
        say(
            f"\nLook at it:\n  rapport view {outcome.customer}\n  rapport explain {outcome.notices[0]}\n"
            "The mail is where the notifications service hands it over."
        )
    else:
        stops = (
            "The platform stops again, with all that happened kept. "
            "Start it (`rapport up`, `make run`) and look:"
        )
        say(
            f"\n{stops if stopped else 'Look at it:'}\n  {_page(outcome.customer)}\n"
            f"  {own_page(outcome.customer)} (as she sees it herself, by the link in her mails)\n"
            f"  rapport view {outcome.customer}\n  rapport mail list\n  rapport explain {outcome.notices[0]}"
        )
    _show_traces(outcome)


def _show_traces(outcome: Any) -> None:
    """Each act as one trace, and what there is to see in it."""
    from rapport_tools.demo.story import ACTS

    for number, (act, played) in enumerate(zip(ACTS, outcome.acts, strict=True), 1):
        if not played.left_out:
            shown = cluster.trace(played.trace_id)
            command = f"trace {shown}" if cluster.is_meant() else f"rapport traces show {shown}"
            say(f"\n{number}. {act.title}: {act.look}\n  {command}")
