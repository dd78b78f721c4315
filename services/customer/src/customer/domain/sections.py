"""Sections: departments' own parts of the customer view, and what they say of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, Self
from uuid import UUID

from chassis.errors import FailedPrecondition
from customer.names import DEPARTMENT, SECTION, SECTION_SCHEMA


@dataclass(slots=True)
class SectionSchema:
    """What a department's sections hold. A deleted one is kept: what was stored under it is still there.

    `deleted_version` is the version at which it was deleted last, at `delete_time`; 0 when it never was.
    Sections that were written before are withdrawn, even when it has been put again.
    """

    id: str
    department_id: str
    display_name: str
    message_type: str
    descriptors: bytes
    create_time: datetime
    update_time: datetime
    version: int = 1
    deleted_version: int = 0
    delete_time: datetime | None = None

    name = SECTION_SCHEMA.named("id")
    department = DEPARTMENT.named("department_id")

    @property
    def is_deleted(self) -> bool:
        """Whether nothing is to be written by it now."""
        return self.version == self.deleted_version

    def follow(self, held: Self) -> None:
        """Be the version after `held`, whoever's that is."""
        self.department_id, self.create_time = held.department_id, held.create_time
        self.version = held.version + 1
        self.deleted_version, self.delete_time = held.deleted_version, held.delete_time

    def says_the_same_as(self, held: Self) -> bool:
        """Whether nothing would be drawn otherwise than by `held`."""
        said = [(each.display_name, each.message_type, each.descriptors) for each in (self, held)]
        return said[0] == said[1] and not held.is_deleted

    def delete(self, now: datetime) -> None:
        """Withdraw it."""
        self.update_time = self.delete_time = now
        self.version += 1
        self.deleted_version = self.version

    def refuse_to_misread(self, numbers: Sequence[int]) -> NoReturn:
        """Say which fields would read what is stored as something else. SCHEMA_INCOMPATIBLE."""
        shown = ", ".join(map(str, numbers))
        raise FailedPrecondition(
            "SCHEMA_INCOMPATIBLE",
            "A field keeps its number and its type, and a value of its enum its number and its name; what is"
            f" gone stays reserved. Mend the fields with the numbers {shown}.",
            {"resource": self.name, "numbers": shown},
        )


@dataclass(slots=True)
class ViewSection:
    """A department's section of one customer's view.

    `content` is None while it is withdrawn: the row stays, so that its versions go on and nothing late undoes
    that. When the department withdrew it, `as_of_time` is since when there is none.
    `drawn` is a view with this section alone, as every view has it, made when the schema was at
    `schema_version`; that is 0 when the section was withdrawn with its schema. `put_id` is the audit's of who
    put it.
    """

    customer_id: UUID
    section: str
    content: bytes | None
    drawn: bytes
    as_of_time: datetime
    stale_time: datetime | None
    update_time: datetime
    version: int
    schema_version: int
    put_id: UUID

    name = SECTION.named("customer_id", "section")

    @classmethod
    def none_yet(cls, customer_id: UUID, section: str, now: datetime, put_id: UUID) -> Self:
        """Where nothing was put so far: to be withdrawn all the same, by whose audit's `put_id` is."""
        return cls(
            customer_id, section, None, b"", now, None, now, version=0, schema_version=0, put_id=put_id
        )

    def outdates(self, as_of_time: datetime) -> bool:
        """Whether it stays when content of `as_of_time` comes. Of the same time a withdrawal does.

        One with its schema does not: that is of our clock, and says nothing of the department's.
        """
        by_department = self.content is None and self.schema_version > 0
        return as_of_time < self.as_of_time or (by_department and as_of_time == self.as_of_time)

    def refuse_earlier(self) -> NoReturn:
        """Say of when it is true, to who brings something earlier. FailedPrecondition STALE_SECTION."""
        raise FailedPrecondition(
            "STALE_SECTION",
            f"What is there is true of {self.as_of_time.isoformat()}: put what is true of a later time,"
            " or of an earlier one with the etag of what is there.",
            {"resource": self.name, "as_of_time": self.as_of_time.isoformat()},
        )

    def delete(self, schema: SectionSchema, as_of_time: datetime, now: datetime) -> None:
        """Withdraw it: that there is none is true of `as_of_time`."""
        self._empty(now)
        self.as_of_time, self.schema_version = as_of_time, schema.version

    def delete_with_schema(self, now: datetime) -> None:
        """Withdraw it, until the department puts it by the schema's next version."""
        self._empty(now)
        self.schema_version = 0

    def _empty(self, now: datetime) -> None:
        self.content, self.drawn, self.update_time = None, b"", now
        self.version += 1


@dataclass(frozen=True, slots=True)
class PutResult:
    """What became of a section that was to be put: `section` is what is there now."""

    section: ViewSection
    is_stale: bool = False
