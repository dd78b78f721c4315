"""Work on the outside world: claimed, acted on outside of any transaction, recorded.

A message is handed to a mail server, a payment to a bank: such an effect cannot commit together with a row.
So the row says how far it came, and what nobody can know is a state of its own.

    PENDING --claim--> CLAIMED --hand over--> HANDING_OVER --answer----> DONE | REFUSED | PENDING, tried again
                          |                        `--------no answer-> UNKNOWN, or PENDING for a repeat
                          `--died---------> PENDING

    await enqueue(tx, "notice-send", key, due_at=..., expire_at=..., repeats=1)     # in a use case
    app.work(Sending(...))                                                          # in `compose`: a `Worker`

A claim that died is safe to repeat. A hand-over that died, or whose answer was lost, is repeated as often as
`repeats` says, with the same fingerprint. Writes are fenced by the attempt's number, evidence is not: a
definite answer counts however late it comes.
"""

from chassis.work.item import Deferred, Later, NotDone, Ours, Outcome, Refused, State, Verdict, Work, code_of
from chassis.work.queue import bring_forward, cancel, enqueue, enqueue_all, entry, reopen
from chassis.work.turn import Turn, Worker

__all__ = [
    "Deferred",
    "Later",
    "NotDone",
    "Ours",
    "Outcome",
    "Refused",
    "State",
    "Turn",
    "Verdict",
    "Work",
    "Worker",
    "bring_forward",
    "cancel",
    "code_of",
    "enqueue",
    "enqueue_all",
    "entry",
    "reopen",
]
