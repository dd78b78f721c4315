"""The customer service with its collaborators, for component tests."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.type.date_pb2 import Date

from chassis import ids
from chassis.api.messages import timestamp
from chassis.context import Call, Principal, current_call
from chassis.db.statement import Statement, values
from chassis.db.transaction import Transaction
from chassis.events.envelope import Event, headers, parse
from customer.domain.match_features import FIELDS
from customer.domain.match_jobs import MatchParameters
from customer.events.view import _happened, _news
from customer.jobs import matching
from customer.service import service
from customer.store import matches as store
from customer.store.views import VIEWS_BY_ID
from customer.usecases import freshness
from customer.usecases.hot_views import HotViews
from customer.usecases.views import apply
from rapport.common.v1 import channel_pb2
from rapport.customer.v1 import (
    consent_service_pb2_grpc,
    customer_merge_pb2,
    customer_merge_service_pb2,
    customer_merge_service_pb2_grpc,
    customer_pb2,
    customer_service_pb2,
    customer_service_pb2_grpc,
    identifier_pb2,
    import_service_pb2_grpc,
    match_pb2,
    match_service_pb2,
    match_service_pb2_grpc,
    section_pb2,
    section_service_pb2,
    section_service_pb2_grpc,
    timeline_pb2,
    timeline_service_pb2,
    timeline_service_pb2_grpc,
    view_pb2,
    view_service_pb2,
    view_service_pb2_grpc,
)
from rapport.options.v1 import layout_pb2
from rapport_identity import training
from rapport_testing.clock import ManualClock
from rapport_testing.fixtures import Start
from rapport_testing.running import Running, error_of, reason
from rapport_testing.sharing import Shared, is_alone
from rapport_testing.wait import eventually

Type = identifier_pb2.Identifier.Type

_NAMES = ("given_name", "family_name")


class Desk:
    """A running customer service and what a front desk does with it, in words."""

    def __init__(self, running: Running, clock: ManualClock) -> None:
        self.running = running
        self.clock = clock
        self.customers: Any = running.stub(customer_service_pb2_grpc.CustomerServiceStub)
        self.timeline: Any = running.stub(timeline_service_pb2_grpc.TimelineServiceStub)
        self.views: Any = running.stub(view_service_pb2_grpc.ViewServiceStub)
        self.consents: Any = running.stub(consent_service_pb2_grpc.ConsentServiceStub)
        self.merges: Any = running.stub(customer_merge_service_pb2_grpc.CustomerMergeServiceStub)
        self.imports: Any = running.stub(import_service_pb2_grpc.ImportServiceStub)

    def email(self, value: str) -> identifier_pb2.Identifier:
        """An e-mail address to send in a request."""
        return identifier_pb2.Identifier(type=Type.TYPE_EMAIL, value=value)

    def phone(self, value: str) -> identifier_pb2.Identifier:
        """A phone number to send in a request."""
        return identifier_pb2.Identifier(type=Type.TYPE_PHONE, value=value)

    def external(self, value: str) -> identifier_pb2.Identifier:
        """An id in another system, `system:id`, to send in a request."""
        system, _, value = value.partition(":")
        return identifier_pb2.Identifier(type=Type.TYPE_EXTERNAL_ID, system=system, value=value)

    def interaction(self, customer: str, **fields: Any) -> timeline_service_pb2.RecordInteractionRequest:
        """A valid contact to record: a call about a late delivery."""
        request_id, customer = fields.pop("request_id", ""), fields.pop("parent", customer)
        defaults = {
            "channel": channel_pb2.CHANNEL_VOICE,
            "direction": channel_pb2.DIRECTION_INBOUND,
            "topic": "late-delivery",
        }
        return timeline_service_pb2.RecordInteractionRequest(
            parent=customer,
            timeline_entry=timeline_pb2.TimelineEntry(**defaults | fields),
            request_id=request_id,
        )

    async def create(self, *identifiers: identifier_pb2.Identifier, **fields: Any) -> customer_pb2.Customer:
        """Create a person, called Anna; `given_name` and `family_name` are theirs."""
        named = {"given_name": "Anna"} | {key: fields.pop(key) for key in _NAMES if key in fields}
        if "organization" not in fields:
            fields.setdefault("person", customer_pb2.Person(**named))
        customer = customer_pb2.Customer(identifiers=identifiers, **fields)
        return await self.customers.CreateCustomer(
            customer_service_pb2.CreateCustomerRequest(customer=customer)
        )

    async def resolve(
        self, identifier: identifier_pb2.Identifier, create: customer_pb2.Customer | None = None
    ) -> customer_service_pb2.ResolveCustomerResponse:
        """Find, or create, the customer of a handle."""
        request = customer_service_pb2.ResolveCustomerRequest(identifier=identifier, new_customer=create)
        return await self.customers.ResolveCustomer(request)

    async def merge(self, customer: str, merged: str, **fields: Any) -> customer_merge_pb2.CustomerMerge:
        """Say that two names are of one customer."""
        said = {"reason_code": fields.pop("reason_code", "same-person"), "comment": fields.pop("comment", "")}
        merge = customer_merge_pb2.CustomerMerge(customer=customer, merged_customer=merged, **said)
        return await self.merges.CreateCustomerMerge(
            customer_merge_service_pb2.CreateCustomerMergeRequest(customer_merge=merge, **fields)
        )

    async def undo(self, merge: customer_merge_pb2.CustomerMerge, **fields: Any) -> Any:
        """Say that they are two."""
        said = {"name": merge.name, "reason_code": "two-persons"} | fields
        return await self.merges.UndoCustomerMerge(
            customer_merge_service_pb2.UndoCustomerMergeRequest(**said)
        )

    async def get(self, customer: str) -> customer_pb2.Customer:
        """A customer by a name."""
        return await self.customers.GetCustomer(customer_service_pb2.GetCustomerRequest(name=customer))

    async def record(self, customer: str, **fields: Any) -> timeline_pb2.TimelineEntry:
        """Record a call of the customer."""
        return await self.timeline.RecordInteraction(self.interaction(customer, **fields))

    async def view(self, customer: str, **fields: Any) -> view_pb2.CustomerView:
        """The customer's view."""
        request = view_service_pb2.GetCustomerViewRequest(name=f"{customer}/view", **fields)
        return await self.views.GetCustomerView(request)

    async def view_when(
        self, customer: str, condition: Callable[[view_pb2.CustomerView], Any]
    ) -> view_pb2.CustomerView:
        """The customer's view, once it is as the condition says."""

        async def found() -> view_pb2.CustomerView | None:
            view = await self.view(customer)
            return view if condition(view) else None

        return await eventually(found)

    async def facts(self, *names: str) -> list[Any]:
        """What was published, oldest first, of the messages `names`, or everything."""
        published = await self.running.published()
        return [p for p in published if not names or p.type.rsplit(".", 1)[1] in names]

    async def deliver(self, message: Message, version: int = 1, **how: Any) -> UUID:
        """Let another service tell a fact, about the resource in its first field."""
        resource = getattr(message, message.DESCRIPTOR.fields[0].name)
        source = message.DESCRIPTOR.full_name.split(".")[1]
        return await self.running.deliver(message, resource=resource, version=version, source=source, **how)

    def event(self, message: Message, version: int, seconds: float) -> Event[Any]:
        """A fact of another service, about the resource in its first field, told `seconds` from now."""
        now = self.clock.now() + timedelta(seconds=seconds)
        source = message.DESCRIPTOR.full_name.split(".")[1]
        name, data = message.DESCRIPTOR.full_name, message.SerializeToString()
        row = {
            "id": ids.uuid7(now),
            "type": name,
            "resource": getattr(message, message.DESCRIPTOR.fields[0].name),
            "resource_version": version,
            "time": now,
            "actor": f"service:{source}",
            "correlation_id": "flow-1",
            "causation_id": uuid4(),
            "traceparent": "",
            "data": data,
        }
        return parse(headers(row, source), data, {name: type(message)})

    async def projected(self, events: Sequence[Event[Any]], batch: int) -> bytes:
        """The view's bytes after applying events in this order, in batches, and nothing of it afterwards."""
        db = self.running.db
        token = current_call.set(Call("test", Principal("service:customer")))
        try:
            for i in range(0, len(events), batch):
                happened = [found for each in events[i : i + batch] if (found := _happened(each))]
                news = [found for each in events[i : i + batch] if (found := _news(each))]
                async with db.transaction() as tx:
                    customer_ids = await apply(tx, happened, news)
            view: bytes = (await VIEWS_BY_ID.one(db, customer_ids=customer_ids))["view"]
            async with db.connection() as connection:
                for table in ("views", "view_parts", "households", "timeline"):
                    await connection.execute(f"DELETE FROM {table}")
        finally:
            current_call.reset(token)
        return view


