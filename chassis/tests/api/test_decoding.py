"""A use case gets what the contract says, in Python's types, or its service does not start."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from chassis.api.decoding import decoder, into
from chassis.api.messages import timestamp
from chassis.errors import InvalidArgument
from chassis.facts import Changes
from rapport.cases.v1 import work_item_service_pb2
from rapport.customer.v1 import customer_service_pb2, relationship_service_pb2, section_service_pb2
from rapport.loyalty.v1 import purchase_service_pb2
from rapport.notifications.v1 import notice_policy_service_pb2

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, TWO = UUID("0198c2a0-0000-7000-8000-000000000001"), UUID("0198c2a0-0000-7000-8000-000000000002")


def test_a_name_becomes_its_ids_and_a_time_a_datetime() -> None:
    async def forecast(
        tx: Any,
        *,
        work_item_id: UUID,
        forecast_finish_time: datetime,
        reason_code: str,
        etag: str,
    ) -> None: ...

    request = work_item_service_pb2.ForecastWorkItemRequest(
        name=f"workItems/{TWO}", forecast_finish_time=timestamp(NOW), reason_code="weather"
    )
    assert decoder(request.DESCRIPTOR, forecast)(request) == {
        "work_item_id": TWO, "forecast_finish_time": NOW,
        "reason_code": "weather", "etag": "",
    }  # fmt: skip


async def relate(
    tx: Any,
    *,
    customer_id: UUID,
    related_customer_id: UUID,
    kind: str,
    role: str,
    start_time: datetime | None,
    end_time: datetime | None,
) -> None:
    """Takes a relationship apart."""


def test_a_new_resource_is_taken_apart_and_what_is_absent_is_none() -> None:
    relationship = {
        "customer": f"customers/{ONE}",
        "related_customer": f"customers/{TWO}",
        "kind": "employee-of",
        "role": "\u200b",
        "start_time": timestamp(NOW),
    }
    request = relationship_service_pb2.CreateRelationshipRequest(relationship=relationship)
    assert decoder(request.DESCRIPTOR, relate)(request) == {
        "customer_id": ONE, "related_customer_id": TWO, "kind": "employee-of", "role": "",
        "start_time": NOW, "end_time": None,
    }  # fmt: skip


@dataclass
class Terms:
    """What may change, as an entity has it, and what may not."""

    role: str
    start_time: datetime  # which is always there
    end_time: datetime | None
    version: int


def test_an_update_becomes_the_changes_that_its_mask_names() -> None:
    async def update(tx: Any, *, relationship_id: UUID, changes: Changes[Terms], etag: str) -> None: ...

    relationship = {"name": f"relationships/{ONE}", "role": "Buyer", "etag": '"7"'}
    request = relationship_service_pb2.UpdateRelationshipRequest(
        relationship=relationship, update_mask={"paths": ["end_time"]}
    )
    values = decoder(request.DESCRIPTOR, update)
    assert values(request) == {"relationship_id": ONE, "changes": {"end_time": None}, "etag": '"7"'}
    request.update_mask.Clear()
    assert values(request)["changes"] == {"role": "Buyer"}


@dataclass
class Line:
    """Takes a message inside another."""

    product: str
    quantity: Decimal
    amount: Decimal
    amount_currency: str
    discount_amount: Decimal | None
    discount_amount_currency: str
    tax_amount: Decimal | None
    tax_amount_currency: str
    returned_line: int


@dataclass
class Item:
    """Takes an item of a batch, with the name as it is."""

    customer: str
    amount: Decimal
    amount_currency: str
    purchase_time: datetime
    quantity: int
    reference: str
    refunded_amount: Decimal | None
    refunded_amount_currency: str
    lines: list[Line]
    returned_purchase: str
    store: str
    import_key: str | None = None


def test_an_amount_is_a_decimal_and_its_currency_and_a_default_is_for_what_is_no_field() -> None:
    purchase = purchase_service_pb2.RecordPurchaseRequest(
        purchase={
            "customer": f"customers/{ONE}",
            "amount": {"currency_code": "EUR", "units": 12, "nanos": 340_000_000},
            "purchase_time": timestamp(NOW),
            "lines": [
                {
                    "product": "sku-1",
                    "quantity": {"value": "1.50"},
                    "amount": {"currency_code": "EUR", "units": 12, "nanos": 340_000_000},
                }
            ],
        }
    ).purchase
    made = into(type(purchase), Item)(purchase)
    line = Line("sku-1", Decimal("1.5"), Decimal("12.34"), "EUR", None, "", None, "", 0)
    assert made == Item(f"customers/{ONE}", Decimal("12.34"), "EUR", NOW, 0, "", None, "", [line], "", "")


def test_a_version_s_name_is_none_of_what_it_is_a_version_of() -> None:
    async def delete(tx: Any, *, notice_policy_id: str, etag: str) -> None: ...

    request = notice_policy_service_pb2.DeleteNoticePolicyRequest(name="noticePolicies/delays/versions/1")
    with pytest.raises(InvalidArgument) as refused:
        decoder(request.DESCRIPTOR, delete)(request)
    [violation] = refused.value.violations
    assert (violation.field, violation.reason) == ("name", "INVALID_NAME")


def test_many_names_become_many_ids() -> None:
    async def get(tx: Any, *, customer_ids: Sequence[UUID], allow_missing: bool) -> None: ...

    request = customer_service_pb2.BatchGetCustomersRequest(names=[f"customers/{ONE}", f"customers/{TWO}"])
    assert decoder(request.DESCRIPTOR, get)(request) == {"customer_ids": [ONE, TWO], "allow_missing": False}


class Wrong:
    """Use cases of CreateRelationship that do not fit it."""

    async def lacks(
        self,
        *,
        customer_id: UUID,
        related_customer_id: UUID,
        kind: str,
        role: str,
        start_time: datetime | None,
    ) -> None: ...

    async def more(
        self,
        *,
        customer_id: UUID,
        related_customer_id: UUID,
        kind: str,
        role: str,
        start_time: datetime | None,
        end_time: datetime | None,
        x: int,
    ) -> None: ...

    async def required(
        self,
        *,
        customer_id: UUID,
        related_customer_id: UUID,
        kind: str,
        role: str,
        start_time: datetime | None,
        end_time: datetime,
    ) -> None: ...

    async def other(
        self,
        *,
        customer_id: str,
        related_customer_id: UUID,
        kind: str,
        role: str,
        start_time: datetime | None,
        end_time: datetime | None,
    ) -> None: ...


@pytest.mark.parametrize(
    ("usecase", "said"),
    [
        (Wrong.lacks, "end_time is taken by no parameter"),
        (Wrong.more, "x is no field"),
        (Wrong.required, "end_time is datetime.datetime | None, not datetime"),
        (Wrong.other, "customer_id is UUID, not str"),
    ],
)
def test_a_use_case_that_does_not_fit_its_request_starts_no_service(usecase: Any, said: str) -> None:
    with pytest.raises(
        TypeError, match=r"does not fit rapport.customer.v1.CreateRelationshipRequest"
    ) as refused:
        decoder(relationship_service_pb2.CreateRelationshipRequest.DESCRIPTOR, usecase)
    assert said in str(refused.value)


def test_changes_that_are_not_those_of_the_contract_start_no_service() -> None:
    async def update(tx: Any, *, relationship_id: UUID, changes: dict[str, str], etag: str) -> None: ...

    with pytest.raises(
        TypeError,
        match=r"changes of rapport\.customer\.v1\.UpdateRelationshipRequest must be Changes of what has",
    ):
        decoder(relationship_service_pb2.UpdateRelationshipRequest.DESCRIPTOR, update)


def test_bytes_are_bytes_and_an_absent_time_is_none() -> None:
    async def put(
        tx: Any,
        *,
        customer_id: UUID,
        view_section_id: str,
        content: bytes,
        as_of_time: datetime,
        stale_time: datetime | None,
        etag: str,
    ) -> None: ...

    name = f"customers/{ONE}/view/sections/billing"
    request = section_service_pb2.PutViewSectionRequest(name=name, content=b"\0", as_of_time=timestamp(NOW))
    assert decoder(request.DESCRIPTOR, put)(request) == {
        "customer_id": ONE, "view_section_id": "billing", "content": b"\0", "as_of_time": NOW,
        "stale_time": None, "etag": "",
    }  # fmt: skip
