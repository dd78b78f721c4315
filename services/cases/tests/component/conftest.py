"""The cases service with its collaborators, for component tests."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest

from cases.service import service
from chassis.api.messages import timestamp
from chassis.errors import InvalidArgument
from chassis.grpc.status import refusal
from rapport.cases.v1 import (
    agent_pb2,
    calendar_service_pb2_grpc,
    case_pb2,
    case_service_pb2,
    case_service_pb2_grpc,
    clock_pb2,
    clock_policy_pb2,
    clock_policy_service_pb2,
    clock_policy_service_pb2_grpc,
    clock_service_pb2,
    clock_service_pb2_grpc,
    directory_service_pb2,
    directory_service_pb2_grpc,
    handoff_service_pb2_grpc,
    note_service_pb2_grpc,
    presence_service_pb2_grpc,
    promise_pb2,
    promise_service_pb2,
    promise_service_pb2_grpc,
    queue_service_pb2_grpc,
    team_pb2,
    team_service_pb2,
    team_service_pb2_grpc,
    work_item_pb2,
    work_item_service_pb2,
    work_item_service_pb2_grpc,
)
from rapport.customer.v1.customer_events_pb2 import InteractionRecorded
from rapport.notifications.v1 import notice_pb2
from rapport.notifications.v1.notifications_events_pb2 import NoticeSent
from rapport_testing.clock import ManualClock
from rapport_testing.fixtures import Start
from rapport_testing.running import Running, error_of, reason
from rapport_testing.sharing import Shared, is_alone
from rapport_testing.wait import eventually

NOTICE = f"notices/{uuid4()}"


class Desk:
    """A running cases service and what a front desk does with it, in words.

    Attributes:
        customer: a customer's name.
    """

    def __init__(self, running: Running, clock: ManualClock) -> None:
        self.running = running
        self.clock = clock
        self.customer = f"customers/{uuid4()}"
        self.cases: Any = running.stub(case_service_pb2_grpc.CaseServiceStub)
        self.work_items: Any = running.stub(work_item_service_pb2_grpc.WorkItemServiceStub)
        self.promises: Any = running.stub(promise_service_pb2_grpc.PromiseServiceStub)
        self.handoffs: Any = running.stub(handoff_service_pb2_grpc.HandoffServiceStub)
        self.queue: Any = running.stub(queue_service_pb2_grpc.QueueServiceStub)
        self.presences: Any = running.stub(presence_service_pb2_grpc.PresenceServiceStub)
        self.teams: Any = running.stub(team_service_pb2_grpc.TeamServiceStub)
        self.notes: Any = running.stub(note_service_pb2_grpc.NoteServiceStub)
        self.clocks: Any = running.stub(clock_service_pb2_grpc.ClockServiceStub)
        self.clock_policies: Any = running.stub(clock_policy_service_pb2_grpc.ClockPolicyServiceStub)
        self.calendars: Any = running.stub(calendar_service_pb2_grpc.CalendarServiceStub)
        self.directory: Any = running.stub(directory_service_pb2_grpc.DirectoryServiceStub)

    def in_days(self, days: float) -> datetime:
        """A moment from now, by the service's clock."""
        return self.clock.now() + timedelta(days=days)

    def case(self, **fields: Any) -> case_pb2.Case:
        """A valid case to open."""
        return case_pb2.Case(
            **{"customer": self.customer, "topic": "late-delivery", "owner": "agents/front-desk"} | fields
        )

    def promise(self, due_days: float = 3, **fields: Any) -> promise_pb2.Promise:
        """A valid promise to make."""
        return promise_pb2.Promise(
            **{
                "customer": self.customer,
                "department": "departments/delivery",
                "kind": "delivery",
                "due_time": timestamp(self.in_days(due_days)),
            }
            | fields
        )

    async def open(self, **fields: Any) -> case_pb2.Case:
        """Open a case."""
        return await self.cases.OpenCase(case_service_pb2.OpenCaseRequest(case=self.case(**fields)))

    async def add(self, case: str, **fields: Any) -> work_item_pb2.WorkItem:
        """Add a delivery to a case."""
        said = {"case": case, "department": "departments/delivery", "kind": "deliver-order"} | fields
        work_item = work_item_pb2.WorkItem(**said)
        request = work_item_service_pb2.CreateWorkItemRequest(work_item=work_item)
        return await self.work_items.CreateWorkItem(request)

    async def agent(self, agent: str, department: str = "departments/front-desk", **said: Any) -> str:
        """Put somebody into the directory, or change them."""
        message = agent_pb2.Agent(
            name=agent, display_name="Bob", email="bob@acme.example", department=department, **said
        )
        request = directory_service_pb2.UpdateAgentRequest(agent=message, allow_missing=True)
        await self.directory.UpdateAgent(request)
        return agent

    async def team(self, team: str, *skills: str, department: str = "departments/delivery") -> str:
        """Make a team."""
        made = team_pb2.Team(display_name=team.title(), department=department, skills=skills)
        request = team_service_pb2.CreateTeamRequest(team_id=team, team=made)
        return str((await self.teams.CreateTeam(request)).name)

    async def make(self, due_days: float = 3, **fields: Any) -> promise_pb2.Promise:
        """Make a promise."""
        promise = self.promise(due_days, **fields)
        return await self.promises.MakePromise(promise_service_pb2.MakePromiseRequest(promise=promise))

    async def promised_work(self, due_days: float = 3) -> tuple[work_item_pb2.WorkItem, promise_pb2.Promise]:
        """A case with a work item and a promise that rests on it."""
        case = await self.open()
        work_item = await self.add(case.name)
        return work_item, await self.make(due_days, work_item=work_item.name)

    async def forecast(
        self, work_item: str, days: float, reason_code: str = "carrier-delay"
    ) -> work_item_pb2.WorkItem:
        """Forecast a work item."""
        return await self.work_items.ForecastWorkItem(
            work_item_service_pb2.ForecastWorkItemRequest(
                name=work_item, forecast_finish_time=timestamp(self.in_days(days)), reason_code=reason_code
            )
        )

    async def item(self, verb: str, name: str, **fields: Any) -> work_item_pb2.WorkItem:
        """Do something with a work item: `Start`, `Finish`, `Block`, `AddPredecessor`."""
        method = verb if verb.endswith("Predecessor") else f"{verb}WorkItem"
        request = getattr(work_item_service_pb2, f"{method}Request")
        return await getattr(self.work_items, method)(request(name=name, **fields))

    async def tell(self, promise: str, event_id: UUID | None = None, **fields: Any) -> notice_pb2.ToldPromise:
        """Receive the word that a policy's notice told the customer a new date, now unless told when."""
        told = notice_pb2.ToldPromise(
            **{
                "promise": promise,
                "customer": self.customer,
                "promise_version": 1,
                "new_due_time": timestamp(self.in_days(5)),
                "tell_time": timestamp(self.clock.now()),
                "reason_code": "carrier-delay",
            }
            | fields
        )
        await self.sent(promise, event_id, told_promise=told)
        return told

    async def sent(self, promise: str, event_id: UUID | None = None, **fields: Any) -> UUID:
        """Receive the word that a notice about a promise was sent."""
        notice = NoticeSent(
            **{
                "notice": NOTICE,
                "customer": self.customer,
                "kind": "promise-at-risk",
                "promise": promise,
                "channel": "CHANNEL_EMAIL",
            }
            | fields
        )
        return await self.running.deliver(notice, resource=NOTICE, source="notifications", event_id=event_id)

    async def contacted(
        self, about: str, direction: str = "INBOUND", actor: str = "agent:alice", ago: timedelta = timedelta()
    ) -> None:
        """Take in the word of a contact about a case, or about a promise or work of one, of as long ago."""
        self.clock.advance(timedelta(seconds=1))
        entry = f"{self.customer}/timelineEntries/{uuid4()}"
        told = InteractionRecorded(
            timeline_entry=entry,
            customer=self.customer,
            channel="CHANNEL_CHAT",
            direction=f"DIRECTION_{direction}",
            resource=about,
            occur_time=timestamp(self.clock.now() - ago),
        )
        delivered = self.running.deliver(told, resource=entry, source="customer", actor=actor)
        await self.taken_in(await delivered)

    async def taken_in(self, event_id: UUID, consumer: str = "") -> None:
        """Wait until an event has had its effect, for one of those who hear it, or for this one."""
        taken = "SELECT true FROM inbox WHERE event_id = $1 AND $2 IN ('', consumer)"

        async def is_in() -> bool:
            async with self.running.db.connection() as connection:
                return bool(await connection.fetchval(taken, event_id, consumer))

        assert await eventually(is_in)

    async def clock_states(self, case: str, metric: str) -> list[str]:
        """Where the clocks of a case for a metric are, the oldest first: `RUNNING`."""
        request = clock_service_pb2.ListClocksRequest(filter=f'case = "{case}"')
        wanted = clock_policy_pb2.ClockMetric.Value(f"CLOCK_METRIC_{metric}")
        return [
            clock_pb2.Clock.State.Name(each.state).removeprefix("STATE_")
            for each in (await self.clocks.ListClocks(request)).clocks
            if each.metric == wanted and each.case == case  # of merged cases there are more
        ]

    async def keep_times(self, *metrics: str, subject: str = "CASE", warning_minutes: int = 0) -> None:
        """Give everything of the subject an hour for each of the metrics."""
        targets = [
            clock_policy_pb2.ClockPolicy.Target(
                metric=f"CLOCK_METRIC_{each}", business_minutes=60, warning_minutes=warning_minutes
            )
            for each in metrics
        ]
        policy = clock_policy_pb2.ClockPolicy(
            department="departments/platform",
            subject=f"SUBJECT_{subject}",
            condition="true",
            targets=targets,
        )
        request = clock_policy_service_pb2.CreateClockPolicyRequest(
            clock_policy_id=f"an-hour-{subject.lower().replace('_', '-')}", clock_policy=policy
        )
        await self.clock_policies.CreateClockPolicy(request)

    async def get(self, promise: str) -> promise_pb2.Promise:
        """The promise as it is now."""
        return await self.promises.GetPromise(promise_service_pb2.GetPromiseRequest(name=promise))

    async def facts(self, *names: str) -> list[Any]:
        """What was published, oldest first, of the messages `names`, or all but what a start tells."""
        published = [(p.type.rsplit(".", 1)[1], p) for p in await self.running.published()]
        told = ("Agent", "AuthorityPolicy", "Calendar")
        return [p for name, p in published if (name in names if names else not name.startswith(told))]


