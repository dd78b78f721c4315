"""A timeline in sentences: what happened, who did it, what it is about; bursts folded."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chassis.api.messages import moment, value_name
from chassis.explain.explainer import explained_by
from desk.ui import words
from desk.ui.speech import Speech

BURST = timedelta(minutes=10)
FOLDED_FROM = 4
SUMMARY_SHOWN = 160

_INBOUND = {
    "VOICE": "Called us",
    "IVR": "Called the phone menu",
    "EMAIL": "Wrote by e-mail",
    "CHAT": "Chatted with us",
    "SMS": "Texted us",
    "WEB": "On the web site",
    "APP": "In the app",
    "SOCIAL": "Wrote on a social network",
    "FAX": "Sent a fax",
    "LETTER": "Wrote a letter",
    "FIELD_VISIT": "We visited",
    "IN_PERSON": "Came to us",
}
_OUTBOUND = {
    "VOICE": "We called",
    "EMAIL": "We wrote by e-mail",
    "CHAT": "We chatted",
    "SMS": "We texted",
    "FAX": "We sent a fax",
    "LETTER": "We wrote a letter",
    "FIELD_VISIT": "We visited",
    "IN_PERSON": "We met",
}
# Facts whose own words say less than a person would.
_SAID = {
    "CaseOpened": "Case opened",
    "NoteCreated": "Note on the case",
    "WorkItemCreated": "A department was asked",
    "WorkItemForecast": "Another date expected",
    "WorkItemStarted": "Work begun",
    "WorkItemFinished": "Work finished",
    "PromiseAtRisk": "Promise at risk",
    "PromiseRecovered": "Promise in time again",
    "PromiseRenegotiated": "Another date agreed",
    "PromiseKept": "Promise kept",
    "PromiseBroken": "Promise not kept",
    "PromiseWithdrawn": "Promise taken back",
    "PurchaseRecorded": "Purchase",
    "GoodwillGranted": "Goodwill given",
    "GoodwillReversed": "Goodwill taken back",
    "NoticeRequested": "A message is to be sent",
    "NoticeSuppressed": "Message not sent",
    "NoticeFailed": "Message failed",
    "NoticeUnknown": "Message sent, perhaps",
    "RelationshipManagerAssigned": "Another relationship manager",
    "CustomerCreated": "Became known to us",
    "CustomerUpdated": "Details changed",
    "IdentifierCreated": "A way to reach them added",
    "IdentifierDeleted": "A way to reach them removed",
    "ConsentUpdated": "Said what we may contact them for",
}


@dataclass(frozen=True)
class Entry:
    """One line of a timeline.

    Attributes:
        name: of the entry.
        when: short; `exactly` in full.
        text: what happened.
        detail: who, for whom, what was said.
        contact: whether somebody spoke with the customer.
        why: what explains it.
        behind: those like it that are folded behind this one.

    """

    name: str
    when: str
    exactly: str
    text: str
    detail: str
    contact: bool
    mood: str
    why: str
    behind: Sequence["Entry"] = ()

    @property
    def folded(self) -> int:
        """How many are behind this one."""
        return len(self.behind)


def entries(listed: Iterable[Any], names: Callable[[str], str], say: Speech) -> Sequence[Entry]:
    """The lines of a timeline, newest first. Four and more alike within ten minutes are one line."""
    lines: list[Entry] = []
    burst: list[Any] = []
    for each in listed:
        if burst and not _alike(burst[-1], each):
            lines += _lines(burst, names, say)
            burst = []
        burst.append(each)
    return lines + _lines(burst, names, say)


def _alike(newer: Any, older: Any) -> bool:
    same = (
        newer.event_type == older.event_type and newer.actor == older.actor and newer.channel == older.channel
    )
    return same and moment(newer.occur_time) - moment(older.occur_time) < BURST


def _lines(burst: Sequence[Any], names: Callable[[str], str], say: Speech) -> list[Entry]:
    if len(burst) < FOLDED_FROM:
        return [_entry(each, names, say) for each in burst]
    first, *others = (_entry(each, names, say) for each in burst)
    return [replace(first, behind=others)]


def _entry(each: Any, names: Callable[[str], str], say: Speech) -> Entry:
    at, fact = moment(each.occur_time), words.last(each.event_type.replace(".", "/"))
    who = names(each.actor) if each.actor.startswith("agents/") else words.last(each.department or each.actor)
    return Entry(
        name=each.name,
        when=say.short(at),
        exactly=say.exactly(at),
        text=_text(each, fact, say),
        detail=", ".join(filter(None, (who, _short(each.summary)))),
        contact=fact == "InteractionRecorded",
        mood={"PromiseBroken": "bad", "PromiseAtRisk": "warn", "NoticeFailed": "bad"}.get(fact, ""),
        why=each.resource if each.resource and explained_by(each.resource) else each.name,
    )


def _short(text: str) -> str:
    return text if len(text) <= SUMMARY_SHOWN else f"{text[:SUMMARY_SHOWN].rstrip()}…"


def _text(each: Any, fact: str, say: Speech) -> str:
    channel = value_name(each, "channel")
    if fact == "InteractionRecorded":
        spoken = _INBOUND if value_name(each, "direction") != "OUTBOUND" else _OUTBOUND
        told = say(spoken.get(channel, _INBOUND.get(channel, "Contact")))
    elif fact == "NoticeSent":
        how = words.titled(channel.lower().replace("_", "-")) if channel else say("Message")
        told = say("{how} sent", how=how)
    else:
        told = say(_SAID.get(fact, words.split(fact)))
    paid = say.money(each.amount) if each.HasField("amount") else ""
    about = words.said(each.topic)
    return f"{told}, {paid}" if paid else f"{told}: {about}" if about else told
