"""What the page says of promises: what needs somebody first, with the date that was and the one that is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.actions.action import Action
from desk.pages.actions.kinds.goodwill import GOODWILL
from desk.pages.actions.kinds.promises import AGREE, KEEP, TAKEBACK
from desk.pages.actions.offering import Act
from desk.ui import words
from desk.ui.speech import Speech
from rapport.notifications.v1.notice_service_pb2 import ListNoticesResponse

URGENT_SHOWN, COMING_SHOWN = 9, 3
_UNFINISHED = ("OPEN", "AT_RISK", "BROKEN")
_HARMED = ("AT_RISK", "BROKEN", "RENEGOTIATED", "KEPT_LATE")
_MOODS = {"BROKEN": "bad", "AT_RISK": "warn", "KEPT_LATE": "bad", "KEPT": "good"}
_ENDED = {
    "KEPT": N_("kept"),
    "KEPT_LATE": N_("kept late"),
    "RENEGOTIATED": N_("another date"),
    "WITHDRAWN": N_("taken back"),
}

Offer = Callable[..., Sequence[Act]]


@dataclass(frozen=True)
class Promise:
    """A promise: what, by when, what became of the date, and what can be done."""

    name: str
    title: str
    state: str  # in words, with whether the customer was told of a slip
    mood: str  # `bad`, `warn`, `good` or nothing
    now: str  # the date that counts
    was: str = ""  # the date before, when it moved
    why: str = ""  # it moved
    left: str = ""  # until it is due, while it is not done
    told: str = ""  # how the customer heard of a slip, and when
    acts: Sequence[Act] = ()


def told_of(
    listed: Iterable[Any],
    notices: ListNoticesResponse | None,
    granted: set[str] | None,
    answering: Mapping[str, str],
    offer: Offer,
    say: Speech,
) -> tuple[list[Promise], list[Promise]]:
    """Those that need somebody, and the others: what is due soonest first, then what has ended, latest first.

    Of the former the broken ones come first, the latest of them first, then what is due soonest. They are
    listed as their service tells them, or as the view does, which knows less; `notices` are None when it is
    not known whether there are any; goodwill was `granted` for promises, None when not all of it is
    known; and the department that is `answering` for a case agrees on what others promised.
    """
    of = {name_of(each): each for each in sorted(listed, key=lambda each: each.due_time.ToNanoseconds())}
    shown = [
        _promise(each, of, notices, granted, answering.get(each.case, ""), offer, say)
        for each in of.values()
        if not each.successor
    ]
    broken = [each for each in reversed(shown) if each.left and each.mood == "bad"]
    slipped = [each for each in shown if each.left and each.mood and each.mood != "bad"]
    coming = [each for each in shown if each.left and not each.mood]
    ended = [each for each in reversed(shown) if not each.left]
    return broken + slipped, coming + ended


def name_of(promise: Any) -> str:
    """Of the promise itself, or of what the view has of it."""
    return str(promise.promise if "promise" in promise.DESCRIPTOR.fields_by_name else promise.name)


def _promise(
    each: Any,
    of: Mapping[str, Any],
    notices: ListNoticesResponse | None,
    granted: set[str] | None,
    answers: str,
    offer: Offer,
    say: Speech,
) -> Promise:
    name, state = name_of(each), value_name(each, "state")
    before = next((old for old in of.values() if old.successor == name), None)
    slipped = each if before is None else before
    is_open = state in _UNFINISHED and not _has(each, "withdraw_time")
    was, now = dates_of(each, before, is_open, say)
    told, how_told = _told([slipped, each], notices, say)
    reason = getattr(each, "reason_code", "") or getattr(slipped, "reason_code", "")
    mood = _MOODS.get(state, "warn" if is_open and before is not None else "")
    unmended = granted is not None and not granted & {name, name_of(slipped)}
    harmed = value_name(slipped, "state") in _HARMED and unmended
    owners = [getattr(each, "department", ""), answers]
    acts = _acts(name, name_of(slipped) if harmed else "", owners, offer)
    return Promise(
        name=name,
        title=say.about(each),
        state=_state(state, is_open, before is not None, how_told, say),
        mood=mood,
        now=now,
        was=was,
        why=say.code(reason) if was else "",
        left=say.away(moment(each.due_time)) if is_open else "",
        told=told,
        acts=acts if is_open else (),
    )


def dates_of(each: Any, before: Any, is_open: bool, say: Speech) -> tuple[str, str]:
    """The date that was, when another one counts, and the one that does; `before` is what it replaced."""
    due = say.due(each)
    if is_open and _has(each, "forecast_time"):
        expected = say.until(moment(each.forecast_time), say.zone_of(each.time_zone))
        return due, say("probably {day}", day=expected)
    return ("" if before is None else say.due(before)), due


def _told(slipped: Sequence[Any], notices: ListNoticesResponse | None, say: Speech) -> tuple[str, str]:
    """How the customer was told of a slip, as a sentence, and as what its state says of that."""
    unknown = "", say("nobody can say now whether they were told")
    if notices is None:
        return unknown
    of, listed = {name_of(each): each for each in slipped}, notices.notices
    about = [(of[each.promise], each, value_name(each, "state")) for each in listed if each.promise in of]
    for promise, notice, state in about:
        if state in ("SENT", "DELIVERED") and notice.HasField("send_time"):
            sent = moment(notice.send_time)
            how = say.code(words.spoken(value_name(notice, "channel")))
            in_time = sent < moment(promise.due_time)
            text = say("Told by {how} {when}.", how=how, when=say.moment(sent))
            return text, say("told before due") if in_time else say("told")
    if any(state in ("REQUESTED", "SENDING") for *_, state in about):
        return "", say("a message is on its way")
    return unknown if notices.next_page_token else ("", say("nobody told them yet"))


def _state(state: str, is_open: bool, moved: bool, how_told: str, say: Speech) -> str:
    if not is_open:
        return say("not kept, taken back") if state == "BROKEN" else say(_ENDED.get(state, N_("unknown")))
    other = say("Another date") if moved else ""
    slip = {"AT_RISK": say("At risk"), "BROKEN": say("Not kept")}.get(state, other)
    return f"{slip}, {how_told}" if slip else say("Promised")


def _acts(name: str, harmed: str, owners: Sequence[str], offer: Offer) -> list[Act]:
    """What can be done: what is agreed with the customer, also by who answers for the case."""
    keeper, answering = owners
    goodwill = offer(GOODWILL, on=harmed) if harmed else ()

    def agreed(action: Action) -> Sequence[Act]:
        theirs = offer(action, on=name, owner=keeper)
        return theirs or (offer(action, on=name, owner=answering) if answering else ())

    return [*agreed(AGREE), *goodwill, *offer(KEEP, on=name, owner=keeper), *agreed(TAKEBACK)]


def _has(message: Any, field: str) -> bool:
    return field in message.DESCRIPTOR.fields_by_name and message.HasField(field)


def first_of(urgent: Sequence[Promise]) -> Sequence[Promise]:
    """As many as are shown: of many that were broken not all, so that what is still to come has its place."""
    broken = [each for each in urgent if each.mood == "bad"]
    coming = urgent[len(broken) :]
    kept = broken[: max(URGENT_SHOWN - len(coming), URGENT_SHOWN - COMING_SHOWN)]
    return [*kept, *coming[: URGENT_SHOWN - len(kept)]]
