"""Publishing outbox rows to JetStream: many in flight, those about one resource one after another."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import nats.errors
import nats.js.errors
import structlog

from chassis import failpoints
from chassis.events.envelope import headers
from chassis.events.nats import Connection

IN_FLIGHT = 128
ANSWER_TIMEOUT_S = 5.0

_log = structlog.get_logger()
Row = Mapping[str, Any]


@dataclass(slots=True)
class Outcome:
    """What became of a batch.

    Attributes:
        published: the ids that the stream has acknowledged, now or earlier.
        refused: resources with an event that the stream refuses; their later events were held back.
        unreachable: whether publishing failed for want of an answer: the broker is away or overloaded.

    """

    published: list[UUID] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    unreachable: bool = False


class Publisher:
    """Publishes the events of one service."""

    def __init__(self, connection: Connection, service: str) -> None:
        self._js = connection.js
        self._service = service
        self._limit = asyncio.Semaphore(IN_FLIGHT)

    async def publish(self, rows: Sequence[Row]) -> Outcome:
        """Publish outbox rows under their ids, so that a repetition within ten minutes is dropped by the stream."""
        outcome = Outcome()
        by_resource: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_resource[row["resource"]].append(row)
        await asyncio.gather(*(self._in_order(rows, outcome) for rows in by_resource.values()))
        return outcome

    async def _in_order(self, rows: list[Row], outcome: Outcome) -> None:
        # A transaction that waited for another one's lock has the older id and the newer version.
        rows.sort(key=lambda row: (row["resource_version"], row["id"]))
        for row in rows:
            async with self._limit:
                if outcome.unreachable:
                    return
                failpoints.hit("relay.before_publish")
                try:
                    await self._js.publish(
                        row["subject"],
                        row["data"],
                        timeout=ANSWER_TIMEOUT_S,
                        headers=headers(row, self._service),
                    )
                except (nats.js.errors.ServiceUnavailableError, nats.js.errors.NoStreamResponseError):
                    outcome.unreachable = True
                    return
                except (nats.js.errors.APIError, nats.errors.MaxPayloadError) as error:
                    _log.error(
                        "the stream refuses an event",
                        event_id=str(row["id"]),
                        type=row["type"],
                        error=str(error),
                    )
                    outcome.refused.add(row["resource"])
                    return
                except (nats.errors.Error, TimeoutError, OSError):
                    outcome.unreachable = True
                    return
                outcome.published.append(row["id"])
