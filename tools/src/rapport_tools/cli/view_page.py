"""A customer view as a page for the terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chassis.api.messages import value_name
from chassis.explain.explainer import explained_by
from rapport.customer.v1 import customer_pb2, timeline_pb2, view_pb2
from rapport_imports.wording import counted, line
from rapport_tools.cli.output import age
from rapport_tools.cli.view_sections import day, moment, money, sections

WIDE = 140
# What a state asks of the reader: look, relax, or nothing.
_STYLES = {
    "AT_RISK": "bold yellow",
    "BROKEN": "bold red",
    "FAILED": "bold red",
    "KEPT_LATE": "yellow",
    "SUPPRESSED": "yellow",
    "KEPT": "green",
    "SENT": "green",
    "RESOLVED": "green",
}


_LISTS = {"notices": "Notices", "loyalty.goodwill": "Goodwill", "latest_timeline_entries": "Timeline"}


def page(
    view: view_pb2.CustomerView, width: int, whom: customer_pb2.Customer | None = None
) -> RenderableType:
    """The whole view: who, what it is worth, what we promised, what is open, what was said.

    A page of fewer than 140 columns has each name in an unbroken line of its own, to be copied whole.
    Of the timeline these are names of its entries, where the resource cannot be explained itself. How `whom`
    is reached is told of a customer who is given.
    """
    more = {field: f"{what} (there are more)" for field, what in _LISTS.items() if field in view.excerpts}
    rows: Mapping[str, tuple[Sequence[str], Iterable[Sequence[str]]]] = {
        _title("Promises", view.promises, view.open_promise_count): (
            ("state", "what", "due", "expected", "name"),
            map(_promise, view.promises),
        ),
        _title("Cases", view.cases, view.open_case_count): (
            ("state", "topic", "owner", "opened", "name"),
            map(_case, view.cases),
        ),
        more.get("notices", "Notices"): (
            ("state", "kind", "channel", "reason", "name"),
            map(_notice, view.notices),
        ),
        more.get("loyalty.goodwill", "Goodwill"): (
            ("state", "amount", "reason", "granted", "name"),
            map(_goodwill, view.loyalty.goodwill),
        ),
    }
    timeline = {
        more.get("latest_timeline_entries", "Timeline"): (
            ("when", "what", "by", "about", "name"),
            map(_entry, view.latest_timeline_entries),
        )
    }
    advice = {"Next": (("why", "of", "since", "until", "name"), map(_advice, view.advice))}
    top = _heading(view, whom), *_parts(advice, width)
    unfit = [Text("There are more sections, which do not fit.")] if "sections" in view.excerpts else []
    return Group(*top, *_parts(rows, width), *sections(view), *unfit, *_parts(timeline, width))


def _parts(
    rows: Mapping[str, tuple[Sequence[str], Iterable[Sequence[str]]]], width: int
) -> Iterator[RenderableType]:
    part = _table if width >= WIDE else _list
    for title, (columns, unsafe) in rows.items():
        if cells := [[line(cell) for cell in row] for row in unsafe]:
            yield part(title, columns, cells)


def _title(what: str, shown: Sequence[view_pb2.PromisePart | view_pb2.CasePart], open_count: int) -> str:
    """With how many are open, when the view has only the most important of them."""
    listed = sum(value_name(part, "state") in ("OPEN", "AT_RISK") for part in shown)
    return what if listed >= open_count else f"{what} ({open_count} are open, {listed} shown)"


def _place(whom: customer_pb2.Customer) -> str:
    """The customer's primary address, or the first, in one line."""
    ordered = sorted(whom.addresses, key=lambda address: not address.primary)
    if not ordered:
        return ""
    address = ordered[0].postal_address
    town = f"{address.postal_code} {address.locality}".strip()
    return ", ".join(filter(None, [*address.address_lines, town, address.region_code]))


def _heading(view: view_pb2.CustomerView, whom: customer_pb2.Customer | None) -> Text:
    value = view.value
    paid = " and ".join(map(money, value.lifetime_values))
    reached = [handle.value for handle in whom.identifiers] if whom else []
    if whom:
        organization = whom.organization.legal_name or whom.person.organization_name
        known = [organization if organization != view.display_name else "", _place(whom), *reached]
        reached = list(filter(None, known))
    return Text.assemble(
        (line(view.display_name) or "A customer without a name", "bold"),
        f"  {value_name(value, 'band')}  {line(view.customer)}\n",
        f"{line(' · '.join(reached))}\n" if reached else "",
        f"In the care of {line(view.relationship_manager) or 'nobody'}; ",
        f"{paid} in {counted(value.purchase_count, 'purchase')}; "
        if value.purchase_count
        else "no purchases; ",
        *(f"{part.balance} {_unit(part)}; " for part in view.loyalty.balances),
        f"{line(view.language_code) or '-'}, {line(view.time_zone) or '-'}\n",
        (f"As of {moment(view.update_time)}", "dim"),
        *(_late(source) for source in view.freshness),
        *(_unapplied(fact) for fact in view.unapplied_facts),
    )


