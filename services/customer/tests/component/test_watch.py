"""Watching a view: a snapshot, changes, heartbeats, an end."""

import asyncio
from types import SimpleNamespace
from uuid import UUID

import pytest
from google.protobuf.duration_pb2 import Duration

from customer.rpc import views
from customer.usecases import hot_views
from rapport.customer.v1.customer_pb2 import Customer, Person
from rapport.customer.v1.customer_service_pb2 import UpdateCustomerRequest
from rapport.customer.v1.view_service_pb2 import WatchCustomerViewRequest
from rapport_testing.wait import eventually


def watch(desk, customer, timeout=30, **fields):
    return desk.views.WatchCustomerView(
        WatchCustomerViewRequest(name=f"{customer}/view", **fields), timeout=timeout
    )


async def rename(desk, customer, family_name):
    await desk.customers.UpdateCustomer(
        UpdateCustomerRequest(customer=Customer(person=Person(family_name=family_name), name=customer))
    )


def hot_views_of(desk):
    return next(s.hot for s in desk.running.app.servicers if hasattr(s, "hot"))


async def next_view(watching):
    """The next message that holds a view."""
    while True:
        message = await watching.read()
        assert message, "the stream has ended"
        if message.HasField("customer_view"):
            return message.customer_view


async def settled(desk):
    """A customer whose creation is in the view already."""
    anna = await desk.create()
    await desk.view_when(anna.name, lambda view: view.latest_timeline_entries)
    return anna


async def test_a_watch_begins_with_a_snapshot_and_goes_on_with_changes(desk):
    anna = await settled(desk)
    watching = watch(desk, anna.name)
    snapshot = await next_view(watching)
    assert (snapshot.display_name, len(snapshot.freshness)) == ("Anna", 4)
    for name in ("Berg", "Tal"):
        await rename(desk, anna.name, name)
        assert (await next_view(watching)).display_name == f"Anna {name}"
    watching.cancel()


async def test_everybody_who_watches_sees_a_change(desk):
    anna = await settled(desk)
    watchers = [watch(desk, anna.name) for _ in range(5)]
    for watching in watchers:
        await next_view(watching)
    await rename(desk, anna.name, "Berg")
    for watching in watchers:
        assert (await next_view(watching)).display_name == "Anna Berg"
        watching.cancel()


async def test_a_change_of_one_customer_is_not_sent_to_who_watches_another(desk):
    anna, bert = await settled(desk), await settled(desk)
    watching = watch(desk, anna.name, max_age=Duration(seconds=2))
    await next_view(watching)
    await rename(desk, bert.name, "Berg")
    await desk.view_when(bert.name, lambda view: view.display_name == "Anna Berg")
    await rename(desk, anna.name, "Tal")
    assert (await next_view(watching)).display_name == "Anna Tal"


async def test_who_reads_slowly_gets_the_latest_view_next(desk):
    anna = await settled(desk)
    watching = watch(desk, anna.name)
    await next_view(watching)
    for i in range(30):
        await rename(desk, anna.name, f"Berg {i}")
    await desk.view_when(anna.name, lambda view: view.display_name == "Anna Berg 29")
    received = 0
    while (await next_view(watching)).display_name != "Anna Berg 29":
        received += 1
    assert received < 30
    watching.cancel()


@pytest.fixture
def pauses(monkeypatch):
    """How long each pause was to be; none is over before `over` is set."""
    found, over = [], asyncio.Event()

    async def sleep(seconds):
        found.append(seconds)
        await over.wait()

    monkeypatch.setattr(views, "asyncio", SimpleNamespace(sleep=sleep))
    return SimpleNamespace(found=found, over=over)


async def test_changes_within_a_pause_are_one_message(desk, pauses):
    anna = await settled(desk)
    watching = watch(desk, anna.name)
    await next_view(watching)
    for i in range(5):
        await rename(desk, anna.name, f"Berg {i}")
    await desk.view_when(anna.name, lambda view: view.display_name == "Anna Berg 4")
    pauses.over.set()
    assert (await next_view(watching)).display_name == "Anna Berg 4"
    assert min(pauses.found) >= views.PAUSE_S
    watching.cancel()


