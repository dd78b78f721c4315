"""Parts of the customer view: pure functions from the facts about one thing to the part that shows it.

A part is the fold, in the order of their versions, of the latest fact of each type. Facts of one type all
set the same fields, so older ones of the type change nothing: the fold of the latest ones is the fold of
all. What is kept is the same whatever the order and however often facts arrive, and so is the part.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from google.protobuf.message import Message

from chassis.api.actors import service_name
from chassis.api.messages import decimal, money, timestamp
from rapport.cases.v1 import cases_events_pb2 as cases
from rapport.common.v1 import states_pb2
from rapport.customer.v1 import view_pb2
from rapport.loyalty.v1 import loyalty_events_pb2 as loyalty
from rapport.notifications.v1 import notifications_events_pb2 as notifications


class PartKind(StrEnum):
    """The kinds of part, by the field of the view that shows them."""

    PROMISE = "PROMISE"
    CASE = "CASE"
    NOTICE = "NOTICE"
    VALUE = "VALUE"
    BALANCE = "BALANCE"
    GOODWILL = "GOODWILL"


class Fact(msgspec.Struct, frozen=True, array_like=True):
    """A fact about one thing, as it is kept: its message, and what orders it."""

    version: int
    event_id: UUID
    time: datetime
    type: str
    data: bytes

    @property
    def order(self) -> tuple[int, UUID]:
        """Later facts of one thing are larger."""
        return self.version, self.event_id


@dataclass(frozen=True, slots=True)
class About:
    """One thing of a customer that the view shows."""

    kind: PartKind
    resource: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Folded:
    """A part, whether what it shows has ended or is to be shown before others, and when it last changed."""

    part: Any
    ended: bool
    urgent: bool
    change_time: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """How a view shows parts of one kind: its place there, the facts that make it, and when it is live.

    Without states it is always `live`, and never by an empty list of them.
    """

    add: Callable[[Any], Any]
    facts: Sequence[type[Message]]
    live: Sequence[Any] | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """Which part one type of message changes."""

    kind: PartKind
    message: type[Message]


M = TypeVar("M", bound=Message)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Fact])
_NOT_SENT = (states_pb2.NOTICE_STATE_SUPPRESSED, states_pb2.NOTICE_STATE_FAILED)
TEXT_MAX = 200  # characters of any text in a view


def merged(kept: bytes, facts: Iterable[Fact]) -> bytes:
    """What is kept of one thing after more facts about it: the latest of each type, in their order."""
    latest: dict[str, Fact] = {fact.type: fact for fact in (kept_facts(kept) if kept else ())}
    for fact in facts:
        if fact.type not in latest or latest[fact.type].order < fact.order:
            latest[fact.type] = fact
    return _ENCODER.encode(sorted(latest.values(), key=lambda fact: fact.order))


def kept_facts(kept: bytes) -> list[Fact]:
    """What is kept of one thing: the latest fact of each type, in their order."""
    return _DECODER.decode(kept)


def folded(kind: PartKind, kept: bytes) -> Folded:
    """The part that kept facts, of which there is at least one, make."""
    facts = kept_facts(kept)
    part: Any = PARTS[kind].add(view_pb2.CustomerView())
    for fact in facts:
        data = SPECS[fact.type].message.FromString(fact.data)
        _copy(data, part)
        _unsay(part, data)
    last = facts[-1]
    part.source.service = service_name(last.type.split(".")[1])
    part.source.resource_version = last.version
    part.source.occur_time.CopyFrom(timestamp(last.time))
    urgent = kind is PartKind.PROMISE and part.state == states_pb2.PROMISE_STATE_AT_RISK
    live = PARTS[kind].live
    has_ended = live is not None and (not live or part.state not in live)
    return Folded(excerpt(part), has_ended, urgent, last.time)


def excerpt(message: M) -> M:
    """`message` with its longer texts cut to 200 characters, so that a view has a size."""
    for field, value in message.ListFields():
        if isinstance(value, str):
            if len(value) > TEXT_MAX:
                setattr(message, field.name, value[: TEXT_MAX - 1] + "…")
        elif field.message_type is not None and field.message_type.name == "Money":
            for amount in value if field.is_repeated else (value,):
                excerpt(amount)
    return message


def add_value(value: Any, other: Any) -> None:
    """Add what a customer is worth by another of their names. The band is of all of them."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for each in (*value.lifetime_values, *other.lifetime_values):
        totals[each.currency_code] += decimal(each)
    value.ClearField("lifetime_values")
    value.lifetime_values.extend(money(total, code) for code, total in sorted(totals.items()))
    value.purchase_count += other.purchase_count
    value.band = max(value.band, other.band)
    value.previous_band = max(value.previous_band, other.previous_band)
    for name, choose in (("first_purchase_time", min), ("last_purchase_time", max)):
        times = [getattr(each, name) for each in (value, other) if each.HasField(name)]
        if times:
            at = choose(times, key=lambda time: (time.seconds, time.nanos))
            getattr(value, name).CopyFrom(at)


