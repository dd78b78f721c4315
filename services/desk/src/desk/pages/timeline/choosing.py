"""What of a timeline is looked at: read from a URL, written as one, and as the filter of a list."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import NoReturn
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from chassis.api.messages import timestamp
from chassis.errors import invalid
from desk.ui.words import CHANNELS

KINDS: Mapping[str, Sequence[str]] = {
    "contacts": ["customer.v1.InteractionRecorded"],
    "promises": [
        f"cases.v1.Promise{each}"
        for each in ("Made", "AtRisk", "Recovered", "Renegotiated", "Kept", "Broken", "Withdrawn")
    ],
    "purchases": ["loyalty.v1.PurchaseRecorded", "loyalty.v1.PurchaseCorrected"],
    "cases": [
        *(f"cases.v1.Case{each}" for each in ("Opened", "Assigned", "Updated", "Resolved", "Reopened")),
        "cases.v1.NoteCreated",
        *(f"cases.v1.WorkItem{each}" for each in ("Created", "Forecast", "Started", "Finished")),
    ],
    "messages": [
        f"notifications.v1.Notice{each}" for each in ("Requested", "Suppressed", "Sent", "Unknown", "Failed")
    ],
    "goodwill": ["loyalty.v1.GoodwillGranted", "loyalty.v1.GoodwillReversed"],
}
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CASE = re.compile(r"cases/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAYS = date(1970, 1, 1), date(9000, 1, 1)


@dataclass(frozen=True)
class Chosen:
    """What is looked at; what is empty lets everything pass.

    Attributes:
        kind: one of `KINDS`.
        channel: one of `CHANNELS`.
        department: its code.
        case: `cases/{uuid}`.
        since, until: the first day and the last, as ISO 8601 has them.
    """

    kind: str = ""
    channel: str = ""
    department: str = ""
    case: str = ""
    since: str = ""
    until: str = ""

    @property
    def told(self) -> Mapping[str, str]:
        """What is chosen, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    def url(self, customer: str, **more: str) -> str:
        """Of a page that shows this, with more parameters."""
        return f"/{customer}/timeline?{urlencode({**self.told, **more})}".rstrip("?")

    def toggled(self, name: str, value: str) -> "Chosen":
        """With a value chosen; without, when it was."""
        return replace(self, **{name: "" if getattr(self, name) == value else value})

    def filter(self, zone: ZoneInfo) -> str:
        """For `ListTimelineEntries`. Days are those of a zone, the last one to its end."""
        types = " OR ".join(f'event_type = "rapport.{each}"' for each in KINDS.get(self.kind, ()))
        terms = [
            types and f"({types})",
            self.channel and f"channel = {CHANNELS[self.channel]}",
            self.department and f'department = "departments/{self.department}"',
            self.case and f'resource = "{self.case}"',
            self.since and f'occur_time >= "{_begin(self.since, zone)}"',
            self.until and f'occur_time < "{_begin(self.until, zone, timedelta(days=1))}"',
        ]
        return " AND ".join(filter(None, terms))


def chosen(params: Mapping[str, str]) -> Chosen:
    """What a URL asks for. InvalidArgument for what cannot be."""
    asked = Chosen(**{name: params.get(name, "").strip() for name in asdict(Chosen())})
    if asked.kind and asked.kind not in KINDS:
        _refuse("kind", f"must be one of {', '.join(KINDS)}")
    if asked.channel and asked.channel not in CHANNELS:
        _refuse("channel", f"must be one of {', '.join(CHANNELS)}")
    if asked.department and not _CODE.fullmatch(asked.department):
        _refuse("department", "must be a code such as delivery")
    if asked.case and not _CASE.fullmatch(asked.case):
        _refuse("case", "must be a case, cases/ and its id")
    for name, value in (("since", asked.since), ("until", asked.until)):
        if value and not _is_day(value):
            _refuse(name, "must be a day such as 2026-03-01, from 1970 on")
    return asked


def _refuse(name: str, allowed: str) -> NoReturn:
    raise invalid(name, "INVALID_FILTER", allowed)


def _is_day(value: str) -> bool:
    try:
        return _DAYS[0] <= date.fromisoformat(value) < _DAYS[1]
    except ValueError:
        return False


def _begin(day: str, zone: ZoneInfo, later: timedelta = timedelta()) -> str:
    """When a day begins in a zone."""
    begins = datetime.combine(date.fromisoformat(day) + later, time(), zone)
    return timestamp(begins).ToJsonString()
