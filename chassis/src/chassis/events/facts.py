"""From a domain's fact to a row of the outbox, and the catalogue of a service's events."""

import zlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from google.protobuf.message import Message

from chassis.api.messages import to_message
from chassis.db.schema import OUTBOX, SHARDS
from chassis.db.statement import Bulk
from chassis.errors import FailedPrecondition
from chassis.events.registry import FACT_MAX_BYTES, subject_of
from chassis.events.shown import TYPE, forms, plan
from chassis.telemetry.metrics import FACTS


class FactCodec:
    """A service's event messages, by the name of the domain fact that each one publishes.

    What a transaction records facts with: see `chassis.db.records.Facts`.
    """

    insert = Bulk[Any](OUTBOX, columns=[c.name for c in OUTBOX.columns if c.name != "published_at"])

    def __init__(self, events: ModuleType | None) -> None:
        found = {
            name: value
            for name, value in (vars(events) if events else {}).items()
            if isinstance(value, type) and issubclass(value, Message)
        }
        self._messages: Mapping[str, type[Message]] = found
        self._subjects = {name: subject_of(message) for name, message in found.items()}
        self._forms = {name: forms(message) for name, message in found.items()}
        for message in found.values():  # what is described wrongly is found here, and not by the relay
            plan(full_name := message.DESCRIPTOR.full_name)
            if not TYPE.fullmatch(full_name):
                raise TypeError(
                    f"{full_name} must be called like acme.billing.v1.InvoiceSent: no reader takes it"
                )
            FACTS.labels(full_name)  # told from the start, so that a first one is seen

    def row(self, fact: Any) -> dict[str, Any]:
        """What the outbox holds of a fact itself: a dataclass with the name and fields of an event message.

        The message's first field is the name of the resource that the fact is about. KeyError when the
        service has no such event; ValueError when a field has not the form that its readers ask for;
        FailedPrecondition (`FACT_TOO_LARGE`) for one that no stream would take: written down, it would hold
        up whatever happens to its resource later.
        """
        name = type(fact).__name__
        message: Any = to_message(self._messages[name], fact)
        for field, judge in self._forms[name]:
            if (text := getattr(message, field)) and (wrong := judge(text)):
                raise ValueError(f"{name}.{field} {wrong[1]}: no reader takes it otherwise")
        resource = getattr(message, message.DESCRIPTOR.fields[0].name)
        data = message.SerializeToString()
        if len(data) > FACT_MAX_BYTES:
            raise FailedPrecondition(
                "FACT_TOO_LARGE",
                f"What this changes must be told in an event of at most {FACT_MAX_BYTES} bytes. Send less.",
                {"event": name, "bytes": len(data), "most": FACT_MAX_BYTES},
            )
        return {
            "shard": zlib.crc32(resource.encode()) % SHARDS,
            "subject": self._subjects[name],
            "type": message.DESCRIPTOR.full_name,
            "resource": resource,
            "data": data,
        }
