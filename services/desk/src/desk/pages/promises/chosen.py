"""What of the ledger is looked at: each choice is a URL."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from chassis.api.messages import timestamp
from chassis.errors import InvalidArgument, invalid
from desk.language.catalogues import N_
from desk.pages.customer.route import UUID
from desk.pages.departments.periods import begin
from desk.pages.work.route import CODE

_YEARS = range(1970, 9000)
SPAN_MAX = timedelta(days=3653)  # of what a scorecard counts
BEHIND = timedelta(days=5 * 365)  # by which the first day is before today where nobody says one
# What became of a promise, with the words of the choice and the states that it is.
OUTCOMES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "waits": (N_("Waits"), ("OPEN", "AT_RISK")),
    "kept": (N_("Kept"), ("KEPT",)),
    "late": (N_("Kept late"), ("KEPT_LATE",)),
    "broken": (N_("Not kept"), ("BROKEN",)),
    "moved": (N_("Another date"), ("RENEGOTIATED",)),
    "withdrawn": (N_("Taken back"), ("WITHDRAWN",)),
}


@dataclass(frozen=True)
class Chosen:
    """Promises of a department, to a customer, or all, that were due between two days of UTC."""

    since: date
    until: date  # the last day
    department: str = ""  # its code
    customer: str = ""  # the id of one
    outcome: str = ""  # one of `OUTCOMES`, or any

    @property
    def told(self) -> Mapping[str, str]:
        """What is chosen, by name, as a URL has it."""
        return {name: str(value) for name, value in asdict(self).items() if value}

    @property
    def after(self) -> date:
        """The day after the last."""
        return self.until + timedelta(days=1)

    def url(self, **more: str) -> str:
        return f"/promises?{urlencode({**self.told, **more})}"

    def other(self, **chosen: str) -> str:
        """The URL of another choice."""
        return replace(self, **chosen).url()  # type: ignore[arg-type]

    @property
    def filter(self) -> str:
        """For `ListPromises`."""
        states = " OR ".join(f"state = {state}" for state in OUTCOMES.get(self.outcome, ("", ()))[1])
        terms = [
            f'due_time >= "{timestamp(begin(self.since)).ToJsonString()}"',
            f'due_time < "{timestamp(begin(self.after)).ToJsonString()}"',
            self.department and f'department = "departments/{self.department}"',
            self.customer and f'customer = "customers/{self.customer}"',
            states and f"({states})",
        ]
        return " AND ".join(filter(None, terms))


def chosen(params: Mapping[str, str], today: date) -> Chosen:
    """What a URL asks for. InvalidArgument for what cannot be."""
    asked = {name: params.get(name, "").strip() for name in ("department", "customer", "outcome")}
    if asked["department"] and not CODE.fullmatch(asked["department"]):
        raise _refused("department", "must be a code such as delivery")
    if asked["customer"] and not UUID.fullmatch(asked["customer"]):
        raise _refused("customer", "must be the id of a customer")
    if asked["outcome"] and asked["outcome"] not in OUTCOMES:
        raise _refused("outcome", f"must be one of {', '.join(OUTCOMES)}")
    since = _day(params, "since", today - BEHIND)
    until = _day(params, "until", since + SPAN_MAX - timedelta(days=1))
    if not since <= until < since + SPAN_MAX:
        raise _refused("until", "must be the same day or later, by ten years at most")
    return Chosen(since, until, **asked)


def _day(params: Mapping[str, str], name: str, otherwise: date) -> date:
    text = params.get(name, "").strip()
    try:
        day = date.fromisoformat(text) if text else otherwise
    except ValueError:
        day = date.min
    if day.year not in _YEARS:
        raise _refused(name, "must be a day such as 2026-03-01, from 1970 on")
    return day


def _refused(name: str, allowed: str) -> InvalidArgument:
    return invalid(name, "INVALID_FILTER", allowed)
