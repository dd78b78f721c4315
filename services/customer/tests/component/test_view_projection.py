"""What departments tell becomes part of the view, in any order, once."""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from chassis.api.messages import money, timestamp, value_name
from customer.events import view as events
from customer.service import service
from customer.store.views import VIEWS_BY_ID
from customer.usecases.parts import SPECS
from rapport.cases.v1 import cases_events_pb2 as cases
from rapport.common.v1.channel_pb2 import CHANNEL_EMAIL
from rapport.common.v1.value_band_pb2 import VALUE_BAND_SILVER
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import UpdateCustomerRequest
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesRequest
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.loyalty.v1 import loyalty_events_pb2 as loyalty
from rapport.notifications.v1 import notifications_events_pb2 as notifications
from rapport_testing.wait import eventually

OPEN = {"state": "CASE_STATE_OPEN"}
RESOLVED = {"state": "CASE_STATE_RESOLVED"}


def names(kind, count=1):
    return [f"{kind}/{uuid4()}" for _ in range(count)]


ACCOUNT, POINTS = "programs/main/accounts/a", "programs/main/units/points"


async def test_the_story_of_a_promise_is_in_the_view(desk):
    anna = await desk.create()
    (case,), (promise, successor), (notice,), (goodwill,) = (
        names("cases"),
        names("promises", 2),
        names("notices"),
        names("goodwill"),
    )
    due, later = (timestamp(desk.clock.now() + timedelta(days=days)) for days in (3, 5))
    about = {"customer": anna.name, "promise": promise}
    told = [
        (
            cases.CaseOpened(
                **OPEN, case=case, customer=anna.name, topic="late-delivery", owner="agents/bob"
            ),
            1,
        ),
        (cases.PromiseMade(
            state="PROMISE_STATE_OPEN", **about,
            case=case, kind="delivery", reference="orders/1", due_time=due), 1),
        (cases.PromiseAtRisk(
            state="PROMISE_STATE_AT_RISK", **about,
            case=case, kind="delivery", due_time=due, forecast_time=later), 2),
        (notifications.NoticeRequested(
            state="NOTICE_STATE_REQUESTED", notice=notice, **about, kind="promise-at-risk"), 1),
        (notifications.NoticeSent(
            state="NOTICE_STATE_SENT", notice=notice, **about, kind="promise-at-risk",
            channel=CHANNEL_EMAIL), 2),
        (cases.PromiseRenegotiated(
            state="PROMISE_STATE_RENEGOTIATED", **about,
            due_time=due, new_due_time=later, successor=successor), 3),
        (cases.PromiseMade(
            state="PROMISE_STATE_OPEN", promise=successor,
            customer=anna.name, kind="delivery", due_time=later), 1),
        (loyalty.TransferPosted(account=ACCOUNT, customer=anna.name, unit=POINTS, balance=200), 1),
        (loyalty.GoodwillGranted(
            goodwill=goodwill, customer=anna.name, unit=POINTS, points=200, promise=promise), 1),
        (loyalty.CustomerValueChanged(
            customer_value=names("customerValues")[0], customer=anna.name,
            lifetime_values=[money(49, "USD")], purchase_count=2, band=VALUE_BAND_SILVER), 1),
    ]  # fmt: skip
    for message, version in told:
        desk.clock.advance(timedelta(seconds=1))
        await desk.deliver(message, version)

    view = await desk.view_when(anna.name, lambda view: len(view.latest_timeline_entries) == len(told) + 1)
    assert [(part.promise, value_name(part, "state")) for part in view.promises] == [
        (successor, "OPEN"),
        (promise, "RENEGOTIATED"),
    ]
    assert view.promises[1].successor == successor
    assert [(part.case, value_name(part, "state"), part.owner) for part in view.cases] == [
        (case, "OPEN", "agents/bob")
    ]
    assert [(part.notice, value_name(part, "state")) for part in view.notices] == [(notice, "SENT")]
    assert [(part.account, part.unit, part.balance) for part in view.loyalty.balances] == [
        (ACCOUNT, POINTS, 200)
    ]
    assert [(part.goodwill, part.points) for part in view.loyalty.goodwill] == [(goodwill, 200)]
    assert (value_name(view.value, "band"), view.value.purchase_count) == ("SILVER", 2)
    assert [entry.event_type for entry in reversed(view.latest_timeline_entries)][1:] == [
        message.DESCRIPTOR.full_name for message, _ in told
    ]
    assert view.update_time == timestamp(desk.clock.now())


