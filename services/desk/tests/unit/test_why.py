"""What why says: a service's words with everything named as people name it."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from babel import Locale

from chassis.api.messages import timestamp
from chassis.context import Principal
from desk.auth.sessions import Viewer
from desk.pages.aside.explaining import _cause, _step, _summary, _told_once, _value
from desk.pages.customer.loading import Names
from desk.ui.speech import Speech
from rapport.cases.v1.agent_pb2 import Agent
from rapport.common.v1.explanation_pb2 import Cause, Decision

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SAY = Speech(Locale("en", "GB"), ZoneInfo("UTC"), NOW)
PROMISE = "promises/019cadc6-9a80-7f07-9ffb-be7cd3f05896"
KNOWN = {PROMISE: "Delivery of order 5021, Wed 4 Mar"}
ALICE = Agent(display_name="Alice Brandt", department="departments/front-desk")
LOOKS = Viewer(Principal("agent:sam"), "Sam", "Bearer x", "y")
NAMES = Names(LOOKS, {"names": {("agent:sam", "agents/alice"): (math.inf, ALICE)}})


def test_why_names_things_people_and_days_and_shows_no_id() -> None:
    text = f"300 points given 2026-03-02 08:00 UTC, by agents/alice, for {PROMISE} (customer-away)."
    given = "300 points given today 08:00, by Alice Brandt"
    assert _summary(text, KNOWN, NAMES, SAY) == f"{given}, for {KNOWN[PROMISE]} (customer away)."
    told = _summary(f"Sent by email on 2026-03-02 08:00 UTC for {PROMISE}.", {}, NAMES, SAY)
    assert told == "Sent by email today 08:00 for another of the promises."


def test_what_the_rule_looked_at_is_said_by_its_name() -> None:
    assert _value(PROMISE, KNOWN, NAMES, SAY) == "Delivery of order 5021, Wed 4 Mar"
    assert _value("departments/front-desk", KNOWN, NAMES, SAY) == "Front desk"
    assert _value("carrier-delay", KNOWN, NAMES, SAY) == "the transport is taking longer than planned"


def test_the_chain_says_a_fact_as_the_timeline_does_and_not_again_the_request_that_led_to_it() -> None:
    fact = Cause(event_type="rapport.cases.v1.WorkItemForecast", actor="agents/alice", resource=PROMISE)
    request = Cause(method="rapport.cases.v1.WorkItemService/ForecastWorkItem", actor="agents/alice")
    other = Cause(method="rapport.cases.v1.CaseService/OpenCase", actor="agents/bob")
    fact.occur_time.CopyFrom(timestamp(NOW))
    assert _told_once([fact, request, other]) == [fact, other]
    told = _cause(fact, KNOWN, NAMES, SAY)
    assert told["what"] == "Another date expected: Delivery of order 5021, Wed 4 Mar"
    assert told["who"] == "Alice Brandt, front desk"


def test_a_step_of_a_decision_says_what_came_of_it_and_what_it_looked_at() -> None:
    inputs = {"open_time": "2026-03-02T22:00:00+00:00", "time_zone": "Asia/Tokyo", "promise": PROMISE}
    step = Decision(step="quiet", outcome="OUTCOME_DEFERRED", reason_code="quiet-hours", inputs=inputs)
    step.decide_time.CopyFrom(timestamp(NOW))
    assert _step(step, KNOWN, NAMES, SAY) == {
        "step": "Quiet",
        "outcome": "deferred",
        "reason": "quiet hours",
        "inputs": ["open time: today 22:00", f"promise: {KNOWN[PROMISE]}", "time zone: Asia/Tokyo"],
        "when": "today 09:00",
    }
