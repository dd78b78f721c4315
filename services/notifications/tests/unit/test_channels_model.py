"""Two channels, lost answers, silence and reports in any order: what is known of messages is what is said."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chassis.work import Outcome, Verdict, Work
from chassis.work import State as Stage
from chassis.work.item import LIVE
from notifications.domain.attempt import Attempt, Delivery, Receipt
from notifications.domain.attempt import Outcome as Answer
from notifications.domain.notice import Notice, State
from notifications.domain.reasons import Reason
from notifications.domain.receipt import accept_on, hear, spend, told_by
from notifications.domain.route import goes_on, left
from notifications.domain.template import Text

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = Text("news", "en-gb", "en-GB", 3, "", "", "", {}, NOW)
SERVED = ["EMAIL", "SMS"]
ID = UUID("0198c2d0-0000-7000-8000-000000000001")
ANSWERS = {
    "accepted": Verdict.DONE,
    "refused": Verdict.REFUSED,
    "busy": Verdict.LATER,
    "lost": Verdict.UNKNOWN,
}
KEPT = {
    Verdict.DONE: Answer.ACCEPTED,
    Verdict.REFUSED: Answer.PERMANENT_FAILURE,
    Verdict.LATER: Answer.TEMPORARY_FAILURE,
    Verdict.UNKNOWN: Answer.UNKNOWN,
}


def _work() -> Work:
    about: dict[str, Any] = {"id": ID, "kind": "x", "key": "x", "correlation_id": "", "causation_id": ID}
    times: dict[str, Any] = {"due_at": NOW, "expire_at": NOW, "lease_until": None, "ended_at": None}
    rest: dict[str, Any] = {"unknown": [], "fingerprint": "", "code": "", "alarm": False, "traceparent": ""}
    return Work(state=Stage.PENDING, attempt=0, failures=0, repeats=1, **about, **times, **rest)


def _notice() -> Notice:
    values = ("customers/1", "news", "purposes/service", "news", {"a": "b"}, "", "", NOW, NOW, NOW, ID)
    return Notice(ID, *values)  # type: ignore[arg-type]


@dataclass
class World:
    """One notice that a department asked for, driven as the use cases do."""

    notice: Notice = field(default_factory=_notice)
    work: Work = field(default_factory=_work)
    attempts: dict[int, Attempt] = field(default_factory=dict)
    under_way: int = 0
    forbidden: bool = False
    clock: int = 0

    def leave(self) -> None:
        """What waits is handed over: on the channel that is left, or that of what may have arrived."""
        if self.under_way or self.work.state is not Stage.PENDING:
            return
        if self.notice.told:  # its silence was waited for
            if self.notice.state is not State.SENT or not goes_on(self.notice, SERVED):
                return
            self.notice.want_again(self.notice.channel, Reason.NOT_DELIVERED)
        doubted = self.notice.in_doubt
        offered = [self.notice.channel] if doubted else left(self.notice, SERVED)
        self.work.attempt += 1
        self.work.state = Stage.CLAIMED
        if not offered:
            self._settle(self.work.attempt, Verdict.REFUSED, forbidden=True)
            return
        self.under_way, self.work.state = self.work.attempt, Stage.HANDING_OVER
        self.notice.begin(self.under_way, offered[0], TEXT)
        before = {each.channel for each in self.attempts.values() if each.might_be_accepted}
        assert doubted or offered[0] not in before, "nothing is sent twice by one channel"
        self.attempts[self.under_way] = Attempt(ID, self.under_way, "x", "x", NOW, channel=offered[0])

    def forbid(self) -> None:
        """It may not be sent, or its policy is off."""
        if not self.under_way and self.work.state is Stage.PENDING:
            self.work.attempt += 1
            self.work.state, self.forbidden = Stage.CLAIMED, True
            self._settle(self.work.attempt, Verdict.REFUSED, forbidden=True)

    def withdraw(self) -> None:
        """Something newer happened: its silence tells nobody anything."""
        if self.notice.state is State.REQUESTED:
            self.forbidden = True
            self.notice.withdraw(Reason.SUPERSEDED)
            self._cancel()

    def answer(self, answer: str) -> None:
        number, self.under_way = self.under_way, 0
        if number:
            self._settle(number, ANSWERS[answer])

    def late(self, answer: str, which: int) -> None:
        """An answer that was lost comes, or one that is known already comes again."""
        lost = [each for each in self.attempts.values() if each.outcome is Answer.UNKNOWN]
        if lost and not self.under_way:
            attempt = lost[which % len(lost)]
            if attempt.delivery_time is None or attempt.delivery.failed or answer == "accepted":
                self._settle(attempt.number, ANSWERS[answer])

    def report(self, delivery: Delivery, which: int) -> None:
        """As `record_receipt`: repeats by one channel have one key, by which the latest of them is found."""
        found = [each for each in self.attempts.values() if each.might_be_accepted]
        if not found or self.notice.state is State.SENDING:
            return
        latest = [*{each.channel: each for each in found}.values()]
        attempt, before = latest[which % len(latest)], self.notice.state
        self.clock += 1
        if not attempt.take(Receipt(delivery, "", NOW + timedelta(seconds=self.clock))):
            return
        if hear(self.notice, attempt, found):
            if goes_on(self.notice, SERVED):
                self.notice.want_again(attempt.channel, Reason.BOUNCED)
                self._reopen()
                return
            if not self.notice.accepted_on:
                self.notice.bounce()
        if self.notice.ended and self.notice.state is not before:
            self._cancel()
        if attempt.delivery is Delivery.DELIVERED:
            self.notice.deliver(NOW)
        if self.notice.state is not before:
            self._await_report()

    def _settle(self, number: int, verdict: Verdict, *, forbidden: bool = False) -> None:
        """As `Sending.record` and `record_outcome`."""
        self.work.settle(number, Outcome(verdict), NOW, wait=timedelta(0))
        attempt, notice = self.attempts.get(number), self.notice
        if attempt is not None and not forbidden:
            attempt.outcome, attempt.end_time = KEPT[verdict], NOW
            if attempt.channel in notice.spent:
                return
        settled = not notice.told or notice.channel in notice.spent
        notice.in_doubt = bool(self.work.unknown) and not notice.bounced and settled
        if verdict is Verdict.DONE:
            if not notice.told and not notice.bounced:
                notice.accept(NOW, "")
                notice.in_doubt = False
            elif attempt is not None and notice.state is State.SENT and attempt.channel != notice.channel:
                accept_on(notice, attempt.channel, NOW, "")
            self._await_report()
        elif self.work.state in (Stage.PENDING, Stage.CLAIMED):
            notice.postpone()
        elif self.work.state in (Stage.REFUSED, Stage.UNKNOWN):
            if attempt is not None and verdict is Verdict.REFUSED and self.work.state is Stage.REFUSED:
                self._refused(attempt)
            else:
                notice.give_up(State.UNKNOWN if self.work.state is Stage.UNKNOWN else State.SUPPRESSED, "why")
                self._cancel()

    def _refused(self, attempt: Attempt) -> None:
        if self.notice.waits or self.notice.state is State.SENDING:
            others = [each for each in left(self.notice, SERVED) if each != attempt.channel]
            if others and not self.notice.accepted_on:
                self.notice.postpone()
                self.notice.want_again(attempt.channel, Reason.REFUSED)
                self._reopen()
                return
        if self.notice.accepted_on:
            spend(self.notice, attempt.channel, Reason.REFUSED)
        self.notice.give_up(State.FAILED, Reason.REFUSED)

    def _await_report(self) -> None:
        if self.notice.state is State.SENT and goes_on(self.notice, SERVED):
            self._reopen()

    def _reopen(self) -> None:
        self.work.state, self.work.unknown, self.work.ended_at = Stage.PENDING, [], None

    def _cancel(self) -> None:
        if self.work.state in (Stage.PENDING, Stage.CLAIMED):
            self.work.state = Stage.UNKNOWN if self.work.unknown else Stage.CANCELLED

    def check(self) -> None:
        """What is said is what is known of the messages, whatever came in whichever order."""
        notice, told = self.notice, told_by([*self.attempts.values()])
        if not notice.ended:
            assert self.work.state in LIVE, "it is tried still"
            return
        if told is not None:
            arrived = told.delivery is Delivery.DELIVERED
            silent = notice.state is State.SENT and goes_on(notice, SERVED) and not self.forbidden
            assert not silent or self.work.state in LIVE, "its silence is waited for"
            assert notice.state is (State.DELIVERED if arrived else State.SENT)
            assert arrived or notice.send_time is not None
            return
        lost = [each for each in self.attempts.values() if each.outcome is Answer.UNKNOWN]
        if [each for each in lost if each.delivery_time is None and each.channel not in notice.spent]:
            assert notice.state is State.UNKNOWN
        else:
            assert notice.state in (State.FAILED, State.SUPPRESSED)


REPORTS = {
    "arrived": Delivery.DELIVERED,
    "back": Delivery.PERMANENT_FAILURE,
    "later": Delivery.DELAYED,
}
LATE = [f"late {answer}" for answer in ANSWERS]
COURSE = st.tuples(
    st.sampled_from(["leave", "leave", "forbid", "withdraw", *ANSWERS, *REPORTS, *LATE]), st.integers(0, 3)
)


@settings(max_examples=1000, deadline=None)
@example(  # its second message was accepted after all, when a repeat of it had been refused
    [
        (each, 0)
        for each in ("leave", "accepted", "leave", "lost", "leave", "refused", "late accepted", "leave")
    ]
)
@given(st.lists(COURSE, max_size=30))
def test_what_is_said_of_a_notice_is_what_is_known_of_its_messages(course: list[tuple[str, int]]) -> None:
    world = World()
    for what, which in course:
        if what in REPORTS:
            world.report(REPORTS[what], which)
        elif what in ANSWERS:
            world.answer(what)
        elif what.startswith("late "):
            world.late(what.removeprefix("late "), which)
        else:
            getattr(world, what)()
        world.check()