async def test_imported_history_is_on_the_timeline_when_it_happened_with_what_was_paid(desk):
    anna = await desk.create()
    now = desk.clock.now()
    ago = {days: timestamp(now - timedelta(days=days)) for days in (1, 5, 8, 20, 30)}
    paid, kept, broken = names("purchases")[0], *names("promises", 2)
    at = {"customer": anna.name}
    bought = {"purchase": paid, "purchase_time": ago[30], **at}
    for message, version in [
        (
            cases.PromiseMade(
                state="PROMISE_STATE_OPEN", promise=broken, make_time=ago[5], due_time=ago[1], **at
            ),
            1,
        ),
        (
            cases.PromiseBroken(
                state="PROMISE_STATE_BROKEN", promise=broken, make_time=ago[5], due_time=ago[1], **at
            ),
            2,
        ),
        (loyalty.PurchaseRecorded(net_amount=money(Decimal("12.50"), "USD"), **bought), 1),
        (loyalty.PurchaseCorrected(net_amount=money(Decimal("-2.50"), "USD"), **bought), 2),
        (
            cases.PromiseMade(
                state="PROMISE_STATE_OPEN", promise=kept, make_time=ago[20], due_time=ago[1], **at
            ),
            1,
        ),
        (
            cases.PromiseKept(
                state="PROMISE_STATE_KEPT",
                promise=kept,
                make_time=ago[20],
                due_time=ago[1],
                keep_time=ago[8],
                **at,
            ),
            2,
        ),
    ]:
        await desk.deliver(message, version)
    view = await desk.view_when(anna.name, lambda view: len(view.latest_timeline_entries) == 8)
    assert view.update_time == timestamp(now)
    listed = await desk.timeline.ListTimelineEntries(ListTimelineEntriesRequest(parent=anna.name))
    for shown in (view.latest_timeline_entries, listed.timeline_entries):
        entries = [entry for entry in shown if not entry.event_type.endswith("CustomerConverted")]
        assert [(entry.event_type.rpartition(".")[2], entry.occur_time) for entry in entries][:5] == [
            ("CustomerCreated", timestamp(now)),
            ("PromiseBroken", ago[1]),
            ("PromiseMade", ago[5]),
            ("PromiseKept", ago[8]),
            ("PromiseMade", ago[20]),
        ]
        corrected, first = entries[5:]
        assert (first.event_type, first.occur_time) == ("rapport.loyalty.v1.PurchaseRecorded", ago[30])
        assert first.amount == money(Decimal("12.50"), "USD")
        assert corrected.event_type == "rapport.loyalty.v1.PurchaseCorrected"
        assert corrected.amount == money(Decimal("-2.50"), "USD")
        assert not entries[0].HasField("amount")


async def test_a_fact_delivered_twice_is_on_the_timeline_once(desk):
    anna = await desk.create()
    opened = cases.CaseOpened(**OPEN, case=names("cases")[0], customer=anna.name, topic="late-delivery")
    event_id = await desk.deliver(opened)
    await desk.deliver(opened, event_id=event_id)
    await desk.deliver(cases.CaseResolved(**RESOLVED, case=opened.case, customer=anna.name), 2)
    view = await desk.view_when(anna.name, lambda view: len(view.latest_timeline_entries) >= 3)
    assert [entry.event_type.rpartition(".")[2] for entry in view.latest_timeline_entries] == [
        "CaseResolved",
        "CaseOpened",
        "CustomerCreated",
    ]


async def test_a_release_with_another_durable_hears_all_again_and_shows_the_parts_it_learnt_to_show(
    desk, open_desk, monkeypatch
):
    """As one does that folds a type which it only put on the timeline before."""
    anna = await desk.create()
    case, opened = names("cases")[0], cases.CaseOpened.DESCRIPTOR.full_name
    monkeypatch.setattr(events, "SPECS", {name: spec for name, spec in SPECS.items() if name != opened})
    await desk.deliver(cases.CaseOpened(**OPEN, case=case, customer=anna.name, topic="late-delivery"))
    before = await desk.view_when(anna.name, lambda found: len(found.latest_timeline_entries) == 2)
    assert not before.cases

    monkeypatch.setattr(events, "SPECS", SPECS)
    renamed = replace(events.LISTENING, durable="customer-view-2")
    monkeypatch.setattr("customer.service.LISTENING", renamed)
    others = [each for each in service.listens if each is not events.LISTENING]
    monkeypatch.setitem(vars(service), "listens", (renamed, *others))
    newer = await open_desk(database_url=desk.running.app.settings.database_url)
    after = await newer.view_when(anna.name, lambda found: found.cases)
    assert [part.case for part in after.cases] == [case]
    assert after.open_case_count == 1
    assert after.latest_timeline_entries == before.latest_timeline_entries


