"""What moved an account, page by page, and what it held at any time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from chassis import ids
from chassis.api.pages import FRAME_BYTES, PAGE_MAX_BYTES, READ_AT_ONCE, Page
from chassis.db.statement import Executor
from loyalty.domain.ledger import Account, Line
from loyalty.store.ledger import LINES, SPANS, Span

M = TypeVar("M", bound=Message)
_EVER, _NEVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A transfer is posted at its beginning, or at the last moment of an account of it that another replica moved:
# later by no more than a transaction lasts and clocks differ.
_POSTED_WITHIN = timedelta(hours=1)
_MS = timedelta(milliseconds=1)


class JournalSpan(NamedTuple):
    """What was posted from `start` until `end`, of transfers with ids from `first` until `before`."""

    start: datetime
    end: datetime
    first: UUID
    before: UUID


def journal_span(start: datetime | None, end: datetime | None, settled: datetime) -> JournalSpan:
    """What of the journal was posted in a time, of what began before `settled`: a range of transfers' ids."""
    first = max(start or _EPOCH, _EPOCH + _POSTED_WITHIN) - _POSTED_WITHIN
    before = settled if end is None or end > settled else max(end, _EPOCH) + _MS
    return JournalSpan(start or _EVER, end or _NEVER, ids.floor(first), ids.floor(before))


async def spans(
    on: Executor, account: Account | None, start: datetime | None = None, end: datetime | None = None
) -> list[Span]:
    """The entries of each slot of an account that were posted from `start` until `end`."""
    if account is None:
        return []
    return await SPANS.all(on, account_id=account.id, start=start or _EVER, end=end or _NEVER)


async def account_at(on: Executor, account: Account, at: datetime) -> Account:
    """An account as it was before that time."""
    of = await spans(on, account, end=at)
    lines = [line for each in of if each.high for line in await _last(on, each)]
    return replace(
        account,
        balance=sum(each.closing for each in of),
        version=sum(each.high for each in of),
        update_time=max((line.post_time for line in lines), default=min(account.create_time, at)),
    )


async def _last(on: Executor, span: Span) -> Sequence[Line]:
    return await LINES[True].all(on, ids=[span.id], lows=[span.high - 1], highs=[span.high], limit=1)


async def lines_of(
    on: Executor,
    request: Any,
    of: Sequence[Span],
    descending: bool,
    show: Callable[[Sequence[Line]], Awaitable[Sequence[M]]],
) -> tuple[list[M], str]:
    """The page that a request asks for of what is in the spans, and the token of the next, "" on the last.

    The token says how far each slot was read, so a page is a short range of each, however many there are.
    InvalidArgument INVALID_PAGE_SIZE, INVALID_PAGE_TOKEN.
    """
    page = Page(request, str)
    ends = {each.id: [each.low, each.high] for each in of}
    read = page.after[0].split(" ") if page.after and page.after[0] else []
    for each, at in zip(of, map(int, read), strict=False):
        ends[each.id][descending] = at
    shown: list[M] = []
    room = PAGE_MAX_BYTES
    while ends:
        wanted = min(page.size - len(shown), READ_AT_ONCE)
        lows, highs = map(list, zip(*ends.values(), strict=True))
        rows = await LINES[descending].all(on, ids=list(ends), lows=lows, highs=highs, limit=wanted + 1)
        for line, message in zip(rows[:wanted], await show(rows[:wanted]), strict=True):
            room -= message.ByteSize() + FRAME_BYTES
            if room < 0 and shown:
                return shown, page.next_token((_token(ends, descending),))
            shown.append(message)
            ends[line.account_id][descending] = line.version - descending
        if len(rows) <= wanted:
            break
        if len(shown) == page.size:
            return shown, page.next_token((_token(ends, descending),))
    return shown, ""


def _token(ends: dict[Any, list[int]], descending: bool) -> str:
    return " ".join(str(each[descending]) for each in ends.values())
