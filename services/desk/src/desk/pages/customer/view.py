"""What the customer page says: a pure function of what the services answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from chassis.api import messages
from chassis.api.messages import date_of, moment, value_name
from desk.auth.viewer import Viewer
from desk.pages.calls import Parts
from desk.pages.customer.entries import Entry, entries
from desk.pages.customer.loading import Names
from desk.pages.customer.promises import Promise, told_of
from desk.ui import words
from desk.ui.actions import Act, offered
from desk.ui.speech import Speech

OTHERS_SHOWN = 6
BARS = 8
Bar = tuple[str, int]


@dataclass(frozen=True)
class Card:
    """What every card has.

    Attributes:
        trouble: why what it shows may be old or is not there, in words; empty when all is well.

    """

    trouble: str = ""


@dataclass(frozen=True)
class Handle:
    """A way to reach the customer, its value masked."""

    name: str
    kind: str
    masked: str


@dataclass(frozen=True)
class Who(Card):
    """Who this is, and how they may be reached."""

    title: str = ""
    since: str = ""
    language: str = ""
    there: str = ""
    manager: str = ""
    handles: Sequence[Handle] = ()
    address: str = ""
    may: Sequence[tuple[str, bool]] = ()
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Worth(Card):
    """What the customer is worth to us."""

    name: str = ""
    totals: Sequence[str] = ()
    band: str = ""
    purchases: str = ""
    bars: Sequence[Bar] = ()
    spoken: str = ""


@dataclass(frozen=True)
class Points(Card):
    """What they can spend, and what was given to put things right."""

    balances: Sequence[tuple[str, str, str]] = ()
    goodwill: Sequence[tuple[str, str, str]] = ()
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Promises(Card):
    """Those that need somebody, and the others."""

    urgent: Sequence[Promise] = ()
    others: Sequence[Promise] = ()
    more: int = 0
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Step:
    """A department's part of a case."""

    name: str
    department: str
    what: str
    state: str
    words: str
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Case:
    """A concern, and where it waits."""

    name: str
    title: str
    owner: str
    lasting: str
    waits: str
    steps: Sequence[Step]
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Cases(Card):
    """Open cases."""

    cases: Sequence[Case] = ()
    more: int = 0
    acts: Sequence[Act] = ()


@dataclass(frozen=True)
class Section(Card):
    """A department's own part of the view."""

    name: str = ""
    title: str = ""
    cells: Sequence[tuple[str, str, bool]] = ()


@dataclass(frozen=True)
class Timeline(Card):
    """What happened, newest first."""

    entries: Sequence[Entry] = ()
    more: bool = False


@dataclass(frozen=True)
class Page:
    """The whole page."""

    name: str
    title: str
    who: Who
    worth: Worth
    points: Points
    promises: Promises
    cases: Cases
    sections: Sequence[Section]
    timeline: Timeline
    unapplied: Sequence[str] = field(default=())


def page(customer: str, parts: Parts, viewer: Viewer, names: Names, say: Speech) -> Page:
    """The page of a customer, of whatever the services answered."""
    make = _Maker(customer, parts, viewer, names, say)
    promises, cases = make.promises(), make.cases()  # first: keys are for what is worst
    who = make.who()
    return Page(
        name=make.customer,
        title=who.title,
        who=who,
        worth=make.worth(),
        points=make.points(),
        promises=promises,
        cases=cases,
        sections=make.sections(),
        timeline=make.timeline(),
        unapplied=make.unapplied(),
    )


