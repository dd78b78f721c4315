"""What the customer page asks of the services: everything at once, each answer for itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from chassis.api.messages import timestamp
from desk.auth.sessions import Viewer
from desk.pages.customer import whole
from desk.pages.customer.figures import first_day
from desk.pages.services import Part, Parts, Services, any_of, ask, silences
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.authority_policy_pb2 import AUTHORITY_ACT_EXTENSION
from rapport.cases.v1.authority_service_pb2 import CheckAuthorityRequest
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesRequest
from rapport.cases.v1.directory_service_pb2 import GetAgentRequest
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest, ListPromisesRequest
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsRequest
from rapport.customer.v1.consent_service_pb2 import ListConsentsRequest
from rapport.customer.v1.customer_merge_service_pb2 import ListCustomerMergesRequest
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.match_pb2 import MatchCandidate
from rapport.customer.v1.match_service_pb2 import ListMatchCandidatesRequest
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesRequest
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillRequest, ListGoodwillRequest
from rapport.loyalty.v1.purchase_service_pb2 import ListCustomerValuesRequest, ListPurchasesRequest
from rapport.notifications.v1.notice_service_pb2 import ListNoticesRequest

# How long a page waits for its parts. What comes later comes by the stream.
PAGE_S = 0.8
LIVE_S = 4.0
CASES_SHOWN, ITEMS_SHOWN, ENTRIES_SHOWN = 5, 50, 30
ALIKE_SHOWN, ASKED_SHOWN = 3, 10
PROMISES_MAX = 50  # of those to be kept, of the broken, and of the ended ones
PURCHASES_MAX = 1000
ALL = 1000  # of what a customer rarely has as many of, and of which one that is missing misleads
LATELY = timedelta(days=7)  # in which a customer comes back because of the same thing
PARTS_OF: Mapping[str, Sequence[str]] = {  # by the service that tells them
    "customer": ("customer", "consents", "timeline", "view"),
    "cases": ("promises", "cases", "resolved", "titles"),
    "loyalty": ("values", "purchases"),
    "notifications": ("notices",),
}
NAMES_S, REMEMBERED_MAX = 60.0, 10_000  # how long a colleague's name is remembered, and how many at most


@dataclass(frozen=True)
class Cases:
    """Open cases, each with the departments' parts of it, and how many more there are."""

    cases: list[tuple[Case, list[WorkItem]]] = field(default_factory=list)
    more: bool = False


@dataclass(frozen=True)
class Promised:
    """Promises, and whether more are to be kept, or were broken, than are among these."""

    promises: list[Promise] = field(default_factory=list)
    more: bool = False


async def load(
    services: Services,
    customer: str,
    names: "Names",
    patience_s: float,
    now: datetime,
    view: CustomerView | None = None,
    missed: Collection[str] = (),
) -> Parts:
    """Every part of the page of a customer, with a `view` that is known already; what is later is away.

    Parts that were `missed` before, as they were away, are waited for no longer than by a page.
    """
    of = _of(customer)
    bought = f'{of} AND purchase_time >= "{timestamp(first_day(now)).ToJsonString()}"'
    settled = f'{of} AND state = RESOLVED AND resolve_time > "{timestamp(now - LATELY).ToJsonString()}"'
    purchases = ListPurchasesRequest(filter=bought, page_size=PURCHASES_MAX)
    timeline = ListTimelineEntriesRequest(parent=customer, page_size=ENTRIES_SHOWN)
    questions: dict[str, Any] = {
        **named(services, customer, view),
        "consents": services.consents.ListConsents(ListConsentsRequest(parent=customer, page_size=ALL)),
        "cases": _cases(services, of),
        "resolved": services.cases.ListCases(ListCasesRequest(filter=settled)),
        "values": services.purchases.ListCustomerValues(ListCustomerValuesRequest(filter=of)),
        "purchases": services.purchases.ListPurchases(purchases),
        "timeline": services.timeline.ListTimelineEntries(timeline),
    }
    if names.viewer.may("loyalty.goodwill.grant"):
        questions["allowance"] = services.goodwill.CheckGoodwill(CheckGoodwillRequest(customer=customer))

    if names.viewer.may("loyalty.goodwill.read"):
        waiting = ListGoodwillRequest(filter=f"{of} AND state = REQUESTED", page_size=ASKED_SHOWN)
        questions["asked_for"] = services.goodwill.ListGoodwill(waiting)

    if names.viewer.may("cases.authority_policies.read"):
        alone = CheckAuthorityRequest(customer=customer, act=AUTHORITY_ACT_EXTENSION)
        questions["authority"] = services.authority.CheckAuthority(alone)

    if names.viewer.may("customer.match_candidates.read"):
        questions["alike"] = _alike(services, customer)

    def waited_for(name: str, question: Awaitable[Any]) -> asyncio.Future[Any]:
        return asyncio.ensure_future(asyncio.wait_for(question, PAGE_S) if name in missed else question)

    asked = {name: waited_for(name, question) for name, question in questions.items()}
    naming = [
        _learned(services, names, asked[part], agents) for part, agents in _AGENTS.items() if part in asked
    ]
    for name, question in whole.questions(services, customer, asked["view"]).items():
        asked[name] = waited_for(name, question)
    named_all = waited_for("names", asyncio.gather(*naming, return_exceptions=True))
    parts = await ask(patience_s, names=named_all, **asked)
    parts["silent"] = Part(names.silent(parts, now))
    return parts


