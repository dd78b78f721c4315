"""Messages to many that cannot go on: who sees them, and what helps."""

from desk.language.catalogues import N_

READ, WRITE = "notifications.notice_jobs.read", "notifications.notice_jobs.write"
BLOCKED = "state = BLOCKED"  # the filter of those that cannot go on
WHY = {  # it cannot go on, and what helps
    "invalid-filter": N_("customers cannot be found as it says any more: give it up, and begin another"),
    "invalid-words": N_(
        "the words were changed, and cannot be sent with what they are given: mend them, and have it go on"
    ),
    "customers-not-asked": N_("customers could not be asked for a month: have it go on when they can"),
}
