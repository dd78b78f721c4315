"""Event messages are found by their description, and heard whether they are known or not."""

import re
import subprocess
import sys
import sysconfig
from dataclasses import make_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

from chassis import ids
from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.db.schema import PARKED
from chassis.events import registry
from chassis.events.declarations import Declaration
from chassis.events.envelope import Event, headers
from chassis.events.facts import FactCodec
from chassis.events.registry import subject_of
from chassis.events.shown import attributes, plan
from chassis.inbox.pull import BYTES_MAX, Pull
from chassis.inbox.subscription import Subscription
from rapport.cases.v1 import cases_events_pb2
from rapport.cases.v1.cases_events_pb2 import CaseOpened, CaseReopened, CaseResolved
from rapport_testing.wait import eventually

PROTO = Path(__file__).parents[3] / "proto"
CONTRACT = """
syntax = "proto3";
package {package};
import "rapport/options/v1/options.proto";
message Sent {{
  option (rapport.options.v1.subject) = "events.gifts.gift.sent.v1";
  string gift = 1;
}}
message Gift {{ string name = 1; }}
"""
EVERYTHING = ("events.cases.>",)


def told_by(package, folder, fields="string gift = 1;"):
    """The event message of a contract, without its module."""
    (folder / "gifts.proto").write_text(CONTRACT.format(package=package).replace("string gift = 1;", fields))
    google = sysconfig.get_paths()["purelib"]
    compiler = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"-I{PROTO}", f"-I{google}"]
    subprocess.run([*compiler, f"-o{folder / 'out'}", "gifts.proto"], check=True)
    [compiled] = FileDescriptorSet.FromString((folder / "out").read_bytes()).file
    compiled.name = f"{package}.proto"  # the pool is everybody's
    Default().AddSerializedFile(compiled.SerializeToString())
    return GetMessageClass(Default().FindMessageTypeByName(f"{package}.Sent"))


def test_every_message_with_a_subject_is_an_event_and_no_other_is():
    found = registry.events()
    assert found["rapport.cases.v1.CaseOpened"] is CaseOpened
    assert "rapport.cases.v1.Case" not in found
    assert all(subject_of(message).startswith("events.") for message in found.values())
    assert registry.sources() == ["cases", "customer", "loyalty", "notifications"]


@pytest.mark.parametrize("package", ["rapport.gifts.v1", "acme.gifts.v1"])
def test_the_events_of_another_distribution_are_found_once_it_is_installed(package, tmp_path):
    """Under `rapport`, or in a package of its own that it names in an entry point."""
    folder = tmp_path.joinpath(*package.split("."))
    folder.mkdir(parents=True)
    contract = folder / "gifts.proto"
    contract.write_text(CONTRACT.format(package=package))
    google = sysconfig.get_paths()["purelib"]
    paths = [f"-I{tmp_path}", f"-I{PROTO}", f"-I{google}"]
    compiler = [sys.executable, "-m", "grpc_tools.protoc", *paths, f"--python_out={tmp_path}"]
    subprocess.run([*compiler, str(contract)], check=True)
    if package.startswith("acme"):
        installed = tmp_path / "gifts-1.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: gifts\nVersion: 1\n")
        (installed / "entry_points.txt").write_text("[rapport.contracts]\ngifts = acme\n")

    look = "from chassis.events import registry; print(registry.sources(), *registry.events())"
    env = {"PYTHONPATH": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True, env=env)
    assert "'gifts'" in told.stdout
    assert f"{package}.Sent" in told.stdout.split()
    assert f"{package}.Gift" not in told.stdout.split()


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ([], "The package acme-gifts is installed, but its module acme is gone. Uninstall it: "),
        (["acme/__init__.py", "acme/gifts.py"], "No module named 'unheard_of'"),
    ],
)
def test_a_package_whose_code_was_deleted_is_named_with_how_to_uninstall_it(there, told, tmp_path):
    """And not one that lacks something else."""
    installed = tmp_path / "acme_gifts-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-gifts\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[rapport.contracts]\ngifts = acme.gifts\n")
    for file in there:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("import unheard_of" if file.endswith("gifts.py") else "")
    look = [sys.executable, "-c", "from chassis.contracts import contracts; contracts()"]
    done = subprocess.run(
        look, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}, check=False
    )
    *_, said = done.stderr.splitlines()
    assert told in said
    assert ("-m pip uninstall acme-gifts" in said) is (not there)


