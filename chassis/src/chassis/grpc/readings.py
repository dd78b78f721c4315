"""Which answers tell something about a person, and about whom."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor

from chassis.context import Call, current_call
from rapport.options.v1 import options_pb2

Audit = Callable[[Call, str], None]
"""Takes a call and the names of what it read, separated by spaces."""
Noted = Callable[[Any, Any], None]
ABOUT = ("name", "names", "parent", "customer")  # the fields by which requests say what they are about


class Readings:
    """The methods that read personal data: a field of their answers has a data class, and they write nothing.

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
            if _reads(method) and is_personal(method.output_type)
        }

    def of(self, method: str) -> Noted | None:
        """What to call with request and answer; None for a method whose answers nobody has to know of."""
        return self._note if method in self._methods else None

    def _note(self, request: Any, answer: Any) -> None:
        if about := dict.fromkeys(_about(request, answer)):  # or nothing was found
            self._audit(current_call.get(), " ".join(about))


def is_personal(message: Descriptor, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a message, or one inside it, has a field with a data class."""
    if message.full_name in seen:
        return False
    within = seen | {message.full_name}
    return any(
        field.GetOptions().Extensions[options_pb2.data_class]
        or (field.message_type is not None and is_personal(field.message_type, within))
        for field in message.fields
    )


def _reads(method: MethodDescriptor) -> bool:
    return "request_id" not in method.input_type.fields_by_name  # writes are in the audit anyway


def _about(request: Any, answer: Any) -> Iterator[str]:
    """The names in the request, and those of the resources in an answer that lists some."""
    for field in ABOUT:
        told = getattr(request, field, ())
        yield from filter(None, (told,) if isinstance(told, str) else told)
    for part in answer.ListFields() if not isinstance(answer, bytes) else ():
        if part[0].is_repeated and part[0].message_type is not None:
            yield from filter(None, (getattr(item, "name", "") for item in part[1]))