@dataclass
class Matches:
    """A running service, its customers and who of them may be one."""

    desk: Any
    service: Any
    merging: Any

    async def customer(
        self, *identifiers: Any, given: str = "Anna", family: str = "Keller", **more: Any
    ) -> str:
        """Create a person; returns their name."""
        born = more.pop("born", None)
        year, month, day = (int(part) for part in born.split("-")) if born else (0, 0, 0)
        date = Date(year=year, month=month, day=day) if born else None
        person = customer_pb2.Person(given_name=given, family_name=family, birth_date=date)
        return (await self.desk.create(*identifiers, person=person, **more)).name

    async def settled(self) -> None:
        """Wait until everybody who changed was compared."""

        async def done() -> bool:
            return not await store.QUEUED.all(self.desk.running.db, limit=1)

        await eventually(done)

    async def listed(self, customer: str = "", **more: Any) -> list[match_pb2.MatchCandidate]:
        """The candidates, once everybody was compared."""
        await self.settled()
        request = match_service_pb2.ListMatchCandidatesRequest(customer=customer, **more)
        return list((await self.service.ListMatchCandidates(request)).match_candidates)

    async def only(self, state: int = match_pb2.MatchCandidate.STATE_PENDING) -> match_pb2.MatchCandidate:
        """The one candidate there is, which is in that state."""
        (candidate,) = await self.listed()
        assert candidate.state == state
        return candidate

    async def reject(self, candidate: match_pb2.MatchCandidate, **more: Any) -> match_pb2.MatchCandidate:
        """Say that they are two."""
        request = match_service_pb2.RejectMatchCandidateRequest(
            name=candidate.name, **{"reason_code": "twins"} | more
        )
        return await self.service.RejectMatchCandidate(request)

    async def accept(self, candidate: match_pb2.MatchCandidate, **more: Any) -> match_pb2.MatchCandidate:
        """Say that they are one."""
        return await self.service.AcceptMatchCandidate(
            match_service_pb2.AcceptMatchCandidateRequest(name=candidate.name, **more)
        )

    async def rename_as_made(self, customer: str, given_name: str, family_name: str) -> None:
        """Have one of a customer's names be called something else, as an import of its record does."""
        async with self.desk.running.db.connection() as connection:
            await connection.execute(
                "UPDATE customers SET given_name = $2, family_name = $3 WHERE id = $1",
                UUID(customer.partition("/")[2]), given_name, family_name,
            )  # fmt: skip

    async def merges(self) -> list[Any]:
        """The merges there are."""
        request = customer_merge_service_pb2.ListCustomerMergesRequest()
        listing = await self.merging.ListCustomerMerges(request)
        return list(listing.customer_merges)

    async def rename(self, customer: str, **names: str) -> None:
        """Call a person something else."""
        paths = [f"person.{field}" for field in names]
        changed = customer_pb2.Customer(name=customer, person=customer_pb2.Person(**names))
        request = customer_service_pb2.UpdateCustomerRequest(customer=changed)
        request.update_mask.paths.extend(paths)
        await self.desk.customers.UpdateCustomer(request)

    async def learn(self) -> None:
        """Have what is believed count as learned: then there are links by themselves."""
        now = self.desk.clock.now()
        document = training.believed(FIELDS).to_json()
        learned = MatchParameters(ids.uuid7(now), "learned", True, 500, document, now, now)
        await store.INSERT_PARAMETERS.run(self.desk.running.db, **values(learned))