def _of(customer: str) -> str:
    return f'customer = "{customer}"'


def named(services: Services, customer: str, view: CustomerView | None = None) -> dict[str, Any]:
    """The parts of a page by which it calls what happened by its name: what for, of which order, by when."""
    of, asked = _of(customer), GetCustomerViewRequest(name=f"{customer}/view")
    return {
        "customer": services.customers.GetCustomer(GetCustomerRequest(name=customer)),
        "merges": services.merges.ListCustomerMerges(ListCustomerMergesRequest(customer=customer)),
        "promises": _promises(services, of),
        "titles": services.cases.ListCases(ListCasesRequest(filter=of)),
        "notices": services.notices.ListNotices(ListNoticesRequest(filter=of, page_size=ALL)),
        "view": _known(view) if view else services.views.GetCustomerView(asked),
    }


async def _alike(services: Services, customer: str) -> list[tuple[str, Customer]]:
    """Who may be the same customer, as far as somebody has to say: the question, and whom it is about."""
    request = ListMatchCandidatesRequest(customer=customer, filter="state = PENDING", page_size=ALIKE_SHOWN)
    waiting = (await services.matches.ListMatchCandidates(request)).match_candidates
    known = await services.known([customer, *(name for each in waiting for name in _two(each))])
    mine = known[customer].name if customer in known else customer
    return [
        (each.name, known[name])
        for each in waiting
        for name in _two(each)
        if name in known and known[name].name != mine
    ]


def _two(candidate: MatchCandidate) -> Sequence[str]:
    return candidate.customer, candidate.other_customer


async def _known(view: CustomerView) -> CustomerView:
    return view


async def _cases(services: Services, of: str) -> Cases:
    """The open cases, latest first, with their work items in the order of their creation."""
    request = ListCasesRequest(filter=f"{of} AND state = OPEN", page_size=CASES_SHOWN)
    listed = await services.cases.ListCases(request)
    items = await _items(services, [each.name for each in listed.cases])
    found = [(case, [each for each in items if each.case == case.name]) for case in listed.cases]
    return Cases(found, bool(listed.next_page_token))


async def cases_of(services: Services, customer: str) -> Cases:
    """The latest cases, also those that are settled, with their work: for what each is called."""
    listed = await services.cases.ListCases(ListCasesRequest(filter=_of(customer)))
    names = [each.name for each in listed.cases]
    parts = [names[start : start + CASES_SHOWN] for start in range(0, len(names), CASES_SHOWN)]
    items = list(chain(*await asyncio.gather(*(_items(services, part) for part in parts))))
    found = [(case, [each for each in items if each.case == case.name]) for case in listed.cases]
    return Cases(found, bool(listed.next_page_token))


