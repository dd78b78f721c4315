"""Time-ordered identifiers: UUIDv7 (RFC 9562), strictly increasing within a process."""

import os
import threading
from datetime import UTC, datetime
from uuid import UUID

_lock = threading.Lock()
_last = 0


def uuid7(at: datetime) -> UUID:
    """A new UUIDv7 for the moment `at` (time zone required).

    The 48-bit millisecond time is followed by 74 random bits. A second call within the same millisecond, or
    after the clock stepped back, counts on from the last value: ids of one process sort by their making.
    """
    global _last
    moment = int(at.timestamp() * 1000) << 74
    with _lock:
        value = moment | int.from_bytes(os.urandom(10), "big") >> 6
        _last = value if value > _last else _last + 1
        value = _last
    return _made(value)


def of_day(at: datetime) -> UUID:
    """A new UUIDv7 that says of its making the day, and nothing else: of one day they are in no order."""
    return _made(int(day(at).timestamp() * 1000) << 74 | int.from_bytes(os.urandom(10), "big") >> 6)


def day(at: datetime) -> datetime:
    """The beginning of the day, in UTC, of a moment."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _made(value: int) -> UUID:
    """Of 48 bits of time and 74 random ones."""
    # 48 bits time, 4 bits version, 12 bits random, 2 bits variant, 62 bits random
    high, low = value >> 62, value & ((1 << 62) - 1)
    return UUID(int=(high >> 12) << 80 | 0x7 << 76 | (high & 0xFFF) << 64 | 0x2 << 62 | low)


def newest() -> datetime:
    """The moment of the newest id made here. Ids never go back, so when the clock did, it lies ahead."""
    return datetime.fromtimestamp((_last >> 74) / 1000, UTC)


def floor(at: datetime) -> UUID:
    """The smallest UUIDv7 of the moment `at`: the bound of a time range over ids."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | 0x7 << 76 | 0x2 << 62)


def moment(uuid: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((uuid.int >> 80) / 1000, UTC)
