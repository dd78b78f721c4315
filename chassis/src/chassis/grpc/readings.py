"""Which answers and refusals are readings, and what they are about."""

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from chassis.context import Call, current_call
from chassis.errors import NotFound, Refusal, Unavailable
from chassis.mentions import mentioned, mentioned_by

Audit = Callable[[Call, str, str], None]
"""Takes a call, the names of what it read, separated by spaces, and the reason when it was refused."""
Noted = Callable[[Any, Any], None]


class Readings:
    """The methods that write nothing. Whatever they answer is about somebody, or what somebody is told.

    The audit is told of every reading before it is answered; what it raises refuses the reading, or keeps the
    names out of a refusal.
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
        found = () if isinstance(answer, bytes) else mentioned(answer)
        if about := dict.fromkeys([*mentioned(request), *found]):  # or nothing was
            self._audit(current_call.get(), " ".join(about), "")

    def refused(self, refusal: Refusal) -> Refusal:
        """The refusal as it may be told: one that names what there is, as who has a handle, is a reading.

        While readings cannot be audited it names nothing, and stays what it is: nothing of the call took
        effect, and its reason is no less true.
        """
        about = mentioned_by(refusal.metadata)
        if not about or isinstance(refusal, NotFound):  # what there is not is nobody's
            return refusal
        try:
            self._audit(current_call.get(), " ".join(about), refusal.reason)
        except Unavailable:
            refusal.metadata = {key: value for key, value in refusal.metadata.items() if value not in about}
            refusal.message = "Refused. What about cannot be told now, because readings cannot be audited."
        return refusal