def _copy(data: Message, part: Message) -> None:
    """Set the fields of `part` that `data` has by name and type. A name left empty unsays nothing."""
    fields = part.DESCRIPTOR.fields_by_name
    for field in data.DESCRIPTOR.fields:
        target = fields.get(field.name)
        if target is None or target.type != field.type:
            continue
        value = getattr(data, field.name)
        if field.is_repeated:
            part.ClearField(field.name)
            getattr(part, field.name).extend(value)
            continue
        if field.message_type is not None:
            if data.HasField(field.name):
                getattr(part, field.name).CopyFrom(value)
        elif value != "":
            setattr(part, field.name, value)


def _unsay(part: Any, data: Any) -> None:
    """Clear what no longer holds.

    A forecast stands until there is another, or the promise is out of danger or over. A reason says why a
    notice did not go out; one that went out has none.
    """
    if isinstance(part, view_pb2.PromisePart):
        at_risk = isinstance(data, cases.PromiseAtRisk) and data.HasField("forecast_time")
        if not (at_risk or isinstance(data, cases.PromiseBroken)):
            part.ClearField("forecast_time")
    elif isinstance(part, view_pb2.NoticePart) and part.state not in _NOT_SENT:
        part.reason_code = ""


_PROMISES = (
    cases.PromiseMade,
    cases.PromiseAtRisk,
    cases.PromiseRecovered,
    cases.PromiseRenegotiated,
    cases.PromiseKept,
    cases.PromiseBroken,
    cases.PromiseWithdrawn,
)
_PROMISED = (
    states_pb2.PROMISE_STATE_UNSPECIFIED,
    states_pb2.PROMISE_STATE_OPEN,
    states_pb2.PROMISE_STATE_AT_RISK,
)
_CASES = (
    cases.CaseOpened,
    cases.CaseAssigned,
    cases.CaseUpdated,
    cases.CaseResolved,
    cases.CaseReopened,
    cases.CaseMerged,
    cases.CaseUnmerged,
)
_OPEN = states_pb2.CASE_STATE_UNSPECIFIED, states_pb2.CASE_STATE_OPEN
_NOTICES = (
    notifications.NoticeRequested,
    notifications.NoticeSuppressed,
    notifications.NoticeSent,
    notifications.NoticeDelivered,
    notifications.NoticeFailed,
    notifications.NoticeUnknown,
)
_TRANSFERS = loyalty.TransferPosted, loyalty.TransferReversed
_GOODWILL = loyalty.GoodwillGranted, loyalty.GoodwillReversed
PARTS: Mapping[PartKind, Shown] = {
    PartKind.PROMISE: Shown(lambda view: view.promises.add(), _PROMISES, _PROMISED),
    PartKind.CASE: Shown(lambda view: view.cases.add(), _CASES, _OPEN),
    PartKind.NOTICE: Shown(lambda view: view.notices.add(), _NOTICES, ()),
    PartKind.VALUE: Shown(lambda view: view.value, (loyalty.CustomerValueChanged,)),
    PartKind.BALANCE: Shown(lambda view: view.loyalty.balances.add(), _TRANSFERS),
    PartKind.GOODWILL: Shown(lambda view: view.loyalty.goodwill.add(), _GOODWILL, ()),
}
SPECS = {each.DESCRIPTOR.full_name: Spec(kind, each) for kind, shown in PARTS.items() for each in shown.facts}
