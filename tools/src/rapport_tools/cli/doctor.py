"""`rapport doctor`: what is wrong with the stack of this home, or in a cluster, and what to do about it."""

import os
import time
from collections.abc import Iterator
from dataclasses import asdict

import typer

from rapport_imports.wording import line
from rapport_tools.cli import cluster
from rapport_tools.cli.failures import Exit
from rapport_tools.cli.output import AsJson, say, write_json
from rapport_tools.cli.readiness import FROZEN, states
from rapport_tools.cli.troubles import Finding, troubles
from rapport_tools.local.home import Home

app = typer.Typer()

RECENT_S = 600.0


@app.command()
def doctor(as_json: bool = AsJson) -> None:
    """Say what is wrong and what to do. Exits with 1 when something is, with 3 when the stack is down.

    Of a cluster it says what waits or was given up on; what a cluster lacks, `rapport deploy check` says.
    """
    home = Home.current()
    down = not cluster.is_meant() and home.supervisor() is None
    if cluster.is_meant():
        findings = list(_about_messages())
    else:
        findings = list(_about_down(home) if down else _about_running(home))
    if as_json:
        write_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{line(finding.what)}\n    {line(cluster.advice(finding.do))}")
        if not findings:
            say("Nothing is wrong.")
    if findings:
        raise typer.Exit(Exit.UNREACHABLE if down else Exit.REFUSED)


def _about_down(home: Home) -> Iterator[Finding]:
    from rapport_testing.engines.ports import HTTP_OFFSET, PORT_BASE, is_free, port_base, taken
    from rapport_tools.local.installed import load_services

    yield Finding(f"No stack is running in {home.path}.", "Start it with `rapport up`.")
    shift = port_base({**home.read_env(), **os.environ}) - PORT_BASE
    services = load_services()
    for service in services:
        for port in (service.port + shift, service.port + shift + HTTP_OFFSET):
            if not is_free(port):
                yield Finding(*taken(port, service.name, [each.port for each in services]))


def _about_running(home: Home) -> Iterator[Finding]:
    env, found = home.read_env(), home.read_status()
    units = found.get("units", [])
    for unit, state in zip(units, states(units), strict=True):
        if state == FROZEN:
            yield Finding(
                f"{unit['name']} is frozen by a signal.", f"`kill -CONT {unit['pid']}` lets it go on."
            )
        elif state != "ready":
            yield Finding(f"{unit['name']} is {state}.", f"See `rapport logs {unit['log']}`.")
        elif time.time() - unit["restarted_at"] < RECENT_S:
            yield Finding(
                f"{unit['name']} ended and was started again less than 10 minutes ago.",
                f"See `rapport logs {unit['log']}`.",
            )
    if "RAPPORT_PEERS" in env:
        yield from _about_messages()


def _about_messages() -> Iterator[Finding]:
    import grpc

    from rapport.operations.v1.operations_service_pb2 import GetBacklogRequest
    from rapport_tools.cli.operations import operations
    from rapport_tools.cli.session import Session

    session = Session.open()
    for name in session.peers:
        try:
            request = GetBacklogRequest(name=f"services/{name}/backlog")
            backlog = operations(session, name).GetBacklog(request, timeout=3)
        except grpc.RpcError as error:
            what = f"{name} cannot say what waits ({error.code().name})."
            yield Finding(what, f"See `rapport logs {name}`.")
        else:
            yield from troubles(name, backlog)