def _late(source: view_pb2.SourceFreshness) -> tuple[str, str]:
    """A source that is not fresh, and how late it is."""
    state = value_name(source, "state")
    if state == "FRESH":
        return "", ""
    waiting = (
        f", {counted(source.pending_event_count, 'event')} to come" if source.pending_event_count else ""
    )
    service = source.service.rpartition("/")[2]
    return (
        f"\n{service} is {state.lower()}: {age(source.age.ToTimedelta().total_seconds())}{waiting}",
        "bold yellow",
    )


def _unapplied(fact: view_pb2.UnappliedFact) -> tuple[str, str]:
    """A fact that the view does not show, and what becomes of it."""
    state = value_name(fact, "state").lower()
    what = fact.event_type.rpartition(".")[2]
    service = fact.service.rpartition("/")[2]
    return f"\n{what} of {fact.resource} ({service}) is not in the view: {state}", "bold yellow"


def _list(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> RenderableType:
    """Each row as a line, with labels from the third column on, and its name in the next."""
    lines = [Text(f"\n{title}", "bold")]
    for *cells, name in rows:
        labels = ["", "", *("" if column == "about" else f"{column} " for column in columns[2:-1])]
        told = [f"{label}{cell}" for label, cell in zip(labels, cells, strict=True) if cell]
        style = next((_STYLES[cell] for cell in cells if cell in _STYLES), "")
        lines.append(Text("  ".join(told), style))
        lines.append(Text(f"  {name}", "dim", no_wrap=True, overflow="ignore"))
    return Group(*lines)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> RenderableType:
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, header_style="dim", overflow="fold", no_wrap=column in ("state", "when"))
    for row in rows:
        table.add_row(*(Text(cell, _STYLES.get(cell, "")) for cell in row))
    return table


def _advice(part: view_pb2.AdvicePart) -> Sequence[str]:
    """Why, and of what; with the name of what shows it, which can be explained, or else of its answer."""
    return (
        _words(value_name(part, "rule")),
        " ".join([part.variables[name] for name in sorted(part.variables)]),
        moment(part.since_time),
        moment(part.expire_time) if part.HasField("expire_time") else "",
        part.evidence or part.advice_answer,
    )


def _words(code: str) -> str:
    return code.replace("_", " ").lower()


def _promise(part: view_pb2.PromisePart) -> Sequence[str]:
    expected = moment(part.forecast_time) if part.HasField("forecast_time") else ""
    due = moment(part.due_time)
    if part.HasField("due_date"):
        due = day(part.due_date)
    return value_name(part, "state"), f"{part.kind} {part.reference}".strip(), due, expected, part.promise


def _case(part: view_pb2.CasePart) -> Sequence[str]:
    return value_name(part, "state"), part.topic, part.owner, moment(part.open_time), part.case


def _notice(part: view_pb2.NoticePart) -> Sequence[str]:
    return (
        value_name(part, "state"),
        part.kind,
        value_name(part, "channel").lower(),
        part.reason_code,
        part.notice,
    )


def _goodwill(part: view_pb2.GoodwillPart) -> Sequence[str]:
    return (
        value_name(part, "state"),
        f"{part.points} {_unit(part)}",
        part.reason_code,
        moment(part.create_time),
        part.goodwill,
    )


def _unit(part: view_pb2.BalancePart | view_pb2.GoodwillPart) -> str:
    return line(part.unit.rpartition("/")[2])


def _entry(entry: timeline_pb2.TimelineEntry) -> Sequence[str]:
    paid = money(entry.amount) if entry.HasField("amount") else ""
    about = " ".join(filter(None, (value_name(entry, "channel").lower(), paid, entry.topic, entry.summary)))
    explained = explained_by(entry.resource) is not None
    return (
        moment(entry.occur_time),
        entry.event_type.rpartition(".")[2],
        entry.actor,
        about,
        entry.resource if explained else entry.name,
    )
