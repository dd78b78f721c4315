"""Recording what the customer said, on any touch point."""

from desk.language.catalogues import N_
from desk.pages.actions import known
from desk.pages.actions.form import Doing, Done, Form, Values
from desk.ui.speech import Speech
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2 import RecordInteractionRequest

_CHANNELS = [
    value.name.removeprefix("CHANNEL_") for value in channel_pb2.Channel.DESCRIPTOR.values if value.number
]


def channels(say: Speech) -> list[tuple[str, str]]:
    """Every touch point, and what a choice says of it."""
    return [(each, say.titled(each.lower().replace("_", "-"))) for each in _CHANNELS]


async def _open(doing: Doing) -> Values:
    offered = channels(doing.look.say)
    values = {"channel": "VOICE", "direction": "INBOUND", "topic": "", "summary": ""}
    return {**values, "channels": offered, "topics": known.TOPICS}


async def _record(doing: Doing) -> Done:
    say = doing.look.say
    entry = TimelineEntry(
        channel=doing.choice("channel", channel_pb2.Channel),
        direction=doing.choice("direction", channel_pb2.Direction),
        topic=doing.code("topic", known.TOPICS, needed=False),
        summary=doing.text("summary"),
    )
    request = RecordInteractionRequest(
        parent=doing.customer, timeline_entry=entry, request_id=doing.request_id
    )
    await doing.look.services.timeline.RecordInteraction(request)
    return Done(say("Recorded."))


FORMS = {"contact": Form(N_("Record a contact"), _open, _record)}
