"""The cards of a customer as they change, for the stream of whoever looks."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import grpc

from chassis.errors import Refusal
from desk.live.calls import Calls
from desk.live.stream import LASTS_S, SIGNED_OUT, Told
from desk.pages.base import Looking
from desk.pages.calls import refusal_of
from desk.pages.cards import Card, changes
from desk.pages.customer import cards, view
from desk.pages.customer.loading import LIVE_S, Names, load
from desk.ui import words
from rapport.customer.v1.view_pb2 import CustomerView
from rapport.customer.v1.view_service_pb2 import WatchCustomerViewRequest

LOOK_AGAIN_S = 30.0  # what depends on the time, and on who is behind, is looked at so often
AGAIN_S = (2.0, 5.0)
SIGNED_IN_S = (10.0, 15.0)  # how often is asked whether they still are
_FOR_GOOD = ("NOT_FOUND", "PERMISSION_DENIED", "INVALID_ARGUMENT")


async def watch(look: Looking, customer: str) -> AsyncIterator[Told]:
    """The cards that changed, whenever the customer's view does, and at least each half minute.

    While the customer service is away, what others know goes on. Ends for who may not see the customer.
    """
    shown: Mapping[str, Card] = {}
    while True:
        try:
            async for known in _views(look, customer):
                after = await _cards(look, customer, known)
                if changed := changes(shown, after):
                    yield Told("cards", {"customer": customer, "cards": changed})
                shown = after
        except (grpc.aio.AioRpcError, Refusal) as error:
            refusal = refusal_of(error)
            if refusal.code in _FOR_GOOD:
                return
            if refusal.code == "UNAUTHENTICATED":  # the token is over: the reader comes back with another
                raise refusal from error
            after = await _cards(look, customer, None)
            yield Told("cards", {"customer": customer, "cards": changes(shown, after)})
            shown = after
        await asyncio.sleep(random.uniform(*AGAIN_S))  # noqa: S311 - no secret


async def leaving(look: Looking) -> AsyncIterator[Told]:
    """That whoever looks has been signed out, elsewhere or by time."""
    while True:
        await asyncio.sleep(random.uniform(*SIGNED_IN_S))  # noqa: S311 - no secret
        try:
            if await look.request.state.viewer_again() is None:
                yield Told(SIGNED_OUT, {"word": look.say("signed out")})
                return
        except Refusal:
            continue  # nobody can tell now


async def ringing(look: Looking, calls: Calls) -> AsyncIterator[Told]:
    """The calls that ring at whoever looks. A page opens by itself for one owner of the number alone."""
    async with contextlib.aclosing(calls.listen(words.last(look.viewer.agent))) as heard:
        async for call in heard:
            html = look.html("pages/customer/ringing.html", call=call)
            told = {"call": str(call.call), "href": call.customer and f"/{call.customer}", "html": html}
            yield Told("ring", told | {"word": look.say("A call for you")})


async def _views(look: Looking, customer: str) -> AsyncIterator[CustomerView | None]:
    """The view after each change; None when it is time to look again."""
    request = WatchCustomerViewRequest(name=f"{customer}/view")
    looked = time.monotonic()
    async for message in look.services.views.WatchCustomerView(request, timeout=LASTS_S):
        if message.HasField("customer_view"):
            yield message.customer_view
        elif time.monotonic() - looked >= LOOK_AGAIN_S:
            yield None
        else:
            continue
        looked = time.monotonic()


async def _cards(look: Looking, customer: str, known: CustomerView | None) -> Mapping[str, Card]:
    now = replace(look, say=replace(look.say, now=look.request.app.state.db.clock.now()))
    names = Names(look.viewer, look.memory)
    parts = await load(look.services, customer, names, LIVE_S, known)
    return cards.cards(now, view.page(customer, parts, look.viewer, names, now.say))
