"""In whatever order news of a promise and answers arrive, and however often: the truth is told, once."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chassis.work import Outcome, Verdict, Work
from chassis.work import State as Stage
from notifications.domain.facts import NoticeSent
from notifications.domain.news import (
    News,
    Step,
    moot,
    next_steps,
    recount,
    recovery,
    steps,
    unended,
    untrue,
    what_follows,
)
from notifications.domain.notice import Concern, Notice, State
from notifications.domain.reasons import Reason
from notifications.domain.template import Text
from notifications.domain.told import end_fact

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = Text("delay", "en-gb", "en-GB", 3, "", "", "", {}, NOW)
LATER = NOW + timedelta(days=9)
DUE = "2026-03-04"
REPEATS = {Concern.AT_RISK: 1, Concern.RECOVERED: 0}


def told_by(version: int, kind: str) -> News:
    """The fact with which a promise came to this version: `kind` is a day of March, RECOVERED or ENDED."""
    concern = {"RECOVERED": Concern.RECOVERED, "ENDED": Concern.NONE}.get(kind, Concern.AT_RISK)
    risk = {"old_date": DUE, "new_date": f"2026-03-{kind}", "reason": "weather", "reference": ""}
    variables = {Concern.AT_RISK: risk, Concern.RECOVERED: recovery(risk), Concern.NONE: {}}[concern]
    return News(
        "promises/1", version, "customers/1", "", concern, variables, LATER, LATER, "UTC", "departments/a"
    )


@dataclass
class Message:
    """What was handed over under one Message-ID: answers by attempt, "" while there is none."""

    key: tuple[UUID, int]
    concern: Concern
    date: str
    answers: dict[int, str] = field(default_factory=dict)

    @property
    def doubts(self) -> int:
        """How many attempts nobody knows the end of."""
        return sum(answer == "lost" for answer in self.answers.values())

    @property
    def accepted(self) -> bool:
        """Whether it is known to have arrived."""
        return "accepted" in self.answers.values()


class World:
    """Notices about one promise, driven as the use cases do, and what may have reached the customer."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.work: dict[UUID, Work] = {}
        self.truth = told_by(1, "RECOVERED")  # it was made
        self.messages: list[Message] = []
        self.under_way: tuple[Notice, int] | None = None
        self.told: list[tuple[UUID, int]] = []  # of which NoticeSent told the promise's owner a date
        self.forbidden = False
        self._ids = itertools.count(1)

    @property
    def mailbox(self) -> list[Message]:
        """What the customer has, or may have, in this order."""
        return [m for m in self.messages if set(m.answers.values()) - {"refused"}]

    @property
    def said(self) -> list[tuple[Concern, str]]:
        """What the mailbox says."""
        return [(message.concern, message.date) for message in self.mailbox]

    def happen(self, news: News) -> None:
        self.truth = news
        self.hear(news)

    def hear(self, news: News) -> None:
        before = self._newest_first()
        todo = next_steps(before, news)
        if before:
            before[0].heard_version = max(before[0].heard_version, news.version)
        self._act(news, todo)

    def hand_over(self, *, allowed: bool = True) -> None:
        """One attempt of the notice that waits: the owner is asked, and what is true leaves."""
        notice, truth = unended(self.notices), self.truth
        if notice is None or not notice.waits or truth.version < notice.heard_version:
            return
        work = self.work[notice.id]
        work.state, work.attempt = Stage.CLAIMED, work.attempt + 1
        if not allowed:
            self.forbidden = True
            self._record(notice, work.attempt, Verdict.REFUSED, why="consent-denied")
        else:
            if untrue(notice.concern, truth) or truth.variables != notice.variables:
                notice.heard_version = truth.version
                self._act(truth, steps(self._newest_first(), truth))
                self._record(notice, work.attempt, Verdict.AGAIN)
            else:
                work.state = Stage.HANDING_OVER
                self._leave(notice, work.attempt)

    def answer(self, answer: str) -> None:
        """The answer to what is under way: accepted, refused, or lost."""
        if self.under_way is not None:
            (notice, attempt), self.under_way = self.under_way, None
            self._answered(notice, attempt, answer)

    def late_answer(self, answer: str, which: int) -> None:
        """An answer to one of the attempts of which none was known."""
        lost = [(m, attempt) for m in self.messages for attempt, was in m.answers.items() if was == "lost"]
        if lost:
            message, attempt = lost[which % len(lost)]
            notice = next(each for each in self.notices if each.id == message.key[0])
            self._answered(notice, attempt, answer)

    def send(self) -> None:
        self.hand_over()
        self.answer("accepted")

    def _leave(self, notice: Notice, attempt: int) -> None:
        check_leaving(self, notice)
        notice.begin(attempt, "EMAIL", TEXT)
        key = (notice.id, notice.revision)
        message = next((each for each in self.messages if each.key == key), None)
        if message is None:
            message = Message(key, notice.concern, notice.variables["new_date"])
            self.messages.append(message)
        message.answers[attempt] = ""
        self.under_way = notice, attempt
        self._count()

    def _answered(self, notice: Notice, attempt: int, answer: str) -> None:
        message = next(m for m in self.messages if m.key[0] == notice.id and attempt in m.answers)
        message.answers[attempt] = answer
        verdicts = {"accepted": Verdict.DONE, "refused": Verdict.LATER, "lost": Verdict.UNKNOWN}
        self._record(notice, attempt, verdicts[answer])

    def _record(self, notice: Notice, attempt: int, verdict: Verdict, why: str = "") -> None:
        """As `record_outcome`."""
        work, state = self.work[notice.id], notice.state
        work.settle(attempt, Outcome(verdict), NOW, wait=timedelta(0))
        earlier, before = (notice.version, notice.in_doubt), self._newest_first()
        was_moot, wanted = notice.reason_code, notice.variables
        notice.in_doubt = bool(work.unknown)
        if verdict is Verdict.DONE:
            if not notice.told:
                notice.accept(NOW, "")
        elif work.state in (Stage.PENDING, Stage.CLAIMED):
            newer = any(each is not notice and not each.ended for each in before)
            notice.postpone(replaced=notice.superseded or newer)
        elif work.state is Stage.REFUSED or why:
            notice.give_up(State.SUPPRESSED, why)
        elif work.state is Stage.UNKNOWN:
            notice.give_up(State.UNKNOWN, Reason.OUTCOME_UNKNOWN)
        if earlier == (notice.version, notice.in_doubt):
            return
        if state != notice.state:
            self._save(notice)
        self._follow_up(notice, "" if notice.waits else was_moot or notice.reason_code, wanted)

    def _follow_up(self, notice: Notice, why: str, wanted: dict[str, str]) -> None:
        before = self._newest_first()
        if news := what_follows(before, notice, why, wanted):
            self._act(news, steps(before, news))
        self._count()

    def _count(self) -> None:
        for notice in recount(self._newest_first()):
            if notice.told and not notice.superseded:
                self._tell(notice)

    def _act(self, news: News, todo: Sequence[tuple[Step, Notice | None]]) -> None:
        for step, notice in todo:
            if step == Step.REQUEST:
                self._request(news)
            elif notice is not None and step == Step.REVISE:
                notice.revise(news.variables, news.expire_time, news.version)
                work = self.work[notice.id]
                work.fingerprint = work.fingerprint if work.state is Stage.HANDING_OVER else ""
            elif notice is not None:
                notice.withdraw(moot(notice, news))
                self._save(notice)

    def _save(self, notice: Notice) -> None:
        """Of what has ended nothing more is tried."""
        work = self.work[notice.id]
        if notice.ended and work.state in (Stage.PENDING, Stage.CLAIMED):
            work.state = Stage.UNKNOWN if work.unknown else Stage.CANCELLED
        if notice.told:
            self._tell(notice)

    def _tell(self, notice: Notice) -> None:
        fact = end_fact(notice)
        if isinstance(fact, NoticeSent) and fact.told_promise:
            self.told.append((notice.id, fact.told_promise.promise_version))

    def _newest_first(self) -> list[Notice]:
        return sorted(self.notices, key=lambda each: (each.promise_version, each.id), reverse=True)

    def _request(self, news: News) -> None:
        notice = Notice(
            id=UUID(int=next(self._ids)),
            customer=news.customer,
            kind="x",
            purpose="purposes/service",
            template_id="x",
            variables=news.variables,
            promise=news.promise,
            case="",
            notice_policy_id="x",
            policy_version=1,
            promise_version=news.version,
            expire_time=news.expire_time,
            create_time=NOW,
            update_time=NOW,
            request_event=uuid4(),
            concern=news.concern,
            time_zone=news.time_zone,
            heard_version=news.version,
        )
        self.notices.append(notice)
        self.work[notice.id] = Work(
            id=notice.id,
            kind="x",
            key="x",
            state=Stage.PENDING,
            attempt=0,
            failures=0,
            due_at=NOW,
            expire_at=LATER,
            lease_until=None,
            repeats=REPEATS[news.concern],
            unknown=[],
            fingerprint="",
            code="",
            alarm=False,
            correlation_id="flow-1",
            causation_id=notice.id,
            traceparent="",
            ended_at=None,
        )


