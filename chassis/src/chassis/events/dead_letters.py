"""Events that a consumer gave up on: listing, showing, replaying and dropping them.

The stream may have several letters of one event and consumer: it was replayed for another consumer, or stored
and the answer was lost. They are one letter here, which is replayed and dropped as one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg

from chassis.events.nats import connect
from chassis.events.provision import DEAD_STREAM

_ID = "dead-id"
_TIMES = "dead-times"  # how often the consumer of this name had given up when the event was replayed


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that one consumer gave up on.

    Attributes:
        number: names it in the other functions; those of earlier letters that are this one do too.
        consumer: the durable that gave up.
        subject: where the event was published.
        event_id: by which the consumer knows it; made from its place in the stream when it has none.
        type: the event message's full name; "" as above.
        resource: what it is about.
        error: the type of the error.
        reason: the refusal's reason; "" for other errors.
        attempts: how often it had been delivered.
        at: when the consumer gave up, the last time.
        times: how often it gave up, before and after replays.
        headers: the event's attributes.
        data: the event message.

    """

    number: int
    consumer: str
    subject: str
    event_id: str
    type: str
    resource: str
    error: str
    reason: str
    attempts: int
    at: datetime
    times: int
    headers: dict[str, str]
    data: bytes
    earlier: tuple[int, ...] = ()


async def dead_letters(url: str, consumer: str = "") -> list[DeadLetter]:
    """All dead letters, oldest first, or those of one consumer. `url` is an administrator's."""
    async with _stream(url) as js:
        return await _letters(js, consumer)


async def show(url: str, number: int) -> DeadLetter:
    """One dead letter. LookupError when there is none of that number."""
    async with _stream(url) as js:
        return await _get(js, number)


async def replay(url: str, number: int) -> None:
    """Publish the event again where it was published first, then forget the letter. LookupError as above.

    The consumer that gave up gets another try. The others get the event too; their inboxes know it already.
    """
    async with _stream(url) as js:
        letter = await _get(js, number)
        if not letter.subject:
            raise LookupError(f"{number} is no event that a consumer gave up: drop it")
        own = {name for name in letter.headers if name == "Nats-Msg-Id" or name.startswith("dead-")} - {_ID}
        headers = {name: value for name, value in letter.headers.items() if name not in own}
        headers["Nats-Msg-Id"] = f"replay:{letter.number}"
        headers[f"{_TIMES}-{letter.consumer}"] = str(letter.times)
        await js.publish(letter.subject, letter.data, headers=headers)
        await _forget(js, letter)


async def drop(url: str, number: int) -> DeadLetter:
    """Forget a dead letter, and return it. LookupError as above."""
    async with _stream(url) as js:
        letter = await _get(js, number)
        await _forget(js, letter)
        return letter


@asynccontextmanager
async def _stream(url: str) -> AsyncIterator[JetStreamContext]:
    connection = await connect(url, "dead-letters")
    try:
        yield connection.js
    finally:
        await connection.close()


async def _letters(js: JetStreamContext, consumer: str = "") -> list[DeadLetter]:
    found: dict[tuple[str, str], DeadLetter] = {}
    async for letter in _stored(js, f"dead.*.{consumer or '>'}"):
        key = (letter.consumer, letter.event_id or str(letter.number))
        if (before := found.pop(key, None)) is not None:
            earlier = (*before.earlier, before.number)
            letter = replace(letter, times=before.times + letter.times, earlier=earlier)
        found[key] = letter
    return list(found.values())


async def _stored(js: JetStreamContext, subject: str) -> AsyncIterator[DeadLetter]:
    number = 0
    while True:
        try:
            message = await js.get_msg(DEAD_STREAM, seq=number + 1, next=True, subject=subject)
        except nats.js.errors.NotFoundError:
            return
        letter = _letter(message)
        yield letter
        number = letter.number


async def _get(js: JetStreamContext, number: int) -> DeadLetter:
    for letter in await _letters(js):
        if number in (letter.number, *letter.earlier):
            return letter
    raise LookupError(f"there is no dead letter {number}")


async def _forget(js: JetStreamContext, letter: DeadLetter) -> None:
    for number in (*letter.earlier, letter.number):
        await js.delete_msg(DEAD_STREAM, number)


def _letter(message: RawStreamMsg) -> DeadLetter:
    """What a consumer put there; of a message that none put there, as much as it says."""
    headers = message.headers or {}
    assert message.seq is not None
    assert message.subject is not None
    assert message.time is not None
    consumer = message.subject.split(".", 2)[2]
    return DeadLetter(
        number=message.seq,
        consumer=consumer,
        subject=headers.get("dead-subject", ""),
        event_id=headers.get(_ID, ""),
        type=headers.get("ce-type", ""),
        resource=headers.get("ce-subject", ""),
        error=headers.get("dead-error", "no dead letter"),
        reason=headers.get("dead-reason", ""),
        attempts=_number(headers.get("dead-attempts", "")),
        at=message.time,
        times=1 + _number(headers.get(f"{_TIMES}-{consumer}", "")),
        headers=headers,
        data=message.data or b"",
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
