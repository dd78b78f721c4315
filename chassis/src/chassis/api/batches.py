"""Reading what a batch names (AIP-231): all of it in the order asked, or a refusal that says how many fit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from chassis.api.pages import FRAME_BYTES, READ_AT_ONCE
from chassis.errors import response_too_large

T = TypeVar("T")
K = TypeVar("K")
M = TypeVar("M", bound=Message)
AT_A_TURN = 50
ANSWER_MAX_BYTES = 4 * 1024 * 1024 - 1024


async def gathered(asked: Sequence[K], read: Callable[[Sequence[K]], Awaitable[Sequence[M]]]) -> list[M]:
    """What `read` finds for each of `asked`, read a hundred at a time.

    ResourceExhausted RESPONSE_TOO_LARGE when together they exceed what a client receives, 4 MB; the metadata
    `fits` says how many of the first would have been received.
    """
    found: list[M] = []
    room = ANSWER_MAX_BYTES
    for start in range(0, len(asked), READ_AT_ONCE):
        for message in await read(asked[start : start + READ_AT_ONCE]):
            room -= message.ByteSize() + FRAME_BYTES
            if room < 0:
                raise response_too_large(len(found))
            found.append(message)
    return found


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, with a turn for others every fifty: for what takes long of each, and waits for nothing."""
    for count, item in enumerate(items, start=1):
        yield item
        if count % AT_A_TURN == 0:
            await asyncio.sleep(0)
