"""ViewService."""

import asyncio
import functools
import random
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from chassis.api.messages import timestamp
from chassis.api.pages import Page, gathered
from chassis.db.transaction import Transaction
from chassis.errors import NotFound
from chassis.grpc.mutation import mutation
from chassis.grpc.watching import max_age_s
from chassis.inbox.arrivals import Arrivals
from chassis.servicer import Rpc
from chassis.timeouts import woken
from customer import names
from customer.store.tables import NAMED_CUSTOMERS
from customer.store.views import VIEWS_BY_ID
from customer.usecases.advice.giving import count
from customer.usecases.freshness import ViewFreshness
from customer.usecases.hot_views import Held, HotViews
from customer.usecases.rebuilding import everybody, rebuild, require_known
from customer.usecases.rendering import bare, named, stored, with_sections
from rapport.customer.v1 import view_pb2, view_service_pb2, view_service_pb2_grpc

# What an answer needs after waiting: a tenth of the caller's time, within bounds, so that the caller gets our
# error and not its own even while many wait and all give up at once.
MARGIN_S, MARGIN_MAX_S = 0.1, 1.0
HEARTBEAT_S = 15.0
Difference = view_service_pb2.RebuildCustomerViewsResponse.Difference
STEP = 200  # customers whose views are rendered anew by one call, unless it says otherwise
PAUSE_S = 0.25  # at least, between two messages of a watch


