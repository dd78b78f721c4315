"""The heartbeat that each outbox sends and each inbox hears: `beat.<service>`, as JSON."""

import msgspec


class Beat(msgspec.Struct):
    """A service's heartbeat.

    Attributes:
        unpublished: how many of its facts wait to be published, up to 100,000.
        lag_s: everything committed before so many seconds ago is published.
        sequence: the last sequence of its stream when that was so.
        sent_at: when that was, by its wall clock, in seconds since the epoch.
    """

    unpublished: int
    lag_s: float
    sequence: int
    sent_at: float


def encoded(beat: Beat) -> bytes:
    """A beat on its way."""
    return msgspec.json.encode(beat)
