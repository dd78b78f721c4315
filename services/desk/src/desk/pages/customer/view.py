"""What the customer page says: a pure function of what the services answered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chassis.api.messages import moment, value_name
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.actions.action import Action
from desk.pages.actions.kinds.cases import CASE
from desk.pages.actions.kinds.consents import CONSENT
from desk.pages.actions.kinds.customer import CORRECT, MANAGER
from desk.pages.actions.kinds.goodwill import GOODWILL
from desk.pages.actions.kinds.goodwill_requests import ASK_GOODWILL, COMPENSATE
from desk.pages.actions.kinds.merges import SAME, UNMERGE
from desk.pages.actions.kinds.notice import NOTICE
from desk.pages.actions.kinds.promises import PROMISE
from desk.pages.actions.kinds.quiet import QUIET
from desk.pages.actions.offering import Act, offered
from desk.pages.customer import whole
from desk.pages.customer.advice import next_of
from desk.pages.customer.alone import alone
from desk.pages.customer.cases import resolved, told_case, viewed
from desk.pages.customer.entries import foremost, story, who_did
from desk.pages.customer.figures import cell_text, quarters
from desk.pages.customer.gifts import given_on, in_money, waiting
from desk.pages.customer.loading import CASES_SHOWN, PARTS_OF, Names, Promised
from desk.pages.customer.loading import Cases as Told
from desk.pages.customer.page import Card, Merged
from desk.pages.customer.promises import first_of, told_of
from desk.pages.customer.things import address, handle, lives_in, things
from desk.pages.customer.troubles import Troubles
from desk.pages.services import Parts
from desk.ui import words
from desk.ui.speech import Speech
from rapport.cases.v1.case_service_pb2 import ListCasesResponse
from rapport.customer.v1.consent_service_pb2 import ListConsentsResponse
from rapport.customer.v1.customer_merge_pb2 import CustomerMerge
from rapport.customer.v1.customer_merge_service_pb2 import ListCustomerMergesResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesResponse
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillResponse
from rapport.loyalty.v1.purchase_service_pb2 import ListCustomerValuesResponse, ListPurchasesResponse
from rapport.notifications.v1.notice_service_pb2 import ListNoticesResponse

OF_SERVICE = "purposes/service"  # not of marketing, of which no is said as well
OTHERS_SHOWN, GOODWILL_SHOWN = 6, 3
APART_SHOWN = timedelta(days=30)  # in which what was recorded of two who were taken for one is put right


def page(customer: str, parts: Parts, viewer: Viewer, names: Names, say: Speech) -> Card:
    """The page of a customer, of whatever the services answered."""
    make = _Maker(customer, parts, viewer, names, say)
    who = make.who()
    return Card(
        name=make.customer,
        title=who.title,
        who=who,
        worth=make.worth(),
        points=make.points(),
        promises=make.promises(),
        advice=next_of(parts, make.view, make.customer, viewer, say),
        cases=make.cases(),
        sections=make.sections(),
        unfit=whole.unfit(make.view, parts, say),
        timeline=make.timeline(),
        alike=make.alike(),
        unapplied=make.unapplied(),
    )


class _Maker:
    def __init__(self, customer: str, parts: Parts, viewer: Viewer, names: Names, say: Speech) -> None:
        self.parts, self.viewer, self.names, self.say = parts, viewer, names, say
        self.view = parts.of("view", CustomerView) if parts.has("view") else None
        self.known = parts.of("customer", Customer) if parts.has("customer") else None
        self.customer = self.view.customer if self.view else self.known.name if self.known else customer
        troubles = Troubles(parts, self.view, say)
        self._trouble, self._silent = troubles.of, troubles.silent
        self._gone = {each for each in PARTS_OF if troubles.is_gone(each)}

    def _offered(self, *actions: Action, on: str = "", owner: str = "") -> Sequence[Act]:
        able = [each for each in actions if each.service not in self._gone]
        return offered(self.viewer, self.customer, *able, on=on, owner=owner)

    def who(self) -> Card:
        say, known, view = self.say, self.known, self.view
        shown = known or view or Customer()
        language, zone = shown.language_code, lives_in(known) if known else ""
        merges = self._merges()
        others = dict.fromkeys(each.merged_display_name for each in merges)
        return Card(
            trouble=self._trouble("customer", "customer"),
            title=shown.display_name
            or (say("A customer without a name") if known or view else say("This customer")),
            also=[each for each in others if each not in ("", shown.display_name)],
            merges=[self._merged(each) for each in merges],
            apart=self._apart(),
            since="" if known and known.prospect else self._since(),
            prospect=known.prospect if known else False,
            language=say.language_of(language) if language else "",
            there=say.clock(say.now, say.zone_of(zone)) if zone else "",
            manager=self.names(shown.relationship_manager) if shown.relationship_manager else "",
            handles=[handle(each, say) for each in known.identifiers] if known else (),
            address=address(known) if known else "",
            may=self._may(),
            acts=self._offered(NOTICE, CORRECT, MANAGER, CONSENT, QUIET, SAME) if known else (),
        )

    def _merges(self) -> Sequence[CustomerMerge]:
        """Those that hold, the latest first."""
        listed = self.parts.of("merges", ListCustomerMergesResponse).customer_merges
        return [each for each in listed if value_name(each, "state") == "MERGED"]

    def _apart(self) -> Sequence[tuple[str, str]]:
        """Whom they were taken for lately, and where it is said whose what was recorded meanwhile is."""
        listed = self.parts.of("merges", ListCustomerMergesResponse).customer_merges
        return [
            (
                each.merged_display_name or self.say("A customer without a name"),
                f"/{each.customer}/merges/{words.last(each.name)}",
            )
            for each in listed
            if each.customer == self.customer
            and each.HasField("undo_time")
            and self.say.now - moment(each.undo_time) < APART_SHOWN
        ]

    def _merged(self, merge: CustomerMerge) -> Merged:
        say = self.say
        told = {
            "who": merge.merged_display_name or say("A customer without a name"),
            "when": say.moment(moment(merge.create_time)),
            "by": who_did(merge.actor, "", self.names, say),
            "why": say.code(merge.reason_code),
        }
        unaware = ", ".join(say.named(each) for each in merge.unaware_services)
        return Merged(
            name=merge.name,
            words=say("One with the record “{who}” since {when}, by {by}: {why}.", **told),
            comment=merge.comment,
            unaware=say("Not known yet by: {services}.", services=unaware) if unaware else "",
            acts=self._offered(UNMERGE, on=merge.name),
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
        """What they said about each channel, for service: `write` yes, `text` no."""
        verbs = {"EMAIL": self.say("e-mail"), "VOICE": self.say("call"), "SMS": self.say("text")}
        said = {
            value_name(each, "channel"): value_name(each, "state")
            for each in self.parts.of("consents", ListConsentsResponse).consents
            if each.purpose == OF_SERVICE
        }
        return [(verb, said[channel] == "GRANTED") for channel, verb in verbs.items() if channel in said]

    def worth(self) -> Card:
        say = self.say
        values = self.parts.of("values", ListCustomerValuesResponse).customer_values
        value = self.view.value if self.view else values[0] if values else None
        bought = self.parts.of("purchases", ListPurchasesResponse)
        currency, bars = quarters(bought.purchases, say, more=bool(bought.next_page_token))
        told = say("No purchases yet")
        if value is not None and value.purchase_count and value.HasField("last_purchase_time"):
            count = say.count(value.purchase_count, "{n} purchase", "{n} purchases")
            told = say("{count}, the last {day}", count=count, day=say.on(moment(value.last_purchase_time)))
        return Card(
            trouble=self._trouble("loyalty", "values", "purchases"),
            name=values[0].name if values else "",
            totals=[say.money(each) for each in value.lifetime_values] if value is not None else (),
            band=say.titled(value_name(value, "band").lower()) if value is not None else "",
            purchases=told,
            bought=f"/purchases?customer={words.last(self.customer)}" if bought.purchases else "",
            bars=bars,
            currency=currency,
            spoken=", ".join(f"{label}: {say.number(amount)} {currency}" for label, amount in bars),
        )

    def points(self) -> Card:
        loyalty, say = (self.view or CustomerView()).loyalty, self.say
        granted = [each for each in loyalty.goodwill if value_name(each, "state") == "GRANTED"]
        latest = granted[:GOODWILL_SHOWN]
        held = [each for each in loyalty.balances if each.balance] or loyalty.balances[:1]
        may = self.parts.of("allowance", CheckGoodwillResponse)
        left = min(may.customer_left, may.grantor_left)
        return Card(
            trouble=self._trouble("loyalty", "values") if self.view else self._trouble("customer", "view"),
            balances=[(each.account, say.named(each.unit), say.number(each.balance)) for each in held],
            is_twice=len({each.unit for each in held}) < len(held),
            goodwill=[(each.goodwill, given_on(each, say), say.code(each.reason_code)) for each in latest],
            more=len(latest) < len(granted) or whole.is_cut(self.view, *whole.OF_LOYALTY),
            asked_for=waiting(self.parts, self.names, say),
            allowance=[
                (say("You may still give"), say.number(left)),
                *([(say("For one problem"), say.number(may.amount))] if may.amount < left else []),
                *in_money(may, say),
            ]
            if self.parts.has("allowance")
            else (),
            alone=alone(self.parts, say),
            acts=self._offered(GOODWILL, COMPENSATE, ASK_GOODWILL),
        )

    def promises(self) -> Card:
        """From the service that keeps them; while it is away, from the view, which knows less of each."""
        answered, is_answered = self.parts.of("promises", Promised), self.parts.has("promises")
        seen: Sequence[Any] = self.view.promises if self.view else ()
        answering = {case.name: case.department for case, _ in self.parts.of("cases", Told).cases}
        listed = answered.promises if is_answered else seen
        notices = self.parts.of("notices", ListNoticesResponse) if self.parts.has("notices") else None
        granted = whole.granted(self.view, self.parts)
        urgent, others = told_of(listed, notices, granted, answering, self._offered, self.say)
        foremost, shown = first_of(urgent), others[:OTHERS_SHOWN]
        coming, is_cut = [each for each in others[OTHERS_SHOWN:] if each.left], answered.more
        known = len(urgent) + sum(bool(each.left) for each in others)
        counted = self.view.open_promise_count if self.view and (is_cut or not is_answered) else 0
        return Card(
            trouble=self._trouble("cases", "promises")
            or (self._silent("notifications") if self.parts.away("notices") else ""),
            urgent=[replace(each, acts=[*self._call(), *each.acts]) for each in foremost],
            slipped=len(urgent) - len(foremost),
            others=shown,
            more=len(coming) + max(counted - known, int(is_cut)),
            is_cut=is_cut,
            acts=self._offered(PROMISE),
        )

    def _call(self) -> Sequence[Act]:
        """Calling them: bad news is told by a person. Shows the number, for a purpose.

        Of who may have said no, nobody can tell now, and they are not called.
        """
        known = self.known.identifiers if self.known else ()
        phones = [each for each in known if value_name(each, "type") == "PHONE"]
        if not phones or not self.parts.has("consents") or (self.say("call"), False) in self._may():
            return ()
        return [Act("call", self.say("Call them"), "C", f"/{phones[0].name}/reveal")]

    def cases(self) -> Card:
        seen, say = self.view.cases if self.view else (), self.say
        listed = self.parts.of("cases", Told).cases
        shown = [told_case(case, items, self.names, self._offered, say) for case, items in listed]
        if not self.parts.has("cases"):
            shown = [viewed(each, say) for each in seen if value_name(each, "state") == "OPEN"]
        foremost, is_cut = shown[:CASES_SHOWN], self.parts.of("cases", Told).more
        counted = (self.view.open_case_count if self.view else len(shown)) - len(foremost)
        return Card(
            trouble=self._trouble("cases", "cases"),
            cases=foremost,
            more=max(counted, int(is_cut)),
            is_cut=is_cut and counted < 1,
            resolved=resolved(self.parts.of("resolved", ListCasesResponse).cases, self._offered, say),
            acts=self._offered(CASE),
        )

    def sections(self) -> list[Card]:
        return [self._section(each) for each in self.view.sections] if self.view else []

    def _section(self, each: Any) -> Card:
        say = self.say
        late = each.HasField("stale_time") and moment(each.stale_time) <= say.now
        trouble = say("as of {when}", when=say.moment(moment(each.as_of_time))) if late else ""
        cells = [(cell.label, cell_text(cell, say), cell.alarm) for cell in each.cells]
        return Card(trouble=trouble, name=each.name, title=each.display_name, cells=cells)

    def timeline(self) -> Card:
        answered = self.parts.of("timeline", ListTimelineEntriesResponse)
        seen = self.view.latest_timeline_entries if self.view else ()
        listed = answered.timeline_entries if self.parts.has("timeline") else seen
        lines = story(listed, self.names, self.say, things(self.parts, self.say))
        shown, more = foremost(lines), answered.next_page_token or any(each.steps > 1 for each in lines)
        is_cut = not self.parts.has("timeline") and whole.is_cut(self.view, "latest_timeline_entries")
        return Card(
            trouble=self._trouble("customer", "timeline"),
            entries=shown,
            more=bool(more) or is_cut or len(shown) < len(lines),
        )

    def alike(self) -> list[tuple[str, str]]:
        """Who may be the same customer: where somebody can say so, and what they are called."""
        found = self.parts.of("alike", list[tuple[str, Customer]])
        return [(asked, each.display_name or self.say("A customer without a name")) for asked, each in found]

    def unapplied(self) -> list[str]:
        say, told = self.say, N_("{what} of {service} is not shown yet")
        return [
            say(told, what=say.fact(each.event_type), service=say.named(each.service))
            for each in (self.view.unapplied_facts if self.view else ())
        ]
