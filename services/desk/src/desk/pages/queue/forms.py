"""The two forms with which somebody takes what comes first, and says whether they are there."""

from uuid import uuid4

from chassis.api.messages import value_name
from desk.pages.base import Looking
from desk.pages.queue import view
from rapport.cases.v1.presence_pb2 import Presence

SAID = {name: label for name, label in view.STATES.items() if name != "OFFLINE"}


def form_of(look: Looking, part: str, presence: Presence) -> str:
    """The form that takes what comes first, or the one that says whether one is there."""
    state = value_name(presence, "state")
    return look.html(
        "pages/queue/next.html",
        part=part,
        request_id=str(uuid4()),
        state=state,
        told=view.there(presence, look.say),
        states=list(SAID.items()),
    )
