"""Handles as the service keeps them, judged by `chassis.api.handles`."""

from chassis.api import handles
from customer.domain.identifiers import Handle, IdentifierType, Quality


def judge(type: IdentifierType, system: str, value: str, region_code: str) -> Handle:
    """The handle with its quality and the form in which it is matched."""
    return judged(system, value, handles.judge(type, value, region_code))


def judged(system: str, value: str, found: handles.Handle) -> Handle:
    """What was found of a value."""
    return Handle(IdentifierType(found.type), system, value, found.normalized_value, Quality(found.quality))


def doubt(handle: Handle) -> tuple[str, str] | None:
    """The reason why nobody is found or reached by the handle, and what is allowed; None when they are."""
    return handles.Handle(handle.type, handle.normalized_value, handle.quality).doubt()
