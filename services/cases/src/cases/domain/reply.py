"""A reply: what the customer says of a case that was resolved, and when somebody is asked to look at it."""

from datetime import datetime, timedelta

from cases.domain.contact import Contact

KIND = "customer-reply"  # of the work to look at it
DAYS = 30  # after a case was resolved, where no topic says otherwise
LATE_WORD = timedelta(days=1)  # that what was said before that may be recorded after it


def is_reply(contact: Contact, owner: str, resolve_time: datetime) -> bool:
    """Whether it was said of a resolved case, by what whoever resolved it could know.

    What its owner recorded they have heard.
    """
    told_since = contact.record_time > resolve_time and contact.at > resolve_time - LATE_WORD
    return contact.inbound and told_since and contact.agent != owner


def brings_up(at: datetime, resolve_time: datetime, days: int) -> bool:
    """Whether a reply of that moment is in time to bring a case up; `days` 0: no topic says for how long."""
    return at <= resolve_time + timedelta(days=days or DAYS)
