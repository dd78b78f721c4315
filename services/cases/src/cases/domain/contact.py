"""Contacts with the customer of a case: what they said, and what they were told."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact. What a machine told is no answer."""

    at: datetime
    inbound: bool
    by_person: bool


@dataclass(slots=True)
class Contacts:
    """The last contacts about a case, by when they happened: word of them comes in any order."""

    case_id: UUID
    hear_time: datetime | None = None  # the customer said something
    answer_time: datetime | None = None  # a person told them something

    def take_in(self, contact: Contact) -> None:
        """Keep it, if it is the last of its kind."""
        if contact.inbound:
            self.hear_time = max(contact.at, self.hear_time or contact.at)
        elif contact.by_person:
            self.answer_time = max(contact.at, self.answer_time or contact.at)

    @property
    def unanswered_since(self) -> datetime | None:
        """When the customer last said something that nobody has answered."""
        if self.hear_time and self.answer_time and self.answer_time >= self.hear_time:
            return None
        return self.hear_time


def is_person(subject: str) -> bool:
    """Whether who acts as `subject` is a person: no service, and no clock."""
    return subject.partition(":")[0] not in ("service", "clock")
