"""`rapport doctor`: what is wrong with the stack of this home, and what to do about it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Container, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import typer

from chassis.cli.database import rows
from chassis.cli.failures import Exit
from chassis.cli.output import AsJson, age, counted, line, say, write_json
from chassis.cli.readiness import FROZEN, states
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
    from chassis.local.ports import HTTP_OFFSET, PORT_BASE, is_free, port_base, taken

    yield Finding(f"No stack is running in {home.path}.", "Start it with `rapport up`.")
    import os

    from chassis.local.installed import load_services

    shift = port_base(os.environ) - PORT_BASE
    services = load_services()
    for service in services:
        for port in (service.port + shift, service.port + shift + HTTP_OFFSET):
            if not is_free(port):
                what, do = taken(port, service.name, [each.port for each in services]).split(". ", 1)
                yield Finding(f"{what}.", do)


def _about_running(home: Home) -> Iterator[Finding]:
    env, found = home.read_env(), home.read_status()
    units = found.get("units", [])
    names = list(json.loads(env["RAPPORT_PEERS"])) if "RAPPORT_PEERS" in env else []
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
    yield from asyncio.run(_about_messages(env, names))


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
            waiting_for = age(row["oldest_waiting_s"])
            what = f"{counted(row['waiting'], 'fact')} of {row['service']}: not published for {waiting_for}."
            findings.append(
                Finding(what, f"See `rapport logs {row['service']}`: the relay says what stops it.")
            )
    letters: Counter[str] = Counter()
    try:
        letters.update(letter.consumer for letter in await dead_letters(env["RAPPORT_LOCAL_NATS_URL"]))
    except (OSError, nats.errors.Error) as error:
        findings.append(
            Finding(f"NATS does not answer ({type(error).__name__}).", "See `rapport logs nats`.")
        )
    for consumer, count in sorted(letters.items()):
        what = f"{consumer} gave up on {counted(count, 'event')}."
        do = f"See `rapport dead-letters list {consumer}`, mend the cause, then `... replay NUMBER`."
        findings.append(Finding(what, do))
    findings += [finding for name in names async for finding in _set_aside(env, name, letters)]
    return findings


async def _set_aside(env: dict[str, str], name: str, letters: Container[str]) -> AsyncIterator[Finding]:
    """Events that a service could not apply, but for those of consumers whose dead letters tell of them."""
    for row in await rows(env[f"RAPPORT_{name.upper()}_DATABASE_URL"], PARKED):
        consumer, count = row["consumer"], counted(row["count"], "event")
        if row["state"] == "DEAD":
            if consumer not in letters:
                what = f"{consumer} gave up on {count} ({row['error']}), whose dead letters are lost."
                yield Finding(what, "`rapport outbox republish` publishes events of the last 14 days again.")
        elif row["error"]:
            what = f"{consumer} has set aside {count} ({row['error']})."
            yield Finding(what, f"It tries them again by itself. What fails is in `rapport logs {name}`.")
        else:
            what = f"{consumer} keeps {count} of a type that {name} does not know."
            yield Finding(what, f"The release of {name} that does applies them.")