async def test_facts_that_come_before_their_customer_wait_in_a_view_of_their_own(desk, nobody):
    await desk.deliver(
        cases.CaseOpened(**OPEN, case=names("cases")[0], customer=nobody, topic="late-delivery")
    )

    async def seen():
        rows = await VIEWS_BY_ID.all(desk.running.db, customer_ids=[UUID(nobody.split("/")[1])])
        return rows[0]["view"] and (await desk.view(nobody)).cases

    (part,) = await eventually(seen)
    assert (part.topic, (await desk.view(nobody)).display_name) == ("late-delivery", "")


async def test_a_fact_without_a_customer_holds_up_nothing(desk):
    anna = await desk.create()
    await desk.deliver(cases.CaseOpened(**OPEN, case=names("cases")[0], customer="", topic="late-delivery"))
    await desk.deliver(
        cases.CaseOpened(**OPEN, case=names("cases")[0], customer=anna.name, topic="late-delivery")
    )
    assert (await desk.view_when(anna.name, lambda view: view.cases)).cases[0].topic == "late-delivery"


async def test_a_change_of_the_profile_shows(desk):
    anna = await desk.create()
    desk.clock.advance(timedelta(minutes=1))
    changed = Customer(name=anna.name, display_name="Frau Berg")
    await desk.customers.UpdateCustomer(UpdateCustomerRequest(customer=changed))
    view = await desk.view_when(anna.name, lambda view: view.display_name == "Frau Berg")
    assert view.profile_source.resource_version == 2


def busy_history(desk, customer):
    """A history with more of everything than a view shows: promises, reopened cases, notices, points."""
    told = []
    for i, (promise, case, notice) in enumerate(
        zip(names("promises", 30), names("cases", 30), names("notices", 30), strict=True)
    ):
        at = {"customer": customer}
        told += [
            (cases.PromiseMade(state="PROMISE_STATE_OPEN", promise=promise, kind="delivery", **at), 1),
            (cases.PromiseKept(state="PROMISE_STATE_KEPT", promise=promise, **at), 2),
            (cases.CaseOpened(**OPEN, case=case, topic="late-delivery", owner="agents/a", **at), 1),
            (cases.CaseAssigned(**OPEN, case=case, owner="agents/b", **at), 2),
            (cases.CaseResolved(**RESOLVED, case=case, **at), 3),
            (
                notifications.NoticeRequested(
                    state="NOTICE_STATE_REQUESTED",
                    notice=notice,
                    kind="promise-at-risk",
                    promise=promise,
                    **at,
                ),
                1,
            ),
            (
                notifications.NoticeSent(
                    state="NOTICE_STATE_SENT", notice=notice, channel="CHANNEL_EMAIL", **at
                ),
                2,
            ),
            (loyalty.TransferPosted(account=ACCOUNT, balance=i, **at), i),
            (loyalty.TransferReversed(account=f"{ACCOUNT}-{i % 2}", balance=i, **at), i),
            (loyalty.GoodwillGranted(goodwill=names("goodwill")[0], points=i, **at), 1),
        ]
        if i % 5 == 0:
            told.append((cases.CaseReopened(**OPEN, case=case, **at), 4))
    return [desk.event(message, version, seconds) for seconds, (message, version) in enumerate(told)]


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_any_batches_and_any_repeats_end_in_the_same_bytes(desk, nobody, seed):
    history = busy_history(desk, nobody)
    expected = await desk.projected(history, batch=500)
    shuffled = history + random.Random(seed).sample(history, 50)
    random.Random(seed).shuffle(shuffled)
    assert await desk.projected(shuffled, batch=[500, 70, 7][seed]) == expected


async def test_a_view_shows_what_is_open_and_the_latest_twenty_of_what_has_ended(desk, nobody):
    history = busy_history(desk, nobody)
    still_open = [
        desk.event(cases.PromiseMade(state="PROMISE_STATE_OPEN", promise=name, customer=nobody), 1, -seconds)
        for seconds, name in enumerate(names("promises", 25), 1)
    ]
    view = CustomerView.FromString(await desk.projected(still_open + history, batch=500))
    assert [value_name(part, "state") for part in view.promises].count("OPEN") == 25
    assert len(view.promises) == 25 + 20
    assert [value_name(part, "state") for part in view.cases].count("OPEN") == 6
    assert len(view.cases) == 6 + 20
    assert (len(view.notices), len(view.loyalty.goodwill), len(view.latest_timeline_entries)) == (20, 20, 20)
    for parts in (view.promises, view.cases, view.notices):
        times = [part.source.occur_time.ToMicroseconds() for part in parts]
        assert times == sorted(times, reverse=True)
    assert [part.points for part in view.loyalty.goodwill] == list(range(29, 9, -1))
    assert {part.account: part.balance for part in view.loyalty.balances} == {
        ACCOUNT: 29,
        f"{ACCOUNT}-0": 28,
        f"{ACCOUNT}-1": 29,
    }
