"""`rapport deploy`: prepare an installation on Kubernetes, and say what it lacks."""

import json
import re
from pathlib import Path
from typing import Any

import typer

from rapport_imports.wording import line
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import say

app = typer.Typer(
    name="deploy",
    no_args_is_help=True,
    help="Prepare an installation on Kubernetes, and say what it lacks.",
)

_SERVICES = typer.Argument(
    metavar="SERVICE[@NAMESPACE]...",
    help="Every service of the installation: the name of an installed one, or a file NAME.json of what "
    "`python -m NAME describe` printed.",
)
_VALUES = typer.Option(
    [],
    "--values",
    "-f",
    metavar="[SERVICE=]FILE",
    help="Values of your own, as `helm -f` takes them below those of DIR: of all services, or of one.",
    show_default=False,
)
_FOLDER = typer.Argument(metavar="DIR", help="What `rapport deploy prepare --out DIR` wrote.")
_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?"
# What an option must look like, by its name; all but the first may be empty.
_FORMS = {
    "database_host": (_HOST, "HOST or HOST:PORT"),
    "nats_host": (f"({_HOST})?", "HOST or HOST:PORT"),
    "jwks_url": (r"(https://\S+)?", "https://..."),
    "otlp_endpoint": (f"(https?://{_HOST})?", "http://HOST:PORT"),
    "monitoring_label": (r"([\w./-]+=[\w.-]+)?", "NAME=VALUE"),
    "runbooks": (r"(https://\S*[^/\s])?", "https://... without a slash at its end"),
}
_OUT = typer.Option(metavar="DIR", help="Where to write; passwords in it are made once and kept.")


def _said(text: str) -> Any:
    """An option that holds from one time to the next."""
    return typer.Option(None, help=text, show_default=False)


_CLUSTER_JWKS = _said("A file of the keys of that issuer, as /openid/v1/jwks has them.")


@app.command()
def prepare(
    services: list[str] = _SERVICES,
    out: Path = _OUT,
    namespace: str | None = _said("Of the broker, and of services that say no other; crm at first."),
    database_host: str | None = _said(
        "PostgreSQL, HOST or HOST:PORT; a name without a dot is of that namespace; postgres-rw at first."
    ),
    issuer: str | None = _said("The `iss` of people's tokens; none: DIR has a key of its own."),
    jwks_url: str | None = _said("https://... where that issuer publishes its keys."),
    tls_issuer: str | None = _said("cert-manager's ClusterIssuer, for TLS between services."),
    nats_host: str | None = _said("A NATS of yours, HOST or HOST:PORT; none: that of our charts."),
    nats_tls: str | None = _said("The secret with the ca.crt of a NATS that speaks TLS, in each namespace."),
    nats_servers: int | None = _said("How many servers NATS has: 1 for a first look; 3 at first, or 5."),
    otlp_endpoint: str | None = _said(
        "http://HOST:PORT of a collector; a name without a dot is of that namespace; none: no traces."
    ),
    monitoring: bool | None = _said("The Prometheus operator watches them."),
    monitoring_label: str | None = _said("NAME=VALUE, by which that operator selects monitors and rules."),
    runbooks: str | None = _said(
        "https://... where the pages of docs/runbooks are; each alert links its own."
    ),
    cluster_issuer: str | None = _said(
        "The `iss` of ServiceAccounts' tokens, where kubectl asks no cluster."
    ),
    cluster_jwks: Path | None = _CLUSTER_JWKS,
    diff: bool = typer.Option(
        False, "--diff", help="Write nothing; show what would change, without passwords, and exit with 1."
    ),
) -> None:
    """Write namespaces, secrets, SQL, the broker's accounts, and values of every release.

    What was said once of the installation holds until something else is said. The cluster's own issuer and
    keys are asked for by kubectl the first time, unless they are given, and kept in DIR/cluster.
    """
    given = locals()
    from rapport_tools.deploy.folder import ISSUER, Folder
    from rapport_tools.deploy.members import members
    from rapport_tools.deploy.plan import DEFAULTS, Installation, files

    folder = Folder(out)
    options = _options({**DEFAULTS, **folder.options()}, {name: given[name] for name in DEFAULTS})
    before = folder.before()
    found = members(services, options["namespace"], before)
    if left := sorted(before.keys() - {each.name for each in found}):
        raise Failure(
            f"{out} has {', '.join(left)} too, which would lose its account at the broker: name it, or take "
            f"it out of {out}/services.json.",
            Exit.WRONG_USE,
        )
    kept = folder.issuers(cluster_issuer, cluster_jwks, own=not options["issuer"])
    installation = Installation(
        members=found,
        password=folder.password,
        jwks=kept.get("keys/jwks.json", ""),
        cluster_issuer=kept["cluster/issuer"].strip(),
        cluster_jwks=kept["cluster/jwks.json"],
        **options | {"issuer": options["issuer"] or ISSUER},
    )
    texts = kept | {"options.json": json.dumps(options, indent=2) + "\n"} | files(installation)
    if not diff:
        changed = folder.write(texts)
        say("\n".join(changed) if changed else "Nothing has changed.")
    elif changes := list(folder.changes(texts)):
        say("".join(changes).rstrip())
        raise typer.Exit(Exit.REFUSED)


def _options(before: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """What holds now. Failure for what does not go together."""
    options = before | {name: value for name, value in said.items() if value is not None}
    if bool(options["issuer"]) != bool(options["jwks_url"]):
        raise Failure("--issuer and --jwks-url belong together.", Exit.WRONG_USE)
    for name, (form, said_so) in _FORMS.items():
        if not re.fullmatch(form, options[name]):
            option = name.replace("_", "-")
            raise Failure(f"--{option} is {said_so}, not {options[name]!r}.", Exit.WRONG_USE)
    if options["nats_servers"] not in (1, 3, 5):
        raise Failure("--nats-servers is 1, 3 or 5.", Exit.WRONG_USE)
    return options


@app.command()
def check(folder: Path = _FOLDER, values: list[str] = _VALUES) -> None:
    """Say what the cluster of kubectl lacks before releases can be installed. Exits with 1 when it does.

    Namespaces, secrets and ConfigMaps with their keys, what values need, the cluster's keys; and
    whether PostgreSQL lets each role into its database, and NATS each user in: by kubectl port-forward, if
    they are Services of the cluster.
    """
    from rapport_tools.deploy.folder import Folder
    from rapport_tools.deploy.missing import missing

    prepared, found = Folder(folder), False
    prepared.services()  # a Failure when nothing was prepared here
    for sentence in missing(prepared, prepared.values(values)):
        say(line(sentence))
        found = True
    if found:
        raise typer.Exit(Exit.REFUSED)
    say("Nothing is missing.")
