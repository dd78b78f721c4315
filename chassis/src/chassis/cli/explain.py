"""`rapport explain`: why something is as it is."""

import typer

from chassis.cli.failures import Exit, Failure
from chassis.cli.output import AsJson, line, say

app = typer.Typer()

# Which method explains the resources of a collection.
EXPLAINED_BY = {
    "customers": "TimelineService.Explain",
    "promises": "PromiseService.Explain",
    "notices": "NoticeService.Explain",
}


@app.command()
def explain(
    resource: str = typer.Argument(help="promises/..., notices/... or customers/.../timeline/..."),
    who: str = typer.Option("agent:demo", "--as", metavar="ROLE:NAME", help="Who asks."),
    as_json: bool = AsJson,
) -> None:
    """Say why a promise, a notice or a timeline entry is as it is, back to the human action or the clock."""
    from chassis.cli import contracts
    from chassis.cli.output import write_json
    from chassis.cli.session import Session
    from rapport.common.v1 import explanation_pb2

    collection = resource.split("/", 1)[0]
    if collection not in EXPLAINED_BY:
        known = ", ".join(EXPLAINED_BY)
        raise Failure(f"{resource!r} cannot be explained. What can begins with {known}.", Exit.WRONG_USE)
    method = contracts.method(EXPLAINED_BY[collection])
    channel = Session.open(who).channel(contracts.owner(method.containing_service))
    call = channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        explanation_pb2.ExplainRequest.SerializeToString,
        explanation_pb2.Explanation.FromString,
    )
    explanation = call(explanation_pb2.ExplainRequest(name=resource))
    if as_json:
        import json

        write_json(json.loads(contracts.to_json(explanation)))
        return
    say(line(explanation.summary) or "No summary.")
    if explanation.rule:
        say(line(f"Rule: {explanation.rule} {explanation.rule_version}".rstrip()))
    for name in sorted(explanation.inputs):
        say(line(f"  {name}: {explanation.inputs[name]}"))
    say("Because:")
    for cause in explanation.causes:
        when = cause.time.ToDatetime().isoformat(sep=" ", timespec="seconds")
        where = f" {cause.resource}" if cause.resource else ""
        trace = f"   trace {cause.trace_id}" if cause.trace_id else ""
        say(line(f"  {when}  {cause.service:<14} {cause.what}{where} by {cause.actor}{trace}"))