class Department:
    """A department with a section of its own, as its service would write it."""

    def __init__(self, desk: Any, name: str) -> None:
        self.desk = desk
        self.name = name
        self.package = f"{name.replace('-', '_')}.v1"
        self.sections: Any = desk.running.stub(
            section_service_pb2_grpc.SectionServiceStub,
            [
                "customer.view_sections.read",
                "customer.view_sections.write",
                "customer.section_schemas.read",
                "customer.section_schemas.write",
            ],
            department=name,
        )
        self.descriptors = self.contract(note="Note", count="Open invoices")

    def contract(self, **labels: str) -> bytes:
        """The descriptors of a message with these fields, in this order: `count` a number, others texts."""
        file = FileDescriptorProto(name="items.proto", package=self.package, syntax="proto3")
        message = file.message_type.add(name="Items")
        for number, (name, label) in enumerate(labels.items(), 1):
            field = message.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
            is_count = name == "count"
            field.type = FieldDescriptorProto.TYPE_INT64 if is_count else FieldDescriptorProto.TYPE_STRING
            layout = layout_pb2.Layout(label=label, alarm=is_count)
            field.options.Extensions[layout_pb2.layout].CopyFrom(layout)
        return FileDescriptorSet(file=[file]).SerializeToString()

    def schema(self, **fields: Any) -> section_service_pb2.PutSectionSchemaRequest:
        """A request to put its schema: a note, and a number that stands out."""
        said = {
            "name": f"sectionSchemas/{self.name}",
            "display_name": self.name.title(),
            "message_type": f"{self.package}.Items",
            "descriptors": self.descriptors,
        }
        return section_service_pb2.PutSectionSchemaRequest(**said | fields)

    async def begin(self, **fields: Any) -> section_pb2.SectionSchema:
        """Put its schema."""
        return await self.sections.PutSectionSchema(self.schema(**fields))

    def content(self, **fields: Any) -> bytes:
        """The content of its section."""
        pool = descriptor_pool.DescriptorPool()
        for file in FileDescriptorSet.FromString(self.descriptors).file:
            pool.Add(file)
        return GetMessageClass(pool.FindMessageTypeByName(f"{self.package}.Items"))(
            **fields
        ).SerializeToString()

    def request(
        self, customer: str, seconds: float = 0, etag: str = "", **fields: Any
    ) -> section_service_pb2.PutViewSectionRequest:
        """A request to put its section of a customer, true of `seconds` from now."""
        return section_service_pb2.PutViewSectionRequest(
            name=f"{customer}/view/sections/{self.name}",
            content=self.content(**fields),
            as_of_time=timestamp(self.desk.clock.now() + timedelta(seconds=seconds)),
            etag=etag,
        )

    async def put(
        self, customer: str, seconds: float = 0, etag: str = "", **fields: Any
    ) -> section_pb2.ViewSection:
        """Put its section of a customer."""
        return await self.sections.PutViewSection(self.request(customer, seconds, etag, **fields))

    async def get(self, customer: str) -> section_pb2.ViewSection:
        """Its section of a customer."""
        name = f"{customer}/view/sections/{self.name}"
        return await self.sections.GetViewSection(section_service_pb2.GetViewSectionRequest(name=name))

    async def delete(self, customer: str, **fields: Any) -> None:
        """Withdraw its section of a customer."""
        name = f"{customer}/view/sections/{self.name}"
        await self.sections.DeleteViewSection(
            section_service_pb2.DeleteViewSectionRequest(name=name, **fields)
        )

    def shown(self, section: section_pb2.ViewSection) -> dict[str, Any]:
        """What is drawn: value by label."""
        return {cell.label: getattr(cell, str(cell.WhichOneof("value"))) for cell in section.cells}