@pytest.mark.parametrize(
    "lacks",
    ["from acme.v1 import gifts_events_pb2", "import acme.v1.gifts_events_pb2", "import acme.gifts_pb2_grpc"],
)
def test_a_package_whose_contract_was_not_generated_is_named_with_what_to_do(lacks, tmp_path):
    installed = tmp_path / "acme_gifts-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-gifts\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[rapport.services]\ngifts = gifts.service:service\n")
    for file, text in {"acme/v1/gifts.proto": "", "gifts/service.py": f"{lacks}\nservice = 1"}.items():
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(text)
    look = "from chassis import contracts as c; [*map(c.loaded, c.entry_points(name='gifts'))]"
    env = {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, env=env, check=False)
    *_, said = done.stderr.splitlines()
    assert re.search(
        r"The package acme-gifts is installed, but gifts_\w*pb2\w* is not there: it is generated", said
    )


@pytest.mark.parametrize(
    ("pattern", "meets"),
    [
        ("events.cases.case.opened.v1", True),
        ("events.cases.>", True),
        ("events.*.case.*.v1", True),
        ("events.loyalty.>", False),
        ("events.cases", False),
        ("events.cases.case.opened.v1.>", False),
    ],
)
def test_a_pattern_meets_what_the_broker_says_it_does(pattern, meets):
    assert registry.meet(pattern, "events.cases.case.opened.v1") is meets
    assert ("rapport.cases.v1.CaseOpened" in registry.heard([pattern])) is meets


async def on_opened(tx: Any, event: Event[CaseOpened]) -> None:
    """Handle one type."""


async def on_any(tx: Any, event: Event[Any]) -> None:
    """Handle all others."""


async def on_changed(tx: Any, event: Event[CaseResolved | CaseReopened]) -> None:
    """Handle two types."""


def test_a_handler_may_take_several_messages():
    subscription = Subscription.of_handlers("loyalty-cases", "cases", [on_opened, on_changed])
    names = [message.DESCRIPTOR.full_name for message in (CaseOpened, CaseResolved, CaseReopened)]
    assert [subscription.handler(name) for name in names] == [on_opened, on_changed, on_changed]
    assert set(subscription.messages) == set(names)


@pytest.mark.parametrize(("handlers", "patterns"), [([on_opened], EVERYTHING), ([on_opened, on_any], ())])
def test_who_listens_by_pattern_and_nobody_else_handles_what_nobody_knows(handlers, patterns):
    with pytest.raises(ValueError, match="needs one handler for each message"):
        Subscription.of_handlers("loyalty-cases", "cases", handlers, patterns)


@pytest.fixture
async def told(bench):
    """Publishes an event of `cases`, of a type without a contract, with a body nobody can read."""

    async def publish(resource: str, size: int = 2) -> None:
        now = Clock().now()
        row = {"id": ids.uuid7(now), "type": "rapport.cases.v1.Unheard", "resource": resource, "time": now}
        row |= {"resource_version": 1, "actor": "agent:alice", "correlation_id": "flow-1", "traceparent": ""}
        row |= {"causation_id": ids.uuid7(now), "data": b"\xff" * size}
        broker = await bench.broker(Declaration("cases"))
        subject = "events.cases.case.unheard.v1"
        await broker.js.publish(subject, row["data"], headers=headers(row, "cases"))

    return publish


async def test_what_is_heard_by_pattern_goes_to_its_handler_and_the_rest_to_the_one_for_all(bench, told):
    cases, loyalty = await bench.database(), await bench.database()
    heard = []

    async def opened(tx: Any, event: Event[CaseOpened]) -> None:
        heard.append(event.data.case)

    async def other(tx: Any, event: Event[Any]) -> None:
        heard.append((event.type, event.resource, event.data))

    await bench.relay(cases)
    subscription = Subscription.of_handlers("loyalty-cases", "cases", [opened, other], EVERYTHING)
    await bench.start(loyalty, subscription)
    await bench.open(cases, "cases/1")
    await told("cases/2")
    await eventually(lambda: len(heard) == 2)
    assert set(heard) == {"cases/1", ("rapport.cases.v1.Unheard", "cases/2", None)}


