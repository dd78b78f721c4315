"""The later acts of the story: one concern of several departments, a broker that goes away, and a call."""

import re
import subprocess
from typing import Any

import pytest

from chassis.api.messages import value_name
from rapport.cases.v1.case_service_pb2 import GetCaseRequest
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.escalation_service_pb2 import GetEscalationRequest
from rapport.cases.v1.escalation_service_pb2_grpc import EscalationServiceStub
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.promise_service_pb2 import GetPromiseRequest
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.cases.v1.work_item_service_pb2 import GetWorkItemRequest
from rapport.cases.v1.work_item_service_pb2_grpc import WorkItemServiceStub
from rapport.common.v1 import channel_pb2
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesRequest
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.loyalty.v1.goodwill_service_pb2 import GetGoodwillRequest
from rapport.loyalty.v1.goodwill_service_pb2_grpc import GoodwillServiceStub
from rapport_tools.cli.session import Session
from rapport_tools.demo.acts import broker, call, departments
from rapport_tools.demo.acts.slip import know_the_customer
from rapport_tools.demo.story import Played, Story
from tests.e2e.outcome import assert_told_once, mails_about, run_story
from tests.e2e.stack import RAPPORT, Stack

Told = list[tuple[str, str]]


def played(act: Any) -> tuple[Story, Played, Told]:
    """One act, of a new customer; the story, what it led to, and its words."""
    told: Told = []
    story = Story(Session.open, lambda what, changed: told.append((what, changed)))
    know_the_customer(story)
    return story, story.play(act), told


def promise(name: str) -> Promise:
    """A promise, as cases has it."""
    found: Promise = Session.open().stub(PromiseServiceStub, "cases").GetPromise(GetPromiseRequest(name=name))
    return found


@pytest.fixture(scope="module")
def complaint(stack: Stack) -> tuple[Story, Played, Told]:
    """The second act."""
    return played(departments.ACT)


@pytest.fixture(scope="module")
def outage(stack: Stack) -> tuple[Story, Played, Told]:
    """The third."""
    return played(broker.ACT)


Act = tuple[Story, Played, Told]


def test_alice_is_told_her_limit_in_a_sentence_and_gives_within_it(complaint: Act) -> None:
    _, act, told = complaint
    [said] = [what for what, _ in told if "points more" in what]
    assert "Alice may give 500 points more" in said
    assert "allows at most 500 for a customer in the band STANDARD" in said
    given = Session.open().stub(GoodwillServiceStub, "loyalty")
    grant = given.GetGoodwill(GetGoodwillRequest(name=str(act.names["goodwill"])))
    assert (grant.points.amount, grant.grantor) == (departments.GIVEN, "agents/alice")


def test_what_was_refused_was_refused_for_these_reasons(complaint: Act) -> None:
    assert complaint[1].refusals == ["OVER_AUTHORITY", "NOT_OWNER"]


def test_the_customer_who_wants_somebody_above_hears_from_them_and_is_given_what_they_may_give(
    complaint: Act,
) -> None:
    _, act, told = complaint
    session = Session.open()
    asked = session.stub(EscalationServiceStub, "cases").GetEscalation(
        GetEscalationRequest(name=str(act.names["escalation"]))
    )
    assert (value_name(asked, "state"), asked.assignee) == ("TAKEN", "agents/sam")
    assert [each.agent for each in asked.levels] == ["agents/sam"]
    hears = promise(asked.answer_promise)
    assert (hears.kind, value_name(hears, "state")) == ("supervisor-answer", "KEPT")
    given = session.stub(GoodwillServiceStub, "loyalty")
    grant = given.GetGoodwill(GetGoodwillRequest(name=str(act.names["supervisor_goodwill"])))
    assert (grant.points.amount, grant.grantor) == (600, "agents/sam")
    assert grant.authority_policy == "authorityPolicies/front-desk-goodwill"
    assert any("lets whoever leads give 2000 at once: he gives 600" in what for what, _ in told)


def test_departments_own_their_rows_and_the_refusal_says_whose(complaint: Act) -> None:
    [said] = [what for what, _ in complaint[2] if "not hers" in what]
    assert "This belongs to departments/billing: only its callers may do that." in said


def test_the_customer_hears_once_of_the_delay_and_the_promise_is_moved_twice_and_kept(complaint: Act) -> None:
    _, act, _ = complaint
    first = promise(str(act.names["promise"]))
    second = promise(first.successor)
    third = promise(second.successor)
    states = [value_name(each, "state") for each in (first, second, third)]
    assert states == ["RENEGOTIATED", "RENEGOTIATED", "KEPT"]
    assert third.name == act.names["kept_promise"]
    assert third.due_time.ToDatetime() < second.due_time.ToDatetime()
    assert {each.department for each in (first, second, third)} == {"departments/billing"}
    assert_one_mail(act)


