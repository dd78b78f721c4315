"""Explaining a promise, through the services that had a part in it."""

from typing import TYPE_CHECKING
from uuid import UUID

import grpc
import structlog

from cases.domain.explanation import RULE_VERSION, reason
from cases.domain.promise import Promise
from chassis.api.messages import moment
from chassis.db.database import Database
from chassis.errors import DeadlineExceeded
from chassis.events.explain import Foreign, chain
from rapport.cases.v1 import cases_events_pb2
from rapport.common.v1 import explanation_pb2

if TYPE_CHECKING:
    from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceAsyncStub

PROMISE_RECOVERED = cases_events_pb2.PromiseRecovered.DESCRIPTOR.full_name
_log = structlog.get_logger()


class Explainer:
    """Explains promises.

    Args:
        db: the service's database.
        notices: whom to ask when a notice was the cause.

    """

    def __init__(self, db: Database, notices: "NoticeServiceAsyncStub") -> None:
        self._db = db
        self._notices = notices

    async def explain(self, promise: Promise, event_id: UUID | None) -> explanation_pb2.Explanation:
        """Why the promise is as it is; the causes from `event_id` back, or from its latest fact."""
        known = await chain(self._db, resource=promise.name, event_id=event_id)
        causes = list(known.causes)
        since = moment(causes[0].time) if causes and event_id is None else None
        if known.continues:
            causes += await self._elsewhere(known.continues)
        recovered = bool(known.causes) and known.causes[0].what == PROMISE_RECOVERED
        why = reason(promise, since, recovered)
        return explanation_pb2.Explanation(
            name=promise.name,
            summary=why.summary,
            rule=why.rule,
            rule_version=RULE_VERSION,
            inputs=why.inputs,
            causes=causes,
        )

    async def _elsewhere(self, event: Foreign) -> list[explanation_pb2.Cause]:
        """The causes that notifications knows; without it, the event that reached us.

        It may ask us in turn about an earlier event. A chain only goes back in time, and each call has
        less time than the one before, so this ends.
        """
        request = explanation_pb2.ExplainRequest(name=event.resource, event_id=str(event.event_id))
        try:
            return list((await self._notices.Explain(request)).causes)
        except (grpc.aio.AioRpcError, DeadlineExceeded) as error:
            _log.warning("a chain of causes ends early", source=event.source, error=type(error).__name__)
            return [event.cause]
