"""What no option of the contract can say, of messages of several services."""

from datetime import datetime
from typing import Any

from chassis.api.formats import FORMATS
from chassis.api.messages import enum_name
from chassis.api.validation import Check
from notifications.domain.strategy import NOTIFIED
from rapport.common.v1 import channel_pb2
from rapport.notifications.v1.delivery_strategy_pb2 import DeliveryStrategy
from rapport.options.v1 import options_pb2

_CODES = {"reason": options_pb2.FORMAT_CODE, "reference": options_pb2.FORMAT_REFERENCE}


def check_values(check: Check, sent: Any, now: datetime) -> None:
    """A reason is a code, and a reference is one: these are never personal."""
    for name, kind in _CODES.items():
        value = sent.variables.get(name, "")
        if value and (wrong := FORMATS[kind](value)):
            check.refuse(f"variables[{name}]", *wrong)


def check_delivery(check: Check, sent: DeliveryStrategy, now: datetime) -> None:
    """Channels by which messages go."""
    for i, channel in enumerate(sent.channels):
        if enum_name(channel_pb2.Channel.DESCRIPTOR, channel) not in NOTIFIED:
            check.refuse(f"channels[{i}]", "INVALID_ENUM", f"must be one of {', '.join(NOTIFIED)}")
