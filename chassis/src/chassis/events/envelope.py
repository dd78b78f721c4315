"""A consumed event: CloudEvents 1.0 attributes in NATS headers (binary mode), protobuf in the body."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote
from uuid import UUID

from google.protobuf.message import Message

from chassis.api import formats
from chassis.context import CLOCK, CORRELATION_ID, Call
from chassis.errors import Malformed
from chassis.events.shown import NOTHING, TYPE, Shown, attributes, formed, moment, shown
from chassis.names import CODE, SERVICE, SUBJECT

M = TypeVar("M", bound=Message)
ATTRIBUTE_MAX = 4096  # characters, as sent
_VERSION = re.compile(r"[0-9]{1,19}", re.ASCII)
_SOURCE = re.compile(rf"//({SERVICE})\.rapport")
_ACTOR = re.compile(rf"{SUBJECT}|customer:{CODE}|{CLOCK}")  # a customer, by their own link


@dataclass(frozen=True, slots=True)
class Event(Generic[M]):
    """One fact from another service."""

    id: UUID  # a UUIDv7, unique per source; the inbox and the broker deduplicate by it
    type: str  # the full name of the message, for example `rapport.cases.v1.PromiseAtRisk`
    source: str  # the publishing service, for example `cases`
    resource: str  # the name of the resource it is about
    resource_version: int  # that resource's version after the fact; a projection of state keeps the highest
    time: datetime  # when it happened
    actor: str  # who did it
    correlation_id: str  # the flow it belongs to
    causation_id: UUID  # the event, request or timer that caused it
    traceparent: str  # the W3C trace context in which it was recorded
    data: M  # the message; None, for who listens by pattern, when its contract is not installed here
    transaction_id: UUID | None = None  # the transaction that recorded it; None unless that recorded many
    shown: Shown = NOTHING  # what it says to the timeline of its customer

    def causing(self, call: Call) -> Call:
        """The part of `call`, which handles many events, that is because of this one: for `tx.act`."""
        return replace(
            call, cause_id=self.id, correlation_id=self.correlation_id, traceparent=self.traceparent
        )


def headers(row: Mapping[str, Any], source: str) -> dict[str, str]:
    """The NATS headers for an outbox row, values percent-encoded as the CloudEvents NATS binding asks."""
    told = {
        "ce-specversion": "1.0",
        "ce-id": str(row["id"]),
        "ce-source": f"//{source}.rapport",
        "ce-type": row["type"],
        "ce-subject": _encoded(row["resource"]),
        "ce-time": row["time"].isoformat(),
        "ce-datacontenttype": "application/protobuf",
        "ce-resourceversion": str(row["resource_version"]),
        "ce-authid": _encoded(row["actor"]),
        "ce-correlationid": row["correlation_id"],
        "ce-causationid": str(row["causation_id"]),
        "Nats-Msg-Id": str(row["id"]),
        **attributes(row["type"], row["data"]),
    }
    if row["traceparent"]:
        told["traceparent"] = row["traceparent"]
    if row.get("transaction_id"):
        told["ce-transactionid"] = str(row["transaction_id"])
    return told


@functools.lru_cache(maxsize=4096)
def _encoded(value: str) -> str:
    return quote(value, safe="/:")


def parse(raw: Mapping[str, str], body: bytes, messages: Mapping[str, type[M]]) -> Event[M]:
    """The event in a NATS message, without data when its type is not in `messages`, by full name.

    Malformed, ValueError, KeyError or google.protobuf.message.DecodeError when it is not a well-formed event.
    """
    if max(map(len, raw.values()), default=0) > ATTRIBUTE_MAX:
        raise Malformed("an attribute that is too long")
    if any("%00" in value or "\0" in value for value in raw.values()):
        raise Malformed("an attribute with a NUL, which no row holds")
    actor = unquote(raw["ce-authid"])
    if not _ACTOR.fullmatch(actor):
        raise Malformed("an actor that is none")
    if not TYPE.fullmatch(raw["ce-type"]):
        raise Malformed("a type that is no name like acme.billing.v1.InvoiceSent")
    message = messages.get(raw["ce-type"])
    data: Any = message.FromString(body) if message else None
    if not CORRELATION_ID.fullmatch(raw["ce-correlationid"]):
        raise Malformed("a correlation id that is none")
    return Event(
        id=_id(raw["ce-id"]),
        type=raw["ce-type"],
        source=_source(raw["ce-source"]),
        resource=formed(raw, "ce-subject", formats.ANY_NAME),
        resource_version=_version(raw["ce-resourceversion"]),
        time=moment(raw["ce-time"]),
        actor=actor,
        correlation_id=raw["ce-correlationid"],
        causation_id=UUID(raw["ce-causationid"]),
        traceparent=raw.get("traceparent", ""),
        data=data,
        transaction_id=UUID(raw["ce-transactionid"]) if "ce-transactionid" in raw else None,
        shown=shown(raw),
    )


def _id(text: str) -> UUID:
    event_id = UUID(text)
    if event_id.version != 7:  # the inbox is kept by the day that ids begin with
        raise Malformed("an id that is no UUIDv7")
    return event_id


def _source(text: str) -> str:
    if not (named := _SOURCE.fullmatch(text)):
        raise Malformed("a source that is not like //billing.rapport")
    return named[1]


def _version(text: str) -> int:
    if not _VERSION.fullmatch(text) or int(text) >= 2**63:
        raise Malformed("a version that no resource has")
    return int(text)
