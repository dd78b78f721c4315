"""Reading published events from the streams, without leaving a trace in the broker."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chassis.events.nats import connect
from chassis.events.registry import meet
from rapport_tools.cli.failures import Exit, Failure

FORGOTTEN_AFTER_S = 30.0


async def messages(url: str, subject: str, since_s: float) -> AsyncIterator[Msg]:
    """Messages of all streams that match the subject: those of the last `since_s` seconds, then new ones.

    Failure when no stream has such a subject.
    """
    connection = await connect(url, "rapport-tail")
    queue: asyncio.Queue[Msg] = asyncio.Queue(1000)
    start = (datetime.now(UTC) - timedelta(seconds=since_s)).isoformat()
    try:
        streams = await connection.js.streams_info()
        kept = {str(stream.config.name): stream.config.subjects or [] for stream in streams}
        events = {
            name: every for name, every in kept.items() if any(each.startswith("events.") for each in every)
        }
        if not any(meet(subject, each) for every in events.values() for each in every):
            known = ", ".join(sorted(each for every in events.values() for each in every))
            raise Failure(f"{subject!r} is the subject of no events. Those are {known}.", Exit.WRONG_USE)
        for name, every in events.items():
            if any(meet(subject, each) for each in every):
                config = ConsumerConfig(
                    deliver_policy=DeliverPolicy.BY_START_TIME,
                    opt_start_time=start,  # type: ignore[arg-type]
                    ack_policy=AckPolicy.NONE,
                    inactive_threshold=FORGOTTEN_AFTER_S,
                )
                await connection.js.subscribe(
                    subject, stream=name, cb=queue.put, config=config, manual_ack=True
                )
        while True:
            yield await queue.get()
    finally:
        await connection.close()
