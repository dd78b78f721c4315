"""A customer view as a page for the terminal."""

from collections.abc import Iterable, Sequence

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chassis.api.messages import decimal, enum_name
from chassis.cli.output import age
from rapport.customer.v1 import timeline_pb2, view_pb2

# What a state asks of the reader: look, relax, or nothing.
_STYLES = {
    "AT_RISK": "bold yellow",
    "BROKEN": "bold red",
    "FAILED": "bold red",
    "KEPT_LATE": "yellow",
    "SUPPRESSED": "yellow",
    "KEPT": "green",
    "SENT": "green",
    "DELIVERED": "green",
    "RESOLVED": "green",
}


def page(view: view_pb2.CustomerView) -> RenderableType:
    """The whole view: who, what it is worth, what we promised, what is open, what was said."""
    return Group(
        _heading(view),
        *_part("Promises", ("state", "what", "due", "expected", ""), map(_promise, view.promises)),
        *_part("Cases", ("state", "topic", "owner", "opened", ""), map(_case, view.cases)),
        *_part("Notices", ("state", "kind", "channel", "reason", ""), map(_notice, view.notices)),
        *_part("Goodwill", ("points", "reason", "granted", ""), map(_goodwill, view.loyalty.goodwill)),
        *_part("Timeline", ("when", "what", "about", "by", ""), map(_entry, view.latest_timeline)),
    )


def _heading(view: view_pb2.CustomerView) -> Text:
    value = view.value
    money = f"{decimal(value.lifetime_value):,.2f} {value.lifetime_value.currency_code}".strip()
    return Text.assemble(
        (view.display_name or view.customer, "bold"),
        f"  {value.band}  {view.customer}\n",
        f"In the care of {view.relationship_manager or 'nobody'}; ",
        f"{money} in {value.purchase_count} purchases; ",
        f"{view.loyalty.points_balance} points; {view.language_code or '-'}, {view.time_zone or '-'}\n",
        (f"As of {_moment(view.update_time)}", "dim"),
        *(_late(source) for source in view.freshness),
    )


def _late(source: view_pb2.SourceFreshness) -> tuple[str, str]:
    """A source that is not fresh, and how late it is."""
    state = enum_name(view_pb2.SourceFreshness.State.DESCRIPTOR, source.state)
    if state == "FRESH":
        return "", ""
    waiting = f", {source.pending_events} events to come" if source.pending_events else ""
    return f"\n{source.service} is {state.lower()}: {age(source.age_seconds)}{waiting}", "bold yellow"


def _part(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[RenderableType]:
    """A part under its title; nothing when it is empty."""
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, header_style="dim", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, _STYLES.get(cell, "")) for cell in row))
    return [table] if table.row_count else []


def _promise(part: view_pb2.PromisePart) -> Sequence[str]:
    expected = _moment(part.forecast_time) if part.HasField("forecast_time") else ""
    return part.state, f"{part.kind} {part.reference}".strip(), _moment(part.due_time), expected, part.promise


def _case(part: view_pb2.CasePart) -> Sequence[str]:
    return part.state, part.topic, part.owner, _moment(part.open_time), part.case


def _notice(part: view_pb2.NoticePart) -> Sequence[str]:
    return part.state, part.kind, _channel(part.channel), part.reason_code, part.notice


def _goodwill(part: view_pb2.GoodwillPart) -> Sequence[str]:
    return str(part.points), part.reason_code, _moment(part.grant_time), part.goodwill


def _entry(entry: timeline_pb2.TimelineEntry) -> Sequence[str]:
    about = " ".join(filter(None, (_channel(entry.channel), entry.topic, entry.summary)))
    return _moment(entry.occur_time), entry.kind, about, entry.actor, entry.resource


def _channel(number: int) -> str:
    return enum_name(timeline_pb2.Channel.DESCRIPTOR, number).lower() if number else ""


def _moment(at: Timestamp) -> str:
    """A moment to the minute, in UTC."""
    return at.ToDatetime().strftime("%Y-%m-%d %H:%M") if at.seconds else "-"
