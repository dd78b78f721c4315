"""A timeline in sentences: what happened, who did it, what it is about; bursts folded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chassis.api.messages import moment, value_name
from chassis.explain.explainer import explained_by
from desk.language.catalogues import N_
from desk.pages.actions.offering import Act
from desk.pages.customer.loading import Names
from desk.pages.customer.things import called
from desk.ui import words
from desk.ui.facts import FACTS
from desk.ui.speech import Speech

BURST = timedelta(minutes=10)
FOLDED_FROM = 4
LINES_SHOWN, CONTACTS_SHOWN = 6, 2  # beside the customer; all the others are on their timeline
_CONTACT = "InteractionRecorded"
_TELLING = (  # of what one act led to, what is asked first
    "NoticeFailed",
    "NoticeUnknown",
    "PromiseBroken",
    "NoticeSent",
    "PromiseRenegotiated",
    "PromiseKept",
    "PromiseAtRisk",
    "GoodwillGranted",
    "ContactStopped",
    "ContactStopWithdrawn",
    "NoticeSuppressed",  # which is the last word of a message that was to be sent
)
_OURS = ("cases", "customer", "loyalty", "notifications")  # what they do by themselves, time or a rule does
SUMMARY_SHOWN = 160

_INBOUND = {
    "VOICE": N_("Called us"),
    "IVR": N_("Called the phone menu"),
    "EMAIL": N_("Wrote by e-mail"),
    "CHAT": N_("Chatted with us"),
    "SMS": N_("Texted us"),
    "WEB": N_("On the web site"),
    "APP": N_("In the app"),
    "SOCIAL": N_("Wrote on a social network"),
    "FAX": N_("Sent a fax"),
    "LETTER": N_("Wrote a letter"),
    "FIELD_VISIT": N_("We visited"),
    "IN_PERSON": N_("Came to us"),
}
_OUTBOUND = {
    "VOICE": N_("We called"),
    "EMAIL": N_("We wrote by e-mail"),
    "CHAT": N_("We chatted"),
    "SMS": N_("We texted"),
    "FAX": N_("We sent a fax"),
    "LETTER": N_("We wrote a letter"),
    "FIELD_VISIT": N_("We visited"),
    "IN_PERSON": N_("We met"),
}

_DOCUMENT = N_("document")
_KINDS = {
    "application/pdf": N_("PDF"),
    "audio": N_("recording"),
    "image": N_("picture"),
    "message/rfc822": N_("e-mail"),
    "text/plain": N_("text"),
    "video": N_("film"),
}
_NOTES = {
    "NOT_SCANNED": N_("not scanned"),
    "SCANNING": N_("is being scanned: open it in a moment"),
    "INFECTED": N_("refused: something harmful was in it"),
    "DELETED": N_("deleted"),
}


@dataclass(frozen=True)
class File:
    """What came or went with a contact."""

    text: str  # what it is called, what it is and how large
    href: str  # where it is had; empty where it is not
    note: str  # why not, or what to know of it


@dataclass(frozen=True)
class Entry:
    """One line of a timeline."""

    name: str
    when: str  # short; `exactly` in full
    exactly: str
    text: str  # what happened, of what, by when
    who: str  # did it, or for whom
    words: str  # what was said, as somebody wrote it, in whatever language
    contact: bool  # whether somebody spoke with the customer
    mood: str
    why: str  # what explains it
    read: str = ""  # where a message can be read
    behind: Sequence["Entry"] = ()  # those like it that are folded behind this one
    steps: int = 1  # that this line stands for
    whose: str = ""  # that it is of somebody else after all
    acts: Sequence[Act] = ()
    files: Sequence[File] = ()
    files_beside: int = 0  # those that the timeline has and this does not

    @property
    def folded(self) -> int:
        return len(self.behind)


def entries(
    listed: Iterable[Any], names: Names, say: Speech, things: Mapping[str, str] = {}
) -> Sequence[Entry]:
    """The lines of a timeline, newest first. Four and more alike within ten minutes are one line."""
    bursts: list[list[Any]] = []
    for each in listed:
        if bursts and _alike(bursts[-1][-1], each):
            bursts[-1].append(each)
        else:
            bursts.append([each])
    return [
        line for burst in bursts for line in _folded([_entry(each, names, say, things) for each in burst])
    ]


def story(
    listed: Sequence[Any], names: Names, say: Speech, things: Mapping[str, str] = {}
) -> Sequence[Entry]:
    """As `entries`, for who has a moment: what one act led to is one line, which tells most of it."""
    groups = {min(group, key=_rank).name: group for group in _caused(listed)}
    lines = entries([each for each in listed if each.name in groups], names, say, things)
    return [_led(line, groups[line.name], names, say) for line in lines]


def foremost(lines: Sequence[Entry]) -> Sequence[Entry]:
    """The latest few, and among them the latest contacts, however much we did ourselves since."""
    contacts = [each for each in lines if each.contact][:CONTACTS_SHOWN]
    others = [each for each in lines if each not in contacts][: LINES_SHOWN - len(contacts)]
    return [each for each in lines if each in contacts or each in others]


def _caused(listed: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """The facts by what led to them, each group in the order in which they came."""
    groups: list[list[Any]] = []
    latest: dict[str, list[Any]] = {}  # by trace
    for each in reversed(listed):
        if not (each.trace_id in latest and _follows(latest[each.trace_id][-1], each)):
            groups.append([])
            latest[each.trace_id] = groups[-1]
        latest[each.trace_id].append(each)
    return groups


def _follows(before: Any, each: Any) -> bool:
    """Whether it came by itself, or at once with what was before it in its trace. No contact does."""
    is_contact = any(_fact(one) == _CONTACT for one in (before, each))
    by_itself = each.actor.removeprefix("services/") in _OURS
    at_once = (each.actor, each.occur_time) == (before.actor, before.occur_time)
    return bool(each.trace_id) and not is_contact and (by_itself or at_once)


def _rank(each: Any) -> int:
    fact = _fact(each)
    return _TELLING.index(fact) if fact in _TELLING else len(_TELLING)


def _led(line: Entry, group: Sequence[Any], names: Names, say: Speech) -> Entry:
    """With who began it, and in how many steps it went."""
    actor = group[0].actor
    who = who_did(actor, "", names, say) if actor.startswith("agents/") else line.who
    return replace(line, who=who, steps=len(group))


def _fact(each: Any) -> str:
    return words.last(each.event_type.replace(".", "/"))


def _alike(newer: Any, older: Any) -> bool:
    same = all(getattr(newer, each) == getattr(older, each) for each in ("event_type", "actor", "channel"))
    return same and moment(newer.occur_time) - moment(older.occur_time) < BURST


def _folded(lines: Sequence[Entry]) -> Sequence[Entry]:
    return [replace(lines[0], behind=lines[1:])] if len(lines) >= FOLDED_FROM else lines


def who_did(actor: str, department: str, names: Names, say: Speech, fact: str = "") -> str:
    """`Dora Klein, delivery`, where she works; of a service for what: a department, a policy, time."""
    service = actor.removeprefix("services/")
    if actor.startswith("agents/"):
        return ", ".join(filter(None, (names(actor), say.code(words.last(names.department(actor))))))
    if actor.startswith("customers/"):  # by their own link
        return say("the customer")
    if fact.startswith("Goodwill"):
        return say("by policy")
    if department:
        return say.named(department)
    if service in _OURS:
        return say("automatically")
    # What comes through the desk the customer sent.
    return "" if service in ("", "desk") else say.titled(service)


def _entry(each: Any, names: Names, say: Speech, things: Mapping[str, str]) -> Entry:
    at, fact = moment(each.occur_time), _fact(each)
    who, told = who_did(each.actor, each.department, names, say, fact), shortened(each.summary)
    if told and not each.actor.startswith("agents/"):
        told = say("“{words}”", words=told)  # what the customer sent, and no colleague wrote
    return Entry(
        name=each.name,
        when=say.short(at),
        exactly=say.exactly(at),
        text=_text(each, fact, say, things),
        who=who,
        words=told,
        contact=fact == _CONTACT,
        mood={"PromiseBroken": "bad", "PromiseAtRisk": "warn", "NoticeFailed": "bad"}.get(fact, ""),
        why=each.resource if each.resource and explained_by(each.resource) else each.name,
        read=f"/{each.resource}/message" if fact == "NoticeSent" else "",
        files=[_file(one, say) for one in each.attached_files],
        files_beside=len(each.attachments) - len(each.attached_files),
    )


def _file(each: Any, say: Speech) -> File:
    state = value_name(each, "state")
    kind = _KINDS.get(each.media_type) or _KINDS.get(each.media_type.partition("/")[0], _DOCUMENT)
    size = say("{n} kB", n=say.number(max(1, round(each.size_bytes / 1000))))
    text = ", ".join(filter(None, (each.display_name, say(kind), size)))
    is_had = state in ("NOT_SCANNED", "CLEAN")
    return File(text, f"/{each.attachment}" if is_had else "", say(_NOTES[state]) if state in _NOTES else "")


def shortened(text: str, most: int = SUMMARY_SHOWN) -> str:
    """A text, or how it begins."""
    return text if len(text) <= most else f"{text[:most].rstrip()}…"


def _text(each: Any, fact: str, say: Speech, things: Mapping[str, str]) -> str:
    channel = value_name(each, "channel")
    if fact == _CONTACT:
        spoken = _INBOUND if value_name(each, "direction") != "OUTBOUND" else _OUTBOUND
        told = say(spoken.get(channel, _INBOUND.get(channel, FACTS[fact])))
    elif fact == "NoticeSent":
        how = say.titled(words.spoken(channel)) if channel else say("Message")
        told = say("{how} sent", how=how)
    else:
        told = say.fact(fact)
    paid = say.money(each.amount) if each.HasField("amount") else ""
    thing = called(things, each.resource, fact)
    topic = say.code(each.topic) if not thing or fact.startswith("Goodwill") else ""
    ended = say.code(each.outcome_code)
    lasted = say.lasting(each.duration.ToTimedelta()) if each.HasField("duration") else ""
    about = ", ".join(filter(None, (paid, thing, topic, say.code(each.reason_code), ended, lasted)))
    return f"{told}: {about}" if about else told
