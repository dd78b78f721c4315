import importlib.util
import json
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chassis.api.messages import to_message
from chassis.facts import fact_of
from chassis.money import Money

ROOT = Path(__file__).parents[2]
EVENTS = """
syntax = "proto3";
package acme.billing.v1;
import "google/protobuf/timestamp.proto";
import "google/type/date.proto";
import "google/type/money.proto";
import "rapport/options/v1/options.proto";

// An invoice was sent. It is told again with every reminder, and the words of a contract may well be longer
// than a line of Python is.
message InvoiceSent {
  option (rapport.options.v1.subject) = "events.billing.invoice.sent.v1";
  string invoice = 1;
  string customer = 2;
  google.type.Money amount = 3;
  google.type.Date due_date = 4;
  optional google.protobuf.Timestamp remind_time = 5;
  repeated Line lines = 6;
  State state = 7;
  map<string, int64> points = 8;
  oneof told_by {
    string letter = 9;
    bool by_hand = 10;
  }
}

// What is to be paid for.
message Line {
  // What it is called:
  // - by us;
  // - by nobody else.
  string article = 1;
  double quantity = 2;
}

// Where it is.
enum State {
  STATE_UNSPECIFIED = 0;
  // In the mail.
  STATE_SENT = 1;
}

// Nobody knows more.
message InvoiceLost {
  option (rapport.options.v1.subject) = "events.billing.invoice.lost.v1";
}

// Somebody said how it was.
message ReviewWritten {
  option (rapport.options.v1.subject) = "events.billing.review.written.v1";
  string review = 1;
  string customer = 2;
  string invoice = 3;
  string product = 4;
  string title = 5;
  repeated string words = 6;
  int32 stars = 7;
}

// They said otherwise.
message ReviewChanged {
  option (rapport.options.v1.subject) = "events.billing.review.changed.v1";
  string review = 1;
  string customer = 2;
  string invoice = 3;
  string product = 4;
  string title = 5;
  repeated string words = 6;
  int32 stars = 7;
  int32 previous_stars = 8;
}
"""


def loaded(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the compiler makes of a department's own contracts, outside this repository."""
    folder = tmp_path_factory.mktemp("acme")
    events = folder / "acme" / "billing" / "v1" / "billing_events.proto"
    events.parent.mkdir(parents=True)
    events.write_text(EVENTS)
    found = [ROOT / "proto", sysconfig.get_paths()["purelib"]]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", *(f"-I{path}" for path in found)]
    plugins = {"PATH": str(Path(sys.executable).parent)}
    subprocess.run(
        [*command, f"--facts_out={folder}", f"--comments_out={folder}", f"--python_out={folder}", events],
        check=True,
        env=plugins,
    )
    return folder


@pytest.fixture(scope="module")
def facts(generated: Path) -> Any:
    return loaded(generated / "billing" / "domain" / "facts.py", "acme_facts")


class Invoice:
    name, customer, state = "invoices/1", "customers/1", "SENT"
    amount, due_date = Money(Decimal("12.50"), "EUR"), date(2026, 3, 2)
    points = {"gold": 3}  # noqa: RUF012


def test_a_fact_of_a_department_is_published_as_its_message(generated: Path, facts: Any) -> None:
    line = facts.Line(article="paint", quantity=1.5)
    told = fact_of(facts.InvoiceSent, Invoice(), lines=[line], remind_time=None, letter=None, by_hand=True)
    pb2 = loaded(generated / "acme" / "billing" / "v1" / "billing_events_pb2.py", "acme_pb2")
    message = to_message(pb2.InvoiceSent, told)
    assert (message.invoice, message.customer, message.state) == ("invoices/1", "customers/1", 1)
    assert (message.amount.units, message.amount.nanos, message.due_date.day) == (12, 500_000_000, 2)
    assert not message.HasField("remind_time")
    assert (message.lines[0].article, message.lines[0].quantity) == ("paint", 1.5)
    assert dict(message.points) == {"gold": 3}
    assert (message.WhichOneof("told_by"), message.by_hand) == ("by_hand", True)


def test_what_a_department_writes_over_its_contract_is_kept_beside_its_messages(generated: Path) -> None:
    kept = generated / "acme" / "billing" / "v1" / "billing_events_comments.json"
    assert json.loads(kept.read_text()) == {
        "acme.billing.v1.InvoiceSent": "An invoice was sent. It is told again with every reminder, and the"
        " words of a contract may well be longer\nthan a line of Python is.",
        "acme.billing.v1.Line": "What is to be paid for.",
        "acme.billing.v1.Line.article": "What it is called:\n- by us;\n- by nobody else.",
        "acme.billing.v1.State": "Where it is.",
        "acme.billing.v1.State.STATE_SENT": "In the mail.",
        "acme.billing.v1.InvoiceLost": "Nobody knows more.",
        "acme.billing.v1.ReviewWritten": "Somebody said how it was.",
        "acme.billing.v1.ReviewChanged": "They said otherwise.",
    }


def test_what_all_events_of_a_resource_begin_with_stands_once(facts: Any) -> None:
    before, after = facts.ReviewWritten, facts.ReviewChanged
    assert before.__base__ is after.__base__ is not object
    common = ["review", "customer", "invoice", "product", "title", "words", "stars"]
    assert [field.name for field in fields(before)] == common
    assert [field.name for field in fields(after)] == [*common, "previous_stars"]
    assert facts.InvoiceSent.__base__ is object


def test_a_fact_names_what_it_cannot_know_and_what_it_has_no_field_for(facts: Any) -> None:
    with pytest.raises(AttributeError, match="remind_time"):
        fact_of(facts.InvoiceSent, Invoice(), lines=[])
    with pytest.raises(TypeError, match="colour"):
        fact_of(facts.InvoiceSent, Invoice(), lines=[], remind_time=None, letter=None, by_hand=None, colour=1)


def test_generated_facts_are_written_as_the_linter_wants_and_pass_the_type_checker(generated: Path) -> None:
    tools, made = Path(sys.executable).parent, generated / "billing" / "domain" / "facts.py"
    config = f"--config={ROOT / 'pyproject.toml'}"
    for tool in (["ruff", "check", config], ["ruff", "format", "--check", config], ["mypy", "--strict"]):
        subprocess.run([tools / tool[0], *tool[1:], made], check=True, cwd=ROOT)


def test_an_event_message_that_changes_without_its_fact_fails_the_check(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    for fact in ROOT.glob("services/*/src/*/domain/facts.py"):
        (tmp_path / fact.relative_to(ROOT)).parent.mkdir(parents=True)
        shutil.copy(fact, tmp_path / fact.relative_to(ROOT))
    contract = tmp_path / "proto" / "rapport" / "cases" / "v1" / "cases_events.proto"
    contract.write_text(contract.read_text().replace(" topic = 3 [", " subject = 3 [", 1))
    said = subprocess.run(
        [sys.executable, tmp_path / "proto" / "check.py"], capture_output=True, text=True, check=False
    )
    assert "Facts are not what the contracts generate; run `make proto`" in said.stdout
    assert "cases/domain/facts.py" in said.stdout
    assert "loyalty/domain/facts.py" not in said.stdout
