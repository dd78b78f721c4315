from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from chassis.api.messages import timestamp
from chassis.events.envelope import Event
from chassis.explain.chain import chain
from chassis.explain.explainer import Explainer, explained_by
from chassis.grpc.client import Channels
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ExplainCaseRequest
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceServicer
from rapport.cases.v1.cases_events_pb2 import CaseOpened
from rapport.common.v1.explanation_pb2 import Cause, Explanation
from rapport.common.v1.states_pb2 import CaseState
from rapport.loyalty.v1.goodwill_pb2 import Goodwill
from rapport_testing.wait import eventually

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Cases(CaseServiceServicer):
    """The cases service, as far as it explains."""

    def __init__(self, *causes):
        self.causes, self.asked = causes, []

    async def ExplainCase(self, request, context):
        self.asked.append(request)
        return Explanation(causes=self.causes)


@pytest.fixture
async def granted(bench, request):
    """A database with goodwill that a case, or the parameter, led to: its name, the case's, the event's."""
    cases, loyalty = await bench.database(), await bench.database("loyalty")
    case, goodwill = getattr(request, "param", f"cases/{uuid4()}"), f"goodwill/{uuid4()}"

    async def grant(tx, event: Event[CaseOpened]) -> None:
        tx.record(bench.opened(goodwill), version=1)

    await bench.relay(cases)
    await bench.consume(loyalty, grant)
    [event_id] = await bench.open(cases, case)

    async def known():
        return (await chain(loyalty, resource=goodwill)).causes

    await eventually(known)
    return loyalty, Goodwill(name=goodwill, customer="customers/1"), case, str(event_id)


async def test_a_chain_goes_on_as_the_other_service_tells_it(granted, fake_peer):
    loyalty, goodwill, case, event_id = granted
    cases = Cases(Cause(id="there", event_type="rapport.cases.v1.CaseOpened", resource=case))
    explainer = Explainer(loyalty, Channels({"cases": await fake_peer(cases)}, None))

    explanation = await explainer.explain(ExplainCaseRequest(), goodwill)

    assert [cause.service or cause.id for cause in explanation.causes] == ["services/loyalty", "there"]
    assert [(asked.name, asked.event_id) for asked in cases.asked] == [(case, event_id)]


@pytest.mark.parametrize("peer", ["not known", "knows no more", "away"])
async def test_a_chain_ends_with_what_is_known_here_when_the_other_service_tells_nothing(
    granted, fake_peer, peer
):
    loyalty, goodwill, case, event_id = granted
    addresses = {"not known": {}, "knows no more": {"cases": await fake_peer(Cases())}}
    channels = Channels(addresses.get(peer, {"cases": "127.0.0.1:9"}), None)

    explanation = await Explainer(loyalty, channels).explain(ExplainCaseRequest(), goodwill)

    assert [(cause.service, cause.resource) for cause in explanation.causes] == [
        ("services/loyalty", goodwill.name),
        ("services/cases", case),
    ]
    assert explanation.causes[1].id == event_id
    await channels.close()


@pytest.mark.parametrize("granted", [f"customers/{UUID(int=1)}/view/sections/billing"], indirect=True)
async def test_who_explains_what_no_event_tells_of_is_not_asked_for_one(granted, fake_peer):
    loyalty, goodwill, section, event_id = granted
    assert explained_by(section) is not None
    explainer = Explainer(loyalty, Channels({"cases": await fake_peer(Cases())}, None))

    explanation = await explainer.explain(ExplainCaseRequest(), goodwill)

    assert [cause.resource for cause in explanation.causes] == [goodwill.name, section]
    assert explanation.causes[1].id == event_id


async def test_what_has_no_words_of_its_own_is_explained_by_its_latest_fact_and_what_is_not_personal(bench):
    db, name = await bench.database(), f"cases/{uuid4()}"
    case = Case(
        name=name,
        customer="customers/1",
        topic="delivery",
        display_name="Anna's birthday",
        state=CaseState.CASE_STATE_OPEN,
        open_time=timestamp(NOON),
        reopen_count=2,
        etag='"1"',
    )
    explainer = Explainer(db, Channels({}, None))
    await bench.open(db, name)

    explanation = await explainer.explain(ExplainCaseRequest(), case)

    assert explanation.summary.startswith("Case opened 20")
    assert explanation.summary.endswith(" UTC by agents/alice.")
    assert (explanation.name, explanation.customer) == (name, "customers/1")
    assert dict(explanation.inputs) == {
        "topic": "delivery",
        "state": "OPEN",
        "open_time": "2026-03-02T12:00:00Z",
        "reopen_count": "2",
    }


async def test_an_event_that_is_asked_for_is_told_as_it_was(bench):
    db, name = await bench.database(), f"cases/{uuid4()}"
    [event_id] = await bench.open(db, name)
    request = ExplainCaseRequest(event_id=str(event_id))
    explanation = await Explainer(db, Channels({}, None)).explain(request, Case(name=name, etag='"2"'))
    assert explanation.summary.startswith("Case opened 20")


@pytest.mark.parametrize(
    ("etag", "summary"),
    [
        ("", "Nothing has been told of this yet."),
        (
            '"1"',
            "No fact about this is kept: nothing has been told of it yet, or only what is too old by now.",
        ),
    ],
)
async def test_of_what_has_no_facts_it_is_said_that_none_is_known(bench, etag, summary):
    explainer, case = Explainer(await bench.database(), Channels({}, None)), f"cases/{uuid4()}"
    explanation = await explainer.explain(ExplainCaseRequest(), Case(name=case, etag=etag))
    assert (explanation.summary, list(explanation.causes)) == (summary, [])


def test_the_method_that_explains_is_found_by_a_name():
    case = f"cases/{uuid4()}"
    for name, method in ((case, "ExplainCase"), (f"workItems/{uuid4()}", "ExplainWorkItem")):
        found = explained_by(name)
        assert found is not None
        assert found.name == method
    assert explained_by("cases/1") is None
    assert explained_by("importJobs/1") is None
