"""A department that this service was built without: nothing of it is installed, and nothing here names it."""

import subprocess
import sys
import sysconfig
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import nats
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessageClass

from chassis import ids
from chassis.api.messages import money, timestamp
from chassis.context import Call, Principal, current_call
from chassis.events.declarations import Declaration
from chassis.events.envelope import headers
from chassis.events.nats import connect
from chassis.events.provision import NotProvisioned, provision, verify
from chassis.service import Service
from chassis.settings import ServiceSettings
from customer.service import service
from rapport.common.v1.channel_pb2 import CHANNEL_LETTER, DIRECTION_OUTBOUND
from rapport.customer.v1.section_service_pb2 import PutSectionSchemaRequest, PutViewSectionRequest
from rapport.customer.v1.section_service_pb2_grpc import SectionServiceStub
from rapport.customer.v1.timeline_service_pb2 import ExplainTimelineEntryRequest, ListTimelineEntriesRequest
from rapport.customer.v1.view_pb2 import SourceFreshness
from rapport_testing.engines.nats import Nats
from rapport_testing.wait import eventually
from rapport_tools.cli.terminal import Terminal
from rapport_tools.cli.view_page import page

PROTO = Path(__file__).parents[4] / "proto"
CONTRACT = """
syntax = "proto3";
package rapport.gifts.v1;
import "google/protobuf/timestamp.proto";
import "google/type/money.proto";
import "rapport/common/v1/channel.proto";
import "rapport/options/v1/options.proto";
message GiftSent {
  option (rapport.options.v1.subject) = "events.gifts.gift.sent.v1";
  string gift = 1;
  string customer = 2;
  string occasion = 3 [(rapport.options.v1.timeline) = TIMELINE_FIELD_TOPIC];
  google.type.Money worth = 4 [(rapport.options.v1.timeline) = TIMELINE_FIELD_AMOUNT];
  google.protobuf.Timestamp send_time = 5 [(rapport.options.v1.timeline) = TIMELINE_FIELD_OCCUR_TIME];
  rapport.common.v1.Channel by = 6 [(rapport.options.v1.timeline) = TIMELINE_FIELD_CHANNEL];
}
message StockCounted {
  option (rapport.options.v1.subject) = "events.gifts.stock.counted.v1";
  string stock = 1;
}
"""
SECTION = """
syntax = "proto3";
package rapport.gifts.v1;
import "google/type/money.proto";
import "rapport/options/v1/layout.proto";
message GiftBudget {
  google.type.Money left = 1 [(rapport.options.v1.layout) = {label: "Left this year" order: 2}];
  int32 gift_count = 2 [(rapport.options.v1.layout) = {label: "Gifts sent" order: 1}];
}
"""


@dataclass
class GiftSent:
    gift: str
    customer: str
    occasion: str = ""
    worth: Any = None
    send_time: datetime | None = None
    by: str = ""


@dataclass
class StockCounted:
    stock: str