async def _promises(services: Services, of: str) -> Promised:
    """What is to be kept, the soonest first; what was broken, and what has ended, the latest first.

    Each is asked for by itself: what needs somebody is not behind fifty that are due later.
    """
    ended = "state != OPEN AND state != AT_RISK AND state != BROKEN"
    asked = (("state = OPEN OR state = AT_RISK", "due_time"), ("state = BROKEN", ""), (ended, ""))
    requests = [
        ListPromisesRequest(filter=f"{of} AND ({states})", order_by=order, page_size=PROMISES_MAX)
        for states, order in asked
    ]
    due, broken, others = await asyncio.gather(*map(services.promises.ListPromises, requests))
    listed = [*due.promises, *broken.promises, *others.promises]
    listed += await _before(services, listed)
    return Promised(listed, bool(due.next_page_token or broken.next_page_token))


async def _before(services: Services, listed: Sequence[Promise]) -> Sequence[Promise]:
    """What was promised before those that are seen first, where it is not among them: for its date."""
    known, shown = {each.name for each in listed}, listed[:CASES_SHOWN]
    missing = [each.predecessor for each in shown if each.predecessor and each.predecessor not in known]
    get = services.promises.GetPromise
    return await asyncio.gather(*(get(GetPromiseRequest(name=name)) for name in missing))


async def _items(services: Services, cases: Sequence[str]) -> Sequence[WorkItem]:
    """The work items of all these cases with one question, unless those of one might hide another's."""
    if not cases:
        return ()
    request = ListWorkItemsRequest(filter=any_of("case", cases), page_size=ITEMS_SHOWN)
    listed = await services.work_items.ListWorkItems(request)
    if listed.next_page_token and len(cases) > 1:
        return list(chain(*await asyncio.gather(*(_items(services, [name]) for name in cases))))
    return listed.work_items


# The colleagues that a part names.
_AGENTS: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "view": lambda view: [view.relationship_manager, *(each.owner for each in view.cases)],
    "customer": lambda customer: [customer.relationship_manager],
    "merges": lambda merges: [each.actor for each in merges.customer_merges],
    "cases": lambda cases: [case.owner for case, _ in cases.cases],
    "asked_for": lambda listed: [each.requester for each in listed.goodwill],
    "timeline": lambda timeline: [each.actor for each in timeline.timeline_entries],
}


async def _learned(
    services: Services, names: "Names", part: Awaitable[Any], agents: Callable[[Any], Iterable[str]]
) -> None:
    """Ask what those are called whom a part names, as soon as it is there: others may be late.

    Who waits no longer for names still waits for the part.
    """
    await names.learn(services, agents(await asyncio.shield(part)))


class Names:
    """What colleagues are called and where they work, as the viewer may know it; remembered for a minute."""

    def __init__(self, viewer: Viewer, memory: dict[Any, Any]) -> None:
        self.viewer = viewer
        self._viewer, self._memory = viewer.principal.subject, memory
        self._remembered: dict[tuple[str, str], tuple[float, Agent]] = memory.setdefault("names", {})
        self._asked: set[str] = set()

    async def learn(self, services: Services, named: Iterable[str], patience_s: float = LIVE_S) -> None:
        """Ask for those that are not remembered; whose name does not come is called by their code."""
        now = time.monotonic()
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.clear()
        agents = {name for name in named if name.startswith("agents/")} - self._asked
        unknown = [name for name in agents if self._known(name)[0] < now]
        if not unknown:
            return
        self._asked.update(unknown)
        get = services.directory.GetAgent
        found = await ask(patience_s, **{name: get(GetAgentRequest(name=name)) for name in unknown})
        for name, part in found.items():
            if not part.away:  # that somebody is none, too
                self._remembered[self._viewer, name] = now + NAMES_S, part.value or Agent()

    def silent(self, parts: Parts, now: datetime) -> Mapping[str, datetime]:
        """Since when this process of the desk asks a service in vain; of those that do not answer."""
        silent = {name: any(parts[each].away for each in told) for name, told in PARTS_OF.items()}
        found = silences(self._memory, "page", silent, now)
        return {service: silence.since for service, silence in found.items()}

    def department(self, name: str) -> str:
        """`departments/delivery`, where somebody works; empty while that is not known."""
        return self._known(name)[1].department

    def _known(self, name: str) -> tuple[float, Agent]:
        return self._remembered.get((self._viewer, name), (0.0, Agent()))

    def __call__(self, name: str) -> str:
        """`Alice Brandt` for `agents/alice`, or `Alice` while that is not known."""
        known, code = self._known(name)[1].display_name, name.rpartition("/")[2]
        return known or (code.replace("-", " ").title() if name.startswith("agents/") else code)
