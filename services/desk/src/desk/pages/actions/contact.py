"""Recording what the customer said, on any touch point."""

from desk.pages.actions.form import Doing, Done, Form, Values
from desk.ui import words
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2 import RecordInteractionRequest

_CHANNELS = [
    value.name.removeprefix("CHANNEL_") for value in channel_pb2.Channel.DESCRIPTOR.values if value.number
]
CHANNELS = [(each, words.titled(each.lower().replace("_", "-"))) for each in _CHANNELS]


async def _open(doing: Doing) -> Values:
    return {"channel": "VOICE", "direction": "INBOUND", "topic": "", "summary": "", "channels": CHANNELS}


async def _record(doing: Doing) -> Done:
    say = doing.look.say
    entry = TimelineEntry(
        channel=doing.choice("channel", channel_pb2.Channel),
        direction=doing.choice("direction", channel_pb2.Direction),
        topic=doing.code("topic"),
        summary=doing.text("summary"),
    )
    request = RecordInteractionRequest(
        parent=doing.customer, timeline_entry=entry, request_id=doing.request_id
    )
    await doing.look.services.timeline.RecordInteraction(request)
    return Done(say("Recorded."))


FORMS = {"contact": Form("Record a contact", _open, _record)}
