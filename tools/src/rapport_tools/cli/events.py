"""`rapport events`: what services tell each other, decoded."""

import asyncio

import typer

from rapport_tools.cli import cluster
from rapport_tools.cli.failures import stack_down
from rapport_tools.cli.output import say, write_lines
from rapport_tools.local.home import Home

app = typer.Typer(name="events", no_args_is_help=True, help="Watch the events that services publish.")


@app.callback()
def events() -> None:
    """Keep `tail` a subcommand: a group of one command would otherwise be that command."""


@app.command()
def tail(
    subject: str = typer.Argument("events.>", help="For example events.cases.> or events.*.promise.>"),
    count: int = typer.Option(0, "--count", "-n", min=0, help="End after so many; 0 goes on until Ctrl-C."),
    since: float = typer.Option(0, min=0, help="Begin with the events of the last so many seconds."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """Write events as they are published."""
    home = Home.current()
    url = home.read_env().get("RAPPORT_LOCAL_NATS_URL")
    if cluster.is_meant() or home.supervisor() is None or not url:
        raise stack_down()
    asyncio.run(_tail(url, subject, count, since, as_json))


async def _tail(url: str, subject: str, count: int, since_s: float, as_json: bool) -> None:
    from chassis.events import registry
    from rapport_tools.cli.tailing import line, messages

    say(f"Waiting for events of {subject}; Ctrl-C ends.", err=True)
    classes = registry.events()
    seen = 0
    async for message in messages(url, subject, since_s):
        write_lines([line(message, classes, as_json=as_json)], as_json=as_json)
        seen += 1
        if seen == count:
            return
