"""Samples for values that nobody has given yet, to look at words before there is anything to tell."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from notifications.domain.template import CONFIRM_LINK, LINKS, OTHER, Template, Text
from notifications.usecases.prose import said_by
from notifications.usecases.words import needed_by, stand_in

_DAY = timedelta(days=1)


def samples(template: Template, text: Text, given: Iterable[str], now: datetime) -> dict[str, str]:
    """A sample by name for each value that the text needs, or its type asks for, and that is not `given`.

    What a filter says is something that it can say; of a template's own variable all else is its name.
    """
    wanted = (needed_by(text) | {*template.must_say}) - {*given, *text.says(template)}
    filters = said_by(text.subject, text.body, text.mjml)
    known = {
        "reason": next(iter(text.reasons), OTHER),
        "reference": "orders/10248",
        "old_date": (now + 2 * _DAY).date().isoformat(),
        "new_date": (now + 5 * _DAY).date().isoformat(),
    } | {name: stand_in(name) for name in (CONFIRM_LINK, *LINKS)}
    return {name: known.get(name) or _sample(name, filters, now) for name in sorted(wanted)}


def _sample(name: str, filters: Mapping[str, frozenset[str]], now: datetime) -> str:
    by_filter = {
        "money": "12.50 EUR",
        "number": "3",
        "plural": "3",
        "moment": (now + 2 * _DAY).isoformat(),
        "day": (now + 2 * _DAY).date().isoformat(),
        "first_day": (now + 2 * _DAY).date().isoformat(),
    }
    said = filters.get(name, frozenset())
    return next((sample for each, sample in by_filter.items() if each in said), f"[{name}]")
