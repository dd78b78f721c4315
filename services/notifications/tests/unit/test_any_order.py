"""Whatever the order in which news of a promise arrives, and however often: the truth is told, once."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.domain.notice import ALREADY_TOLD, LIVE, OUTCOME_UNKNOWN, Concern, Notice, State
from notifications.domain.policy import (
    News,
    Step,
    meanwhile,
    next_steps,
    recovery,
    replaced,
    something_followed,
    steps,
    untrue,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = "2026-03-04"


def told_by(version: int, kind: str) -> News:
    """The fact with which a promise came to this version: `kind` is a day of March, RECOVERED or ENDED."""
    concern = {"RECOVERED": Concern.RECOVERED, "ENDED": Concern.NONE}.get(kind, Concern.AT_RISK)
    risk = {"old_date": DUE, "new_date": f"2026-03-{kind}", "reason": "WEATHER", "reference": ""}
    variables = {Concern.AT_RISK: risk, Concern.RECOVERED: recovery(risk), Concern.NONE: {}}[concern]
    expire_time = NOW + timedelta(days=9)
    return News(
        "promises/1",
        version,
        "customers/1",
        "",
        concern,
        variables,
        expire_time,
        expire_time,
        "departments/a",
    )


class World:
    """Notices about one promise, driven as the use cases do, and what reached the customer."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []  # newest first
        self.truth = told_by(1, "RECOVERED")  # it was made
        self.mailbox: list[tuple[Concern, str]] = []
        self.message_ids: list[tuple[UUID, int]] = []
        self.arrived = False
        self.under_way: tuple[Notice, Notice] | None = None
        self._ids = itertools.count(1)
        self._attempts = itertools.count(1)

    def hear(self, news: News) -> None:
        todo = next_steps(self.notices, news)
        if self.notices:
            self.notices[0].seen_version = max(self.notices[0].seen_version, news.version)
        self._act(news, todo)

    def hand_over(self) -> None:
        """One attempt of the notice that waits: the owner is asked, and what is true leaves."""
        notice = next((each for each in self.notices if each.waits), None)
        if self.under_way or notice is None:
            return
        truth = self.truth
        if truth.version < notice.heard_version:
            return
        if why := untrue(notice.concern, truth):
            notice.give_up(State.SUPPRESSED, why)
            self._follow_up(notice, why, notice.variables)
        elif truth.variables != notice.variables:
            notice.seen_version = truth.version
            self._act(truth, steps(self.notices, truth))
        else:
            notice.begin(next(self._attempts))
            self.arrived = (notice.id, notice.revision) not in self.message_ids
            if self.arrived:  # a repeat is the same message
                self.mailbox.append((notice.concern, notice.variables["new_date"]))
                self.message_ids.append((notice.id, notice.revision))
            self.under_way = notice, replace(notice)

    def answer(self, outcome: str) -> None:
        """What becomes of the message that is under way; a refused one reached nobody."""
        if self.under_way is None:
            return
        (notice, said), self.under_way = self.under_way, None
        moot, wanted = notice.reason_code, notice.variables
        if outcome == "accepted":
            notice.in_doubt = False
            notice.accept(NOW, "EMAIL", "", said)
        elif outcome == "repeat":
            notice.in_doubt = True
            notice.postpone()
        elif outcome == "unknown":
            notice.in_doubt = True
            notice.give_up(State.UNKNOWN, OUTCOME_UNKNOWN)
        else:
            if self.arrived:
                self.mailbox.pop()
                self.message_ids.pop()
            notice.postpone()
        self._follow_up(notice, moot or notice.reason_code, wanted)

    def send(self) -> None:
        self.hand_over()
        self.answer("accepted")

    def _follow_up(self, notice: Notice, moot: str, wanted: dict[str, str]) -> None:
        if something_followed(notice, moot):
            news = meanwhile(notice, moot, wanted)
            self._act(news, steps(self.notices, news))

    def _act(self, news: News, todo: Sequence[tuple[Step, Notice | None]]) -> None:
        for step, notice in todo:
            if step == Step.REQUEST:
                for each in replaced(self.notices, news.concern):
                    each.superseded = True
                self.notices.insert(0, self._new(news))
            elif notice is not None and step == Step.REVISE:
                notice.revise(news.variables, news.expire_time, news.version)
            elif notice is not None:
                notice.withdraw(untrue(notice.concern, news) or ALREADY_TOLD)
                perhaps = [each for each in self.notices if each.state == State.UNKNOWN]
                if notice.concern == news.concern and perhaps:
                    perhaps[0].superseded = False

    def _new(self, news: News) -> Notice:
        return Notice(
            id=UUID(int=next(self._ids)),
            customer=news.customer,
            kind="x",
            purpose="SERVICE",
            template="x",
            variables=news.variables,
            promise=news.promise,
            case="",
            policy="x",
            policy_version=1,
            promise_version=news.version,
            expire_time=news.expire_time,
            request_time=NOW,
            request_event=uuid4(),
            concern=news.concern,
            seen_version=news.version,
        )