def compiled(folder, name, text):
    """What the compiler makes of a contract: a serialised FileDescriptorSet, without what it imports."""
    (folder / name).write_text(text)
    paths = [f"-I{folder}", f"-I{PROTO}", f"-I{sysconfig.get_paths()['purelib']}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *paths, f"-o{folder / 'made.binpb'}", name]
    subprocess.run(command, check=True)
    return (folder / "made.binpb").read_bytes()


@pytest.fixture(scope="session")
def contract(tmp_path_factory):
    """The generated module of the department's events, which only its own service has."""
    raw = compiled(tmp_path_factory.mktemp("gifts"), "gifts_events.proto", CONTRACT)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(descriptor_pb2.FileDescriptorSet.FromString(raw).file[0].SerializeToString())
    module = ModuleType("gifts_events_pb2")
    for name, message in pool.FindFileByName("gifts_events.proto").message_types_by_name.items():
        setattr(module, name, GetMessageClass(message))
    return module


@pytest.fixture
async def gifts(start, contract, tmp_path):
    """The department's own service, running."""
    (tmp_path / "versions").mkdir()
    department = Service(
        "gifts",
        port=7009,
        settings=ServiceSettings,
        events=contract,
        migrations=tmp_path,
        compose=lambda _: None,
    )
    return await start(department)


@pytest.fixture
async def hearing(open_desk):
    """A customer service that may hear that department: configured, not built."""
    return await open_desk(sources="gifts")


@pytest.fixture
def tell(infrastructure, clock):
    """Publishes an event with the given attributes; returns its id. A body that nobody can read."""

    async def publish(where, **attributes):
        now = clock.now()
        row = {
            "id": ids.uuid7(now),
            "resource_version": 1,
            "correlation_id": "flow-1",
            "causation_id": uuid4(),
        }
        row |= {
            "type": "rapport.gifts.v1.ThingHappened",
            "resource": "gifts/7",
            "time": now,
            "actor": "service:gifts",
            "traceparent": "",
            "data": b"",
        }
        told = headers(row, "gifts") | {f"ce-{name}": value for name, value in attributes.items()}
        connection = await nats.connect(infrastructure.nats_url)
        try:
            await connection.jetstream().publish(where, b"\xff\xff", headers=told)
        finally:
            await connection.close()
        return row["id"]

    return publish


async def record(running, *facts):
    """Record facts in one transaction of a service; returns the consistency token of the write."""
    token = current_call.set(Call("test", Principal("agent:gert", department="gifts")))
    try:
        async with running.db.transaction() as tx:
            for fact in facts:
                tx.record(fact, version=1)
        return tx.consistency_token
    finally:
        current_call.reset(token)


async def entries(desk, customer):
    """What is on the timeline, without what the customer service itself tells."""
    listed = await desk.timeline.ListTimelineEntries(ListTimelineEntriesRequest(parent=customer))
    return [entry for entry in listed.timeline_entries if entry.service != "services/customer"]


async def test_its_fact_is_on_the_timeline_as_its_own_contract_describes_it(gifts, hearing, clock):
    anna, sent = await hearing.create(), clock.now() - timedelta(days=3)
    gift = f"gifts/{uuid4()}"
    fact = GiftSent(gift, anna.name, "birthday", money(20, "EUR"), sent, "LETTER")
    token = await record(gifts, fact)

    view = await hearing.view(anna.name, consistency_token=token)
    [entry] = [each for each in view.latest_timeline_entries if each.service == "services/gifts"]
    assert (entry.event_type, entry.resource, entry.actor) == (
        "rapport.gifts.v1.GiftSent",
        gift,
        "agents/gert",
    )
    assert (entry.occur_time, entry.topic) == (timestamp(sent), "birthday")
    assert (entry.amount, entry.channel) == (money(20, "EUR"), CHANNEL_LETTER)
    assert entry.direction == DIRECTION_OUTBOUND
    assert await entries(hearing, anna.name) == [entry]
    explained = await hearing.timeline.ExplainTimelineEntry(ExplainTimelineEntryRequest(name=entry.name))
    assert (explained.causes[0].service, explained.causes[0].event_type) == (
        "services/gifts",
        "rapport.gifts.v1.GiftSent",
    )


async def test_its_section_is_drawn_in_the_view_as_its_own_contract_describes_it(
    hearing, gifts, tmp_path, clock
):
    """Its service calls the customer service; that, the view and the page know what the contract says."""
    anna = await hearing.create()
    permissions = ["customer.view_sections.write", "customer.section_schemas.write"]
    stub = hearing.running.stub(SectionServiceStub, permissions, "service:gifts", "gifts")
    schema = PutSectionSchemaRequest(
        name="sectionSchemas/gifts",
        display_name="Gifts to customers",
        message_type="rapport.gifts.v1.GiftBudget",
        descriptors=compiled(tmp_path, "gifts_section.proto", SECTION),
    )
    await stub.PutSectionSchema(schema)
    left = money(20, "EUR").SerializeToString()
    section = PutViewSectionRequest(
        name=f"{anna.name}/view/sections/gifts",
        content=b"\x0a" + bytes([len(left)]) + left + b"\x10\x03",
        as_of_time=timestamp(clock.now()),
    )
    await stub.PutViewSection(section)

    view = await hearing.view_when(anna.name, lambda view: view.sections)
    terminal = Terminal()
    with terminal.capture() as captured:
        terminal.print(page(view, 80), crop=False)
    shown = [line.split("  ") for line in captured.get().splitlines()]
    shown = [[part.strip() for part in line if part.strip()] for line in shown]
    begin = shown.index(["Gifts to customers", "as of 2026-03-02 09:00"])
    assert shown[begin + 1 : begin + 3] == [["Gifts sent", "3"], ["Left this year", "20.00 EUR"]]


async def test_how_current_it_is_is_said_with_every_view(gifts, hearing):
    anna = await hearing.create()

    def state(view):
        return {each.service: each.state for each in view.freshness}["services/gifts"]

    await hearing.view_when(anna.name, lambda view: state(view) == SourceFreshness.STATE_FRESH)


async def test_a_fact_that_names_no_customer_is_on_no_timeline_and_harms_none(gifts, hearing):
    anna = await hearing.create()
    token = await record(gifts, StockCounted("stocks/1"), GiftSent("gifts/1", "customers/nobody"))
    view = await hearing.view(anna.name, consistency_token=token)
    assert await entries(hearing, anna.name) == []
    assert not view.unapplied_facts


@pytest.mark.parametrize("source", ["gifts", "cases"])
async def test_a_type_without_a_contract_here_shows_what_every_event_says(hearing, tell, clock, source):
    """Of a department that is not known, or of a newer release of one that is: nothing of it is set aside."""
    anna = await hearing.create()
    await tell(
        f"events.{source}.thing.happened.v1",
        type=f"rapport.{source}.v1.ThingHappened",
        source=f"//{source}.rapport",
        subject="things/1",
        customer=anna.name,
    )
    [entry] = await eventually(lambda: entries(hearing, anna.name))
    assert (entry.event_type, entry.service, entry.resource) == (
        f"rapport.{source}.v1.ThingHappened",
        f"services/{source}",
        "things/1",
    )
    assert (entry.occur_time, entry.actor) == (timestamp(clock.now()), "services/gifts")
    assert not (await hearing.view(anna.name)).unapplied_facts


@pytest.mark.parametrize(
    "forged",
    [
        {"source": "//cases.rapport", "type": "rapport.cases.v1.PromiseBroken"},
        {"type": "rapport.cases.v1.PromiseBroken"},
        {"type": "rapport.cases.v1.OfALaterRelease"},
        {"authid": "user:alice@corp.example"},
        {"time": "2126-03-02T09:00:00+00:00"},
        {"amount": "Infinity EUR"},
        {"subject": "x" * 5000, "type": "y" * 50_000},
    ],
    ids=[
        "another's name",
        "another's fact",
        "another's later fact",
        "no actor",
        "the future",
        "no amount",
        "no end",
    ],
)
async def test_what_it_may_not_say_is_on_no_timeline_and_is_said_to_be_missing(hearing, tell, forged):
    anna = await hearing.create()
    told = {"type": "rapport.gifts.v1.GiftSent", "customer": anna.name} | forged
    await tell("events.gifts.gift.sent.v1", **told)
    view = await hearing.view_when(anna.name, lambda view: view.unapplied_facts)
    assert [fact.service for fact in view.unapplied_facts] == ["services/gifts"]
    assert view.ByteSize() < 2000
    assert await entries(hearing, anna.name) == []


async def test_what_is_said_to_have_happened_later_than_it_was_told_happened_when_it_was_told(
    hearing, tell, clock
):
    anna, later = await hearing.create(), (clock.now() + timedelta(days=300)).isoformat()
    await tell("events.gifts.gift.sent.v1", customer=anna.name, occurtime=later)
    [entry] = await eventually(lambda: entries(hearing, anna.name))
    assert entry.occur_time == timestamp(clock.now())


async def test_a_department_that_is_heard_no_more_leaves_what_it_told_and_is_waited_for_no_more(
    gifts, hearing, open_desk, refused
):
    anna = await hearing.create()
    token = await record(gifts, GiftSent("gifts/1", anna.name))
    await hearing.view(anna.name, consistency_token=token)

    without = await open_desk(database_url=hearing.running.app.settings.database_url)
    view = await without.view(anna.name)
    assert "services/gifts" not in [each.service for each in view.freshness]
    assert [entry.service for entry in await entries(without, anna.name)] == ["services/gifts"]
    refusal = await refused(without.view(anna.name, consistency_token=token))
    assert refusal == "INVALID_ARGUMENT INVALID_CONSISTENCY_TOKEN"


async def test_its_stream_is_read_by_who_is_configured_to_and_nobody_else(tmp_path):
    """The broker's accounts are made of what `describe` says with the same setting."""
    heard, unheard = service.declaration(["gifts"]), service.declaration()
    others = [Declaration(name) for name in ("gifts", "cases", "loyalty", "notifications")]
    for accounts, allowed in [(heard, True), (unheard, False)]:
        with Nats(tmp_path / str(allowed), declarations=[accounts, *others]) as broker:
            await provision(broker.url, heard)
            connection = await connect(broker.url_for("customer"), "customer")
            try:
                await verify(connection, unheard)
                if not allowed:  # what one may not ask has no answer
                    connection.js = connection.client.jetstream(timeout=0.5)
                with nullcontext() if allowed else pytest.raises(NotProvisioned, match="customer-view-gifts"):
                    await verify(connection, heard)
            finally:
                await connection.close()


async def test_an_event_with_the_id_of_anothers_is_given_up_on_and_not_passed_over(gifts, hearing, tell):
    anna = await hearing.create()
    await tell("events.gifts.thing.happened.v1", type="rapport.gifts.v1.ThingHappened", customer=anna.name)
    [entry] = await eventually(lambda: entries(hearing, anna.name))
    await tell(
        "events.cases.thing.happened.v1",
        id=entry.name.rpartition("/")[2],
        type="rapport.cases.v1.ThingHappened",
        source="//cases.rapport",
        customer=anna.name,
    )
    view = await hearing.view_when(anna.name, lambda view: view.unapplied_facts)
    assert [each.service for each in view.unapplied_facts] == ["services/cases"]
    assert await entries(hearing, anna.name) == [entry]
