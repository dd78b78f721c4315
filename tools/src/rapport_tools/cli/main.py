"""The `rapport` command.

Commands are entry points of the group `rapport.commands`, of any installed package: each is a Typer app. One
with a name is a group of commands; the commands of one without stand at the top level.

Modules import only Typer and small things at the top, so that `rapport --help` is quick, and the rest inside
the command. Errors are raised, never printed: this is the place that turns them into a line and a code.
"""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points

import typer

from chassis import libpq
from rapport_tools.cli.failures import Exit, of_error
from rapport_tools.cli.output import say


def build() -> typer.Typer:
    """The whole command."""
    app = typer.Typer(
        name="rapport",
        help="Run Rapport on this machine, call it, and see what it does.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_everywhere)
    commands = entry_points(group="rapport.commands")
    for command in sorted(commands, key=lambda command: command.name != "stack"):  # `up` first
        app.add_typer(command.load())
    return app


def _everywhere(
    context: typer.Context,
    port_forward: str = typer.Option(
        "",
        metavar="NAMESPACE,...",
        envvar="RAPPORT_PORT_FORWARD",
        help="Services of a cluster, in these namespaces, by kubectl port-forward, in place of a stack's.",
    ),
) -> None:
    if port_forward:
        from rapport_tools.cli.cluster import forwarding

        context.with_resource(forwarding(port_forward))


def main() -> None:
    """Run the command. Exits with 0 done, 1 refused by a rule, 2 wrong use, 3 unreachable."""
    libpq.ignore_variables()
    sys.exit(run(build()))


def run(app: Callable[..., object]) -> int:
    """Run an app and return its exit code, errors told in one line on standard error."""
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.DONE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `rapport events tail | head`
        sys.stderr.close()
        return Exit.DONE
    except Exception as error:  # the last resort of a command line
        failure = of_error(error)
        if failure is None:
            raise
        say(f"rapport: {failure}", err=True)
        return failure.code
    return Exit.DONE


if __name__ == "__main__":
    main()
