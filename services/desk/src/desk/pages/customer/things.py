"""What the things that a page names are called: a promise by what it is of and when, a case by its title."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chassis.api.messages import value_name
from desk.pages.customer.masking import masked
from desk.pages.services import Parts
from desk.ui.speech import Speech

_AFTER = "/successor"


def things(parts: Parts, say: Speech) -> Mapping[str, str]:
    """What each resource that the parts of a page tell of is called, by its name."""
    promised, cases, titles = parts.of("promises"), parts.of("cases"), parts.of("titles")
    listed = {each.name: each for each in (promised.promises if promised else ())}
    known = {name: promise_of(each, say) for name, each in listed.items()}
    known |= {
        f"{name}{_AFTER}": known[each.successor] for name, each in listed.items() if each.successor in known
    }
    opened = [case for case, _ in cases.cases] if cases else []
    known |= {case.name: title_of(case, say) for case in (*(titles.cases if titles else ()), *opened)}
    for _, items in cases.cases if cases else ():
        known |= {item.name: say.about(item.kind, item.reference) for item in items}
    notices = parts.of("notices")
    known |= {each.name: _notice(each, listed, say) for each in (notices.notices if notices else ())}
    return known | _of_customer(parts, say)


def called(known: Mapping[str, str], resource: str, fact: str) -> str:
    """What a fact is about: of a promise that moved the one that is promised now; of a note its case."""
    after = known.get(f"{resource}{_AFTER}") if fact == "PromiseRenegotiated" else ""
    return after or known.get(resource) or known.get(resource.rpartition("/notes/")[0], "")


def title_of(case: Any, say: Speech) -> str:
    """What a case is called, wherever it is named."""
    return case.display_name or say.titled(case.topic)


def promise_of(each: Any, say: Speech) -> str:
    """`Delivery of order 5021, Tue 1 Dec 14:30`."""
    return f"{say.about(each.kind, each.reference)}, {say.due(each)}"


def _notice(each: Any, promises: Mapping[str, Any], say: Speech) -> str:
    """What a message is about, and the date that it tells."""
    promise, told = promises.get(each.promise), each.variables.get("new_date", "")
    about = say.about(promise.kind, promise.reference) if promise else say.code(each.kind)
    return f"{about}, {_date(told, say)}" if told else about


def _date(told: str, say: Speech) -> str:
    try:
        if len(told) == len("2026-03-02"):
            return say.day(date.fromisoformat(told))
        return say.moment(datetime.fromisoformat(told))
    except ValueError:
        return told


def _of_customer(parts: Parts, say: Speech) -> dict[str, str]:
    customer, view, bought = parts.of("customer"), parts.of("view"), parts.of("purchases")
    known: dict[str, str] = {}
    for each in customer.identifiers if customer else ():
        kind = value_name(each, "type")
        known[each.name] = f"{say.titled(kind.lower())} {masked(kind, each.value)}"
    for each in view.loyalty.goodwill if view else ():
        known[each.goodwill] = say.count(each.points, "{n} point", "{n} points")
    for each in bought.purchases if bought else ():
        known[each.name] = say.thing(each.reference) if "/" in each.reference else ""
    return known
