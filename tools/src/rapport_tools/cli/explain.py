"""`rapport explain`: why something is as it is."""

from typing import TYPE_CHECKING, Any

import typer

from chassis.events.explain import what
from rapport_imports.wording import line
from rapport_tools.cli.failures import Exit, Failure
from rapport_tools.cli.output import AsJson, say

if TYPE_CHECKING:
    from rapport_tools.cli.session import Session

app = typer.Typer()

# Which method explains the resources of a collection; of others, which says whose timeline tells of them.
EXPLAINED_BY = {
    "customers/.../timelineEntries": "TimelineService.Explain",
    "promises": "PromiseService.Explain",
    "notices": "NoticeService.Explain",
}
TOLD_ON_TIMELINE = {"cases": "CaseService.GetCase", "goodwill": "GoodwillService.GetGoodwill"}


@app.command()
def explain(
    resource: str = typer.Argument(
        help="promises/..., notices/..., cases/..., goodwill/... or customers/.../timelineEntries/..."
    ),
    who: str = typer.Option("agent:demo", "--as", metavar="ROLE:NAME", help="Who asks."),
    as_json: bool = AsJson,
) -> None:
    """Say why what `rapport view` names is as it is, back to the human action or the clock."""
    from rapport_tools.cli import contracts
    from rapport_tools.cli.output import write_json
    from rapport_tools.cli.session import Session

    session = Session.open(who)
    collection = resource.split("/", 1)[0]
    if collection in TOLD_ON_TIMELINE:
        resource, collection = _entry(session, resource, TOLD_ON_TIMELINE[collection]), "customers"
    if collection == "customers" and resource.split("/")[2:3] == ["timelineEntries"]:
        collection = "customers/.../timelineEntries"
    if collection not in EXPLAINED_BY:
        known = ", ".join(f"{each}/..." for each in (*EXPLAINED_BY, *TOLD_ON_TIMELINE))
        raise Failure(f"{resource!r} cannot be explained. What can is {known}.", Exit.WRONG_USE)
    explanation = _call(session, EXPLAINED_BY[collection], name=resource)
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
        when = cause.occur_time.ToDatetime().isoformat(sep=" ", timespec="seconds")
        where = f" {cause.resource}" if cause.resource else ""
        trace = f"   trace {cause.trace_id}" if cause.trace_id else ""
        say(line(f"  {when}  {cause.service:<14} {what(cause)}{where} by {cause.actor}{trace}"))


def _entry(session: "Session", resource: str, method: str) -> str:
    """The newest entry on the timeline of whomever a resource is about that tells of it."""
    customer = _call(session, method, name="/".join(resource.split("/")[:2])).customer
    page, token = None, ""
    while page is None or token:
        page = _call(
            session, "TimelineService.ListTimelineEntries", parent=customer, page_token=token, page_size=1000
        )
        for entry in page.timeline_entries:
            if entry.resource == resource:
                return str(entry.name)
        token = page.next_page_token
    raise Failure(f"The timeline of {customer} does not tell of {resource} yet.")


def _call(session: "Session", name: str, /, **fields: Any) -> Any:
    """Call SERVICE.METHOD."""
    from rapport_tools.cli import contracts

    method = contracts.method(name)
    call = session.channel(contracts.owner(method.containing_service)).unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        contracts.message_class(method.input_type).SerializeToString,
        contracts.message_class(method.output_type).FromString,
    )
    return call(contracts.message_class(method.input_type)(**fields))
