"""Events that a consumer gave up on: listing, showing, replaying and dropping them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg

from chassis.events.nats import connect
from chassis.events.provision import DEAD_STREAM

_OWN = ("Nats-Msg-Id", "dead-subject", "dead-error", "dead-reason", "dead-attempts")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that one consumer gave up on.

    Attributes:
        number: names it in the other functions.
        consumer: the durable that gave up.
        subject: where the event was published.
        event_id: by which the consumer knows it; made from its place in the stream when it has none.
        type: the event message's full name; "" as above.
        resource: what it is about.
        error: the type of the error.
        reason: the refusal's reason; "" for other errors.
        attempts: how often it had been delivered.
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
    headers: dict[str, str]
    data: bytes


async def dead_letters(url: str, consumer: str = "") -> list[DeadLetter]:
    """All dead letters, oldest first, or those of one consumer. `url` is an administrator's."""
    async with _stream(url) as js:
        return [letter async for letter in _letters(js) if consumer in ("", letter.consumer)]


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
        headers = {name: value for name, value in letter.headers.items() if name not in _OWN}
        await js.publish(letter.subject, letter.data, headers=headers | {"Nats-Msg-Id": f"replay:{number}"})
        await js.delete_msg(DEAD_STREAM, number)


async def drop(url: str, number: int) -> DeadLetter:
    """Forget a dead letter, and return it. LookupError as above."""
    async with _stream(url) as js:
        letter = await _get(js, number)
        await js.delete_msg(DEAD_STREAM, number)
        return letter


@asynccontextmanager
async def _stream(url: str) -> AsyncIterator[JetStreamContext]:
    connection = await connect(url, "dead-letters")
    try:
        yield connection.js
    finally:
        await connection.close()


async def _letters(js: JetStreamContext) -> AsyncIterator[DeadLetter]:
    number = 0
    while True:
        try:
            message = await js.get_msg(DEAD_STREAM, seq=number + 1, next=True, subject="dead.>")
        except nats.js.errors.NotFoundError:
            return
        letter = _letter(message)
        yield letter
        number = letter.number


async def _get(js: JetStreamContext, number: int) -> DeadLetter:
    try:
        return _letter(await js.get_msg(DEAD_STREAM, seq=number))
    except nats.js.errors.NotFoundError:
        raise LookupError(f"there is no dead letter {number}") from None


def _letter(message: RawStreamMsg) -> DeadLetter:
    """What a consumer put there; of a message that none put there, as much as it says."""
    headers = message.headers or {}
    attempts = headers.get("dead-attempts", "")
    assert message.seq is not None
    assert message.subject is not None
    return DeadLetter(
        number=message.seq,
        consumer=message.subject.split(".", 2)[2],
        subject=headers.get("dead-subject", ""),
        event_id=headers.get("dead-id", ""),
        type=headers.get("ce-type", ""),
        resource=headers.get("ce-subject", ""),
        error=headers.get("dead-error", "no dead letter"),
        reason=headers.get("dead-reason", ""),
        attempts=int(attempts) if attempts.isdecimal() else 0,
        headers=headers,
        data=message.data or b"",
    )
