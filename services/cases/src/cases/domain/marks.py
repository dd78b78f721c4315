"""What happens to a clock, of which its history is made."""

from enum import StrEnum


class Mark(StrEnum):
    """What happens to a clock."""

    STARTED = "STARTED"
    PAUSED = "PAUSED"
    FULFILLED = "FULFILLED"
    RESUMED = "RESUMED"
    REOPENED = "REOPENED"


# After which time counts.
COUNTING = {Mark.STARTED, Mark.RESUMED, Mark.REOPENED}
