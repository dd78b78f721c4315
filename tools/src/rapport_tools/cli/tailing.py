"""Published events: read from the streams, without leaving a trace in the broker, and shown a line each."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chassis.events.envelope import parse
from chassis.events.nats import connect
from chassis.events.registry import meet
from rapport_tools.cli.contracts import to_json
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


def line(message: Msg, classes: Mapping[str, type[Message]], *, as_json: bool) -> str:
    """Decode a message; one that is no known event is shown as such."""
    headers = message.headers or {}
    try:
        event = parse(headers, message.data, classes)
    except (KeyError, ValueError, DecodeError):
        event = None
    if event is None or event.data is None:
        unknown = {"subject": message.subject, "type": headers.get("ce-type", ""), "bytes": len(message.data)}
        return (
            json.dumps(unknown) if as_json else f"{message.subject}  not decoded, {len(message.data)} bytes"
        )
    data = json.loads(to_json(event.data))
    if as_json:
        fields = {
            "subject": message.subject,
            "id": str(event.id),
            "type": event.type,
            "source": event.source,
            "resource": event.resource,
            "resource_version": event.resource_version,
            "time": event.time.isoformat(),
            "actor": event.actor,
            "correlation_id": event.correlation_id,
            "causation_id": str(event.causation_id),
            "traceparent": event.traceparent,
            "data": data,
        }
        return json.dumps(fields, ensure_ascii=False)
    subject = message.subject.removeprefix("events.")
    details = " ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in data.items())
    return f"{event.time:%H:%M:%S} {subject}  {event.resource}  by {event.actor}  {details}"
