"""Who takes our messages, and how it is with them."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.api.messages import enum_name, moment
from desk.language.catalogues import N_
from desk.pages.operations.overview import Cell
from desk.ui.speech import Speech
from desk.ui.words import last, spoken
from rapport.common.v1.channel_pb2 import Channel
from rapport.notifications.v1.provider_pb2 import Provider

READ, WRITE = "notifications.providers.read", "notifications.providers.write"
_STATES = {
    Provider.STATE_AVAILABLE: (N_("Takes messages"), "good"),
    Provider.STATE_UNAVAILABLE: (N_("Takes none"), "bad"),
    Provider.STATE_PROBING: (N_("Is being tried"), "warn"),
}


@dataclass(frozen=True)
class Row:
    """A provider."""

    name: str  # without what all begin with
    is_left_alone: bool  # gets nothing, and is not being tried
    channel: str
    state: Cell
    since: str
    again: str  # when it is tried again; empty while it takes messages
    error: str  # the last, and when that was; empty when there was none
    sent: str
    failed: Cell
    waiting: Cell


def rows(found: Sequence[Provider], say: Speech) -> list[Row]:
    """A row for each, as it is."""
    return [_row(each, say) for each in found]


def _row(one: Provider, say: Speech) -> Row:
    told, mood = _STATES.get(one.state, (N_("Unknown"), "warn"))
    error = ""
    if one.last_error_code:
        error = say(
            "{code}, {moment}", code=one.last_error_code, moment=say.moment(moment(one.last_error_time))
        )
    return Row(
        last(one.name),
        one.state == Provider.STATE_UNAVAILABLE,
        say.code(spoken(enum_name(Channel.DESCRIPTOR, one.channel))),
        Cell(say(told), mood),
        say.moment(moment(one.state_time)),
        say.moment(moment(one.retry_time)) if one.HasField("retry_time") else "",
        error,
        say.number(one.sent_count),
        Cell(say.number(one.failed_count), "warn" if one.failed_count else "soft"),
        Cell(say.number(one.waiting_count), "warn" if one.waiting_count else "soft"),
    )
