"""Pages of a list by keyset (AIP-158): the page token holds the sort key of the last row, never an offset.

`chassis.api.listing` does this for a list that is one SELECT; use `Page` where a list is more than that. What
a batch names (AIP-231) is read all, in the order asked, or refused with how many fit: `gathered`.
"""

import asyncio
import base64
import functools
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from google.protobuf.message import Message

from chassis.errors import invalid, response_too_large

DEFAULT_SIZE = 50
SIZE_MAX = 1000
PAGE_MAX_BYTES = 3 * 1024 * 1024  # of the 4 MB that a client takes; the largest resource fits into the rest
READ_AT_ONCE = 100
FRAME_BYTES = 6  # tag and length of a message within a repeated field
KeyType = type[datetime] | type[UUID] | type[str] | type[int]
_PAGING = ("page_size", "page_token", "request_id")
_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
T = TypeVar("T")
K = TypeVar("K")
M = TypeVar("M", bound=Message)
AT_A_TURN = 50
ANSWER_MAX_BYTES = 4 * 1024 * 1024 - 1024


class Page:
    """Which page a List request asks for, by page_size and page_token: `Page(request, datetime, UUID)`.

    The key are the types of the sort key's parts, the last of them unique. A page holds `default_size` rows
    when the request does not say, and at most `size_max`.

    InvalidArgument INVALID_PAGE_SIZE for a negative size, INVALID_PAGE_TOKEN for a token that was altered, or
    made for a request whose other arguments differ. A token grants nothing.
    """

    size: int  # how many rows the page holds at most; select one more, to know whether there is a next page
    after: tuple[Any, ...] | None  # the sort key of the last row of the page before; None for the first page

    def __init__(
        self, request: Message, *key: KeyType, default_size: int = DEFAULT_SIZE, size_max: int = SIZE_MAX
    ) -> None:
        sent: int = request.page_size  # type: ignore[attr-defined]
        if sent < 0:
            raise invalid("page_size", "INVALID_PAGE_SIZE", f"must be 0 (for {default_size}) to {size_max}")
        self.size = min(sent or default_size, size_max)
        self._request = request
        token: str = request.page_token  # type: ignore[attr-defined]
        self.after = self._open(token, key) if token else None

    def next_token(self, key: tuple[Any, ...]) -> str:
        """The token of the page after the row with the sort key `key`; times need a time zone."""
        payload = _encode(key)
        return base64.urlsafe_b64encode(self._seal(payload) + payload).decode()

    def _open(self, token: str, key: tuple[KeyType, ...]) -> tuple[Any, ...]:
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
            after = _decoder(key).decode(raw[16:])
        except (ValueError, msgspec.DecodeError):  # not ASCII, not base64, not msgpack, other types
            after = None
        if after is None or self.next_token(after) != token:
            raise invalid("page_token", "INVALID_PAGE_TOKEN", "must be the next_page_token of the same list")
        return after

    @functools.cached_property
    def _arguments(self) -> bytes:
        """A hash of the request's type and fields but the paging ones; a list of one page needs none."""
        rest = type(self._request)()
        rest.CopyFrom(self._request)
        for field in _PAGING:
            if field in rest.DESCRIPTOR.fields_by_name:
                rest.ClearField(field)
        arguments = rest.DESCRIPTOR.full_name.encode() + b"\0" + rest.SerializeToString(deterministic=True)
        return hashlib.blake2b(arguments, digest_size=32).digest()

    def _seal(self, payload: bytes) -> bytes:
        return hashlib.blake2b(payload, key=self._arguments, digest_size=16).digest()


@functools.cache
def _decoder(key: tuple[KeyType, ...]) -> msgspec.msgpack.Decoder[tuple[Any, ...]]:
    return msgspec.msgpack.Decoder(tuple[key])  # type: ignore[valid-type]


async def paged(
    page: Page,
    found: Sequence[T],
    key: Callable[[T], tuple[Any, ...]],
    show: Callable[[Sequence[T]], Awaitable[Sequence[M]]],
) -> tuple[list[M], str]:
    """Of a list that is at hand, sorted by its `key`, what the page shows, and the token of the next, or "".

    Args:
        page: of 100 at most.
        found: the list, as a whole.
        key: as the page has it.
        show: makes messages.
    """
    after = page.after
    rest = [each for each in found if after is None or key(each) > after]
    shown: list[M] = []
    room = PAGE_MAX_BYTES
    for each, message in zip(rest[: page.size], await show(rest[: page.size]), strict=True):
        room -= message.ByteSize() + FRAME_BYTES
        if room < 0 and shown:
            break
        shown.append(message)
        after = key(each)
    return shown, page.next_token(after or ()) if len(rest) > len(shown) else ""


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
