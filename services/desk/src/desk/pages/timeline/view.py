"""What the page says of a timeline: a pure function of what the services answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chassis.api.messages import moment, value_name
from desk.pages.customer.entries import Entry, entries
from desk.pages.customer.things import things
from desk.pages.services import Parts
from desk.pages.timeline.choosing import KINDS, Chosen
from desk.ui import words
from desk.ui.speech import Speech
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesResponse

PAGE = 50


@dataclass(frozen=True)
class Chip:
    """A choice: where it leads, what it says, and whether it is made."""

    href: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Further:
    """What is not shown yet.

    Attributes:
        href: brings it, as a part of the page.
        here: the page that shows as much.
        shown: how many entries there are before it.
    """

    href: str
    here: str
    shown: int


@dataclass(frozen=True)
class Timeline:
    """The page.

    Attributes:
        name: of the customer.
        trouble: why nothing is shown.
        nothing: what is said when nothing is there.
        further: what comes after the entries, if anything.
    """

    name: str
    title: str
    chosen: Chosen
    chips: Mapping[str, Sequence[Chip]]
    entries: Sequence[Entry]
    trouble: str
    nothing: str
    further: Further | None


def timeline(
    name: str, chosen: Chosen, parts: Parts, before: int, names: Callable[[str], str], say: Speech
) -> Timeline:
    """What is to be said of a customer's timeline, of which `before` entries are shown already."""
    answered, is_answered = parts.of("timeline", ListTimelineEntriesResponse), parts.has("timeline")
    listed, token = answered.timeline_entries, answered.next_page_token
    nothing = say("Nothing like this happened.") if chosen.told else say("Nothing happened yet.")
    shown, further = before + len(listed), None
    if token:
        after = chosen.url(name, after=token, shown=str(shown))
        further = Further(after, chosen.url(name, shown=str(shown + PAGE)), shown)
    return Timeline(
        name=name,
        title=parts.of("customer", Customer).display_name if parts.has("customer") else say("A customer"),
        chosen=chosen,
        chips=_chips(name, chosen, listed, bool(token), say),
        entries=entries(listed, names, say, things(parts, say)),
        trouble="" if is_answered else say("Customer does not answer; look again in a moment."),
        nothing="" if listed or not is_answered else nothing,
        further=further,
    )


def _chips(
    name: str, chosen: Chosen, listed: Sequence[Any], more: bool, say: Speech
) -> Mapping[str, Sequence[Chip]]:
    """The choices; of departments and cases those that are named, and the chosen one.

    Where all there is is shown, what would give nothing is no choice.
    """
    departments = {words.last(each.department) for each in listed} | {chosen.department}
    kinds, channels = list(KINDS), list(words.CHANNELS)
    if not chosen.told and not more:
        types = {each.event_type.removeprefix("rapport.") for each in listed}
        spoken = {words.spoken(value_name(each, "channel")) for each in listed}
        kinds = [each for each in kinds if types & {*KINDS[each]}]
        channels = [each for each in channels if each in spoken]
    offered = {"kind": kinds, "channel": channels, "department": sorted(departments - {""})}
    chips = {
        field: [
            Chip(replace(chosen, **{field: ""}).url(name), say("Everything"), not getattr(chosen, field)),
            *(_chip(name, chosen, field, each, say.titled(each)) for each in values),
        ]
        for field, values in offered.items()
        if values
    }
    cases = {chosen.case: say("One case")} if chosen.case else {}
    for each in listed:  # the oldest comes last, and says when it began
        if each.resource.startswith("cases/"):
            cases[each.resource] = f"{say.titled(each.topic or 'case')}, {say.short(moment(each.occur_time))}"
    chips["case"] = [_chip(name, chosen, "case", case, label) for case, label in cases.items()]
    return chips


def _chip(name: str, chosen: Chosen, field: str, value: str, label: str) -> Chip:
    return Chip(chosen.toggled(field, value).url(name), label, getattr(chosen, field) == value)