def check_leaving(world: World, notice: Notice) -> None:
    """What may leave: the truth, which the customer does not have, or perhaps not.

    A message is handed over again after it was refused, or once after one lost answer. Any other says what
    the last one in the mailbox does not; that the date stands, only to who may have heard otherwise; and
    another date of the same promise, only while no date is known to have arrived since it last stood.
    """
    assert (notice.concern, notice.variables) == (world.truth.concern, world.truth.variables)
    key, last = (notice.id, notice.revision), world.mailbox[-1] if world.mailbox else None
    if last is not None and last.key == key:
        assert last.doubts == REPEATS[notice.concern] == 1
        return
    assert key not in [message.key for message in world.mailbox]
    doubtful = last is not None and last.concern == Concern.AT_RISK and not last.accepted
    if notice.concern == Concern.RECOVERED:
        assert doubtful
    elif last is not None and last.concern == Concern.AT_RISK:
        assert doubtful
        assert last.date != notice.variables["new_date"]


def check(world: World) -> None:
    """One notice at a time, and its owner knows the date on which the customer counts."""
    assert sum(not notice.ended for notice in world.notices) <= 1  # as the unique index has it
    for notice in world.notices:
        arrived = [message for message in world.messages if message.key[0] == notice.id]
        assert notice.told == any(message.accepted for message in arrived)
        if notice.state in (State.SUPPRESSED, State.FAILED):
            assert not [message for message in arrived if message in world.mailbox]
    last = world.mailbox[-1] if world.mailbox else None
    if last is not None and last.concern == Concern.AT_RISK and last.accepted:
        assert world.told[-1][0] == last.key[0]


