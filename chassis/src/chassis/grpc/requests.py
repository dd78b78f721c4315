"""One call of a mutation: what is asked, by whom, and how a repeat of it is known."""

import functools
import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from google.api import field_behavior_pb2

from chassis.context import Call, current_call
from chassis.db.records import StoredResponse
from chassis.errors import invalid


@dataclass(slots=True)
class Request:
    """One call of a mutation; `command` is what its method gets."""

    message: Any
    call: Call
    id: UUID | None
    command: Any

    def stored(self, data: bytes) -> StoredResponse:
        """What to keep for a repeat."""
        assert self.id is not None
        return StoredResponse(self.id, self.call.what, self.digest(), data)

    def digest(self) -> bytes:
        """What tells a repeat from another request with the same id."""
        return hashlib.sha256(self.message.SerializeToString(deterministic=True)).digest()


def request_of(message: Any) -> Request:
    """The current call. InvalidArgument: REQUEST_ID_REQUIRED, INVALID_UUID."""
    text: str = message.request_id
    if not text:
        if _requires_id(message.DESCRIPTOR):
            raise invalid(
                "request_id", "REQUEST_ID_REQUIRED", "must be a UUID that the caller made for this request"
            )
        return Request(message, current_call.get(), None, message)
    try:
        return Request(message, current_call.get(), UUID(text), message)
    except ValueError:
        raise invalid("request_id", "INVALID_UUID", "must be a UUID") from None


@functools.cache
def _requires_id(descriptor: Any) -> bool:
    options = descriptor.fields_by_name["request_id"].GetOptions()
    return field_behavior_pb2.REQUIRED in options.Extensions[field_behavior_pb2.field_behavior]
