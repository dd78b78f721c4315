"""Explaining a promise, through the services that had a part in it."""

from collections.abc import Mapping
from uuid import UUID

from cases.domain.explanation import RULE_VERSION, reason
from cases.domain.promise import Promise
from chassis.api.messages import moment
from chassis.db.database import Database
from chassis.events.explain import Ask, chain, followed
from rapport.cases.v1 import cases_events_pb2
from rapport.common.v1 import explanation_pb2

PROMISE_RECOVERED = cases_events_pb2.PromiseRecovered.DESCRIPTOR.full_name


class Explainer:
    """Explains promises.

    Args:
        db: the service's database.
        others: whom to ask about the resources of a collection, for example of `notices`.

    """

    def __init__(self, db: Database, others: Mapping[str, Ask]) -> None:
        self._db = db
        self._others = others

    async def explain(self, promise: Promise, event_id: UUID | None) -> explanation_pb2.Explanation:
        """Why the promise is as it is; the causes from `event_id` back, or from its latest fact."""
        known = await chain(self._db, resource=promise.name, event_id=event_id)
        since = moment(known.causes[0].occur_time) if known.causes and event_id is None else None
        recovered = bool(known.causes) and known.causes[0].event_type == PROMISE_RECOVERED
        why = reason(promise, since, recovered)
        return explanation_pb2.Explanation(
            name=promise.name,
            summary=why.summary,
            rule=why.rule,
            rule_version=RULE_VERSION,
            inputs=why.inputs,
            causes=await followed(known, self._others),
            customer=promise.customer,
        )
