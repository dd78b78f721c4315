"""What the story stands on goes away in the middle of it and comes back: the same end, and one e-mail."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from rapport.notifications.v1 import notice_service_pb2
from rapport.notifications.v1.delivery_attempt_pb2 import DeliveryAttempt
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub
from rapport_testing.wait import eventually
from rapport_tools.cli.operations import dead_letters, operations
from rapport_tools.cli.session import Session
from rapport_tools.demo.story import Outcome, Story
from tests.e2e.outcome import assert_told_once, run_story
from tests.e2e.stack import Stack

PROMISED, FORECAST = 2, 4  # the steps of the story after which something happens
RESTART_TIMEOUT_S = 60


@pytest.fixture(autouse=True)
def no_dead_letters(stack: Stack) -> Iterator[None]:
    """An outage is nobody's fault: no event is given up for it. Others' tests may have left some."""
    began = datetime.now(UTC)
    yield
    session = Session.open()
    assert [
        letter
        for service in session.peers
        for letter in dead_letters(operations(session, service), service)
        if letter.set_aside_time.ToDatetime(UTC) >= began
    ] == []


@pytest.mark.parametrize("step", [PROMISED, FORECAST])
@pytest.mark.parametrize("server", ["PostgreSQL", "NATS"])
def test_a_killed_server_changes_nothing(stack: Stack, server: str, step: int) -> None:
    before = stack.unit(server)
    outcome = story_disturbed(step, lambda: os.kill(before["pid"], signal.SIGKILL))
    assert_told_once(outcome)
    assert_back(stack, before)


def test_a_broker_that_comes_back_without_its_store_changes_nothing(stack: Stack) -> None:
    """Streams and consumers are made again, and services publish again what they told."""
    before = stack.unit("NATS")

    def lose() -> None:
        os.kill(before["pid"], signal.SIGKILL)
        shutil.rmtree(stack.home.path / "nats" / "jetstream")

    outcome = story_disturbed(PROMISED, lose)
    assert_told_once(outcome)
    assert_back(stack, before)


def test_mail_that_cannot_be_handed_over_is_sent_later_and_once(stack: Stack) -> None:
    mail = stack.unit("mail")
    outcome = story_disturbed(PROMISED, lambda: os.kill(mail["pid"], signal.SIGKILL))
    assert_told_once(outcome)
    assert_back(stack, mail)
    assert len(attempts(outcome.promise)) > 1


def test_a_mail_server_that_hangs_gets_the_notice_once_when_it_answers_again(stack: Stack) -> None:
    """It takes the connection and says nothing: nothing was handed over, and trying again repeats nothing."""
    with frozen(stack.unit("mail")["pid"]) as thaw:

        def tell(said: int, story: Story) -> None:
            if said == FORECAST:
                asyncio.run(eventually(lambda: attempts(str(story.names["promise"])), RESTART_TIMEOUT_S))
                thaw()

        outcome = story_told(tell)
    assert_told_once(outcome)
    first, *_, last = [attempt.outcome for attempt in attempts(outcome.promise)]
    assert first == DeliveryAttempt.OUTCOME_TEMPORARY_FAILURE
    assert last == DeliveryAttempt.OUTCOME_ACCEPTED


def test_without_a_trace_store_services_work_and_stop_as_ever(stack: Stack) -> None:
    loyalty = stack.unit("loyalty")
    with frozen(stack.unit("traces")["pid"]):
        assert_told_once(run_story())
        os.kill(loyalty["pid"], signal.SIGTERM)
        assert_back(stack, loyalty)
    assert "was killed" not in (stack.home.logs / "loyalty.log").read_text()


def test_a_service_that_does_not_answer_is_named_and_hides_no_other(stack: Stack) -> None:
    with frozen(stack.unit("cases")["pid"]):
        told = stack.run("outbox", "status", "--json")
    assert told.returncode == 3
    assert "No answer from cases: see `rapport status`." in told.stderr
    answered = {row["service"] for row in json.loads(told.stdout)}
    assert answered == {"customer", "loyalty", "notifications", "desk"}


def test_watching_what_no_service_tells_says_what_there_is(stack: Stack) -> None:
    watching = stack.run("events", "tail", "event.cases.>")
    assert (watching.returncode, "events.cases.>" in watching.stderr) == (2, True)


def story_told(tell: Callable[[int, Story], None]) -> Outcome:
    """The story, with `tell(step, story)` called after each step."""
    told: list[str] = []

    def after(what: str, _: str) -> None:
        told.append(what)
        tell(len(told), story)

    story = Story(Session.open, after)
    return story.run()


def story_disturbed(step: int, disturb: Callable[[], None]) -> Outcome:
    """The story, with something happening after one of its steps."""

    def tell(said: int, _: Story) -> None:
        if said == step:
            disturb()

    return story_told(tell)


def assert_back(stack: Stack, before: dict[str, Any]) -> None:
    """Another process runs in place of the one before."""

    def back() -> bool:
        now = stack.unit(before["name"])
        return now["state"] == "ready" and now["pid"] != before["pid"] and stack.home.is_up()

    asyncio.run(eventually(back, RESTART_TIMEOUT_S))


@contextmanager
def frozen(pid: int) -> Iterator[Callable[[], None]]:
    """A process that keeps its sockets and answers nothing, until thawed or at the end."""

    def thaw() -> None:
        os.kill(pid, signal.SIGCONT)

    os.kill(pid, signal.SIGSTOP)
    try:
        yield thaw
    finally:
        thaw()


def attempts(promise: str) -> list[DeliveryAttempt]:
    """Every attempt to tell the customer about a promise."""
    notices = Session.open().stub(NoticeServiceStub, "notifications")
    request = notice_service_pb2.ListNoticesRequest(filter=f'promise = "{promise}"')
    found = [
        notices.ListDeliveryAttempts(notice_service_pb2.ListDeliveryAttemptsRequest(parent=notice.name))
        for notice in notices.ListNotices(request).notices
    ]
    return [attempt for listed in found for attempt in listed.delivery_attempts]
