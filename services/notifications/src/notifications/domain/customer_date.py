"""Dates of customers themselves, on which policies tell them something, and how far a policy has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from notifications.domain.notice import Notice
from notifications.domain.schedule import OnDay


class Date(StrEnum):
    """A date that customers have."""

    BIRTH_DATE = "BIRTH_DATE"


@dataclass(slots=True)
class CustomerDate(OnDay):
    """The day of a date that customers have, in each year."""

    date: Date


def days_on(day: date) -> Sequence[str]:
    """The days of the year, as `03-14`, that come on a day: on 28 February those of 29 February, too."""
    is_last = (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3
    return [f"{day:%m-%d}", *(["02-29"] if is_last else [])]


def filter_of(day: date) -> str:
    """The filter of `ListCustomers` for those whose birthday comes on a day."""
    return " OR ".join(f'birthday = "{each}"' for each in days_on(day))


def trigger_of(told: CustomerDate, day: date) -> UUID:
    """What stands for the event that a date comes: of so many days before or after it each is told once."""
    return uuid5(NAMESPACE_URL, f"{told.date}/{told.offset_days}/{day}")


def anew(trigger: UUID, version_name: str) -> UUID:
    """What stands for it of who was to be told otherwise, and is told by that version of a policy instead."""
    return uuid5(trigger, version_name)


def tells_date(notice: Notice) -> bool:
    """Whether it tells a customer of a date of theirs, which comes on the day `send_on`."""
    return notice.trigger_event is not None and not notice.subject


@dataclass(slots=True)
class Walk:
    """How far a version of a policy has come: all before `day`, and of it what is before `page_token`.

    `day` is one on which it tells; `step` counts how often it went on.
    """

    notice_policy_id: str
    version: int
    day: date
    page_token: str = ""
    step: int = 0

    @property
    def work_key(self) -> str:
        """Of the work that its next step is: each step is another, so that what is over cannot go on."""
        return f"{self.notice_policy_id}/{self.version}/{self.step}"


def policy_id_of(work_key: str) -> str:
    """The policy of the walk whose step a work is."""
    return work_key.partition("/")[0]