def check_end(world: World, history: Sequence[News]) -> None:
    """Everything has ended, and the customer has the truth last, or a date that the promise has by now."""
    check(world)
    assert all(notice.ended for notice in world.notices)
    if world.forbidden:
        return
    last = world.mailbox[-1] if world.mailbox else None
    moved = last is not None and last.concern == Concern.AT_RISK and last.accepted
    if history[-1].concern == Concern.AT_RISK and not moved:
        assert last is not None
        assert (last.concern, last.date) == (Concern.AT_RISK, history[-1].variables["new_date"])
    elif history[-1].concern == Concern.RECOVERED and not moved:
        assert last is None or last.concern == Concern.RECOVERED


kinds = st.lists(st.sampled_from(["06", "09", "11", "RECOVERED"]), min_size=1, max_size=5)
histories = st.tuples(kinds, st.booleans()).map(
    lambda drawn: [
        told_by(version, kind)
        for version, kind in enumerate([*drawn[0], *(["ENDED"] if drawn[1] else [])], start=2)
    ]
)
ANSWERS = ["accepted", "refused", "refused", "lost", "lost", "late accepted", "late refused", "late refused"]
events = st.sampled_from(["happen", "happen", "hear", "hear", "leave", "leave", "leave", "forbid", *ANSWERS])


