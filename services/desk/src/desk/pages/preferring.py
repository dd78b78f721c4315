"""By what customers want to be reached best, as forms have it, whoever fills them in."""

from collections.abc import Collection

from chassis.api.messages import enum_name
from desk.language.catalogues import N_
from desk.ui.words import spoken
from rapport.common.v1.channel_pb2 import Channel
from rapport.customer.v1.preferences_pb2 import Preferences

# The channels by which customers are written to and called: how consents are named after them, and in words.
CHANNELS = {
    "email": N_("e-mail"),
    "sms": N_("SMS"),
    "voice": N_("phone"),
    "letter": N_("letter"),
    "app": N_("app"),
}
NONE = "none"


def preferred(preferences: Preferences) -> str:
    """The channel that they prefer, as a code; NONE, or another that is not offered."""
    if not preferences.channels:
        return NONE
    return spoken(enum_name(Channel.DESCRIPTOR, preferences.channels[0]))


def reordered(preferences: Preferences, chosen: str, offered: Collection[str]) -> list[Channel.ValueType]:
    """Their channels with the chosen one first; none of them where that is not `offered`."""
    if chosen == preferred(preferences):
        return list(preferences.channels)
    if chosen not in offered:
        return []
    number = Channel.Value(f"CHANNEL_{chosen.upper()}")
    return [number, *(each for each in preferences.channels if each != number)]
