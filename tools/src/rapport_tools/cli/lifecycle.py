"""`rapport up`, `down`, `status` and `logs`."""

import json
import os
import signal
import time

import typer

from rapport_tools.cli import cluster
from rapport_tools.cli.failures import Exit, Failure, stack_down
from rapport_tools.cli.output import AsJson, age, listing, say, write_lines
from rapport_tools.cli.readiness import states
from rapport_tools.local.home import Home
from rapport_tools.local.logs import Follower, readable, tail
from rapport_tools.local.nursery import open_nursery

app = typer.Typer()

DOWN_TIMEOUT_S = 90.0
OTHERS_SHOWN = 5


@app.command()
def up(
    traces: bool = typer.Option(True, help="Record traces."),
) -> None:
    """Start PostgreSQL, NATS, mail, traces and every service here, and keep them running until Ctrl-C.

    Data lies in RAPPORT_HOME (./.rapport). RAPPORT_PORT_BASE (7000, then as at the last start) moves the
    services' ports. With RAPPORT_UP_DATABASE_URL, RAPPORT_UP_NATS_URL (both an administrator's),
    RAPPORT_SMTP_HOST or OTEL_EXPORTER_OTLP_ENDPOINT set, those servers are used instead of embedded ones.
    """
    if cluster.is_meant():
        raise stack_down()
    home = Home.current()
    home.create()
    nursery = open_nursery(home.logs / "nursery.log")  # it imports while we do
    from rapport_tools.cli.foreground import run

    raise typer.Exit(run(home, traces, nursery))


@app.command()
def down() -> None:
    """Stop the stack of this home in order. Data is kept."""
    home = Home.current()
    pid = home.supervisor()
    if pid is None:
        say("Nothing is running.")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_TIMEOUT_S
    while home.supervisor() is not None:
        if time.monotonic() > deadline:
            raise Failure(f"Process {pid} did not stop within {DOWN_TIMEOUT_S:.0f} s.")
        time.sleep(0.05)
    say("Stopped. Data is kept.")


@app.command()
def clean() -> None:
    """Remove the data of this home, which nobody may be using. The installation stays."""
    home = Home.current()
    if not home.path.exists():
        say("There is no data.")
        return
    if not home.keys.is_dir():
        raise Failure(f"{home.path} is no folder of a stack: nothing is removed.", Exit.WRONG_USE)
    if others := home.others():
        some = ", ".join(others[:OTHERS_SHOWN])
        message = f"{home.path} holds what is of no stack ({some}): nothing is removed."
        raise Failure(message, Exit.WRONG_USE)
    if home.supervisor() is not None:
        raise Failure(
            f"A stack runs in {home.path}: stop it first, with `rapport down` or Ctrl-C where it was started."
        )
    home.remove()
    say(f"Removed {home.path}.")


@app.command()
def status(as_json: bool = AsJson) -> None:
    """Show what runs and where. Exits with 1 when not all is ready, with 3 when the stack is down."""
    home = Home.current()
    if home.supervisor() is None:
        raise stack_down()
    found = home.read_status()
    units = found.get("units", [])
    units = [unit | {"state": state} for unit, state in zip(units, states(units), strict=True)]
    for unit in units:
        if unit["site"] and not as_json:
            say(f"{unit['name']}: {unit['site']}")
    listing(
        units, ["name", "state", "address", "pid", "restarts"], as_json=as_json, empty="Nothing runs yet."
    )
    if not as_json:
        say(f"up for {age(time.time() - found.get('since', time.time()))}, in {home.path}")
    if not home.is_up() or any(unit["state"] != "ready" for unit in units):
        raise typer.Exit(Exit.REFUSED)


@app.command()
def logs(
    service: str = typer.Argument(
        "", help="One service, or postgres, nats, mail, traces. Without: all services."
    ),
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on until Ctrl-C."),
    lines: int = typer.Option(50, "--lines", "-n", min=0, help="How many lines to begin with."),
    as_json: bool = typer.Option(False, "--json", help="Write the lines as they are in the file."),
) -> None:
    """Show the logs, readable."""
    home = Home.current()
    files = sorted(home.logs.glob(f"{service or '*'}.log"))
    if not files:
        known = ", ".join(sorted(path.stem for path in home.logs.glob("*.log"))) or "none"
        raise Failure(
            f"There is no log of {service or 'anything'} in {home.logs}. There are: {known}.", Exit.WRONG_USE
        )
    engines = {"postgres", "nats"}
    chosen = files if service else [path for path in files if path.stem not in engines]
    recent = [(path.stem, line) for path in chosen for line in tail(path, lines)]
    if len(chosen) > 1:
        recent = sorted(recent, key=lambda entry: _time_of(entry[1]))[-lines:] if lines else []
    write_lines((line if as_json else readable(name, line) for name, line in recent), as_json=as_json)
    if follow:
        followers = [Follower(path) for path in chosen]
        while True:
            for follower in followers:
                new = follower.read()
                name = follower.path.stem
                write_lines((line if as_json else readable(name, line) for line in new), as_json=as_json)
            time.sleep(0.2)


def _time_of(line: str) -> str:
    try:
        return str(json.loads(line).get("timestamp", ""))
    except (ValueError, AttributeError):
        return ""
