"""One published event as one line, for people or as JSON."""

import json
from collections.abc import Mapping

from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg

from chassis.events.envelope import parse
from rapport_tools.cli.contracts import to_json


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
