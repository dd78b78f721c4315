"""Asking several services at once."""

import asyncio
import gc

import pytest

from chassis.errors import NotFound
from desk.pages.services import ask


async def test_what_was_refused_to_somebody_who_left_meanwhile_is_in_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused = asyncio.Event()

    async def refuse() -> None:
        refused.set()
        raise NotFound("agents/nobody")

    asking = asyncio.ensure_future(ask(60, refused=refuse(), late=asyncio.Event().wait()))
    await refused.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    del asking
    await asyncio.sleep(0)
    gc.collect()
    assert caplog.records == []