class ViewRpc(Rpc, view_service_pb2_grpc.ViewServiceServicer):
    """Reading and watching the customer view. Answers are the stored bytes, with the freshness appended."""

    hot: HotViews
    freshness: ViewFreshness
    arrivals: Arrivals
    time_zone: str  # in which they live of whom nobody knows it

    async def GetCustomerView(  # type: ignore[override]  # the server sends bytes as they are
        self, request: view_service_pb2.GetCustomerViewRequest, context: Any
    ) -> bytes:
        """Get the view of one customer."""
        (customer_id,) = names.VIEW.ids(request.name)
        if request.consistency_token:
            left_s = context.time_remaining()
            wait_s = left_s - min(max(left_s / 10, MARGIN_S), MARGIN_MAX_S)
            await self.arrivals.wait(request.consistency_token, "consistency_token", wait_s)
            held = await self.hot.load(customer_id)
        else:
            held = await self.hot.get(customer_id)
        return self._answer(customer_id, held or await self._unprojected(customer_id))

    async def BatchGetCustomerViews(
        self, request: view_service_pb2.BatchGetCustomerViewsRequest, context: Any
    ) -> view_service_pb2.BatchGetCustomerViewsResponse:
        """Get several views."""
        ids = [names.VIEW.ids(name)[0] for name in request.names]
        return view_service_pb2.BatchGetCustomerViewsResponse(customer_views=await gathered(ids, self._views))

    async def _views(self, ids: Sequence[UUID]) -> list[view_pb2.CustomerView]:
        """The views of these customers, in their order. NotFound when one is absent."""
        rows, now = await VIEWS_BY_ID.all(self.db, customer_ids=ids), self.db.clock.now()
        views = {
            row["asked"]: Held.of(row["view"], view, row, self.time_zone, now)
            for row in rows
            if (view := stored(row)) is not None
        }
        if missing := [row for row in rows if row["asked"] not in views]:
            views |= await self._of_nothing_told(missing)
        for customer_id in ids:
            if customer_id not in views:
                raise NotFound(names.VIEW.format(customer_id))
        return [view_pb2.CustomerView.FromString(self._answer(each, views[each])) for each in ids]

    @mutation
    async def RebuildCustomerViews(
        self, request: view_service_pb2.RebuildCustomerViewsRequest, tx: Transaction
    ) -> view_service_pb2.RebuildCustomerViewsResponse:
        """Render views anew, a step at a time."""
        page = Page(request, UUID, default_size=STEP)
        after = page.after[0] if page.after else UUID(int=0)
        named = sorted({names.VIEW.ids(name)[0] for name in request.names})
        if named:
            await require_known(tx, named)
            asked = [each for each in named if each > after]
        else:
            asked = await everybody(tx, after, page.size + 1)
        done = await rebuild(tx, self.hot, asked[: page.size], validate_only=request.validate_only)
        for customer_id in done.customer_ids if named else [each.customer_id for each in done.differences]:
            tx.touch(names.VIEW.format(customer_id))
        is_last = len(done.customer_ids) == len(asked)
        return view_service_pb2.RebuildCustomerViewsResponse(
            customer_count=len(done.customer_ids),
            differences=[
                Difference(name=names.VIEW.format(each.customer_id), fields=each.fields)
                for each in done.differences
            ],
            next_page_token="" if is_last else page.next_token((done.customer_ids[-1],)),
        )

    async def WatchCustomerView(  # type: ignore[override]  # the server sends bytes as they are
        self, request: view_service_pb2.WatchCustomerViewRequest, context: Any
    ) -> AsyncIterator[bytes]:
        """Watch a view. After a pause, or to a slow reader, goes the latest view: none is queued."""
        (customer_id,) = names.VIEW.parse(request.name)
        ends_at = time.monotonic() + max_age_s(request, context)
        with self.hot.watched(customer_id) as changed:
            sent = None
            while True:
                changed.clear()
                held = await self.hot.get(customer_id) or await self._unprojected(customer_id)
                found = self._before + held.view, self.freshness.unapplied(customer_id)
                yield self._message(None if found == sent else found)
                sent, now = found, time.monotonic()
                if now >= ends_at:
                    return
                heartbeat_at = now + HEARTBEAT_S
                await asyncio.sleep(min(PAUSE_S * random.uniform(1, 2), ends_at - now))  # noqa: S311
                left_s = min(heartbeat_at, ends_at) - time.monotonic()
                if not await woken(changed, left_s) and heartbeat_at >= ends_at:
                    return

    def _message(self, view: tuple[bytes, bytes] | None) -> bytes:
        sent = view_service_pb2.WatchCustomerViewResponse(send_time=timestamp(self.db.clock.now()))
        told = b"" if view is None else _told(*view, self.freshness.serialised())
        return sent.SerializeToString() + told

    @functools.cached_property
    def _before(self) -> bytes:
        """What holds unless the stored view, which comes after it, says otherwise."""
        return view_pb2.CustomerView(time_zone=self.time_zone).SerializeToString()

    def _answer(self, customer_id: UUID, held: Held) -> bytes:
        """A stored view with what it advises, and how current it is."""
        count(held.rules)
        currency = self.freshness.serialised() + self.freshness.unapplied(customer_id)
        return self._before + held.view + currency

    async def _unprojected(self, customer_id: UUID) -> Held:
        """The view of a customer of whom nothing was told yet. NotFound when there is no such customer."""
        views = await self._of_nothing_told(await VIEWS_BY_ID.all(self.db, customer_ids=[customer_id]))
        if customer_id not in views:
            raise NotFound(names.VIEW.format(customer_id))
        return views[customer_id]

    async def _of_nothing_told(self, rows: Sequence[Any]) -> dict[UUID, Held]:
        """The views of those customers that there are: who they are, and what departments put there."""
        known, now = {row["asked"]: row for row in rows}, self.db.clock.now()
        views = {}
        for each in await NAMED_CUSTOMERS.all(self.db, ids=list(known)):
            view, row = bare(each) + named(each.asked), known[each.asked]
            shown = with_sections(view, row["sections"] or ())
            views[each.asked] = Held.of(view, shown, row, self.time_zone, now)
        return views


@functools.lru_cache(maxsize=64)
def _told(view: bytes, unapplied: bytes, freshness: bytes) -> bytes:
    """A message without its time: the same for all who watch a customer, and made once."""
    shown = view_pb2.CustomerView.FromString(view + unapplied + freshness)
    return view_service_pb2.WatchCustomerViewResponse(customer_view=shown).SerializeToString()
