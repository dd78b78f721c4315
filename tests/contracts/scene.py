"""What a scene is, and whom it is about: billing, always, and a customer."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from chassis.api.messages import timestamp

Administer = Callable[[str, Message], Awaitable[Any]]
"""Calls `Service.Method` as an administrator, and returns the answer."""
Scene = Callable[[Administer], Awaitable[Message]]

OWNER = "departments/billing"
CUSTOMER = f"customers/{uuid4()}"
BEFORE = timestamp(datetime(2026, 3, 1, 9, tzinfo=UTC))
SOON = timestamp(datetime(2026, 3, 4, 9, tzinfo=UTC))
LATER = timestamp(datetime(2026, 3, 9, 9, tzinfo=UTC))
