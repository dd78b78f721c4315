"""Contacts with the customer of a case: what they said, and what they were told."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

HEARD_MAX = 100  # unanswered, of a case


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. `agent` is the person who recorded it; empty: what a machine told is no answer.

    `department_id` is in whose name they noted it; None: they spoke with the customer.
    """

    at: datetime
    inbound: bool
    agent: str = ""
    department_id: str | None = None
    recorded: datetime | None = None  # when we learned of it; None: at once

    @property
    def record_time(self) -> datetime:
        """When we learned of it."""
        return self.recorded or self.at

    @property
    def by_person(self) -> bool:
        return bool(self.agent)

    def seen_by(self, *departments: str) -> "Contact":
        """What it is to those that answer for the case: a note of anybody else's is no person's answer."""
        ours = self.department_id is None or self.department_id in departments
        return self if ours else replace(self, agent="")


@dataclass(slots=True)
class Contacts:
    """Since when the customer of a case waits, by contacts of which word comes in any order."""

    case_id: UUID
    hear_times: list[datetime] = field(
        default_factory=list
    )  # that the customer spoke since then, first to last
    answer_time: datetime | None = None  # when a person told them something last

    def take_in(self, contact: Contact) -> None:
        """Keep what it says."""
        if contact.inbound:
            self.hear_times = sorted([*self.hear_times, contact.at])
        elif contact.by_person:
            self.answer_time = max(contact.at, self.answer_time or contact.at)
        self._forget()

    def settle(self, at: datetime) -> None:
        """The case was resolved then, which answered all that was said before."""
        self.answer_time = max(at, self.answer_time or at)
        self._forget()

    def is_answered(self, at: datetime) -> bool:
        """Whether a person told them something since then."""
        return self.answer_time is not None and at <= self.answer_time

    def _forget(self) -> None:
        """What was said before an answer is answered by it; of what was not, the first counts."""
        self.hear_times = [at for at in self.hear_times if not self.is_answered(at)][:HEARD_MAX]

    @property
    def unanswered_since(self) -> datetime | None:
        """When the customer first said something that nobody has answered."""
        return self.hear_times[0] if self.hear_times else None
