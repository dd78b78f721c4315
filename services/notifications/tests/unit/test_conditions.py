"""What policies read of events."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from chassis.api.messages import timestamp
from notifications.domain.days import day_of
from notifications.domain.policy import NoticePolicy
from notifications.usecases.conditions import counts_for, filled, send_on
from notifications.usecases.policy import draft_of
from rapport.customer.v1.customer_events_pb2 import CustomerConverted, RelationshipCreated
from rapport.loyalty.v1.loyalty_events_pb2 import VoucherIssued
from rapport.notifications.v1 import notice_policy_pb2

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OWNER = "customers/01a22d91-f9f3-7623-9487-67f039d13518"


def policy(**terms: Any) -> NoticePolicy:
    said = notice_policy_pb2.NoticePolicy(event_type=VoucherIssued.DESCRIPTOR.full_name, **terms)
    return draft_of(said).policy("p", "front-desk", NOW)


@pytest.mark.parametrize(
    ("value", "said"), [("event.expire_time", "2026-03-02T09:00:00+00:00"), ("event.money", "5.00 EUR")]
)
def test_what_an_event_does_not_give_is_not_told(value: str, said: str) -> None:
    rule = policy(variables={"it": value})
    given = VoucherIssued(expire_time=timestamp(NOW), money=Money(currency_code="EUR", units=5))
    assert filled(rule, given) == {"it": said}
    assert filled(rule, VoucherIssued()) is None


@pytest.mark.parametrize(
    ("terms", "whom"),
    [
        ({}, ""),  # a voucher may change hands
        ({"customer_field": "customer"}, OWNER),
        ({"subject_field": "program"}, OWNER),  # others have vouchers of it, too
    ],
)
def test_what_several_customers_have_is_newest_for_each_of_them(terms: Any, whom: str) -> None:
    assert counts_for(policy(**terms), VoucherIssued(customer=OWNER, program="programs/main")) == whom
    assert counts_for(policy(**terms), VoucherIssued(program="programs/main")) == ""


def test_the_day_is_that_on_which_it_ends_or_begins_and_no_day_is_none() -> None:
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    ending = VoucherIssued(expire_time=timestamp(midnight))
    assert day_of(datetime.fromisoformat(send_on("expire_time", ending)), UTC).day == 31
    beginning = RelationshipCreated(start_time=timestamp(midnight))
    assert day_of(datetime.fromisoformat(send_on("start_time", beginning)), UTC).day == 1
    bought = CustomerConverted(purchase_time=timestamp(midnight))
    assert day_of(datetime.fromisoformat(send_on("purchase_time", bought)), UTC).day == 1
    far = VoucherIssued(expire_time=Timestamp(seconds=-62_135_596_800))
    for none in (far, VoucherIssued()):
        assert send_on("expire_time", none) == ""