class _Maker:
    def __init__(self, customer: str, parts: Parts, viewer: Viewer, names: Names, say: Speech) -> None:
        self.parts, self.viewer, self.names, self.say = parts, viewer, names, say
        self.view: Any = parts.of("view")
        self.known: Any = parts.of("customer")
        named = self.view.customer if self.view else self.known.name if self.known else customer
        self.customer = named
        self._letters: set[str] = set()

    def _offered(self, *actions: str, on: str = "", owner: str = "") -> Sequence[Act]:
        return offered(self.viewer, self.customer, *actions, on=on, owner=owner)

    def _keyed(self, acts: Sequence[Act]) -> Sequence[Act]:
        """The buttons in the order in which people meet them: a key is for the first of several alike."""
        keyed = [replace(act, letter="") if act.letter in self._letters else act for act in acts]
        self._letters.update(act.letter for act in keyed)
        return keyed

    def who(self) -> Who:
        say, known, view = self.say, self.known, self.view
        shown = known or view
        if shown is None:
            return Who(trouble=self._trouble("customer", "customer", "view"), title=say("This customer"))
        language, zone = shown.language_code, shown.time_zone
        manager = shown.relationship_manager
        return Who(
            trouble=self._trouble("customer", "customer"),
            title=shown.display_name or say("A customer without a name"),
            since=self._since(),
            language=say.language(language) if language else "",
            there=say.clock(say.now, ZoneInfo(zone)) if zone else "",
            manager=self.names(manager) if manager else "",
            handles=[_handle(each) for each in known.identifiers] if known else (),
            address=_address(known) if known else "",
            may=self._may(),
            acts=self._keyed(self._offered("notice", "correct", "manager", "consent")) if known else (),
        )

    def _since(self) -> str:
        """The year since when there is a relationship: of the first purchase, or of becoming known here."""
        moments = []
        if self.known and self.known.HasField("create_time"):
            moments.append(moment(self.known.create_time))
        if self.view and self.view.value.HasField("first_purchase_time"):
            moments.append(moment(self.view.value.first_purchase_time))
        return str(min(moments).year) if moments else ""

    def _may(self) -> list[tuple[str, bool]]:
        """What they said about each channel, of service: `write` yes, `text` no."""
        consents = self.parts.of("consents")
        verbs = {"EMAIL": self.say("e-mail"), "VOICE": self.say("call"), "SMS": self.say("text")}
        said = (
            {value_name(each, "channel"): value_name(each, "state") for each in consents.consents}
            if consents
            else {}
        )
        return [(verb, said[channel] == "GRANTED") for channel, verb in verbs.items() if channel in said]

    def worth(self) -> Worth:
        say = self.say
        answered = self.parts.of("values")
        value: Any = self.view.value if self.view else None
        if value is None and answered and answered.customer_values:
            value = answered.customer_values[0]
        bought = self.parts.of("purchases")
        purchases = list(bought.purchases) if bought else []
        bars = _quarters(purchases, say)
        last = (
            say.day(moment(value.last_purchase_time).date())
            if value is not None and value.purchase_count and value.HasField("last_purchase_time")
            else ""
        )
        count = (
            say.count(value.purchase_count, say("purchase"), say("purchases")) if value is not None else ""
        )
        return Worth(
            trouble=self._trouble("loyalty", "values"),
            name=answered.customer_values[0].name if answered and answered.customer_values else "",
            totals=[say.money(each) for each in value.lifetime_values] if value is not None else (),
            band=words.titled(value_name(value, "band").lower()) if value is not None else "",
            purchases=say("{count}, the last {day}", count=count, day=last)
            if last
            else say("No purchases yet"),
            bars=bars,
            spoken=", ".join(f"{label}: {amount}" for label, amount in bars),
        )

    def points(self) -> Points:
        if not self.view:
            return Points(trouble=self._trouble("loyalty", "view"))
        loyalty, say = self.view.loyalty, self.say
        return Points(
            trouble=self._trouble("loyalty"),
            balances=[
                (each.account, words.titled(words.last(each.unit)), say.number(each.balance))
                for each in loyalty.balances
            ],
            goodwill=[
                (
                    each.goodwill,
                    say(
                        "{number}, {day}",
                        number=say.number(each.points),
                        day=say.day(moment(each.create_time).astimezone(say.zone).date()),
                    ),
                    words.said(each.reason_code),
                )
                for each in loyalty.goodwill
                if value_name(each, "state") == "GRANTED"
            ][:3],
            acts=self._keyed(self._offered("goodwill")),
        )

    def promises(self) -> Promises:
        """From the service that keeps them; while it is away, from the view, which knows less of each."""
        answered, told = self.parts.of("promises"), self.parts.of("notices")
        listed: Sequence[Any] = answered.promises if answered else self.view.promises if self.view else ()
        granted = {each.promise for each in self.view.loyalty.goodwill} if self.view else set()
        urgent, others = told_of(listed, told.notices if told else (), granted, self._offered, self.say)
        shown = others[:OTHERS_SHOWN]
        listed_open = sum(bool(each.left) for each in (*urgent, *others))
        open_count = max(self.view.open_promise_count if self.view else 0, listed_open)
        return Promises(
            trouble=self._trouble("cases", "promises"),
            urgent=[replace(each, acts=self._keyed(each.acts)) for each in urgent],
            others=[replace(each, acts=self._keyed(each.acts)) for each in shown],
            more=max(0, open_count - sum(bool(each.left) for each in (*urgent, *shown))),
            acts=self._keyed(self._offered("promise")),
        )

    def cases(self) -> Cases:
        answered = self.parts.of("cases")
        if answered is None:
            shown = (
                [self._viewed(each) for each in self.view.cases if value_name(each, "state") == "OPEN"]
                if self.view
                else []
            )
        else:
            shown = [self._case(case, items) for case, items in answered.cases]
        open_count = self.view.open_case_count if self.view else len(shown)
        return Cases(
            trouble=self._trouble("cases", "cases"),
            cases=shown[:5],
            more=max(0, open_count - len(shown[:5])),
            acts=self._keyed(self._offered("case")),
        )

    def _viewed(self, part: Any) -> Case:
        lasting = self.say.lasting(self.say.now - moment(part.open_time))
        return Case(part.case, words.titled(part.topic), self.names(part.owner), lasting, "", ())

    def _case(self, case: Any, items: Iterable[Any]) -> Case:
        say = self.say
        listed = sorted(items, key=lambda each: value_name(each, "state") != "FINISHED")
        steps = [self._step(each) for each in listed]
        waiting = [each for each in listed if value_name(each, "state") != "FINISHED"]
        since = min((_since(each) for each in waiting), default=None)
        departments = ", ".join(dict.fromkeys(words.titled(words.last(each.department)) for each in waiting))
        waits = (
            say("waits {span} for {who}", who=departments, span=say.lasting(say.now - since))
            if since
            else say("with {who}", who=self.names(case.owner))
        )
        acts = ["work", "note", "resolve", "owner"] if not waiting else ["work", "note", "owner"]
        return Case(
            name=case.name,
            title=case.display_name or words.titled(case.topic),
            owner=self.names(case.owner),
            lasting=say.lasting(say.now - moment(case.open_time)),
            waits=waits,
            steps=steps,
            acts=self._keyed(self._offered(*acts, on=case.name, owner=case.department)),
        )

    def _step(self, item: Any) -> Step:
        say, state = self.say, value_name(item, "state")
        if state == "FINISHED":
            text = say.lasting(moment(item.finish_time) - moment(item.create_time))
        elif item.HasField("forecast_finish_time"):
            reason = words.said(item.forecast_reason_code)
            text = say(
                "expects {day}: {reason}",
                day=say.day(moment(item.forecast_finish_time).astimezone(say.zone).date()),
                reason=reason,
            )
        else:
            span = say.lasting(say.now - _since(item))
            text = (
                say("at it for {span}", span=span)
                if state == "STARTED"
                else say("not begun for {span}", span=span)
            )
        acts = {"PENDING": ["start", "forecast", "finish"], "STARTED": ["forecast", "finish"]}.get(state, [])
        return Step(
            name=item.name,
            department=words.titled(words.last(item.department)),
            what=words.about(item.kind, item.reference),
            state={"FINISHED": "done", "STARTED": "here"}.get(state, "here"),
            words=text,
            acts=self._keyed(self._offered(*acts, on=item.name, owner=item.department)),
        )

    def sections(self) -> list[Section]:
        return [self._section(each) for each in self.view.sections] if self.view else []

    def _section(self, each: Any) -> Section:
        say = self.say
        late = each.HasField("stale_time") and moment(each.stale_time) <= say.now
        trouble = say("as of {when}", when=say.moment(moment(each.as_of_time))) if late else ""
        cells = [(cell.label, _cell(cell, say), cell.alarm) for cell in each.cells]
        return Section(trouble=trouble, name=each.name, title=each.display_name, cells=cells)

    def timeline(self) -> Timeline:
        answered = self.parts.of("timeline")
        listed = (
            answered.timeline_entries if answered else self.view.latest_timeline_entries if self.view else ()
        )
        shown = entries(listed, self.names, self.say)
        more = bool(answered and answered.next_page_token)
        return Timeline(trouble=self._trouble("customer", "timeline"), entries=shown, more=more)

    def unapplied(self) -> list[str]:
        if not self.view:
            return []
        return [
            self.say(
                "{what} of {service} is not shown yet",
                what=words.split(words.last(each.event_type.replace(".", "/"))),
                service=words.last(each.service),
            )
            for each in self.view.unapplied_facts
        ]

    def _trouble(self, service: str, *parts: str) -> str:
        """Why a card may be old: its service does not answer, refuses, or the view is behind it."""
        say = self.say
        refused = [part.refusal for name in parts if (part := self.parts.get(name)) and part.refusal]
        if any(each.code == "PERMISSION_DENIED" for each in refused):
            return say("You may not see this.")
        behind = self._behind(service)
        if refused and behind:
            return say("{service} does not answer, {behind}.", service=words.titled(service), behind=behind)
        if refused:
            return say("{service} does not answer; this may be old.", service=words.titled(service))
        return behind

    def _behind(self, service: str) -> str:
        source = (
            next((each for each in self.view.freshness if each.service == f"services/{service}"), None)
            if self.view
            else None
        )
        if source is None or value_name(source, "state") == "FRESH":
            return ""
        say, age = self.say, source.age.ToTimedelta()
        if value_name(source, "state") == "SILENT":  # a moment, which stays as it is while time goes on
            return say("nothing heard since {time}", time=say.moment(say.now - age))
        short = age < timedelta(minutes=1)
        return say("{age} behind", age=f"{age.seconds} s" if short else say.lasting(age))


