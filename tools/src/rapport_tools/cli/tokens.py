"""`rapport token` and `rapport sign-out`."""

import json
from urllib.error import HTTPError, URLError
from urllib.request import Request

import typer

from rapport_testing.engines.ports import DIRECT
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import say
from rapport_tools.local.home import Home
from rapport_tools.local.issuer import Issuer

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
    home = Home.current()
    home.create()
    say(Issuer(home).token_as(who, department, ttl))


@app.command("sign-out")
def sign_out(
    person: str = typer.Argument(help="Their code, as `alice` of agents/alice."),
    who: str = typer.Option("sre:nils", "--as", metavar="ROLE:NAME", help="Who does it, as the audit tells."),
) -> None:
    """Sign somebody out of the desk everywhere, at once.

    They may sign in again: who shall not is switched off at the identity provider first.
    """
    from rapport_tools.cli.session import Session

    session = Session.open(who, "platform")
    request = Request(  # noqa: S310 - the stack's own address
        f"{session.desk()}/sessions:end",
        json.dumps({"agent": f"agents/{person.removeprefix('agents/')}"}).encode(),
        {"authorization": f"Bearer {session.token()}", "content-type": "application/json"},
    )
    try:
        with DIRECT.open(request, timeout=10) as answer:
            ended = json.load(answer)["ended"]
    except HTTPError as error:
        problem = json.load(error)
        code = Exit.WRONG_USE if error.code == 400 else Exit.REFUSED
        raise Failure(f"{problem['reason']}: {problem['detail']}", code) from None
    except URLError as error:
        raise Failure(f"The desk does not answer: {error.reason}.", Exit.UNREACHABLE) from None
    say(f"{person} is signed out: {ended} {'session' if ended == 1 else 'sessions'} ended.")
