"""What the pages say of an export: of what, how far it is, and what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.imports.view import STATES, plainly
from desk.store.transfers import UNDER_WAY, State, Transfer
from desk.ui.speech import Speech
from rapport_imports.exports.kinds import KINDS as LISTED

# What may be exported, in words.
KINDS = {
    "customers": N_("Customers"),
    "purchases": N_("Purchases"),
    "promises": N_("Promises"),
    "consents": N_("Consents"),
    "timeline": N_("What happened"),
    "cases": N_("Cases"),
    "work-items": N_("Work of departments"),
    "notices": N_("Messages"),
    "goodwill": N_("Goodwill"),
    "values": N_("What customers are worth"),
    "attributes": N_("What departments keep of customers"),
}
FORMATS = {"xlsx": N_("Workbook (XLSX)"), "csv": N_("CSV"), "jsonl": N_("JSON Lines")}


@dataclass(frozen=True)
class Shown:
    """An export, as lists and its page have it."""

    transfer: Transfer
    kind: str
    which: Sequence[str]
    since: str
    state: str
    mood: str
    far: str
    trouble: str
    withheld: str
    is_under_way: bool
    is_there: bool


def needed(kind: str) -> list[str]:
    """The permissions of the lists that it is made of."""
    listed = LISTED[kind]
    return [listed.permission, *([LISTED["customers"].permission] if listed.parent else [])]


def kinds(viewer: Viewer, say: Speech) -> list[tuple[str, str]]:
    """What they may export."""
    return [(kind, say(called)) for kind, called in KINDS.items() if all(map(viewer.may, needed(kind)))]


def shown(each: Transfer, say: Speech) -> Shown:
    state, mood = STATES[each.state]
    rows = each.counts.get("rows", each.done)
    withheld = ", ".join(each.counts.get("withheld", ()))
    waits = each.doing == "waits" and each.state is State.RUNNING
    return Shown(
        each,
        say(KINDS[each.kind]),
        [text for text in (each.wanted.get("filter"), each.wanted.get("customers")) if text],
        say.moment(each.create_time),
        say(state),
        mood,
        say("A service does not answer: it is asked again.")
        if waits
        else say.count(rows, "{n} row", "{n} rows"),
        plainly(each.trouble, say),
        say("left out, for you may not read customers: {columns}", columns=withheld) if withheld else "",
        each.state in UNDER_WAY,
        each.state is State.DONE and not each.forgotten,
    )
