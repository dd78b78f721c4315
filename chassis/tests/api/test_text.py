"""No text of a request holds control characters, wherever it stands, and no line what breaks or turns it."""

from datetime import UTC, datetime

import pytest
from google.protobuf.message import Message

from chassis.api.checks import checker
from chassis.api.customers import check_customer
from chassis.errors import Violation
from rapport.cases.v1 import note_pb2, note_service_pb2, promise_pb2, promise_service_pb2
from rapport.customer.v1 import customer_pb2, import_job_pb2, import_service_pb2
from rapport.loyalty.v1 import ledger_service_pb2
from rapport.notifications.v1 import notice_pb2, notice_service_pb2

Batch = promise_service_pb2.BatchMakePromisesRequest
Make = promise_service_pb2.MakePromiseRequest


def promises(*references: str) -> Message:
    return Batch(requests=[Make(promise=promise_pb2.Promise(reference=each)) for each in references])


def notice(**variables: str) -> Message:
    return notice_service_pb2.SendNoticeRequest(notice=notice_pb2.Notice(variables=variables))


def wrong_texts(request: Message) -> list[Violation]:
    """What is wrong with the texts of a request; whatever else is."""
    return [each for each in checker(request.DESCRIPTOR)(request, NOW) if each.reason == "INVALID_TEXT"]


def found(request: Message) -> list[str]:
    return [violation.field for violation in wrong_texts(request)]


NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONTROL = ["\0", "\x07", "\x08", "\x0b", "\x1b", "\r", "\x7f", "\x85", "\x9b", "\x9f"]
HIDDEN = ["\ufdd0", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff", "\U000e0001", "\U000e0041", "\U000e007f"]
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
BREAKS = ["\n", "\t", "\u2028", "\u2029"]
TURNS = ["\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"]
NAMES = [
    "Anna-Maria O'Brien (née Søndergård)",
    "\u0645\u062d\u0645\u062f \u0639\u0644\u064a",  # Arabic
    "\u05de\u05e9\u05d4 \u05db\u05d4\u05df",  # Hebrew
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # Farsi, with the joiner that keeps two letters apart
    "\u200f\u0639\u0644\u064a\u200e",  # marks of direction, which turn nothing
    "\u0928\u094d\u200d\u092f",  # Devanagari, with a joiner
    "山田太郎",
    "👩‍👩‍👧 & 🏳️‍🌈",
    "\u1112\u1161\u11ab \u110c\u1175",  # Hangul, in letters
    f"Leah {ENGLAND}{ENGLAND}",
    "葛\U000e0100城 ☎️ 1️⃣",  # variants
    "邉\ue000",  # an ideograph of private use
    "\U0001faea \U000323af",  # an emoji and an ideograph that not every Python knows
]


def note(text: str) -> Message:
    return note_service_pb2.CreateNoteRequest(note=note_pb2.Note(text=text))


@pytest.mark.parametrize("character", CONTROL + HIDDEN + BREAKS + TURNS)
def test_what_is_no_part_of_a_line_is_found_in_any_text(character: str) -> None:
    assert found(ledger_service_pb2.BatchGetAccountsRequest(names=["a", f"b{character}c"])) == ["names[1]"]
    assert found(promises("fine", f"{character}", "fine", "x" + character)) == [
        "requests[1].promise.reference",
        "requests[3].promise.reference",
    ]
    assert found(notice(order=f"1{character}")) == ["notice.variables[order]"]
    assert found(notice(**{f"a{character}": "1"})) == ["notice.variables"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_of_any_script(name: str) -> None:
    customer = customer_pb2.Customer(
        display_name=name, person=customer_pb2.Person(given_name=name, organization_name=name)
    )
    assert check_customer(customer, NOW) == []


@pytest.mark.parametrize("character", CONTROL + HIDDEN)
def test_text_of_many_lines_holds_no_control_characters_either(character: str) -> None:
    assert found(note(f"a{character}")) == ["note.text"]


@pytest.mark.parametrize(
    "hidden", [ENGLAND[:-1], ENGLAND[1:], f"a{ENGLAND[1:]}", f"🏴{ENGLAND[1:-1] * 2}\U000e007f"]
)
def test_tags_are_text_in_a_flag_alone(hidden: str) -> None:
    assert found(note(f"a {hidden} b")) == ["note.text"]


def test_text_of_many_lines_has_newlines_tabs_and_every_direction() -> None:
    assert wrong_texts(note("línea 1\nLinie 2\t😀 " + "".join(BREAKS + TURNS + NAMES))) == []


def test_a_refusal_says_what_is_allowed() -> None:
    for request, allowed in ((note("\x1b"), "with newlines and tabs"), (promises("\n"), "must be one line")):
        assert allowed in wrong_texts(request)[0].description


def test_rows_of_an_import_are_judged_one_by_one_elsewhere() -> None:
    row = import_job_pb2.ImportRow(customer=customer_pb2.Customer(display_name="\0"))
    assert wrong_texts(import_service_pb2.AppendImportRowsRequest(rows=[row])) == []
    assert found(import_service_pb2.AppendImportRowsRequest(name="\0", rows=[row])) == ["name"]
