"""No text of a request holds control characters, wherever it stands."""

import pytest
from google.protobuf.message import Message

from chassis.api.text import check_texts
from chassis.errors import InvalidArgument
from rapport.cases.v1 import promise_pb2, promise_service_pb2
from rapport.customer.v1 import customer_pb2, import_pb2, import_service_pb2
from rapport.loyalty.v1 import ledger_service_pb2
from rapport.notifications.v1 import notice_pb2, notice_service_pb2

Batch = promise_service_pb2.BatchMakePromisesRequest
Make = promise_service_pb2.MakePromiseRequest


def promises(*references: str) -> Message:
    return Batch(requests=[Make(promise=promise_pb2.Promise(reference=each)) for each in references])


def notice(**variables: str) -> Message:
    return notice_service_pb2.SendNoticeRequest(notice=notice_pb2.Notice(variables=variables))


def found(request: Message) -> list[str]:
    with pytest.raises(InvalidArgument) as caught:
        check_texts(request)
    assert {violation.reason for violation in caught.value.violations} == {"INVALID_TEXT"}
    return [violation.field for violation in caught.value.violations]


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\r", "\x7f", "\x85", "\x9f"])
def test_a_control_character_is_found_in_any_text(character: str) -> None:
    assert found(ledger_service_pb2.GetBalancesRequest(accounts=["a", f"b{character}c"])) == ["accounts[1]"]
    assert found(promises("fine", f"{character}", "fine", "x" + character)) == [
        "requests[1].promise.reference",
        "requests[3].promise.reference",
    ]
    assert found(notice(order=f"1{character}")) == ["notice.variables"]
    assert found(notice(**{f"a{character}": "1"})) == ["notice.variables"]


def test_text_is_of_any_language_and_of_many_lines() -> None:
    check_texts(promises("línea 1\nLinie 2\t😀 \u202e\u2028", ""))
    check_texts(notice(order="注文\n1042"))


def test_rows_of_an_import_are_judged_one_by_one_elsewhere() -> None:
    row = import_pb2.ImportRow(customer=customer_pb2.Customer(display_name="\0"))
    check_texts(import_service_pb2.AppendImportRowsRequest(rows=[row]))
    assert found(import_service_pb2.AppendImportRowsRequest(name="\0", rows=[row])) == ["name"]
