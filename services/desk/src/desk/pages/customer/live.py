"""The cards of a customer as they change, for the stream of whoever looks."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc

from chassis.backoff import Backoff
from chassis.errors import Refusal
from desk.live.calls import Calls, Over, owners_of
from desk.live.presence import Presence
from desk.live.stream import LASTS_S, SIGNED_OUT, Told
from desk.pages.base import Card, Looking, changes, message
from desk.pages.customer import view
from desk.pages.customer.loading import LIVE_S, Names, load
from desk.pages.customer.page import cards
from desk.pages.services import refusal_of
from desk.ui import words
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import GetCustomerRequest
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.customer.v1.view_service_pb2 import WatchCustomerViewRequest

KNOWN_WITHIN_S = 1.5  # the telephone rings: better a number now than a name later
LOOK_AGAIN_S = 30.0  # what depends on the time, and on who is behind, is looked at so often
SOONER = Backoff(2.0, LOOK_AGAIN_S)  # what was late or away
AGAIN_S = (2.0, 5.0)
SIGNED_IN_S = (10.0, 15.0)  # how often is asked whether they still are
WARNED = timedelta(minutes=2)  # before a session ends; WCAG 2.2.1 asks for twenty seconds
NEVER = datetime.max.replace(tzinfo=UTC)
_FOR_GOOD = ("NOT_FOUND", "PERMISSION_DENIED", "INVALID_ARGUMENT")


async def watch(look: Looking, customer: str) -> AsyncIterator[Told]:
    """The cards that changed, whenever the customer's view does, and at least each half minute.

    While the customer service is away, what others know goes on. What was late or away is asked for again
    sooner. Ends for who may not see the customer.
    """
    shown = _Shown(look, customer)
    while True:
        try:
            async with contextlib.aclosing(_views(look, customer, shown)) as views:
                async for known in views:
                    if changed := await shown.anew(known):
                        yield Told("cards", changed)
        except (grpc.aio.AioRpcError, Refusal) as error:
            refusal = refusal_of(error)
            if refusal.code in _FOR_GOOD:
                return
            if refusal.code == "UNAUTHENTICATED":  # the token is over: the reader comes back with another
                raise refusal from error
            if changed := await shown.anew(None):
                yield Told("cards", changed)
        await asyncio.sleep(random.uniform(*AGAIN_S))  # noqa: S311 - no secret


async def also(look: Looking, customer: str, presence: Presence) -> AsyncIterator[Told]:
    """Who else has the customer's page open. Ends at once for who may not see the customer."""
    try:
        await look.services.customers.GetCustomer(GetCustomerRequest(name=customer), timeout=LIVE_S)
    except (grpc.aio.AioRpcError, Refusal) as error:
        if refusal_of(error).code in _FOR_GOOD:
            return
    names = Names(look.viewer, look.memory)
    async with contextlib.aclosing(presence.others(customer, look.viewer.agent)) as heard:
        async for agents in heard:
            await names.learn(look.services, set(agents), LIVE_S)
            words = look.say("Also here: {who}", who=", ".join(map(names, agents))) if agents else ""
            yield Told("also", {"customer": customer, "words": words})


async def leaving(look: Looking) -> AsyncIterator[Told]:
    """That whoever looks has been signed out, elsewhere or by time; before that, that time is running out."""
    warned: datetime | None = NEVER
    while True:
        await asyncio.sleep(random.uniform(*SIGNED_IN_S))  # noqa: S311 - no secret
        try:
            viewer = await look.request.state.viewer_again()
        except Refusal:
            continue  # nobody can tell now
        if viewer is None:
            yield Told(SIGNED_OUT, {"word": look.say("signed out")})
            return
        is_near = viewer.until - look.db.clock.now() <= WARNED
        if (until := viewer.until if is_near else None) != warned:
            warned = until
            values = {"until": until, "may_stay": viewer.may_stay}
            yield Told("ending", {"html": look.html("pages/customer/ending.html", **values) if until else ""})


async def ringing(look: Looking, calls: Calls) -> AsyncIterator[Told]:
    """The calls that ring at whoever looks. A page opens by itself for one owner of the number alone."""
    async with contextlib.aclosing(calls.listen(words.last(look.viewer.agent))) as heard:
        async for call in heard:
            if isinstance(call, Over):
                yield Told("over", {"call": str(call.call)})
                continue
            owners = await _owners(look, call.number)
            one = owners[0].name if owners and len(owners) == 1 else ""
            html = look.html("pages/customer/ringing.html", number=call.number, owners=owners)
            told = {"call": str(call.call), "href": one and f"/{one}", "html": html}
            yield Told("ring", told | {"word": look.say("A call for you")})


async def _owners(look: Looking, number: str) -> Sequence[Customer] | None:
    """Whose a number is, as far as whoever looks may see that; None when nobody tells."""
    if not number.startswith("+"):
        return ()
    try:
        return await owners_of(look.services.customers, number, KNOWN_WITHIN_S)
    except (grpc.aio.AioRpcError, Refusal) as error:
        if refusal_of(error).code == "UNAUTHENTICATED":  # the reader comes back with another token
            raise
        return None


class _Shown:
    """The cards as their reader has them."""

    def __init__(self, look: Looking, customer: str) -> None:
        self._look, self._customer = look, customer
        self._cards: Mapping[str, Card] = {}
        self._missed: Mapping[str, int] = {}  # how often running each part was late or away
        self._until = time.monotonic() + LIVE_S

    def left(self) -> float:
        """Seconds until it is time to look again, whether or not the view has changed."""
        return max(0.0, self._until - time.monotonic())

    async def anew(self, known: CustomerView | None) -> dict[str, Any] | None:
        """Look, and tell what has changed since; None for nothing."""
        look = self._look
        now = replace(look, say=replace(look.say, now=look.db.clock.now()))
        names = Names(look.viewer, look.memory)
        # A change hardly waits for what was away: that is looked for in its own time.
        missed = {} if known is None else self._missed
        parts = await load(look.services, self._customer, names, LIVE_S, now.say.now, known, missed)
        away = parts.away()
        self._missed = {name: self._missed.get(name, 0) + (name not in missed) for name in away}
        if not away or {*away} != {*missed}:
            again_s = SOONER.wait(min(self._missed.values())) if away else LOOK_AGAIN_S
            self._until = time.monotonic() + again_s
        before = self._cards
        self._cards = cards(now, view.page(self._customer, parts, look.viewer, names, now.say))
        changed = changes(before, self._cards)
        return message(self._customer, changed, now.say.now) if changed else None


async def _views(look: Looking, customer: str, shown: _Shown) -> AsyncGenerator[CustomerView | None, None]:
    """The view after each change; None when it is time to look again, also when nothing is heard at all."""
    request = WatchCustomerViewRequest(name=f"{customer}/view")
    messages: Any = look.services.views.WatchCustomerView(request, timeout=LASTS_S)
    following = asyncio.ensure_future(anext(messages, None))
    try:
        while True:
            if not following.done():
                await asyncio.wait({following}, timeout=shown.left())
            if not following.done():
                yield None
                continue
            if (message := following.result()) is None:
                return
            following = asyncio.ensure_future(anext(messages, None))
            if message.HasField("customer_view"):
                yield message.customer_view
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await messages.aclose()