def _since(item: Any) -> datetime:
    return moment(item.start_time if item.HasField("start_time") else item.create_time)


def _handle(identifier: Any) -> Handle:
    kind = value_name(identifier, "type")
    return Handle(identifier.name, words.titled(kind.lower()), masked(kind, identifier.value))


def masked(kind: str, value: str) -> str:
    """Enough of a handle to tell it from another, too little to use it."""
    if kind == "EMAIL":
        local, _, domain = value.partition("@")
        return f"{local[:2]}…@{domain}"
    if kind in ("PHONE", "FAX"):
        return f"… {value[-3:]}"
    return f"{value[:2]}…" if len(value) > 2 else "…"


def _address(customer: Any) -> str:
    ordered = sorted(customer.addresses, key=lambda each: not each.primary)
    if not ordered:
        return ""
    postal = ordered[0].postal_address
    return ", ".join(filter(None, (postal.locality, postal.region_code)))


def _quarters(purchases: Sequence[Any], say: Speech) -> list[Bar]:
    """What was paid in each of the last eight quarters, in the currency that most was paid in."""
    sums: dict[str, dict[int, Decimal]] = {}
    today = say.today
    current = today.year * 4 + (today.month - 1) // 3
    for each in purchases:
        at = moment(each.purchase_time)
        age = current - (at.year * 4 + (at.month - 1) // 3)
        if 0 <= age < BARS:
            of = sums.setdefault(each.amount.currency_code, {})
            of[age] = of.get(age, Decimal(0)) + messages.decimal(each.amount)
    if not sums:
        return []
    best = max(sums.values(), key=lambda of: sum(of.values()))
    quarters = [(current - age, best.get(age, Decimal(0))) for age in reversed(range(BARS))]
    return [(f"Q{quarter % 4 + 1} {quarter // 4}", max(0, int(amount))) for quarter, amount in quarters]


def _cell(cell: Any, say: Speech) -> str:
    kind = cell.WhichOneof("value")
    if kind is None:
        return ""
    value = getattr(cell, kind)
    if kind == "money":
        return say.money(value)
    if kind == "date":
        return say.day(date_of(value))
    if kind == "time":
        return say.moment(moment(value))
    if kind == "flag":
        return say("yes") if value else say("no")
    if kind == "number":
        percent = value_name(cell, "format") == "PERCENT"
        return f"{say.number(round(value * 100, 1))} %" if percent else say.number(round(value, 2))
    return say.number(value) if kind == "count" else str(value)
