"""How a fact becomes a row of the outbox, in the transaction of its effect."""

import zlib
from typing import Any

from chassis.db.schema import OUTBOX
from chassis.db.statement import Bulk
from chassis.events.facts import FactCodec
from chassis.outbox.shards import SHARDS
from chassis.telemetry.metrics import FACTS


class Recorder:
    """What a transaction records facts with: see `chassis.db.records.Facts`."""

    insert = Bulk[Any](OUTBOX, columns=[c.name for c in OUTBOX.columns if c.name != "published_at"])

    def __init__(self, codec: FactCodec) -> None:
        self._codec = codec
        for message in codec.messages.values():
            FACTS.labels(message.DESCRIPTOR.full_name)  # told from the start, so that a first one is seen

    def row(self, fact: Any) -> dict[str, Any]:
        """What the outbox holds of a fact itself. Errors as of `FactCodec.encode`."""
        encoded = self._codec.encode(fact)
        return {
            "shard": zlib.crc32(encoded.resource.encode()) % SHARDS,
            "subject": encoded.subject,
            "type": encoded.type,
            "resource": encoded.resource,
            "data": encoded.data,
        }
