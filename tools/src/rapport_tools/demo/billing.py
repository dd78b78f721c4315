"""Billing, a department that none of the services knows: what its section of the customer view holds.

A department writes this as a contract and has it compiled (docs/sections.md); a demo has no compiler.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from google.protobuf import descriptor_pool, text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message_factory import GetMessageClass

from chassis.api.messages import day, money, timestamp
from rapport.customer.v1 import section_service_pb2 as pb
from rapport.options.v1 import layout_pb2

assert layout_pb2.layout  # the option by which the text below says how fields are drawn
CONTRACT = text_format.Parse(
    """
    name: "billing/v1/open_items.proto" package: "billing.v1" syntax: "proto3"
    dependency: "google/type/date.proto" dependency: "google/type/money.proto"
    message_type {
      name: "OpenItems"
      field {
        name: "open_amount" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.type.Money"
        options { [rapport.options.v1.layout] { label: "Open amount" alarm: true } }
      }
      field {
        name: "next_debit" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".google.type.Date"
        options { [rapport.options.v1.layout] { label: "Next debit" } }
      }
    }
    """,
    FileDescriptorProto(),
)


def schema() -> pb.PutSectionSchemaRequest:
    """What billing says of its sections, once for each release."""
    return pb.PutSectionSchemaRequest(
        name="sectionSchemas/billing",
        display_name="Billing",
        message_type="billing.v1.OpenItems",
        descriptors=FileDescriptorSet(file=[CONTRACT]).SerializeToString(),
    )


def section(customer: str) -> pb.PutViewSectionRequest:
    """What is open of the customer's order, and when it is debited."""
    pool: Any = descriptor_pool.Default()
    pool.Add(CONTRACT)  # again with the same, it does nothing
    items = GetMessageClass(pool.FindMessageTypeByName("billing.v1.OpenItems"))
    now = datetime.now(UTC)
    next_debit = day((now + timedelta(days=14)).date())
    content = items(open_amount=money(Decimal("86.40"), "EUR"), next_debit=next_debit)
    return pb.PutViewSectionRequest(
        name=f"{customer}/view/sections/billing",
        content=content.SerializeToString(),
        as_of_time=timestamp(now),
        stale_time=timestamp(now + timedelta(days=1)),
    )