async def test_what_nobody_knows_and_fails_is_tried_again_by_who_listens_by_pattern(bench, told, monkeypatch):
    monkeypatch.setattr("chassis.backoff.RETRIES", Backoff(0.1, 0.1))
    loyalty, tries = await bench.database(), []

    async def fail_first(tx: Any, event: Event[Any]) -> None:
        tries.append(event.resource)
        if len(tries) == 1:
            raise TimeoutError

    await bench.start(loyalty, Subscription.of_handlers("loyalty-cases", "cases", [fail_first], EVERYTHING))
    await told("cases/1")

    async def applied():
        async with loyalty.connection() as connection:
            return tries == ["cases/1"] * 2 and not await connection.fetch(f"SELECT 1 FROM {PARKED.name}")

    await eventually(applied)


async def test_large_events_are_fetched_a_few_at_a_time(bench, told):
    await bench.broker(Declaration("cases"))
    subscription = Subscription.of_handlers("loyalty-cases", "cases", [on_any], EVERYTHING)
    broker = await bench.broker(Declaration("loyalty", (subscription.declared(),)))
    for n in range(60):
        await told(f"cases/{n}", 200_000)
    pull = Pull(broker, "CASES", "loyalty-cases")
    await pull.open()
    counts = []
    while sum(counts) < 60:
        counts.append(len(await pull.fetch(500, 5)))
        assert 0 < counts[-1] <= BYTES_MAX / 200_000


def test_what_is_about_how_we_work_is_on_nobodys_timeline():
    read = dict(plan("rapport.cases.v1.ClockStarted"))
    assert list(read) == ["ce-department"]
    assert "ce-customer" in dict(plan("rapport.cases.v1.CaseOpened"))


def test_what_every_contract_describes_for_timelines_can_be_read():
    for full_name in registry.events():
        assert attributes(full_name, b"") == {}
        assert plan(full_name) or not registry.events()[full_name].DESCRIPTOR.fields_by_name.get("customer")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ('int64 topic = 2 [(rapport.options.v1.timeline) = TIMELINE_FIELD_TOPIC];', "must be one string"),
        ('string paid = 2 [(rapport.options.v1.timeline) = TIMELINE_FIELD_AMOUNT];', "one google.type.Money"),
        ('repeated string customer = 2;', "must be one string"),
        (
            'string a = 2 [(rapport.options.v1.timeline) = TIMELINE_FIELD_TOPIC];'
            'string b = 3 [(rapport.options.v1.timeline) = TIMELINE_FIELD_TOPIC];',
            "two fields",
        ),
    ],
)  # fmt: skip
def test_a_service_whose_contract_describes_what_cannot_be_does_not_start(field, said, tmp_path):
    package = f"wrong{abs(hash(field))}"
    events = SimpleNamespace(Sent=told_by(package, tmp_path, f"string gift = 1; {field}"))
    with pytest.raises(TypeError, match=said):
        FactCodec(events)


@pytest.mark.parametrize(
    ("field", "wrong"), [("case", "7"), ("topic", "Late delivery"), ("department", "billing")]
)
def test_a_fact_that_no_reader_would_take_is_not_recorded(field, wrong):
    told = {"case": "cases/7", "topic": "late", "department": "departments/billing"}
    fact = make_dataclass("CaseOpened", told)
    assert FactCodec(cases_events_pb2).row(fact(**told))["resource"] == "cases/7"
    with pytest.raises(ValueError, match=f"CaseOpened.{field} must be"):
        FactCodec(cases_events_pb2).row(fact(**told | {field: wrong}))


def test_an_event_is_called_as_readers_know_events(tmp_path):
    with pytest.raises(TypeError, match=r"must be called like acme\.billing"):
        FactCodec(SimpleNamespace(Sent=told_by("Wrong.v1", tmp_path)))