@settings(max_examples=300, deadline=None)
@given(histories, st.data())
def test_news_in_any_order_and_again_tells_what_the_truth_is_then(
    history: list[News], data: st.DataObject
) -> None:
    heard = data.draw(st.permutations(history + data.draw(st.lists(st.sampled_from(history), max_size=4))))
    world = World()
    world.truth = history[-1]
    for news in heard:
        world.hear(news)
    for _ in range(8):
        world.send()
    now_at_risk = history[-1].concern == Concern.AT_RISK
    assert world.said == ([(Concern.AT_RISK, history[-1].variables["new_date"])] if now_at_risk else [])
    assert all(notice.ended for notice in world.notices)


def play(history: Sequence[News], course: Sequence[tuple[str, int]]) -> World:
    """What becomes of a history in a course of events; the numbers choose which news, and which answer."""
    world, unheard = World(), list(history)
    happened: list[News] = []
    for event, which in course:
        if event == "happen" and unheard:
            happened.append(unheard.pop(0))
            world.truth = happened[-1]
        elif event == "hear" and happened:
            world.hear(happened[-1 - which % len(happened)])
        elif event in ("leave", "forbid"):
            world.hand_over(allowed=event == "leave")
        elif event.startswith("late "):
            world.late_answer(event.removeprefix("late "), which)
        elif event in ("accepted", "refused", "lost"):
            world.answer(event)
        check(world)
    return world


def finish(world: World, history: Sequence[News]) -> None:
    """Everything is heard, and leaves."""
    world.answer("accepted")
    for news in history:
        world.truth = history[-1]
        world.hear(news)
    for _ in range(8):
        world.send()
    check_end(world, history)


def course(text: str) -> list[tuple[str, int]]:
    """A course in words: `news` is what happens and is heard of."""
    words = text.replace("news", "happen, hear").split(", ")
    return [(word, 0) for word in words]


def of(*kinds: str) -> list[News]:
    """A history."""
    return [told_by(version, kind) for version, kind in enumerate(kinds, start=2)]


LOST = "news, leave, lost, leave, lost, news, "  # also the repeat; and then there is other news


@settings(max_examples=300, deadline=None)
@given(
    histories,
    st.lists(st.tuples(events, st.integers(0, 5)), max_size=40),
    st.sampled_from(["accepted", "refused"]),
)
@example(of("11", "09", "11"), course("news, leave, lost, news, leave, news, lost"), "refused")
@example(of("11", "09", "11"), course(LOST + "leave, news, lost"), "accepted")
@example(of("11", "09", "11"), course(LOST + "leave, news, refused"), "refused")
@example(of("09", "06", "09"), course("news, leave, lost, news, leave, refused, news, leave"), "refused")
@example(of("09", "06"), course(LOST + "late accepted"), "accepted")
@example(of("09", "06"), course(LOST + "leave, late accepted, refused"), "accepted")
@example(of("09", "06"), course(LOST + "forbid, late accepted"), "accepted")
@example(of("09", "06", "09"), course("news, leave, news, lost, late refused"), "refused")
@example(of("09", "11", "09"), course("news, leave, news, news, lost, leave"), "refused")
@example(of("09", "RECOVERED", "09"), course("news, leave, news, news, lost, leave"), "refused")
@example(of("09", "RECOVERED"), course(LOST + "late refused, late refused"), "accepted")
@example(of("09", "RECOVERED", "09"), course("news, leave, lost, news, news"), "refused")
def test_whenever_messages_leave_nothing_untrue_is_told_and_nothing_twice(
    history: list[News], events: list[tuple[str, int]], late: str
) -> None:
    world = play(history, events)
    finish(world, history)
    for _ in range(4):
        world.late_answer(late, 0)
        check(world)
        finish(world, history)


def test_a_recovery_is_told_as_often_as_a_risk_may_have_been() -> None:
    history = of("09", "RECOVERED", "11", "RECOVERED")
    world = play(history, course(", ".join(["news, leave, lost, leave, lost, news, leave, accepted"] * 2)))
    assert [concern for concern, _ in world.said] == [Concern.AT_RISK, Concern.RECOVERED] * 2
