"""Events of the cases service."""

from typing import Any

from chassis.db.transaction import Transaction
from chassis.events.envelope import Event
from notifications.domain.notice import Concern
from notifications.usecases.hear_of_promise import hear
from notifications.usecases.promise_news import news_of
from rapport.cases.v1.cases_events_pb2 import (
    PromiseAtRisk,
    PromiseKept,
    PromiseRecovered,
    PromiseRenegotiated,
    PromiseWithdrawn,
)


async def on_promise_at_risk(tx: Transaction, event: Event[PromiseAtRisk]) -> None:
    """Tell the customer the new date. What the clock alone put at risk has none to tell."""
    if event.data.HasField("forecast_time"):
        await _hear(tx, Concern.AT_RISK, event)


async def on_promise_recovered(tx: Transaction, event: Event[PromiseRecovered]) -> None:
    """It is expected in time again: tell those who may have been told otherwise, and nobody else."""
    await _hear(tx, Concern.RECOVERED, event)


async def on_promise_kept(tx: Transaction, event: Event[PromiseKept]) -> None:
    """It was kept after all."""
    await _hear(tx, Concern.NONE, event)


async def on_promise_withdrawn(tx: Transaction, event: Event[PromiseWithdrawn]) -> None:
    """It no longer holds."""
    await _hear(tx, Concern.NONE, event)


async def on_promise_renegotiated(tx: Transaction, event: Event[PromiseRenegotiated]) -> None:
    """The customer knows the new date: by our notice, or from a person who was faster."""
    await _hear(tx, Concern.NONE, event)


async def _hear(tx: Transaction, concern: Concern, event: Event[Any]) -> None:
    await hear(tx, news_of(event.data.promise, event.resource_version, concern, event.data))
