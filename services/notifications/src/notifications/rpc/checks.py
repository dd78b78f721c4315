"""What no option of the contract can say, of messages of several services."""

from datetime import datetime
from typing import Any

from chassis.api.formats import FORMATS
from chassis.api.messages import enum_name
from chassis.api.validation import Check
from notifications.domain.route import NOTIFIED
from rapport.common.v1 import channel_pb2
from rapport.options.v1 import options_pb2

_CODES = {"reason": options_pb2.FORMAT_CODE, "reference": options_pb2.FORMAT_REFERENCE}


def check_values(check: Check, sent: Any, now: datetime) -> None:
    """A reason is a code, and a reference is one: these are never personal."""
    for name, kind in _CODES.items():
        value = sent.variables.get(name, "")
        if value and (wrong := FORMATS[kind](value)):
            check.refuse(f"variables[{name}]", *wrong)


def check_channels(check: Check, sent: Any, now: datetime) -> None:
    """By which notices go, each once."""
    told = [enum_name(channel_pb2.Channel.DESCRIPTOR, each) for each in sent.channels]
    allowed = f"must be one of {', '.join(f'CHANNEL_{each}' for each in NOTIFIED)}, and no other's"
    for i, channel in enumerate(told):
        if channel not in NOTIFIED or channel in told[:i]:
            check.refuse(f"channels[{i}]", "INVALID_CODE", allowed)
