"""Why something is on a timeline: the chain of causes, followed into the services that promise and notify."""

from collections.abc import Mapping
from uuid import UUID

from chassis.api.actors import actor_name
from chassis.api.messages import timestamp
from chassis.db.database import Database
from chassis.errors import NotFound
from chassis.events.explain import Ask, chain, followed
from customer.domain.names import customer_name
from customer.domain.timeline import INTERACTION, TimelineEntry
from customer.store.timeline import ENTRY
from rapport.common.v1 import explanation_pb2


class Explainer:
    """Explains timeline entries.

    Args:
        db: the service's database.
        others: the `Explain` method that knows the resources of a collection, for example of `promises`.

    """

    def __init__(self, db: Database, others: Mapping[str, Ask]) -> None:
        self._db = db
        self._others = others

    async def explain(self, name: str, customer_id: UUID, entry_id: UUID) -> explanation_pb2.Explanation:
        """Why the entry `name` is there. NotFound."""
        entry = await ENTRY.maybe(self._db, id=entry_id, customer_id=customer_id)
        if entry is None:
            raise NotFound(name)
        if entry.event_type == INTERACTION:
            found = await chain(self._db, resource=name)
        else:
            found = await chain(self._db, event_id=entry.id)
        inputs = {
            "event_type": entry.event_type,
            "source": entry.source,
            "resource": entry.resource,
            "topic": entry.topic,
        }
        return explanation_pb2.Explanation(
            name=name,
            summary=f"{_actor(entry)} is behind this: {entry.event_type}, told by {entry.source}.",
            inputs={key: value for key, value in inputs.items() if value},
            causes=await followed(found, self._others) or [_from_timeline(name, entry)],
            customer=customer_name(customer_id),
        )


def _from_timeline(name: str, entry: TimelineEntry) -> explanation_pb2.Cause:
    """What the timeline itself knows, which it does for ever; the chain is kept for two weeks."""
    return explanation_pb2.Cause(
        resource=entry.resource or name,
        event_type=entry.event_type,
        occur_time=timestamp(entry.occur_time),
        actor=_actor(entry),
        trace_id=entry.trace_id,
        id=str(entry.id),
        service=entry.source,
    )


def _actor(entry: TimelineEntry) -> str:
    return actor_name(entry.actor, entry.source)
