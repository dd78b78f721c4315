"""A queue as it changes, and that somebody is there, for the stream of whoever looks."""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc

from chassis.errors import Refusal
from desk.live.stream import LASTS_S, Told
from desk.pages.base import Card, Looking, changes, message
from desk.pages.queue.route import cards
from desk.pages.services import refusal_of
from rapport.cases.v1.presence_service_pb2 import HoldPresenceRequest
from rapport.cases.v1.queue_service_pb2 import WatchQueueRequest

PAGE = re.compile(r"queue/([a-z0-9][a-z0-9-]{0,62})(?:/teams/([a-z0-9][a-z0-9-]{0,62}))?")
AGAIN_S = (2.0, 5.0)
_FOR_GOOD = ("NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION", "INVALID_ARGUMENT")


async def watch(look: Looking, page: str) -> AsyncIterator[Told]:
    """The cards of a queue that changed, whenever the queue does. Ends for who may not see it."""
    code, team = _whose(page)
    request = WatchQueueRequest(name=f"departments/{code}/queue", team=f"teams/{team}" if team else "")
    shown: dict[str, Card] = {}
    async for _ in _again(lambda: look.services.queues.WatchQueue(request, timeout=LASTS_S)):
        now = replace(look, say=replace(look.say, now=look.db.clock.now()))
        before, shown = shown, await cards(now, code, team)
        if changed := changes(before, shown):
            yield Told("cards", message(page, changed, now.say.now))


async def attend(look: Looking) -> AsyncIterator[Told]:
    """Holds the presence of whoever looks, as long as a page of theirs is open; tells nothing."""
    request = HoldPresenceRequest(name=f"{look.viewer.agent}/presence")
    if look.viewer.department and look.viewer.may("cases.presences.write"):
        async for _ in _again(lambda: look.services.presences.HoldPresence(request, timeout=LASTS_S)):
            pass
    nothing: tuple[Told, ...] = ()
    for each in nothing:
        yield each


async def _again(begin: Any) -> AsyncIterator[Any]:
    """What a stream tells, begun again when it ends; over for good for what will be refused again.

    Refusal UNAUTHENTICATED: the reader comes back with another token.
    """
    while True:
        try:
            async with contextlib.aclosing(begin()) as stream:
                async for told in stream:
                    yield told
        except (grpc.aio.AioRpcError, Refusal) as error:
            refusal = refusal_of(error)
            if refusal.code == "UNAUTHENTICATED":
                raise refusal from error
            if refusal.code in _FOR_GOOD:
                return
        await asyncio.sleep(random.uniform(*AGAIN_S))  # noqa: S311 - no secret


def _whose(page: str) -> tuple[str, str]:
    """The codes of a department and a team of the page of a queue; the second may be empty."""
    match = PAGE.fullmatch(page)
    assert match is not None
    return match[1], match[2] or ""