def test_both_departments_finish_and_the_case_is_resolved(complaint: Act) -> None:
    _, act, _ = complaint
    session = Session.open()
    items = session.stub(WorkItemServiceStub, "cases")
    done = [items.GetWorkItem(GetWorkItemRequest(name=name)) for name in act.names["work_items"]]
    assert [(each.department, value_name(each, "state")) for each in done] == [
        ("departments/delivery", "FINISHED"),
        ("departments/billing", "FINISHED"),
    ]
    case = session.stub(CaseServiceStub, "cases").GetCase(GetCaseRequest(name=str(act.names["case"])))
    assert (value_name(case, "state"), case.resolution) == ("RESOLVED", "corrected")


def test_the_letter_of_the_customer_is_a_file_of_what_happened(complaint: Act) -> None:
    story, _, _ = complaint
    timeline = Session.open().stub(TimelineServiceStub, "customer")
    [entry] = timeline.ListTimelineEntries(
        ListTimelineEntriesRequest(parent=story.customer, filter="channel = CHANNEL_LETTER")
    ).timeline_entries
    assert [each.display_name for each in entry.attached_files] == ["invoice.txt"]


def test_nobody_has_called_the_customer_but_to_tell_her_something(complaint: Act) -> None:
    story, _, _ = complaint
    timeline = Session.open().stub(TimelineServiceStub, "customer")
    entries = timeline.ListTimelineEntries(
        ListTimelineEntriesRequest(parent=story.customer, filter="channel = CHANNEL_VOICE")
    ).timeline_entries
    ours = [each for each in entries if each.direction == channel_pb2.DIRECTION_OUTBOUND]
    assert [each.actor for each in ours] == ["agents/sam"]


def test_a_forecast_is_answered_while_the_broker_is_away_and_the_view_says_what_it_does_not_know(
    outage: Act,
) -> None:
    words = [what for what, _ in outage[2]]
    [answered] = [what for what in words if "stops answering" in what]
    assert re.search(r"answered in \d+ ms", answered)
    assert "For cases the promise is at risk; the view has not heard of it." in answered
    [late] = [what for what in words if "The view says so" in what]
    assert re.search(r"cases is (behind|silent), as of \d+ s ago", late)


def test_what_the_broker_could_not_take_is_told_once_it_is_back_and_once(outage: Act) -> None:
    _, act, told = outage
    [(_, changed)] = [each for each in told if "knows that the promise is at risk" in each[0]]
    assert re.search(r"^\+ promise  .*, (at risk|renegotiated), due", changed, re.MULTILINE)
    assert value_name(promise(str(act.names["promise"])), "state") == "RENEGOTIATED"
    assert_one_mail(act)
    assert re.search(r"told \d+\.\d s after NATS was back, by 1 mail", told[-1][0])


def test_the_broker_is_the_same_process_as_before(stack: Stack, outage: Act) -> None:
    unit = stack.unit("NATS")
    assert (unit["state"], unit["restarts"]) == ("ready", 0)


def test_a_demo_that_is_told_to_stop_lets_the_broker_go_on(stack: Stack) -> None:
    demo = subprocess.Popen([RAPPORT, "demo"], env=stack.env, stdout=subprocess.PIPE, text=True)
    assert demo.stdout
    assert any("stops answering" in line for line in demo.stdout)
    demo.terminate()
    demo.communicate(timeout=60)
    assert demo.returncode == 143
    assert_told_once(run_story())


def assert_one_mail(act: Played) -> None:
    """One notice, one message, never handed in again."""
    [notice] = act.names["notices"]
    assert [mail.repeats for mail in mails_about(Session.open(), notice)] == [0]


def test_whom_no_message_reaches_a_person_told_in_time_by_phone(stack: Stack) -> None:
    _, act, told = played(call.ACT)
    first = promise(str(act.names["promise"]))
    assert (value_name(first, "state"), first.successor) == ("RENEGOTIATED", act.names["moved_promise"])
    assert (first.notifier, value_name(first, "notify_channel")) == ("agents/alice", "VOICE")
    assert first.delay_notify_time.ToDatetime() < first.due_time.ToDatetime()
    item = Session.open().stub(WorkItemServiceStub, "cases")
    made = item.GetWorkItem(GetWorkItemRequest(name=str(act.names["call"])))
    assert (value_name(made, "state"), made.call.promise) == ("FINISHED", first.name)
    assert any("Nobody had to remember it" in what for what, _ in told)