kinds = st.lists(st.sampled_from(["06", "09", "11", "RECOVERED"]), min_size=1, max_size=5)
histories = st.tuples(kinds, st.booleans()).map(
    lambda drawn: [
        told_by(version, kind)
        for version, kind in enumerate([*drawn[0], *(["ENDED"] if drawn[1] else [])], start=2)
    ]
)


@settings(max_examples=300, deadline=None, derandomize=True)
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
    assert world.mailbox == ([(Concern.AT_RISK, history[-1].variables["new_date"])] if now_at_risk else [])
    assert all(notice.ended for notice in world.notices)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(histories, st.data())
def test_whenever_messages_leave_nothing_untrue_is_told_and_nothing_twice(
    history: list[News], data: st.DataObject
) -> None:
    world, unheard = World(), list(history)
    happened: list[News] = []
    for _ in range(data.draw(st.integers(0, 30))):
        todo = data.draw(st.sampled_from(["happen", "hear", "hear", "leave", "leave", "answer"]))
        if todo == "happen" and unheard:
            happened.append(unheard.pop(0))
            world.truth = happened[-1]
        elif todo == "hear" and happened:
            world.hear(data.draw(st.sampled_from(happened)))
        elif todo == "leave":
            idle = world.under_way is None
            world.hand_over()
            if idle and world.under_way:
                said = world.under_way[1]
                truth = (world.truth.concern, world.truth.variables["new_date"])
                assert (said.concern, said.variables["new_date"]) == truth
        elif todo == "answer":
            world.answer(data.draw(st.sampled_from(["accepted", "unknown", "refused", "repeat"])))
        check(world)
    world.answer("accepted")
    for news in [*happened, *unheard]:
        world.truth = history[-1]
        world.hear(news)
    for _ in range(8):
        world.send()
    check(world)
    assert all(notice.ended for notice in world.notices)
    moved = any(
        n.state == State.SENT and n.concern == Concern.AT_RISK and not n.superseded for n in world.notices
    )
    if history[-1].concern == Concern.AT_RISK and not moved:
        dates = [date for concern, date in world.mailbox if concern == Concern.AT_RISK]
        assert dates[-1] == history[-1].variables["new_date"]


def test_a_recovery_is_told_as_often_as_a_risk_may_have_been() -> None:
    world = World()
    for version, kind in enumerate(["09", "RECOVERED", "11", "RECOVERED"], start=2):
        world.truth = told_by(version, kind)
        world.hear(world.truth)
        world.hand_over()
        world.answer("accepted" if kind == "RECOVERED" else "unknown")
        check(world)
    told = [concern for concern, _ in world.mailbox]
    assert told == [Concern.AT_RISK, Concern.RECOVERED] * 2


@pytest.mark.parametrize("outcome", ["unknown", "refused", "repeat"])
def test_a_date_that_is_back_while_another_is_under_way_is_what_the_customer_hears_last(outcome: str) -> None:
    world = World()
    for version, kind in enumerate(["11", "09", "11"], start=2):
        world.truth = told_by(version, kind)
        world.hear(world.truth)
        if version < 4:
            world.hand_over()
        if version == 2:
            world.answer("unknown")
    world.answer(outcome)
    world.send()
    check(world)
    assert world.mailbox[-1] == (Concern.AT_RISK, "2026-03-11")
    assert len(world.mailbox) == (1 if outcome == "refused" else 3)


def check(world: World) -> None:
    """Nothing is told twice in a row, a recovery to nobody who heard of no risk, and one date counts."""
    for earlier, later in itertools.pairwise(world.mailbox):
        assert earlier != later
    assert [concern for concern, _ in world.mailbox[:1]] in ([], [Concern.AT_RISK])
    for concern in (Concern.AT_RISK, Concern.RECOVERED):  # as the unique index has it
        of_it = [n for n in world.notices if n.concern == concern and n.state in LIVE and not n.superseded]
        assert len(of_it) <= 1
