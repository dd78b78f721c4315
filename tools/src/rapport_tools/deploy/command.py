"""`rapport deploy`: prepare an installation on Kubernetes, and say what it lacks."""

from pathlib import Path

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
_FOLDER = typer.Argument(metavar="DIR", help="What `rapport deploy prepare --out DIR` wrote.")
_OUT = typer.Option(metavar="DIR", help="Where to write; passwords in it are made once and kept.")


@app.command()
def prepare(
    services: list[str] = _SERVICES,
    out: Path = _OUT,
    namespace: str = typer.Option("crm", help="Of the broker, and of services that say no other."),
    database_host: str = typer.Option("postgres-rw", help="PostgreSQL; a name without a dot is in there."),
    issuer: str = typer.Option("", help="The `iss` of people's tokens; none: DIR has a key of its own."),
    jwks_url: str = typer.Option("", help="https://... where that issuer publishes its keys."),
    tls_issuer: str = typer.Option("", help="cert-manager's ClusterIssuer, for TLS between services."),
    monitoring: bool = typer.Option(False, "--monitoring", help="The Prometheus operator watches them."),
    diff: bool = typer.Option(
        False, "--diff", help="Write nothing; show what would change, without passwords, and exit with 1."
    ),
) -> None:
    """Write namespaces, secrets, SQL, the broker's accounts, and values of every release.

    The cluster's own issuer and keys are read with kubectl the first time, and kept in DIR/cluster.
    """
    from rapport_tools.deploy.folder import ISSUER, Folder
    from rapport_tools.deploy.members import members
    from rapport_tools.deploy.plan import Installation, files

    if bool(issuer) != bool(jwks_url):
        raise Failure("--issuer and --jwks-url belong together.", Exit.WRONG_USE)
    found, folder = members(services, namespace), Folder(out)
    if left := folder.left_out({each.name for each in found}):
        raise Failure(
            f"{out} has {', '.join(left)} too, which would lose its account at the broker: name it, or "
            f"delete {out}/services.json.",
            Exit.WRONG_USE,
        )
    kept = folder.issuers(own=not issuer)
    texts = kept | files(
        Installation(
            members=found,
            namespace=namespace,
            database_host=database_host,
            password=folder.password,
            issuer=issuer or ISSUER,
            jwks_url=jwks_url,
            jwks=kept.get("keys/jwks.json", ""),
            cluster_issuer=kept["cluster/issuer"].strip(),
            cluster_jwks=kept["cluster/jwks.json"],
            tls_issuer=tls_issuer,
            monitoring=monitoring,
        )
    )
    if not diff:
        changed = folder.write(texts)
        say("\n".join(f"Wrote {out / path}" for path in changed) if changed else "Nothing has changed.")
    elif changes := list(folder.changes(texts)):
        say("".join(changes).rstrip())
        raise typer.Exit(Exit.REFUSED)


@app.command()
def check(folder: Path = _FOLDER) -> None:
    """Say what the cluster of kubectl lacks before releases can be installed. Exits with 1 when it does.

    Namespaces, secrets and ConfigMaps with their keys, kinds that the values need, the cluster's keys; and
    whether PostgreSQL lets each role into its database, and NATS each user in: by kubectl port-forward, if
    they are Services of the cluster.
    """
    from rapport_tools.deploy.folder import Folder
    from rapport_tools.deploy.missing import Prepared, missing

    Folder(folder).services()
    found = False
    for sentence in missing(Prepared(folder)):
        say(line(sentence))
        found = True
    if found:
        raise typer.Exit(Exit.REFUSED)
    say("Nothing is missing.")
