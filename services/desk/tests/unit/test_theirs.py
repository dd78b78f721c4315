"""What customers read of promises: what is due next first, in sentences."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis.api.messages import timestamp
from desk.pages.selfservice.loading import Found, due_next, signers
from desk.pages.selfservice.view import PROMISES_SHOWN, Person, shown
from desk.ui.speech import speech
from rapport.cases.v1.agent_pb2 import Agent
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.promise_pb2 import Promise
from rapport.common.v1 import states_pb2

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
OPEN, AT_RISK, KEPT, BROKEN = (
    getattr(states_pb2, f"PROMISE_STATE_{state}") for state in ("OPEN", "AT_RISK", "KEPT", "BROKEN")
)

CASE_OPEN, ENDED = states_pb2.CASE_STATE_OPEN, states_pb2.CASE_STATE_RESOLVED


def promised(days: int, state: int = OPEN) -> Promise:
    """One that is due in so many days."""
    due = timestamp(NOW + timedelta(days=days))
    return Promise(name=f"promises/{days}", kind="delivery", state=state, due_time=due)


def test_what_is_late_or_due_next_comes_first_and_of_what_is_over_the_last() -> None:
    promises = [promised(9), promised(-2, KEPT), promised(3, AT_RISK), promised(-1, BROKEN), promised(4)]
    promises.append(promised(-40, BROKEN))  # so long ago that they have heard of it, or given it up
    assert [each.name for each in sorted(promises, key=lambda each: due_next(each, NOW))] == [
        f"promises/{days}" for days in (-1, 3, 4, 9, -2, -40)
    ]


def test_of_very_many_promises_the_last_are_counted() -> None:
    found, say = Found([promised(days + 1) for days in range(PROMISES_SHOWN + 2)]), speech("en", "", NOW)
    page = shown(found, say)
    assert (len(page.promises), page.more, page.left) == (PROMISES_SHOWN, True, "2 more promises.")
    found.more = True  # than was asked for
    assert shown(found, say).left == "At least 2 more promises."
    page = shown(Found([promised(1)]), say)
    assert (page.more, page.left) == (False, "")


def test_what_they_asked_is_called_so() -> None:
    case = Case(name="cases/1", topic="customer-question")
    promise = Promise(name="promises/1", case="cases/1", kind="supervisor-answer", due_time=timestamp(NOW))
    [asked] = shown(Found([promise], [case]), speech("en", "", NOW)).cases
    assert (asked.title, asked.promises[0].what) == ("Your question", "The answer that you asked for")


@pytest.mark.parametrize("state", [OPEN, BROKEN])
def test_a_sentence_that_ends_with_a_month_has_one_full_stop(state: int) -> None:
    promise = promised(-10 if state == BROKEN else 10, state)
    promise.due_date.year, promise.due_date.month, promise.due_date.day = 2026, 12, 10
    [line] = shown(Found([promise]), speech("de", "Europe/Berlin", NOW)).promises
    assert "10. Dez." in line.when
    assert ".." not in line.when


def test_they_read_of_who_looks_after_them_in_person_else_who_owns_what_is_open_else_the_front_desk() -> None:
    cases = [Case(owner="agents/dora", state=CASE_OPEN), Case(owner="agents/bill", state=ENDED)]
    desk = ("agents/front-desk", "agents/alice")
    assert signers("agents/sam", cases, "agents/alice")[0] == "agents/sam"
    assert [signers(each, cases, "agents/alice")[0] for each in desk] == ["agents/dora"] * 2
    assert [signers(each, cases[1:], "agents/alice")[0] for each in ("", *desk)] == ["agents/alice"] * 3
    alice = Agent(name="agents/alice", display_name="Alice Brandt")
    gone = Agent(name="agents/dora", display_name="Dora", inactive=True)
    agents = {each.name: each for each in (alice, gone)}
    page = shown(Found(signers=signers("", cases, "agents/alice"), agents=agents), speech("en", "", NOW))
    assert (page.manager, page.answers) == (Person("Alice Brandt"), None)
