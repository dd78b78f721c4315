"""Advice: why something is advised, and what was answered to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chassis.errors import FailedPrecondition, invalid
from chassis.names import acted
from customer.names import ADVICE_ANSWER, CUSTOMER

LATEST = timedelta(days=366)  # for so long somebody may say "not now"


class AdviceRule(StrEnum):
    """Why something is advised, the most urgent first."""

    BROKEN_UNTOLD = "BROKEN_UNTOLD"
    AT_RISK_UNTOLD = "AT_RISK_UNTOLD"
    SLIPPED_WITHOUT_GOODWILL = "SLIPPED_WITHOUT_GOODWILL"
    CASE_OPEN_LONG = "CASE_OPEN_LONG"
    HANDED_OVER_OFTEN = "HANDED_OVER_OFTEN"
    NOT_FOLLOWED_UP = "NOT_FOLLOWED_UP"
    DUE_UNCONFIRMED = "DUE_UNCONFIRMED"
    UNREACHABLE = "UNREACHABLE"
    CONSENT_UNCONFIRMED = "CONSENT_UNCONFIRMED"
    VALUE_FELL = "VALUE_FELL"
    VALUABLE_SILENT = "VALUABLE_SILENT"
    BIRTHDAY = "BIRTHDAY"
    ANNIVERSARY = "ANNIVERSARY"
    ZONE_UNKNOWN = "ZONE_UNKNOWN"


class AdviceOutcome(StrEnum):
    """What becomes of advice."""

    DONE = "DONE"
    DISMISSED = "DISMISSED"
    NOT_NOW = "NOT_NOW"


@dataclass(slots=True)
class AdviceAnswer:
    """What was answered to advice. `id` is made of the rule, its evidence, and the occasion."""

    customer_id: UUID
    id: UUID
    rule: AdviceRule
    evidence: str
    outcome: AdviceOutcome
    until_time: datetime | None
    reason_code: str
    actor: str
    answer_time: datetime
    version: int  # 0 of what is not answered yet

    name = ADVICE_ANSWER.named("customer_id", "id")
    customer = CUSTOMER.named("customer_id")

    @property
    def answerer(self) -> str:
        """Who answered, as contracts name them."""
        return acted(self.actor)

    def answer(
        self, outcome: AdviceOutcome, until: datetime | None, reason_code: str, actor: str, now: datetime
    ) -> bool:
        """Note what becomes of it; False when that is known already. InvalidArgument INVALID_TIME."""
        if outcome is AdviceOutcome.NOT_NOW:
            if until is None or not now < until <= now + LATEST:
                raise invalid("until_time", "INVALID_TIME", "must be within 366 days from now, with NOT_NOW")
        elif until is not None:
            raise invalid("until_time", "INVALID_TIME", "is allowed with NOT_NOW alone")
        if self.version and (self.outcome, self.until_time) == (outcome, until):
            return False
        self.outcome, self.until_time, self.reason_code = outcome, until, reason_code
        self.actor, self.answer_time = actor, now
        self.version += 1
        return True


def not_advised(name: str) -> FailedPrecondition:
    """The refusal to answer what is not advised."""
    told = f"Nothing is advised as {name}: its cause may be gone."
    return FailedPrecondition("NOT_ADVISED", told, {"resource": name})
