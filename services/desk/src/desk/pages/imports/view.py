"""What the pages say of an import: how a file was read, what would become of its rows, how far it is."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.imports import findings
from desk.pages.imports.form import taken
from desk.pages.services import Services, ask
from desk.store.transfers import UNDER_WAY, State, Transfer
from desk.ui.picture import Part, stacked
from desk.ui.speech import Speech
from rapport.customer.v1.import_job_pb2 import ImportJob
from rapport.customer.v1.import_profile_pb2 import ImportProfile
from rapport_imports import profiles
from rapport_imports.wanted import Kind

NEEDED_S = 2.0
# What may be imported, and what it needs.
KINDS = {
    "customers": (N_("Customers"), ("customer.import_jobs.write", "customer.import_jobs.read")),
    "purchases": (N_("Purchases"), ("loyalty.purchases.write", "customer.customers.resolve")),
    "orders": (N_("Orders"), ("cases.promises.write", "customer.customers.resolve")),
    "consents": (N_("Consents"), ("customer.consents.write", "customer.customers.resolve")),
}
STATES = {
    State.CHECKING: (N_("is looked at"), "stale"),
    State.CHECKED: (N_("waits for your yes"), "soft"),
    State.RUNNING: (N_("runs"), "stale"),
    State.DONE: (N_("done"), "ok"),
    State.STOPPED: (N_("stopped"), "no"),
}
DOING = {
    "read": N_("{done} of {all} rows read"),
    "checked": N_("{done} of {all} rows looked at"),
    "imported": N_("{done} of {all} rows imported"),
    "waits": N_("A service does not answer: it is asked again."),
}
COUNTS = (
    ("created", N_("new")),
    ("known", N_("known already")),
    ("changed", N_("of these changed")),
    ("corrected", N_("corrected")),
    ("renamed", N_("renamed")),
    ("further", N_("further rows of orders")),
    ("skipped", N_("skipped")),
    ("refused", N_("refused")),
)
ALWAYS = ("created", "known", "refused")
# What a command calls what a form has a field for.
OPTIONS = {
    "map": N_("What each column is"),
    "set": N_("The same in all rows"),
    "ignore": N_("not read"),
    "header-row": N_("Line that names the columns"),
    "sheet": N_("Sheet"),
    "encoding": N_("Encoding"),
    "date-format": N_("How dates are written"),
    "country": N_("Country"),
    "currency": N_("Currency"),
    "decimal": N_("Decimals"),
    "time-zone": N_("Time zone"),
    "department": N_("Department"),
    "system": N_("Whose ids"),
    "day-one": N_("The day that is number 1"),
    "only": N_("Whom"),
    "confirm": N_("They are right as they are"),
}
_OPTION = re.compile(r"--([a-z-]+)(?: ([a-z_]+|FIELD)=(?:COLUMN|VALUE)| N\b)?")
REVERTS = {
    ImportJob.STATE_REVERTING: N_("It is taken back."),
    ImportJob.STATE_REVERTED: N_("It was taken back."),
}
COLUMNS_SHOWN = 120  # a form has 200 fields at most
REMARKS_SHOWN, LINES_SHOWN, CHANGES_SHOWN = 20, 12, 50


@dataclass(frozen=True)
class Shown:
    """An import, as lists and its page have it."""

    transfer: Transfer
    kind: str
    since: str
    state: str
    mood: str
    far: str
    parts: Sequence[Part]
    trouble: str
    counts: Sequence[tuple[str, str]]
    is_under_way: bool
    may_run: bool
    may_go_on: bool

    @property
    def wanted(self) -> Mapping[str, Any]:
        """What was said of how it is read; what was not is empty."""
        return defaultdict(str, self.transfer.wanted)


@dataclass(frozen=True)
class Column:
    """A column, and what it may be."""

    number: int
    name: str
    taken: str
    options: Sequence[tuple[str, str]]
    samples: Sequence[str]


@dataclass(frozen=True)
class Remark:
    """What is said of some rows."""

    told: str
    lines: str


def may(viewer: Viewer, kind: str) -> bool:
    return all(viewer.may(each) for each in KINDS[kind][1])


def kinds(viewer: Viewer, say: Speech) -> list[tuple[str, str]]:
    """What they may import."""
    return [(kind, say(words)) for kind, (words, _) in KINDS.items() if may(viewer, kind)]


def shown(each: Transfer, say: Speech) -> Shown:
    state, mood = STATES[each.state]
    under_way = each.state in UNDER_WAY
    far = _far(each, say) if under_way else ""
    done = each.total and min(each.done, each.total)
    return Shown(
        each,
        say(KINDS[each.kind][0]),
        say("{who}, {when}", who=each.subject.partition(":")[2], when=say.moment(each.create_time)),
        say(state),
        mood,
        far,
        stacked({"kept": done}, max(each.total, 1)),
        plainly(each.trouble, say),
        counts(each.counts, say),
        under_way,
        each.state is State.CHECKED and not each.forgotten,
        each.state is State.STOPPED and not each.forgotten,
    )


def _far(each: Transfer, say: Speech) -> str:
    told = {"done": each.done, "all": each.total}
    if each.doing in DOING:
        return say(DOING[each.doing], **told)
    if not each.total:
        return say("The file is read.")
    doing = "checked" if each.state is State.CHECKING else "imported"
    return say(DOING[doing], **told)


def counts(found: Mapping[str, Any], say: Speech) -> list[tuple[str, str]]:
    """What became of rows: those that are always said, and the others there are."""
    return [
        (say(what), say.number(found[name]))
        for name, what in COUNTS
        if found and (found.get(name) or (name in ALWAYS))
    ]


def plainly(told: str, say: Speech) -> str:
    """What is told to whoever types a command, for who has a form; in their language where it has words."""

    def option(match: re.Match[str]) -> str:
        words, field = OPTIONS.get(match[1]), match[2]
        if words is None:
            return match[0]
        label = say("“{label}”", label=say(words))
        return f"{label} ({field_words(field, say)})" if field and field != "FIELD" else label

    return _OPTION.sub(option, findings.said(told, say)) if told else ""


def columns(found: Sequence[Mapping[str, Any]], fields: Sequence[str], say: Speech) -> list[Column]:
    """The columns that a form can hold: those that are read first, then those that hold something."""
    rank = {number: (not taken(each), not each["samples"], number) for number, each in enumerate(found)}
    chosen = sorted(sorted(rank, key=lambda number: rank[number])[:COLUMNS_SHOWN])
    plain = [("", say("not read"))] + [(name, field_words(name, say)) for name in fields]
    return [
        Column(
            number,
            found[number]["name"],
            taken(found[number]),
            [*_also(found[number], say), *plain],
            found[number]["samples"],
        )
        for number in chosen
    ]


def _also(column: Mapping[str, Any], say: Speech) -> list[tuple[str, str]]:
    field = column["spare_of"]
    return (
        [(f"also:{field}", say("{field}, where another has none", field=field_words(field, say)))]
        if field
        else []
    )


def field_words(name: str, say: Speech) -> str:
    """A field in words: `given_name` is `Given name`."""
    return say.titled(name)


def remarks(found: Sequence[Mapping[str, Any]], say: Speech) -> list[Remark]:
    """What is said of rows, of most of them first."""
    most = sorted(found, key=lambda each: -int(each["count"]))[:REMARKS_SHOWN]
    return [
        Remark(
            f"{each['column']}: {plainly(each['description'], say)}"
            if each["column"]
            else plainly(each["description"], say),
            _lines(each, say),
        )
        for each in most
    ]


def _lines(each: Mapping[str, Any], say: Speech) -> str:
    lines = sorted(set(each["lines"]))
    told = ", ".join(map(str, lines[:LINES_SHOWN])) + (", …" if len(lines) > LINES_SHOWN else "")
    return say.count(each["count"], "{n} row: line {lines}", "{n} rows: lines {lines}", lines=told)


async def fitting(
    viewer: Viewer, services: Services, transfer: Transfer, seen: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """The profiles by which the file can be read, those first that read most of its columns."""
    if not seen or not viewer.may("customer.import_profiles.read"):
        return []
    asked = await ask(NEEDED_S, profiles=profiles.listed(services.import_profiles))
    there: list[ImportProfile] = asked.of("profiles", list)
    kind, header = profiles.KINDS[Kind(transfer.kind)], [column["name"] for column in seen["columns"]]
    found = [each for each in there if each.kind == kind and profiles.fits(each, header)]
    best = sorted(found, key=lambda each: -len(each.reading.columns))
    return [(profiles.id_of(each), profiles.id_of(each)) for each in best]