@pytest.fixture(autouse=True)
def what_is_set_aside_is_soon_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Views say it when they next look, which need not take a second here."""
    monkeypatch.setattr(freshness, "LOADED_EVERY_S", 0.1)
    monkeypatch.setattr(freshness, "COMPUTED_EVERY_S", 0.05)


@pytest.fixture
async def desk(start: Start, shared: Shared, request: pytest.FixtureRequest) -> Desk:
    """A running service: that of the module, unless the test is alone."""
    if is_alone(request):
        return Desk(await start(service), request.getfixturevalue("clock"))
    return Desk(await shared.service(service), shared.clock)


@pytest.fixture
def open_desk(start: Start, request: pytest.FixtureRequest) -> Callable[..., Awaitable[Desk]]:
    """Starts a service with other settings or peers, or another replica of one."""

    async def begin(**how: Any) -> Desk:
        return Desk(await start(service, **how), request.getfixturevalue("clock"))

    return begin


@pytest.fixture
def nobody() -> str:
    """The name of a customer who does not exist."""
    return f"customers/{uuid4()}"


@pytest.fixture
def refused() -> Callable[[Awaitable[Any]], Awaitable[str]]:
    """The code and reason of a call that must be refused: `NOT_FOUND RESOURCE_NOT_FOUND`."""

    async def answer(call: Awaitable[Any]) -> str:
        error = await error_of(call)
        return f"{error.code().name} {reason(error)}"

    return answer


@pytest.fixture
def department(desk: Desk) -> Callable[..., Department]:
    """A department by its name."""

    def named(name: str = "billing") -> Department:
        return Department(desk, name)

    return named


@pytest.fixture
async def matches(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Matches:
    """A running service, which compares who changed when a test looks, not a second later."""
    monkeypatch.setattr(matching, "POLL_S", 0.02)
    stub = desk.running.stub
    return Matches(desk, stub(match_service_pb2_grpc.MatchServiceStub), desk.merges)


_WAITING_FOR_US = Statement[Any](
    sa.select(sa.literal_column("pid"))
    .select_from(sa.text("pg_stat_activity"))
    .where(sa.text("pg_backend_pid() = ANY(pg_blocking_pids(pid))"))
)


@pytest.fixture
def waits() -> Callable[[Transaction], Awaitable[Any]]:
    """Returns once somebody waits for this transaction."""

    async def for_us(tx: Transaction) -> Any:
        return await eventually(lambda: _WAITING_FOR_US.maybe(tx))

    return for_us


class Unheard(HotViews):
    """Views that nobody keeps."""

    def __init__(self) -> None:
        pass

    def committed(self, customer_ids: Sequence[UUID]) -> None:
        """Forget nothing."""


@pytest.fixture
def unheard() -> HotViews:
    """Views that nobody keeps."""
    return Unheard()
