"""Recording what the customer said, on any touch point."""

from datetime import timedelta
from uuid import uuid4

import grpc
from starlette.datastructures import UploadFile

from chassis.api.messages import duration
from chassis.errors import InvalidArgument, invalid
from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Field, Values
from desk.pages.actions.kinds.cases import TOPICS
from desk.pages.customer.entries import shortened
from desk.pages.services import refusal_of
from desk.ui import words
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.attachment_pb2 import Attachment
from rapport.customer.v1.attachment_service_pb2 import UploadAttachmentRequest
from rapport.customer.v1.timeline_pb2 import TimelineEntry
from rapport.customer.v1.timeline_service_pb2 import RecordInteractionRequest

OUTCOMES = ("reached", "no-answer", "voicemail", "wrong-number", "declined", "settled")
MINUTES_MAX = 7 * 24 * 60
NAME_MAX, FILE_S = 100, 10.0
_REFUSED = {
    "MEDIA_TYPE_REFUSED": N_(
        "must be PDF, pictures, texts, mails, office documents without macros, or recordings"
    ),
    "ATTACHMENT_TOO_LARGE": N_("must be smaller"),
}
TOLD_MAX = 60  # of what was recorded, when that is said


async def _open(doing: Doing) -> Values:
    say = doing.look.say
    return {
        "files": "",
        "channel": "VOICE",
        "direction": "INBOUND",
        "channels": [(each, say.titled(code)) for code, each in words.CHANNELS.items()],
        "directions": [("INBOUND", say("incoming")), ("OUTBOUND", say("outgoing"))],
        "outcomes": [("", ""), *say.choices(OUTCOMES)],
    }


async def _record(doing: Doing) -> Done:
    say, (topic, said) = doing.look.say, doing.said("topic", TOPICS)
    entry = TimelineEntry(
        channel=doing.choice("channel", channel_pb2.Channel),
        direction=doing.choice("direction", channel_pb2.Direction),
        topic=topic,
        summary=": ".join(filter(None, (said, doing.text("summary")))),
        outcome_code=doing.text("outcome_code"),
        duration=duration(_lasted(doing.text("minutes"))),
    )
    entry.attachments.extend([await _kept(doing, each) for each in doing.files])
    request = doing.request(RecordInteractionRequest, parent=doing.customer, timeline_entry=entry)
    await doing.look.services.timeline.RecordInteraction(request)
    return Done(say("Recorded: {what}", what=shortened(entry.summary, TOLD_MAX)))


async def _kept(doing: Doing, file: UploadFile) -> str:
    """The name of the attachment: sent again, the same."""
    path = (file.filename or "").replace("\\", "/")
    named = path.rpartition("/")[2][-NAME_MAX:] or doing.look.say("file")
    request = doing.request(
        UploadAttachmentRequest,
        parent=doing.customer,
        attachment=Attachment(display_name=named),
        content=await file.read(),
        request_id=str(uuid4()),  # by its bytes it is the same, however often it is sent
    )
    try:
        return (await doing.look.services.attachments.UploadAttachment(request, timeout=FILE_S)).name
    except grpc.aio.AioRpcError as error:
        refusal = refusal_of(error)
        if not isinstance(refusal, InvalidArgument):
            raise
        wrong = refusal.violations[0]
        raise invalid("files", wrong.reason, _REFUSED.get(wrong.reason, wrong.description)) from None


def _lasted(minutes: str) -> timedelta | None:
    """How long, as it was typed; None when nothing was. INVALID_NUMBER."""
    if not minutes:
        return None
    if not (minutes.isascii() and minutes.isdigit() and 0 < int(minutes[:9]) <= MINUTES_MAX):
        raise invalid(
            "minutes", "INVALID_NUMBER", N_("must be whole minutes, from 1 to 10,080, which is a week")
        )
    return timedelta(minutes=int(minutes))


CONTACT = Action(
    id="contact",
    label=N_("Record a contact"),
    letter="N",
    permission="customer.timeline_entries.write",
    fields=[
        Field("summary", N_("What was said"), type="words", most=3900),
        Field("channel", N_("Channel"), required=False, among="channels"),
        Field("direction", N_("Direction"), required=False, among="directions"),
        Field("topic", N_("Topic"), required=False, offers=TOPICS, most=60),
        Field("outcome_code", N_("How it ended"), required=False, among="outcomes"),
        Field("minutes", N_("Minutes"), required=False, most=5),
    ],
    button=N_("Record"),
    open=_open,
    do=_record,
    template="pages/actions/kinds/contact.html",
)
