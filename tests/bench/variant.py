"""A service process for a benchmark: `python -m tests.bench.variant SERVICE [VARIATION...]`.

* uncached: views are not kept in memory, each is read from PostgreSQL.
* unpublished: nothing is published or consumed, so that the calls have the process for themselves.
"""

import asyncio
import importlib
import sys

from chassis.inbox.consumer import Consumer
from chassis.lifecycle import serve
from chassis.outbox.relay import Relay
from chassis.settings import load
from customer.usecases import hot_views


async def _never(self: Relay) -> None:
    await asyncio.Event().wait()


async def _until_stopped(self: Consumer) -> None:
    await self._moved.wait()
    self._finished.set()


if __name__ == "__main__":
    name, *variations = sys.argv[1:]
    if "uncached" in variations:
        hot_views.KEPT_S = 0.0
    if "unpublished" in variations:
        Relay.run = _never  # type: ignore[method-assign]
        Consumer.run = _until_stopped  # type: ignore[method-assign]
    service = importlib.import_module(f"{name}.service").service
    settings = load(service.settings)
    sys.exit(serve(service.name, settings, lambda: service.app(settings)))