async def test_a_change_in_the_last_pause_is_told_before_the_end(desk, pauses):
    anna = await settled(desk)
    watching = watch(desk, anna.name, max_age=Duration(nanos=300_000_000))
    await next_view(watching)
    await rename(desk, anna.name, "Berg")
    await desk.view_when(anna.name, lambda view: view.display_name == "Anna Berg")
    await asyncio.sleep(0.3)
    pauses.over.set()
    assert [message.customer_view.display_name async for message in watching] == ["Anna Berg"]


class Gated:
    """The statement that reads a view, held up."""

    def __init__(self, statement):
        self.statement = statement
        self.asked = 0
        self.gate = asyncio.Event()

    async def one(self, on, **params):
        self.asked += 1
        await self.gate.wait()
        return await self.statement.one(on, **params)


async def test_all_who_ask_while_a_view_is_read_share_the_reading(desk, monkeypatch):
    (_, customer_id), hot = (await settled(desk)).name.split("/"), hot_views_of(desk)
    customer_id = UUID(customer_id)
    monkeypatch.setattr(hot_views, "VIEWS_BY_ID", gated := Gated(hot_views.VIEWS_BY_ID))
    hot._drop([customer_id])
    asking = [asyncio.create_task(hot.get(customer_id)) for _ in range(50)]
    await eventually(lambda: gated.asked)
    asking[0].cancel()  # who began it goes away
    hot._drop([customer_id])  # what is being read is old: who asks now is not answered with it
    later = asyncio.create_task(hot.get(customer_id))
    await eventually(lambda: gated.asked == 2)
    gated.gate.set()
    assert len({held.view for held in await asyncio.gather(*asking[1:], later)}) == 1
    assert gated.asked == 2


async def test_a_quiet_watch_has_a_heartbeat_without_a_view(desk, monkeypatch):
    monkeypatch.setattr(views, "HEARTBEAT_S", 0.05)
    anna = await settled(desk)
    watching = watch(desk, anna.name)
    await next_view(watching)
    for _ in range(3):
        message = await watching.read()
        assert message.HasField("send_time")
        assert not message.HasField("customer_view")
    watching.cancel()


async def test_a_watch_ends_by_itself_after_its_maximum_age(desk):
    anna = await settled(desk)
    messages = [message async for message in watch(desk, anna.name, max_age=Duration(nanos=300_000_000))]
    assert messages[0].HasField("customer_view")


async def test_a_watch_ends_in_order_before_the_callers_deadline(desk):
    anna = await settled(desk)
    messages = [message async for message in watch(desk, anna.name, timeout=1)]
    assert messages[0].HasField("customer_view")


async def test_a_watch_ends_when_the_service_drains(desk):
    anna = await settled(desk)
    watching = watch(desk, anna.name)
    await next_view(watching)
    stopping = asyncio.ensure_future(desk.running.lifecycle.stop())

    with pytest.raises(Exception, match="UNAVAILABLE"):
        await watching.read()
    await asyncio.wait_for(stopping, 10)


async def test_who_stops_watching_leaves_nothing_behind(desk):
    anna = await settled(desk)
    watching = watch(desk, anna.name)
    await next_view(watching)
    hot = hot_views_of(desk)
    assert hot._watchers
    watching.cancel()
    await eventually(lambda: not hot._watchers)


async def test_the_view_of_nobody_cannot_be_watched(desk, nobody):
    with pytest.raises(Exception, match="NOT_FOUND"):
        await watch(desk, nobody).read()


async def test_a_maximum_age_must_be_positive(desk):
    anna = await desk.create()
    for max_age in (Duration(), Duration(seconds=-1)):
        with pytest.raises(Exception, match="INVALID_ARGUMENT"):
            await watch(desk, anna.name, max_age=max_age).read()
