"""`rapport token`."""

import typer

from rapport_tools.cli.output import say
from rapport_tools.local.home import Home

app = typer.Typer()


@app.command()
def token(
    who: str = typer.Option(
        "agent:demo", "--as", metavar="ROLE:NAME", help="Who acts, as agent:alice; agent:demo may do all."
    ),
    department: str = typer.Option("front-desk", help="Where they work."),
    ttl: int = typer.Option(3600, min=1, max=86400, help="Seconds until it expires; a day at most."),
) -> None:
    """Write a signed token for calls to this stack.

    Roles: agent (reads everything, writes what the front line writes), department (a department's systems),
    manager, relations (an agent who says whose customer somebody is), supervisor (a manager of every
    department's cases), auditor (reads everything), sre (runs the services), admin (everything).
    """
    from rapport_tools.local.issuer import Issuer

    home = Home.current()
    home.create()
    say(Issuer(home).token_as(who, department, ttl))
