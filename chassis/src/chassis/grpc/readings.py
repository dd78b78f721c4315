"""Which answers are readings, and what they are about."""

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from chassis.api.subjects import subjects
from chassis.context import Call, current_call

Audit = Callable[[Call, str], None]
"""Takes a call and the names of what it read, separated by spaces."""
Noted = Callable[[Any, Any], None]


class Readings:
    """The methods that write nothing. Whatever they answer is about somebody, or what somebody is told.

    Args:
        services: what is served.
        audit: told of every reading before it is answered; what it raises refuses the reading.

    """

    def __init__(self, services: Iterable[ServiceDescriptor], audit: Audit) -> None:
        self._audit = audit
        self._methods = {
            f"/{service.full_name}/{method.name}"
            for service in services
            for method in service.methods
            if "request_id" not in method.input_type.fields_by_name  # a write is in the audit with its effect
        }

    def of(self, method: str) -> Noted | None:
        """What to call with request and answer; None for a method that writes."""
        return self._note if method in self._methods else None

    def _note(self, request: Any, answer: Any) -> None:
        """Note what was asked for and what was found. Stored bytes are of what was asked for."""
        found = () if isinstance(answer, bytes) else subjects(answer)
        if about := dict.fromkeys([*subjects(request), *found]):  # or nothing was
            self._audit(current_call.get(), " ".join(about))