@pytest.fixture
def desk_of(request: pytest.FixtureRequest) -> Callable[[Running], Desk]:
    """The desk of a service that was started with settings of its own."""
    return lambda running: Desk(running, request.getfixturevalue("clock"))


@pytest.fixture
async def desk(start: Start, shared: Shared, request: pytest.FixtureRequest) -> Desk:
    """A running service: that of the module, unless the test is alone."""
    if is_alone(request):
        return Desk(await start(service), request.getfixturevalue("clock"))
    return Desk(await shared.service(service), shared.clock)


@pytest.fixture
def refused() -> Callable[[Awaitable[Any]], Awaitable[str]]:
    """The code and reason of a call that must be refused: `NOT_FOUND RESOURCE_NOT_FOUND`."""

    async def answer(call: Awaitable[Any]) -> str:
        error = await error_of(call)
        return f"{error.code().name} {reason(error)}"

    return answer


@pytest.fixture
def violations() -> Callable[[Awaitable[Any]], Awaitable[dict[str, str]]]:
    """The reason, and what is allowed, by field, of a call that must be refused as INVALID_ARGUMENT."""

    async def answer(call: Awaitable[Any]) -> dict[str, str]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        refused = refusal(caught.value)
        assert isinstance(refused, InvalidArgument)
        return {each.field: f"{each.reason}: {each.description}" for each in refused.violations}

    return answer
