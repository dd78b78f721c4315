"""The `rapport` command.

Commands are entry points of the group `rapport.commands`, of any installed package: each is a Typer app. One
with a name is a group of commands; the commands of one without stand at the top level. Ours are called what
is typed, so that only what is meant is loaded.

What takes long to import (databases, brokers, frameworks) is imported inside the command, so that
`rapport --help` is quick. Errors are raised, never printed: this is the place that turns them into a line and
a code.
"""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points

import typer

from chassis import libpq
from rapport_tools.cli.failures import Exit, of_error
from rapport_tools.cli.output import say


def build() -> typer.Typer:
    app = typer.Typer(
        name="rapport",
        help="Run Rapport on this machine, call it, and see what it does.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_everywhere)
    for command in _commands():
        app.add_typer(command)
    return app


def _commands() -> list[typer.Typer]:
    """What the command line may mean: of ours only what it names, so that each is quick; all for `--help`."""
    found = sorted(entry_points(group="rapport.commands"), key=lambda each: each.name != "up")  # `up` first
    ours = {each.name for each in found if each.value.startswith("rapport_tools.")}
    left = ours.difference(sys.argv[1:])
    return list(dict.fromkeys(each.load() for each in found if left == ours or each.name not in left))


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
