"""That a notice waits for a person to tell the customer first."""

from datetime import datetime

from notifications.domain.notice import Notice, State


def wait_for_call(notice: Notice, until: datetime) -> bool:
    """A person has until then. False when that was known, or it is to be sent no more."""
    if not notice.waits or notice.call_by_time:
        return False
    notice.call_by_time = until
    return True


def told_uncalled(notice: Notice) -> bool:
    """Whether it was sent though a person was to tell the customer first, and nobody had by then."""
    sent = notice.state == State.SENT
    return sent and notice.call_by_time is not None and not notice.call_outcome_code


def call_over(notice: Notice, outcome_code: str, now: datetime) -> bool:
    """The person has told the customer, or will not: it waits no more. False when it did not."""
    if not notice.waits or notice.call_by_time is None or notice.call_by_time <= now:
        return False
    notice.call_by_time, notice.call_outcome_code = now, outcome_code
    notice.version += 1
    return True
