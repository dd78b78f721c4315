"""`/ui`: the components, and the cards of the customer page in every state, of nobody real."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from google.type.money_pb2 import Money

from chassis.api.messages import timestamp
from chassis.errors import DeadlineExceeded, PermissionDenied
from desk.language.catalogues import N_
from desk.pages.actions.kinds import ACTIONS
from desk.pages.actions.offering import Act
from desk.pages.base import Look
from desk.pages.customer import view
from desk.pages.customer.entries import Entry
from desk.pages.customer.loading import Cases, Names, Promised
from desk.pages.customer.page import cards
from desk.pages.services import Part, Parts
from desk.ui.speech import Speech
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.common.v1 import channel_pb2, states_pb2
from rapport.customer.v1.customer_merge_pb2 import CustomerMerge
from rapport.customer.v1.customer_merge_service_pb2 import ListCustomerMergesResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesResponse
from rapport.customer.v1.view_pb2 import CustomerView, SourceFreshness
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.notice_service_pb2 import ListNoticesResponse

NOBODY = "customers/00000000-0000-7000-8000-000000000000"
_ASKED = ("customer", "view", "promises", "cases", "notices", "timeline", "values", "purchases", "consents")
router = APIRouter()


@router.get("/ui")
async def showcase(look: Look) -> Response:
    names = Names(look.viewer, {})
    shown = {
        state: cards(look, view.page(NOBODY, parts, look.viewer, names, look.say))
        for state, parts in _states(look.say).items()
    }
    acts = [Act(name, each.label, each.letter, f"/ui?{name}") for name, each in ACTIONS.items()]
    at, said = look.say.now, f"{look.say('Called us')}: {look.say.code('order')}"
    one = Entry(NOBODY, look.say.short(at), look.say.exactly(at), said, "Alice", "When?", True, "", NOBODY)
    entry = replace(one, behind=[one] * 3)
    return look.answer("pages/showcase/page.html", shown=shown, acts=acts, entry=entry, customer=NOBODY)


def _states(say: Speech) -> Mapping[str, Parts]:
    """The parts of a page by the state that they show."""
    away = Part[Any](refusal=DeadlineExceeded("DEADLINE_EXCEEDED", "The service does not answer."))
    refused = Part[Any](refusal=PermissionDenied("PERMISSION_DENIED", "You may not."))
    late = _view(say)
    source = late.freshness.add(service="services/loyalty", state=SourceFreshness.STATE_BEHIND)
    source.age.FromTimedelta(timedelta(seconds=40))
    return {
        N_("usual"): _parts(say, 1),
        N_("empty"): Parts(customer=Part(Customer(name=NOBODY)), view=Part(CustomerView(customer=NOBODY))),
        N_("stale"): Parts(_parts(say, 1) | {"view": Part(late)}),
        N_("refused"): Parts(_parts(say, 1) | {"promises": refused, "cases": refused, "values": refused}),
        N_("failing"): Parts(dict.fromkeys(_ASKED, away)),
        N_("too much"): _parts(say, 60),
    }


def _parts(say: Speech, count: int) -> Parts:
    known = Customer(name=NOBODY, display_name="Erika Sommer " * min(count, 8), language_code="de")
    for number in range(count):
        value = f"erika{number}@example.com"
        known.identifiers.add(name=f"{NOBODY}/identifiers/{number}", type=Identifier.TYPE_EMAIL, value=value)
    promises = [each for number in range(count) for each in _promises(say, number)]
    told = Notice(promise=promises[0].name, state=states_pb2.NOTICE_STATE_SENT)
    told.channel, told.send_time.seconds = channel_pb2.CHANNEL_EMAIL, int(say.now.timestamp())
    entries = [_entry(say, number) for number in range(count)]
    return Parts(
        customer=Part(known),
        merges=Part(ListCustomerMergesResponse(customer_merges=[_merge(say, n) for n in range(count)])),
        view=Part(_view(say)),
        promises=Part(Promised(promises, more=count > 1)),
        notices=Part(ListNoticesResponse(notices=[told])),
        alike=Part([(NOBODY, Customer(display_name="E. Sommer"))] * min(count, 3)),
        cases=Part(Cases([_case(say, number) for number in range(count)], more=count > 1)),
        timeline=Part(
            ListTimelineEntriesResponse(
                timeline_entries=entries, next_page_token="" if count == 1 else "more"
            )
        ),
    )


def _merge(say: Speech, number: int) -> CustomerMerge:
    return CustomerMerge(
        name=f"customerMerges/{number}",
        state=CustomerMerge.STATE_MERGED,
        merged_display_name="Erica Sommer",
        reason_code="same-person",
        comment="Her sister says so.",
        actor="agents/alice",
        create_time=timestamp(say.now - timedelta(days=number)),
        unaware_services=["services/loyalty"],
    )


def _view(say: Speech) -> CustomerView:
    view = CustomerView(customer=NOBODY, display_name="Erika Sommer", time_zone="Europe/Berlin")
    view.value.lifetime_values.append(Money(currency_code="USD", units=1143, nanos=720_000_000))
    view.value.purchase_count = 24
    view.value.last_purchase_time.CopyFrom(timestamp(say.now - timedelta(days=70)))
    view.loyalty.balances.add(
        account="programs/main/accounts/1", unit="programs/main/units/points", balance=1420
    )
    section = view.sections.add(name=f"{NOBODY}/view/sections/billing", display_name="Billing")
    section.cells.add(label="Unpaid", text="2 invoices", alarm=True)
    return view


def _promises(say: Speech, number: int) -> list[Promise]:
    of: dict[str, Any] = {
        "kind": "delivery",
        "reference": f"orders/{5021 + number}",
        "department": "departments/delivery",
    }
    old, new = f"promises/{number}-1", f"promises/{number}-2"
    moved, due = timestamp(say.now + timedelta(days=2)), timestamp(say.now + timedelta(days=4))
    ended = states_pb2.PROMISE_STATE_RENEGOTIATED
    broken, kept = states_pb2.PROMISE_STATE_BROKEN, states_pb2.PROMISE_STATE_KEPT
    return [
        Promise(name=old, state=ended, due_time=moved, successor=new, reason_code="carrier-delay", **of),
        Promise(name=new, state=states_pb2.PROMISE_STATE_OPEN, due_time=due, predecessor=old, **of),
        Promise(name=f"promises/{number}-3", state=broken, due_time=moved, kind="refund"),
        Promise(name=f"promises/{number}-4", state=kept, due_time=due, kind="call-back"),
    ]


def _case(say: Speech, number: int) -> tuple[Case, list[WorkItem]]:
    begun = timestamp(say.now - timedelta(days=2))
    case = Case(name=f"cases/{number}", topic="late-delivery", open_time=begun)
    packed = WorkItem(name=f"workItems/{number}-1", department="departments/warehouse", create_time=begun)
    packed.state, packed.finish_time.seconds = WorkItem.STATE_FINISHED, int(say.now.timestamp())
    driven = WorkItem(name=f"workItems/{number}-2", department="departments/delivery", create_time=begun)
    driven.state = WorkItem.STATE_STARTED
    return case, [packed, driven]


def _entry(say: Speech, number: int) -> TimelineEntry:
    return TimelineEntry(
        name=f"{NOBODY}/timelineEntries/{number}",
        event_type="rapport.customer.v1.InteractionRecorded",
        channel=channel_pb2.CHANNEL_VOICE,
        direction=channel_pb2.DIRECTION_INBOUND,
        occur_time=timestamp(say.now - timedelta(hours=number)),
        topic="order",
        summary="When does it come? " * 20,
    )
