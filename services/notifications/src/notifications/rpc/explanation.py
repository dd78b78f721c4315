"""Why a notice was or was not sent: in words, by which rule, from which facts, back to the first cause."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from chassis.api.messages import timestamp
from chassis.db.database import Database
from chassis.events.explain import Ask, chain, followed
from notifications.domain import notice as rules
from notifications.domain.attempt import Attempt
from notifications.domain.notice import Concern, Notice, State
from notifications.store.notices import LIST_ATTEMPTS
from rapport.common.v1 import explanation_pb2

_WHY = {
    "consent-denied": "the customer does not allow it",
    "no-address": "no address of the customer is known",
    "customer-not-found": "there is no such customer",
    rules.EXPIRED: "it was of no more use when it could first be sent",
    rules.PROMISE_ENDED: "the promise had ended before it could be sent",
    rules.PROMISE_RECOVERED: "the promise was expected to be kept in time again before it could be sent",
    rules.PROMISE_AT_RISK: "the promise was at risk again before it could be sent",
    rules.ALREADY_TOLD: "the same was told, or tried to be told, before",
    rules.GAVE_UP: "no attempt succeeded while it was of use",
    rules.REFUSED: "the provider refused it for good",
    rules.OUTCOME_UNKNOWN: "the provider's answer was lost",
}


class Explainer:
    """Explains notices.

    Args:
        db: the service's database.
        others: whom to ask about the resources of a collection, for example of `promises`.

    """

    def __init__(self, db: Database, others: Mapping[str, Ask]) -> None:
        self._db = db
        self._others = others

    async def explain(self, notice: Notice, event_id: UUID | None) -> explanation_pb2.Explanation:
        """The explanation; the causes from `event_id` back, or from the notice's latest fact."""
        attempts = await LIST_ATTEMPTS.all(self._db, notice=notice.id)
        found = await chain(self._db, resource=notice.name, event_id=event_id)
        return explanation_pb2.Explanation(
            name=notice.name,
            summary=f"{_what_became(notice, attempts)} {_why_wanted(notice)}",
            rule=f"noticePolicies/{notice.policy}" if notice.policy else "",
            rule_version=str(notice.policy_version) if notice.policy else "",
            inputs={name: value for name, value in _inputs(notice).items() if value},
            causes=await followed(found, self._others),
            customer=notice.customer,
        )


def _what_became(notice: Notice, attempts: Sequence[Attempt]) -> str:
    why = _WHY.get(notice.reason_code, notice.reason_code)
    tried = f" after {len(attempts)} attempts" if len(attempts) > 1 else ""
    match notice.state:
        case State.REQUESTED if attempts:
            code = attempts[-1].provider_code
            return f"Not sent yet: attempt {len(attempts)} failed ({code}) and another follows."
        case State.REQUESTED:
            return "Not sent yet: it waits for its first attempt."
        case State.SENDING:
            return "Being sent: the provider's answer is not known yet."
        case State.SUPPRESSED:
            return f"Not sent: {why}."
        case State.UNKNOWN:
            return f"Handed over{tried}, and whether the customer was told is not known: {why}."
        case State.FAILED:
            return f"Not sent{tried}: {why}."
        case _:
            assert notice.send_time is not None, "only a notice that was sent gets here"
            return f"Sent by {notice.channel.lower()} on {_shown(notice.send_time)}{tried}."


def _why_wanted(notice: Notice) -> str:
    said = notice.variables
    match notice.concern:
        case Concern.AT_RISK:
            return (
                f"It was wanted because {notice.promise} became at risk ({said['reason']}): "
                f"due {said['old_date']}, now expected {said['new_date']}."
            )
        case Concern.RECOVERED:
            return (
                f"It was wanted because {notice.promise}, due {said['old_date']}, is expected in time again, "
                "and the customer may have been told otherwise."
            )
        case _:
            return "A department asked for it."


def _inputs(notice: Notice) -> dict[str, str]:
    return notice.variables | {
        "kind": notice.kind,
        "purpose": notice.purpose,
        "promise": notice.promise,
        "case": notice.case,
        "template": f"templates/{notice.template}",
        "template_version": str(notice.template_version or ""),
        "channel": notice.channel,
        "expire_time": notice.expire_time.isoformat(),
        "reason_code": notice.reason_code,
        "attempts": str(notice.attempt_count or ""),
    }


def _shown(at: datetime) -> str:
    return timestamp(at).ToJsonString()
