"""What a cause says, for whoever shows it: needs no database."""

from rapport.common.v1 import explanation_pb2


def what(cause: explanation_pb2.Cause) -> str:
    """What happened, of whichever kind."""
    said: str = getattr(cause, cause.WhichOneof("what") or "event_type")
    return said
