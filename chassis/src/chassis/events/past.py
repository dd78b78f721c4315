"""Reading what streams still hold, message by message: no consumer is made, and no position is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import nats.errors
import nats.js.errors

from chassis.errors import Malformed, Unavailable
from chassis.events.declarations import stream_of
from chassis.events.envelope import Event, parse
from chassis.events.nats import BROKER_ERRORS, Connection
from chassis.events.registry import subject_of
from chassis.events.shown import moment

LOOKED_TIMES = 4  # so many messages are looked at for each event that is asked for, at most
OUT_OF_ORDER = timedelta(minutes=10)  # how much later than what happened after it something is published


@dataclass(frozen=True, slots=True)
class Read:
    """Events of one type, oldest first; `more` says from when on there are others, None without."""

    events: list[Event[Any]]
    more: datetime | None


class Past:
    """The events of services whose every event this one hears."""

    def __init__(self) -> None:
        self._connection: Connection | None = None

    def start(self, connection: Connection) -> None:
        """Read by a connection, from now on."""
        self._connection = connection

    async def read(self, source: str, message: Any, start: datetime, end: datetime, at_most: int) -> Read:
        """The events of a type that a service told from `start` on and before `end`, as far as `at_most`.

        Those that were published late, and what came after `end`, are looked at as well, so far that it ends.

        Unavailable `EVENTS_NOT_READABLE` while the broker does not answer, or does not allow it.
        """
        name, subject = message.DESCRIPTOR.full_name, subject_of(message)
        found: list[Event[Any]] = []
        try:
            number, looked = await self._first(source, start), 0
            while (raw := await self._next(source, subject, number)) is not None:
                event, number = _event(raw, {name: message}), raw.seq + 1
                if event is not None and event.time < start:
                    continue
                time, looked = event.time if event else raw.time, looked + 1
                if time >= end + OUT_OF_ORDER:
                    break
                # What happened in one instant is read as one, so that who goes on from it always does.
                if (len(found) >= at_most or looked > LOOKED_TIMES * at_most) and time > start:
                    return Read([each for each in found if each.time < time], time if time < end else None)
                if event is not None and time < end:
                    found.append(event)
        except BROKER_ERRORS as error:
            told = "The events of that service cannot be read at the broker now. Try again."
            raise Unavailable("EVENTS_NOT_READABLE", told, {"service": source}) from error
        return Read(found, None)

    async def _first(self, source: str, start: datetime) -> int:
        """The number of a message before which none tells of what happened from `start` on.

        By when they were kept, and by when what they tell of happened: after an outage that is long before.
        """
        assert self._connection is not None, "it was started"
        state = (await self._connection.js.stream_info(stream_of(source))).state
        low, high = state.first_seq, state.last_seq + 1
        while low < high:
            middle = (low + high) // 2
            raw = await self._next(source, ">", middle)
            if raw is not None and (raw.time < start or _told(raw, start) < start - OUT_OF_ORDER):
                low = raw.seq + 1
            else:
                high = middle
        return max(low, 1)

    async def _next(self, source: str, subject: str, number: int) -> Any:
        """The first message on a subject from a number on; None when there is none."""
        assert self._connection is not None, "it was started"
        try:
            return await self._connection.js.get_msg(stream_of(source), number, subject, next=True)
        except nats.js.errors.NotFoundError:
            return None


def _told(raw: Any, otherwise: datetime) -> datetime:
    """When that happened of which a message tells."""
    try:
        return moment((raw.headers or {})["ce-time"])
    except (KeyError, ValueError, Malformed):  # whatever another service published
        return otherwise


def _event(raw: Any, messages: Mapping[str, Any]) -> Event[Any] | None:
    """The event in a message; None when nobody could have applied it."""
    try:
        return parse(raw.headers or {}, raw.data or b"", messages)
    except Exception:  # whatever another service published
        return None
