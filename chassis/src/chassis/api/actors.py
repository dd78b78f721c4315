"""Who did something, and what, as contracts name them. Needs no database."""

import functools

from chassis.context import CLOCK
from chassis.names import acted
from rapport.common.v1 import explanation_pb2

REMEMBERED = 4096


def service_name(service: str) -> str:
    """The name of a service: `services/cases`."""
    return f"services/{service}"


@functools.lru_cache(REMEMBERED)
def actor_name(subject: str, service: str) -> str:
    """The name of who acted as `subject`: `agent:alice`, `service:cases`, `customer:{uuid}`, or the clock.

    What the clock of `service` did, that did: `services/cases`.
    """
    return service_name(service) if subject == CLOCK else acted(subject)


def what(cause: explanation_pb2.Cause) -> str:
    """What happened, of whichever kind."""
    said: str = getattr(cause, cause.WhichOneof("what") or "event_type")
    return said
