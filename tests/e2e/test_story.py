"""A delivery will be late: the customer is told once, before the old date, and all of it can be explained."""

import asyncio
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from chassis.explain.explainer import explained_by
from rapport.customer.v1.timeline_service_pb2 import ListTimelineEntriesRequest
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.customer.v1.view_service_pb2 import GetCustomerViewRequest
from rapport.customer.v1.view_service_pb2_grpc import ViewServiceStub
from rapport_testing.wait import eventually
from rapport_tools.cli.explain import explanation_of
from rapport_tools.cli.session import Session
from rapport_tools.demo.command import own_page
from rapport_tools.local.mail import Mailbox
from tests.e2e.outcome import assert_told_once, mails_about, run_story
from tests.e2e.stack import Stack


@pytest.fixture(scope="module")
def told(stack: Stack) -> dict[str, Any]:
    """The outcome of one `rapport demo --json`."""
    done = stack.run("demo", "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_demo_prints_one_object_with_the_names_of_everything(told: dict[str, Any]) -> None:
    first = {"customer", "case", "promise", "notices", "goodwill", "trace_id", "explain"}
    assert set(told) == {*first, "acts"}
    assert len(told["notices"]) == 1


def test_the_demo_plays_four_acts_each_with_a_trace_of_its_own(told: dict[str, Any]) -> None:
    titles = [act["title"] for act in told["acts"]]
    assert titles == [
        "A promise slips",
        "Two departments and a supervisor",
        "A broker lost and found",
        "A person calls",
    ]
    assert [act["left_out"] for act in told["acts"]] == [""] * 4
    assert len({act["trace_id"] for act in told["acts"]} - {""}) == 4
    assert told["acts"][0]["trace_id"] == told["trace_id"]


def test_at_its_end_the_links_of_its_mails_lead_to_her_own_page_as_the_demo_says(
    told: dict[str, Any],
) -> None:
    session = Session.open()
    notices = [name for act in told["acts"] for name in act["names"].get("notices", [])]
    box = Mailbox(session.home.path / "mail")
    mails = [box.message(mail.id) for name in notices for mail in mails_about(session, name)]
    assert len(mails) == 3
    page = own_page(told["customer"])
    assert all((body := mail.get_body(("plain",))) and page in body.get_content() for mail in mails)
    shown = httpx.get(page)
    assert (shown.status_code, "Your promises and cases" in shown.text) == (200, True)


def test_the_customer_is_told_exactly_once(stack: Stack) -> None:
    assert_told_once(run_story())


def test_the_story_can_be_told_more_often_than_one_customer_may_get_goodwill(stack: Stack) -> None:
    outcomes = [run_story() for _ in range(12)]
    assert all(outcome.goodwill for outcome in outcomes)


def test_the_email_has_apology_reason_new_date_and_a_named_human(told: dict[str, Any]) -> None:
    session = Session.open()
    mail = mails_about(session, told["notices"][0])[0]
    message: Any = Mailbox(session.home.path / "mail").message(mail.id)
    text = message.get_body(("plain",)).get_content()
    assert "sorry" in text.lower()
    assert "The transport is taking longer than planned" in text
    assert "Alice Brandt" in text
    assert "+49 30 901820" in text or "alice.brandt@rapport.example" in text


def test_a_department_that_no_service_knows_has_its_part_in_the_view(told: dict[str, Any]) -> None:
    views = Session.open().stub(ViewServiceStub, "customer")
    view = views.GetCustomerView(GetCustomerViewRequest(name=f"{told['customer']}/view"))
    [section] = view.sections
    assert (section.display_name, section.department) == ("Billing", "departments/billing")
    assert [cell.label for cell in section.cells] == ["Open amount", "Next debit"]


def test_explain_leads_from_the_notice_back_to_the_forecast_and_its_human(told: dict[str, Any]) -> None:
    causes = told["explain"]["causes"]
    whats = [next(cause[k] for k in ("eventType", "method", "timerKind") if k in cause) for cause in causes]
    steps = [what.rpartition(".")[2].rpartition("/")[2] for what in whats]
    assert steps[-2:] == ["WorkItemForecast", "ForecastWorkItem"]
    assert "PromiseAtRisk" in steps
    assert causes[-1]["actor"] == "agents/dora"
    assert {cause["traceId"] for cause in causes} == {told["trace_id"]}
    assert told["explain"]["summary"]
    assert told["explain"]["rule"] == "noticePolicies/promise-at-risk"


def test_all_of_the_story_is_explained_back_to_a_person_or_the_clock(told: dict[str, Any]) -> None:
    session = Session.open()
    listed = session.stub(TimelineServiceStub, "customer").ListTimelineEntries(
        ListTimelineEntriesRequest(parent=told["customer"], page_size=1000)
    )
    entries = listed.timeline_entries
    gone = {entry.resource for entry in entries if entry.event_type.endswith("Deleted")}
    names = {name for entry in entries for name in (entry.name, entry.resource)} - gone
    asked = {name: method.name for name in names if (method := explained_by(name))}
    assert set(asked.values()) >= {"ExplainCase", "ExplainWorkItem", "ExplainPromise", "ExplainNotice"}
    ends = {name: explanation_of(session, name).causes[-1] for name in [*asked, told["customer"]]}
    assert {name for name, end in ends.items() if end.WhichOneof("what") == "event_type"} == set()


def test_who_was_let_down_twice_is_told_by_a_person_first_and_the_message_follows_once(
    told: dict[str, Any],
) -> None:
    act, session = told["acts"][2], Session.open()
    assert "call" in act["names"]
    [notice] = act["names"]["notices"]
    steps = {each.step: each.reason_code for each in explanation_of(session, notice).decisions}
    assert steps["call"] == "called"
    assert [mail.repeats for mail in mails_about(session, notice)] == [0]


def test_one_trace_connects_the_call_the_outbox_every_consumer_and_smtp(told: dict[str, Any]) -> None:
    async def connected() -> bool:
        spans = await spans_of(told["trace_id"])
        ids = {span["span_id"] for span in spans}
        roots = [span["name"] for span in spans if not span["parent_id"]]
        assert roots == ["rapport demo"]
        assert [span["name"] for span in spans if span["parent_id"] and span["parent_id"] not in ids] == []
        services = Counter(span["service"] for span in spans)
        assert {"demo", "customer", "cases", "loyalty", "notifications"} <= set(services)
        consumers = {span["attributes"].get("messaging.consumer.group.name") for span in spans}
        assert {"notifications-promises", "cases-notices", "loyalty-goodwill"} <= consumers
        assert any(name and str(name).startswith("customer-view") for name in consumers)
        assert any("smtp" in span["name"].lower() for span in spans)
        return True

    asyncio.run(eventually(connected))


async def spans_of(trace_id: str) -> list[dict[str, Any]]:
    """The stored spans of a trace."""
    connection = await asyncpg.connect(Session.open().env["RAPPORT_LOCAL_TRACES_URL"])
    try:
        rows = await connection.fetch("SELECT * FROM spans WHERE trace_id = $1", trace_id)
        return [dict(row) | {"attributes": json.loads(row["attributes"])} for row in rows]
    finally:
        await connection.close()


def test_the_readme_shows_code_that_runs(stack: Stack) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    [code] = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], env=stack.env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "Ada Okafor [] []\n"), done.stderr
