"""`rapport nats-accounts`: the broker's accounts and users, from what the services declare."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import write_json

if TYPE_CHECKING:
    from chassis.events.declarations import Declaration

app = typer.Typer()

_DECLARATIONS = typer.Argument(
    None, help="What `python -m <service> describe` printed, a file for each; none: the installed services."
)
_PASSWORDS = typer.Option(
    ..., help="A folder with each user's password in a file of that name; what is missing is made up."
)


@app.command("nats-accounts")
def nats_accounts(declarations: list[Path] = _DECLARATIONS, passwords: Path = _PASSWORDS) -> None:
    """Print the `accounts` of a NATS server's configuration: each service's, and that of the streams."""
    from rapport_testing.engines.accounts import accounts
    from rapport_testing.engines.private import kept_secret
    from rapport_tools.local.installed import installed

    found = [_read(path) for path in declarations or ()]
    found = found or [service.declaration for service in installed()]
    passwords.mkdir(mode=0o700, parents=True, exist_ok=True)
    block = accounts(found, lambda user: kept_secret(passwords / user).strip())
    write_json({"accounts": block})


def _read(path: Path) -> "Declaration":
    from chassis.events.declarations import Declaration
    from rapport_tools.deploy.members import overreach

    try:
        declaration = Declaration.read(json.loads(path.read_text()))
        if problem := overreach(declaration):
            raise ValueError(problem)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} is not what `python -m <service> describe` prints: {error}"
        raise Failure(message, Exit.WRONG_USE) from None
    return declaration
