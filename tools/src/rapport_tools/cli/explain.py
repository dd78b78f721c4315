"""`rapport explain`: why something is as it is."""

import json
from typing import Any

import typer

from chassis.api.actors import what
from rapport_imports.wording import line
from rapport_tools.cli import cluster, contracts
from rapport_tools.cli.contracts import to_json
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import AsJson, say, write_json
from rapport_tools.cli.session import Session

app = typer.Typer()


@app.command()
def explain(
    resource: str = typer.Argument(help="The name of what is to be explained, such as promises/..."),
    who: str = typer.Option("agent:demo", "--as", metavar="ROLE:NAME", help="Who asks."),
    as_json: bool = AsJson,
) -> None:
    """Say why what `rapport view` names is as it is, back to the human action or the clock."""
    explanation = explanation_of(Session.open(who), resource)
    if as_json:
        write_json(json.loads(to_json(explanation)))
        return
    say(line(explanation.summary) or "No summary.")
    if explanation.rule:
        say(line(f"Rule: {explanation.rule} {explanation.rule_version}".rstrip()))
    for name in sorted(explanation.inputs):
        say(line(f"  {name}: {explanation.inputs[name]}"))
    say("Because:")
    for cause in explanation.causes:
        when = cause.occur_time.ToDatetime().isoformat(sep=" ", timespec="seconds")
        where = f" {cause.resource}" if cause.resource else ""
        trace = f"   trace {cluster.trace(cause.trace_id)}" if cause.trace_id else ""
        service = cause.service.rpartition("/")[2]
        say(line(f"  {when}  {service:<14} {what(cause)}{where} by {cause.actor}{trace}"))


def explanation_of(session: Session, resource: str) -> Any:
    """The Explanation of what has a name. Failure when nothing can explain it."""
    from chassis.explain.explainer import explained_by, explanations

    method = explained_by(resource)
    if method is None:
        known = [pattern.pattern for pattern, _ in explanations()]
        alike = [each for each in known if each.partition("/")[0] == resource.partition("/")[0]]
        wanted = f"must be a whole name, ids included, like {', '.join(alike or known)}"
        raise Failure(f"{resource!r} cannot be explained: it {wanted}.", Exit.WRONG_USE)
    call = session.channel(contracts.owner(method.containing_service)).unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        contracts.message_class(method.input_type).SerializeToString,
        contracts.message_class(method.output_type).FromString,
    )
    return call(contracts.message_class(method.input_type)(name=resource))
