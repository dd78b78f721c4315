"""What a membership holds in each unit, until when, and the lines of its statement."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.api.messages import moment
from desk.pages.actions.offering import Act
from desk.pages.membership.holding import Held
from desk.ui import words
from desk.ui.picture import Part, stacked
from desk.ui.speech import Speech
from rapport.loyalty.v1.account_pb2 import Account
from rapport.loyalty.v1.entry_pb2 import Entry
from rapport.loyalty.v1.lot_pb2 import Lot


@dataclass(frozen=True)
class Found:
    """What was asked of one account."""

    account: Account
    lots: Sequence[Lot]
    entries: Sequence[Entry]


@dataclass(frozen=True)
class End:
    """What ends on one day, or never."""

    day: str
    amount: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Line:
    """A line of a statement; `transfer` is what explains it."""

    transfer: str
    when: str
    what: str
    amount: str
    balance: str


@dataclass(frozen=True)
class Holding:
    """What is held in one unit."""

    account: str
    unit: str  # its code
    title: str
    usable: str
    pending: str
    reserved: str
    owed: str  # empty for nothing
    ends: Sequence[End]
    lines: Sequence[Line]
    acts: Sequence[Act]


def holding(found: Found, held: Held, acts: Sequence[Act], say: Speech) -> Holding:
    """What is held in the unit of an account that members spend from."""
    unit = words.last(held.unit)
    return Holding(
        account=found.account.name,
        unit=unit,
        title=say.titled(unit),
        usable=say.number(held.usable),
        pending=say.number(held.pending),
        reserved=say.number(held.reserved),
        owed=say.number(held.owed) if held.owed else "",
        ends=_ends(found, say),
        lines=[line(each, say) for each in found.entries],
        acts=acts,
    )


def line(entry: Entry, say: Speech) -> Line:
    """A line of a statement in words."""
    return Line(
        transfer=entry.transfer,
        when=say.moment(moment(entry.post_time)),
        what=say.titled(entry.reason_code),
        amount=f"{'+' if entry.amount > 0 else '-'}{say.number(abs(entry.amount))}",
        balance=say.number(entry.balance),
    )


def _ends(found: Found, say: Speech) -> list[End]:
    """What can be spent, by the day on which it ends; what never does comes last."""
    amounts: Counter[datetime | None] = Counter()
    for lot in found.lots:
        if lot.state == Lot.STATE_ACTIVE:
            amounts[moment(lot.expire_time) if lot.HasField("expire_time") else None] += lot.remaining
    amounts[None] += max(0, found.account.balance - sum(amounts.values()))
    most = max(amounts.values())
    days = sorted(day for day in amounts if day is not None)
    return [
        End(
            day=say.on(day) if day else say("never"),
            amount=say.number(amounts[day]),
            parts=stacked({"kept" if day is None else "late": amounts[day]}, most),
        )
        for day in [*days, None]
        if amounts[day]
    ]
