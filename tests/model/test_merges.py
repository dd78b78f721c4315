"""Merges are links: in every service each name answers with what is of its customer, as the model says.

Drawn are what people record, merge and take apart, and when which service hears of it, late, twice and in any
order. The model keeps what each name got and plays the merges that hold; it is shorter than any join.
`RAPPORT_MODEL_EXAMPLES` sets how many histories are tried.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any
from uuid import uuid4

import grpc
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chassis.api.messages import money, timestamp
from chassis.grpc.status import reason
from rapport.cases.v1 import case_pb2, case_service_pb2
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.customer.v1 import (
    customer_merge_pb2,
    customer_merge_service_pb2,
    customer_pb2,
    customer_service_pb2,
    identifier_pb2,
    timeline_pb2,
    timeline_service_pb2,
    view_service_pb2,
)
from rapport.customer.v1.customer_merge_service_pb2_grpc import CustomerMergeServiceStub
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport.loyalty.v1 import (
    goodwill_pb2,
    goodwill_service_pb2,
    purchase_pb2,
    purchase_service_pb2,
)
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport.loyalty.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from tests.model.conftest import World

NAMES = 4
who = st.integers(0, NAMES - 1)
which = st.integers(0, 9)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["identifier", "case", "purchase", "contact", "goodwill"]), who),
    st.tuples(st.just("merge"), who, who),
    st.tuples(st.just("undo"), which),
    st.tuples(st.sampled_from(["deliver", "repeat"]), which),
    st.tuples(st.just("read")),
)
HISTORIES = st.lists(STEPS, min_size=4, max_size=18)


@dataclass
class Model:
    """What each name got, and the merges that hold."""

    names: list[str]
    got: Counter[tuple[str, str]] = field(default_factory=Counter)  # how much of a kind, by name
    merges: dict[str, tuple[str, str]] = field(default_factory=dict)  # those that hold, in their order

    def survivors(self) -> dict[str, str]:
        of = {name: name for name in self.names}
        for survivor, merged in self.merges.values():
            led_on, to = of[merged], of[survivor]
            of = {name: to if whose == led_on else whose for name, whose in of.items()}
        return of

    def has(self, kind: str, name: str) -> int:
        """How much of a kind is of the customer who has this name."""
        of = self.survivors()
        return sum(self.got[other, kind] for other in self.names if of[other] == of[name])


class Drive:
    """Does each step to the services and to the model."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, Random(seed)
        self.customers = world.stub(CustomerServiceStub, "customer")
        self.merges = world.stub(CustomerMergeServiceStub, "customer")
        self.timeline = world.stub(TimelineServiceStub, "customer")
        self.views = world.stub(ViewServiceStub, "customer")
        self.cases = world.stub(CaseServiceStub, "cases")
        self.purchases = world.stub(PurchaseServiceStub, "loyalty")
        self.grants = world.stub(GoodwillServiceStub, "loyalty")
        self.made: list[str] = []  # merges

    async def begin(self) -> None:
        await self.world.begin()
        new = customer_service_pb2.CreateCustomerRequest(customer=customer_pb2.Customer(display_name="Maria"))
        self.model = Model([(await self.customers.CreateCustomer(new)).name for _ in range(NAMES)])
        await self.world.broker.collect()

    async def do(self, step: tuple[Any, ...]) -> None:
        kind, *about = step
        names = [self.model.names[n] for n in about] if kind not in ("undo", "deliver", "repeat") else about
        await getattr(self, kind)(*names)
        await self.world.broker.collect()

    async def identifier(self, name: str) -> None:
        email = identifier_pb2.Identifier(type="TYPE_EMAIL", value=f"{uuid4().hex}@example.com")
        request = customer_service_pb2.CreateIdentifierRequest(parent=name, identifier=email)
        await self.customers.CreateIdentifier(request)
        self.model.got[name, "identifier"] += 1

    async def case(self, name: str) -> None:
        case = case_pb2.Case(customer=name, topic="delivery", owner="agents/front-desk")
        await self.cases.OpenCase(case_service_pb2.OpenCaseRequest(case=case))
        self.model.got[name, "case"] += 1

    async def purchase(self, name: str) -> None:
        at = timestamp(self.world.clock.now())
        purchase = purchase_pb2.Purchase(
            customer=name, amount=money(Decimal(7), "USD"), purchase_time=at, quantity=1
        )
        request = purchase_service_pb2.RecordPurchaseRequest(purchase=purchase, request_id=str(uuid4()))
        await self.purchases.RecordPurchase(request)
        self.model.got[name, "purchase"] += 1

    async def contact(self, name: str) -> None:
        entry = timeline_pb2.TimelineEntry(
            channel="CHANNEL_VOICE", direction="DIRECTION_INBOUND", topic="delivery"
        )
        request = timeline_service_pb2.RecordInteractionRequest(parent=name, timeline_entry=entry)
        await self.timeline.RecordInteraction(request)
        self.model.got[name, "contact"] += 1

    async def goodwill(self, name: str) -> None:
        points = goodwill_pb2.Points(amount=100)
        goodwill = goodwill_pb2.Goodwill(customer=name, points=points, reason_code="recovery")
        request = goodwill_service_pb2.GrantGoodwillRequest(goodwill=goodwill, request_id=str(uuid4()))
        await self.grants.GrantGoodwill(request)
        self.model.got[name, "goodwill"] += 1

    async def merge(self, survivor: str, merged: str) -> None:
        merge = customer_merge_pb2.CustomerMerge(customer=survivor, merged_customer=merged)
        request = customer_merge_service_pb2.CreateCustomerMergeRequest(customer_merge=merge)
        of = self.model.survivors()
        made, refused = await answer(self.merges.CreateCustomerMerge(request))
        assert refused == ("MERGED_ALREADY" if of[survivor] == of[merged] else "")
        if made:
            self.model.merges[made.name] = (survivor, merged)
            self.made.append(made.name)

    async def undo(self, which: int) -> None:
        if not self.made:
            return
        name = self.made[which % len(self.made)]
        request = customer_merge_service_pb2.UndoCustomerMergeRequest(name=name, reason_code="two-persons")
        _, refused = await answer(self.merges.UndoCustomerMerge(request))
        assert refused == ("" if name in self.model.merges else "UNDONE_ALREADY")
        self.model.merges.pop(name, None)

    async def deliver(self, which: int) -> None:
        await self.world.broker.deliver(which)

    async def repeat(self, which: int) -> None:
        await self.world.broker.repeat(which)

    async def read(self) -> None:
        await self.world.broker.read(self.chance)

    async def settle(self) -> None:
        """Everybody hears of everything, and once more."""
        broker = self.world.broker
        while await broker.everything(self.chance):
            pass
        await broker.again(self.chance)
        await broker.read(self.chance)

    async def check(self) -> None:
        survivors = self.model.survivors()
        for name in self.model.names:
            found = await self.customers.GetCustomer(customer_service_pb2.GetCustomerRequest(name=name))
            request = view_service_pb2.GetCustomerViewRequest(name=f"{name}/view")
            view = await self.views.GetCustomerView(request)
            assert found.name == view.customer == survivors[name]
            assert view.name == f"{name}/view"
            has = {kind: self.model.has(kind, name) for _, kind in self.model.got}
            counted = await self._counted(name, view)
            assert {"identifier": len(found.identifiers)} | counted == {
                **dict.fromkeys(counted, 0),
                "identifier": 0,
            } | has

    async def _counted(self, name: str, view: Any) -> dict[str, int]:
        """How much of each kind the services say, each in two ways that agree."""
        of = f"customer = {name}"
        cases = await self.cases.ListCases(case_service_pb2.ListCasesRequest(filter=of))
        assert view.open_case_count == len(view.cases) == len(cases.cases)
        bought = await self.purchases.ListPurchases(purchase_service_pb2.ListPurchasesRequest(filter=of))
        paid = sum(each.units for each in view.value.lifetime_values)
        assert (view.value.purchase_count, paid) == (len(bought.purchases), 7 * len(bought.purchases))
        asked = timeline_service_pb2.ListTimelineEntriesRequest(parent=name, filter="channel = VOICE")
        contacts = (await self.timeline.ListTimelineEntries(asked)).timeline_entries
        check = goodwill_service_pb2.CheckGoodwillRequest(customer=name)
        left = (await self.grants.CheckGoodwill(check)).customer_left
        granted = sum(part.points for part in view.loyalty.goodwill)
        assert granted == min(3000 - left, 2000), "the view has the latest 20"
        return {
            "case": len(cases.cases),
            "purchase": len(bought.purchases),
            "contact": len(contacts),
            "goodwill": granted // 100,
        }


async def answer(call: Any) -> tuple[Any, str]:
    """What a call is answered, and the reason why not."""
    try:
        return await call, ""
    except grpc.aio.AioRpcError as refusal:
        return None, reason(refusal)


@settings(
    max_examples=int(os.environ.get("RAPPORT_MODEL_EXAMPLES", "15")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(history=HISTORIES, seed=st.integers(0, 1000))
@example([("case", 1), ("merge", 0, 1), ("case", 1), ("undo", 0), ("deliver", 5)], 1)
@example([("merge", 0, 1), ("merge", 2, 1), ("undo", 0), ("purchase", 1), ("deliver", 3), ("read",)], 2)
async def test_any_history_of_merges_ends_as_the_model_says(
    world: World, history: list[tuple[Any, ...]], seed: int
) -> None:
    drive = Drive(world, seed)
    await drive.begin()
    for step in history:
        await drive.do(step)
    await drive.settle()
    await drive.check()
