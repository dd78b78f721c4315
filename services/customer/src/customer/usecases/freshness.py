"""How current each source of the customer view is, as the bytes that are added to every answer."""

import time
from collections.abc import Sequence

from chassis.events.freshness import Freshness, SourceState
from rapport.customer.v1 import view_pb2

SILENT_AFTER_S = 15.0
COMPUTED_EVERY_S = 1.0
_State = view_pb2.SourceFreshness.State


class ViewFreshness:
    """The serialised `freshness` of a view, computed at most once a second."""

    def __init__(self, freshness: Freshness, sources: Sequence[str]) -> None:
        self._freshness = freshness
        self._sources = sources
        self._serialised = b""
        self._until = 0.0

    def serialised(self) -> bytes:
        """A CustomerView with nothing but `freshness`: appended to a serialised view, it is part of it."""
        now = time.monotonic()
        if now >= self._until:
            view = view_pb2.CustomerView(
                freshness=[source_freshness(source, self._freshness.of(source)) for source in self._sources]
            )
            self._serialised, self._until = view.SerializeToString(), now + COMPUTED_EVERY_S
        return self._serialised


def source_freshness(source: str, state: SourceState) -> view_pb2.SourceFreshness:
    """What the contract says of a source in this state. Silence tells more than a backlog: it hides one."""
    if state.silent_s > SILENT_AFTER_S:
        shown, age_s = _State.STATE_SILENT, state.silent_s
    elif state.pending:
        shown, age_s = _State.STATE_BEHIND, state.oldest_s
    else:
        shown, age_s = _State.STATE_FRESH, 0.0
    return view_pb2.SourceFreshness(
        service=source, state=shown, age_seconds=age_s, pending_events=state.pending
    )
