"""Values over messages of the contracts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.rules import BadRule, Undecided, compile_value
from rapport.loyalty.v1.loyalty_events_pb2 import PurchaseRecorded, VoucherIssued

VARIABLES = {"event": PurchaseRecorded}
EVENT = PurchaseRecorded(
    purchase="purchases/1",
    quantity=3,
    amount={"units": 12, "currency_code": "EUR"},
    purchase_time={"seconds": 1_700_000_000},
)


def said(text: str, event: PurchaseRecorded = EVENT) -> Any:
    return compile_value(text, VARIABLES).of({"event": event})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("event.purchase", "purchases/1"),
        ("event.quantity", 3),
        ("double(event.quantity) / 2.0", 1.5),
        ("event.purchase_time", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("event.amount", EVENT.amount),
        ("event.quantity > 2 ? 'many' : 'few'", "many"),
    ],
)
def test_a_value_is_a_text_a_number_a_time_or_an_amount(text: str, value: Any) -> None:
    assert said(text) == value


@pytest.mark.parametrize(
    "text", ["event.quantity > 2", "event", "event.nothing", "[1, 2]", "event.", "'a' + 'b'"]
)
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(BadRule):
        compile_value(text, VARIABLES)


def test_a_state_alone_is_refused_for_people_read_words() -> None:
    with pytest.raises(BadRule, match="It is a state"):
        compile_value("event.state", {"event": VoucherIssued})
    words = "event.state == Voucher.State.STATE_ACTIVE ? 'new' : 'other'"
    assert compile_value(words, {"event": VoucherIssued}).of({"event": VoucherIssued()}) == "other"


def test_what_nobody_can_say_is_undecided() -> None:
    with pytest.raises(Undecided):
        said("1 / event.quantity", PurchaseRecorded())
