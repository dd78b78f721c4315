"""A topic: what cases can be about, declared by the department that knows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases.domain.facts import TopicUpdated
from cases.domain.priority import Harm
from cases.names import AGENT, DEPARTMENT, TOPIC
from chassis.errors import FailedPrecondition
from chassis.facts import changed, fact_of

DEPTH_MAX = 8  # topics above each other, itself included


@dataclass(slots=True)
class Topic:
    """What cases can be about, and what of them goes without saying."""

    id: str
    display_name: str
    department_id: str
    parent_topic_id: str | None
    default_owner_id: str | None
    default_harm: Harm | None
    create_time: datetime
    update_time: datetime
    required_skills: list[str] = field(default_factory=list)
    reply_days: int = 0  # see `reply.py`; 0: what the topic above it says
    version: int = 1

    name = TOPIC.named("id")
    department = DEPARTMENT.named("department_id")
    parent_topic = TOPIC.named("parent_topic_id")
    default_owner = AGENT.named("default_owner_id")

    def update(self, changes: Mapping[str, Any]) -> TopicUpdated | None:
        """Take over `changes`. Nothing when it is so already."""
        fields = changed(self, changes)
        return fact_of(TopicUpdated, self, updated_fields=fields) if fields else None

    def require_place(self, above: Sequence[str], below: int) -> None:
        """Refuse a place below itself (`TOPIC_CYCLE`) or too far down (`TOPIC_TOO_DEEP`).

        `above` are the ids of the topics above it, `below` is how many levels are below.
        """
        if self.id in above:
            told = f"{self.name} would be below itself: choose a topic that is not below it."
            raise FailedPrecondition("TOPIC_CYCLE", told, {"resource": self.name})
        if len(above) + 1 + below > DEPTH_MAX:
            told = f"At most {DEPTH_MAX} topics are above each other: choose one further up."
            raise FailedPrecondition("TOPIC_TOO_DEEP", told, {"resource": self.name, "most": DEPTH_MAX})


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a topic says of a case, itself or by those above it."""

    owner_id: str | None = None
    harm: Harm = Harm.INCONVENIENCE
    reply_days: int = 0
