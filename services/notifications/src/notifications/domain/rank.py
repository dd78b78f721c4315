"""Which of the messages that wait go first, whoever asked for them: one does not wait behind a campaign."""

from notifications.domain.notice import Concern, Notice

FIRST, MIDDLE, LAST = range(3)


def rank_of(notice: Notice, *, of_many: bool) -> int:
    """FIRST for what cannot wait, and what is promised; LAST for what many are sent at one time.

    `of_many`: whether a job asks for it. What a policy sends on a day goes to many on that day, too.
    """
    if notice.urgent or notice.concern is not Concern.NONE:
        return FIRST
    return LAST if of_many or notice.send_on else MIDDLE
