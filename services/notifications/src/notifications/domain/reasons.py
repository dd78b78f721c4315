"""Why a notice is not sent, not yet, or did not arrive: the codes of the service itself."""

EXPIRED = "expired"
PROMISE_ENDED = "promise-ended"
PROMISE_RECOVERED = "promise-recovered"
PROMISE_AT_RISK = "promise-at-risk"
ALREADY_TOLD = "already-told"
GAVE_UP = "gave-up"
TAKEN_BACK = "taken-back"
REFUSED = "refused"
OUTCOME_UNKNOWN = "outcome-unknown"
BOUNCED = "bounced"
NOT_DELIVERED = "not-delivered"
SUPERSEDED = "superseded"
CAUSE_GONE = "cause-gone"
TOO_MANY = "too-many-notices"
SCHEDULED = "scheduled"
# What it says need not be said.
MOOT = (PROMISE_ENDED, PROMISE_RECOVERED, PROMISE_AT_RISK, ALREADY_TOLD, SUPERSEDED, CAUSE_GONE)
