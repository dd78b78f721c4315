"""Whether entries of an account follow from each other, and the hash that holds each with all before it.

The hash of an entry is SHA-256 over that of the entry before it, 32 bytes, none for the first, and the entry
as JSON: keys in order, no spaces, times in UTC to the microsecond. Who keeps the last hash of an account
elsewhere knows later that no entry before it was changed.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from loyalty.domain.ledger import Line


class FaultKind(StrEnum):
    """What may be wrong with a ledger, as alarms have it."""

    BALANCE = "BALANCE"  # an account does not say what its newest entry says
    ENTRY = "ENTRY"  # an entry does not continue the one before it
    SEAL = "SEAL"  # an entry is not what it was when it was sealed
    UNIT = "UNIT"  # all that accounts hold of a unit does not add up to zero
    LOT = "LOT"  # lots of an account hold more than the account


@dataclass(frozen=True, slots=True)
class Seal:
    """The hash of an entry."""

    account_id: UUID
    version: int
    hash: bytes


def hash_of(line: Line, before: bytes) -> bytes:
    """The hash of an entry after the one whose hash is `before`."""
    written = {
        "account": str(line.account_id),
        "amount": line.amount,
        "balance": line.balance,
        "leg": line.leg,
        "post_time": line.post_time.astimezone(UTC).isoformat(timespec="microseconds"),
        "reason_code": line.reason_code,
        "reverses": str(line.reverses_id) if line.reverses_id else None,
        "transfer": str(line.transfer_id),
        "version": line.version,
    }
    text = json.dumps(written, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(before + text.encode()).digest()


_EVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Chain:
    """How far the entries of an account were followed: the last of them, and its hash."""

    version: int = 0
    balance: int = 0
    post_time: datetime = _EVER
    hash: bytes = b""
    is_open: bool = False  # whether one of them is not sealed: then none after it is

    def continues(self, line: Line) -> bool:
        """Whether an entry follows; it is then the last."""
        follows = (
            line.version == self.version + 1
            and line.balance == self.balance + line.amount
            and line.post_time >= self.post_time
        )
        self.version, self.balance, self.post_time = line.version, line.balance, line.post_time
        self.hash = hash_of(line, self.hash)
        return follows

    def seals(self, lines: Sequence[Line]) -> Iterator[Seal]:
        """A seal for each entry, up to the first that does not follow."""
        for line in lines:
            if not self.continues(line):
                return
            yield Seal(line.account_id, line.version, self.hash)


@dataclass(frozen=True, slots=True)
class Kept(Line):
    """An entry, its hash as it was sealed, None before that, and what its account says of the newest."""

    hash: bytes | None
    account_version: int
    account_balance: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an entry of an account."""

    account_id: UUID
    version: int
    kind: FaultKind


def faults(lines: Sequence[Kept], first_is_known: bool, is_end: bool) -> Iterator[Fault]:
    """What is wrong with entries in the order of accounts and versions, all that there are between them.

    `first_is_known`: the first was looked at before, and only what follows is judged. `is_end`: the last is
    the newest of its account. What follows one that is wrong is compared with what was sealed.
    """
    chain = Chain()
    for i, line in enumerate(lines):
        if i == 0 and first_is_known:
            chain = Chain(line.version, line.balance, line.post_time, line.hash or b"")
        else:
            if i == 0 or lines[i - 1].account_id != line.account_id:
                chain = Chain()
            if not chain.continues(line):
                yield Fault(line.account_id, line.version, FaultKind.ENTRY)
            if line.hash is None:
                chain.is_open = True
            elif chain.is_open or line.hash != chain.hash:
                yield Fault(line.account_id, line.version, FaultKind.SEAL)
                chain.hash, chain.is_open = line.hash, False
        is_last = is_end if i == len(lines) - 1 else lines[i + 1].account_id != line.account_id
        if is_last and (line.account_version, line.account_balance) != (line.version, line.balance):
            yield Fault(line.account_id, line.version, FaultKind.BALANCE)
