"""`rapport doctor`: what is wrong with the stack of this home, and what to do about it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import typer

from chassis.cli.database import rows
from chassis.cli.failures import Exit
from chassis.cli.output import AsJson, line, say, write_json
from chassis.local.home import Home

app = typer.Typer()

OUTBOX_OLD_S = 30.0
RECENT_S = 600.0
PARKED = """
SELECT consumer, state, error, count(*) AS count FROM parked GROUP BY consumer, state, error
ORDER BY consumer, state, error
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong and what to do."""

    what: str
    do: str


@app.command()
def doctor(as_json: bool = AsJson) -> None:
    """Say what is wrong and what to do. Exits with 1 when something is, with 3 when the stack is down."""
    home = Home.current()
    down = home.supervisor() is None
    findings = list(_about_down(home) if down else _about_running(home))
    if as_json:
        write_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{line(finding.what)}\n    {line(finding.do)}")
        if not findings:
            say("Nothing is wrong.")
    if findings:
        raise typer.Exit(Exit.UNREACHABLE if down else Exit.REFUSED)


def _about_down(home: Home) -> Iterator[Finding]:
    from chassis.local.ports import is_free

    yield Finding(f"No stack is running in {home.path}.", "Start it with `rapport up`.")
    import os

    from chassis.local.installed import load_services
    from chassis.local.stack import HTTP_OFFSET, PORT_BASE

    shift = int(os.environ.get("RAPPORT_PORT_BASE") or PORT_BASE) - PORT_BASE
    for service in load_services():
        for port in (service.port + shift, service.port + shift + HTTP_OFFSET):
            if not is_free(port):
                yield Finding(
                    f"Port {port}, which {service.name} needs, is taken by another program.",
                    "Stop that, or start with other ports: RAPPORT_PORT_BASE=7300 rapport up",
                )


def _about_running(home: Home) -> Iterator[Finding]:
    env, found = home.read_env(), home.read_status()
    units = found.get("units", [])
    names = [unit["name"] for unit in units if f"RAPPORT_{unit['name'].upper()}_HTTP_URL" in env]
    for unit in units:
        if unit["state"] != "ready":
            do = f"See `rapport logs {unit['log']}`."
            yield Finding(f"{unit['name']} is {unit['state']}.", do)
        elif time.time() - unit["restarted_at"] < RECENT_S:
            yield Finding(
                f"{unit['name']} ended and was started again less than 10 minutes ago.",
                f"See `rapport logs {unit['log']}`.",
            )
    for name in names:
        for problem in _problems(env[f"RAPPORT_{name.upper()}_HTTP_URL"]):
            yield Finding(f"{name} is not ready: {problem}.", f"See `rapport logs {name}`.")
    yield from asyncio.run(_about_messages(env, names))


def _problems(url: str) -> list[str]:
    """What keeps a service from being ready, in its own words."""
    import json
    import urllib.error

    from chassis.local.ports import DIRECT

    try:
        with DIRECT.open(f"{url}/health/ready", timeout=2):
            return []
    except urllib.error.HTTPError as answer:
        return list(json.loads(answer.read()).get("problems", [])) or [str(answer)]
    except OSError as error:
        return [f"it does not answer ({error})"]


async def _about_messages(env: dict[str, str], names: list[str]) -> list[Finding]:
    import asyncpg
    import nats.errors

    from chassis.cli.outbox import waiting
    from chassis.cli.troubles import troubles
    from chassis.events.dead_letters import dead_letters

    findings = []
    try:
        outboxes: list[dict[str, Any]] = await waiting(
            {n: env[f"RAPPORT_{n.upper()}_DATABASE_URL"] for n in names}
        )
    except (OSError, asyncpg.PostgresError) as error:
        return [
            Finding(f"PostgreSQL does not answer ({type(error).__name__}).", "See `rapport logs postgres`.")
        ]
    for name in names:
        for what, do in await troubles(env[f"RAPPORT_{name.upper()}_DATABASE_URL"]):
            findings.append(Finding(f"{name}: {what}", do))
    for row in outboxes:
        if row["oldest_waiting_s"] > OUTBOX_OLD_S:
            what = f"{row['waiting']} facts of {row['service']} wait since {row['oldest_waiting_s']:.0f} s."
            findings.append(
                Finding(what, f"See `rapport logs {row['service']}`: the relay says what stops it.")
            )
    findings += [finding for name in names async for finding in _set_aside(env, name)]
    try:
        letters = await dead_letters(env["RAPPORT_LOCAL_NATS_URL"])
    except (OSError, nats.errors.Error) as error:
        return [
            *findings,
            Finding(f"NATS does not answer ({type(error).__name__}).", "See `rapport logs nats`."),
        ]
    for consumer in sorted({letter.consumer for letter in letters}):
        count = sum(letter.consumer == consumer for letter in letters)
        findings.append(
            Finding(
                f"{count} dead letters of {consumer} wait.",
                f"`rapport dead-letters list {consumer}`, mend the cause, then `... replay NUMBER`.",
            )
        )
    return findings


async def _set_aside(env: dict[str, str], name: str) -> AsyncIterator[Finding]:
    """Events that a service could not apply; those it has given up on are dead letters as well."""
    for row in await rows(env[f"RAPPORT_{name.upper()}_DATABASE_URL"], PARKED):
        if row["error"]:
            what = f"{row['count']} events of {row['consumer']} are {row['state'].lower()} ({row['error']})."
            do = f"See `rapport logs {name}`; parked ones are tried again by themselves."
        else:
            what = f"{row['count']} events of {row['consumer']} are of types that {name} does not know."
            do = f"They wait for the release of {name} that does."
        yield Finding(what, do)
