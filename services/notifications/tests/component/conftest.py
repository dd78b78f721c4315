"""The notifications service with a real mail server and stand-ins for the services it asks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis.api import etags
from chassis.api.messages import enum_name, timestamp
from chassis.errors import NotFound, Refusal, invalid
from chassis.grpc.status import status
from notifications.service import service
from rapport.cases.v1 import (
    cases_events_pb2,
    promise_pb2,
    promise_service_pb2_grpc,
)
from rapport.cases.v1.promise_service_pb2 import ExplainPromiseRequest
from rapport.common.v1 import channel_pb2, explanation_pb2, states_pb2
from rapport.customer.v1 import (
    consent_service_pb2,
    consent_service_pb2_grpc,
    customer_pb2,
    customer_service_pb2,
    customer_service_pb2_grpc,
    identifier_pb2,
    purpose_pb2,
    purpose_service_pb2_grpc,
    self_service_link_pb2,
    self_service_link_service_pb2_grpc,
    suppression_service_pb2,
    suppression_service_pb2_grpc,
)
from rapport.notifications.v1 import (
    delivery_attempt_pb2,
    notice_pb2,
    notice_policy_pb2,
    notice_policy_service_pb2,
    notice_policy_service_pb2_grpc,
    notice_service_pb2,
    notice_service_pb2_grpc,
    receipt_service_pb2,
    receipt_service_pb2_grpc,
    template_pb2,
    template_service_pb2,
    template_service_pb2_grpc,
)
from rapport_testing.clock import ManualClock
from rapport_testing.fixtures import Start, serving
from rapport_testing.running import Running
from rapport_testing.sharing import Shared, is_alone
from rapport_testing.wait import eventually
from services.notifications.tests.component.gateway import Gateway
from services.notifications.tests.component.mailserver import MailServer
from services.notifications.tests.component.people import Calls, Cases, Directory

DELAY_TEXT = "templates/delay/texts/en-gb"
ADDRESS = "canary.maria@example.com"
DROP = "250 an answer that is lost"
CUSTOMER_NAME = "Canary Maria Anders"
ESSENTIAL = {"purposes/service", "purposes/recall"}
STATES = {
    "PromiseAtRisk": states_pb2.PROMISE_STATE_AT_RISK,
    "PromiseRecovered": states_pb2.PROMISE_STATE_OPEN,
    "PromiseKept": states_pb2.PROMISE_STATE_KEPT,
    "PromiseWithdrawn": states_pb2.PROMISE_STATE_WITHDRAWN,
    "PromiseRenegotiated": states_pb2.PROMISE_STATE_RENEGOTIATED,
}


class Customers(consent_service_pb2_grpc.ConsentServiceServicer):
    """The customer service: one customer, reachable by e-mail until a test says otherwise."""

    def __init__(self) -> None:
        self.asked: list[consent_service_pb2.CheckContactRequest] = []
        self.failure: grpc.StatusCode | None = None
        self.absent, self.identifies = "", True  # what it does not find; whether it says whose address it is
        self.address_of = ""  # whose the address is; "" for whoever is asked about
        self.issued: list[consent_service_pb2.IssueConsentTokenRequest] = []
        self.no_token: Refusal | None = None
        self.answer = consent_service_pb2.CheckContactResponse(
            allowed=True,
            channel=channel_pb2.CHANNEL_EMAIL,
            address=ADDRESS,
            display_name=CUSTOMER_NAME,
            language_code="en",
            time_zone="Europe/Berlin",
            relationship_manager="agents/sam",
        )

        self.said: list[consent_service_pb2.UpdateConsentRequest] = []
        self.loses_answers = False  # of what is said, though it is noted

    async def UpdateConsent(self, request: Any, context: Any) -> Any:
        before = [each for each in self.said if request.request_id and each.request_id == request.request_id]
        if any(each != request for each in before):
            reused = invalid("request_id", "REQUEST_ID_REUSED", "must be new")
            await context.abort_with_status(status(reused, "customer.rapport"))
        self.said.append(request)
        if self.loses_answers:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "told to")
        return request.consent

    async def CheckContact(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        if self.failure is not None:
            await context.abort(self.failure, "told to")
        if self.absent in (request.name, request.purpose):
            await context.abort_with_status(status(NotFound(self.absent), "customer.rapport"))
        answer = consent_service_pb2.CheckContactResponse(
            category=request.purpose.removeprefix("purposes/"), essential=request.purpose in ESSENTIAL
        )
        answer.MergeFrom(self.reached_by(request))
        if answer.allowed and self.identifies:
            answer.identifier = f"{self.address_of or request.name}/identifiers/1"
        return answer

    def reached_by(self, request: Any) -> consent_service_pb2.CheckContactResponse:
        """The answer; that there is no address on what is asked about, where it is another channel's."""
        if self.answer.allowed and self.answer.channel not in request.channels:
            return consent_service_pb2.CheckContactResponse(reason_code="no-address")
        return self.answer

    async def IssueConsentToken(self, request: Any, context: Any) -> Any:
        if self.no_token is not None:
            await context.abort_with_status(status(self.no_token, "customer.rapport"))
        self.issued.append(request)
        return consent_service_pb2.IssueConsentTokenResponse(token="canary-token_0815")


class Profiles(customer_service_pb2_grpc.CustomerServiceServicer):
    """The customers themselves, for whoever may read them.

    Attributes:
        read_by: the token of who asked for each.
    """

    def __init__(self) -> None:
        self.known: dict[str, customer_pb2.Customer] = {}
        self.refusal: Refusal | None = None
        self.read_by: list[str] = []
        self.filters: list[str] = []  # by which some were asked for
        self.address = ADDRESS  # of whatever identifier is asked for; "": there is none

    async def ListCustomers(self, request: Any, context: Any) -> Any:
        self.filters.append(request.filter)
        if self.refusal is not None:
            await context.abort_with_status(status(self.refusal, "customer.rapport"))
        first = int(request.page_token or 0)
        found = [each for each in self.known.values() if _is_found(each, request.filter)]
        listed, after = found[first:], first + request.page_size
        token = str(after) if after < len(found) else ""
        return customer_service_pb2.ListCustomersResponse(
            customers=listed[: request.page_size], next_page_token=token
        )

    async def GetIdentifier(self, request: Any, context: Any) -> Any:
        if not self.address:
            await context.abort_with_status(status(NotFound(request.name), "customer.rapport"))
        return identifier_pb2.Identifier(name=request.name, normalized_value=self.address)

    async def GetCustomer(self, request: Any, context: Any) -> Any:
        self.read_by.append(str(dict(context.invocation_metadata()).get("authorization")))
        refusal = NotFound(request.name) if request.name not in self.known else self.refusal
        if refusal is not None:
            await context.abort_with_status(status(refusal, "customer.rapport"))
        return self.known[request.name]


def _is_found(customer: customer_pb2.Customer, filter: str) -> bool:
    """Whether a filter by birthday finds a customer; any other finds all."""
    born = customer.person.birth_date
    return "birthday" not in filter or f'"{born.month:02}-{born.day:02}"' in filter


class Purposes(purpose_service_pb2_grpc.PurposeServiceServicer):
    """Purposes: each is of the category that it is called by; there is none that is called `absent`."""

    async def GetPurpose(self, request: Any, context: Any) -> Any:
        category = request.name.removeprefix("purposes/")
        if category == "absent":
            await context.abort_with_status(status(NotFound(request.name), "customer.rapport"))
        return purpose_pb2.Purpose(
            name=request.name,
            category=category,
            essential=request.name in ESSENTIAL,
            display_name="Neues",
            translations=[purpose_pb2.Purpose.Translation(language_code="en", display_name="Canary news")],
        )


class Links(self_service_link_service_pb2_grpc.SelfServiceLinkServiceServicer):
    """Links to customers' own pages."""

    def __init__(self) -> None:
        self.failure: grpc.StatusCode | None = None
        self.asked: list[str] = []

    async def GetSelfServiceLink(self, request: Any, context: Any) -> Any:
        self.asked.append(request.name)
        if self.failure is not None:
            await context.abort(self.failure, "told to")
        return self_service_link_pb2.SelfServiceLink(name=request.name, token="canary-token_4711")


class Suppressions(suppression_service_pb2_grpc.SuppressionServiceServicer):
    """The list of addresses to which nothing is sent."""

    def __init__(self) -> None:
        self.asked: list[suppression_service_pb2.CreateSuppressionRequest] = []
        self.failure: Refusal | None = None

    async def CreateSuppression(self, request: Any, context: Any) -> Any:
        if self.failure is not None:
            await context.abort_with_status(status(self.failure, "customer.rapport"))
        self.asked.append(request)
        return request.suppression


class Promises(promise_service_pb2_grpc.PromiseServiceServicer):
    """The promise ledger, which explains, and knows what is true.

    Attributes:
        known: every promise as it is now, by name.
    """

    def __init__(self) -> None:
        self.failure: grpc.StatusCode | None = None
        self.asked: list[ExplainPromiseRequest] = []
        self.known: dict[str, promise_pb2.Promise] = {}

    def happened(self, event: Any, version: int) -> None:
        """A fact about a promise: it is the truth unless a later one is known."""
        before = self.known.get(event.promise)
        if before is not None and etags.version_of(before.etag) >= version:
            return
        promise = promise_pb2.Promise(name=event.promise, etag=etags.etag(version))
        for field in {*promise.DESCRIPTOR.fields_by_name} & {*event.DESCRIPTOR.fields_by_name}:
            value = getattr(event, field)
            if event.DESCRIPTOR.fields_by_name[field].message_type is None:
                setattr(promise, field, value)
            elif event.HasField(field):
                getattr(promise, field).CopyFrom(value)
        if event.state != states_pb2.PROMISE_STATE_AT_RISK:
            promise.ClearField("forecast_time")
        self.known[event.promise] = promise

    async def GetPromise(self, request: Any, context: Any) -> Any:
        if self.failure is not None:
            await context.abort(self.failure, "told to")
        if request.name not in self.known:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such promise")
        return self.known[request.name]

    async def ExplainPromise(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        if self.failure is not None:
            await context.abort(self.failure, "told to")
        links = (
            (request.name, "rapport.cases.v1.PromiseAtRisk", request.event_id),
            ("workItems/1", "rapport.cases.v1.WorkItemForecast", str(uuid4())),
            ("", "rapport.cases.v1.WorkItemService/ForecastWorkItem", str(uuid4())),
        )
        causes = [
            explanation_pb2.Cause(
                resource=resource, event_type=what, id=cause_id, actor="agents/bob", service="services/cases"
            )
            for resource, what, cause_id in links
        ]
        return explanation_pb2.Explanation(name=request.name, causes=causes)


class Desk:
    """A running notifications service and everything around it.

    Attributes:
        customer: the customer's name.
    """

    def __init__(
        self, running: Running, clock: ManualClock, mail: MailServer, peers: "Peers", gateway: Gateway
    ) -> None:
        self.gateway = gateway
        self.running = running
        self.clock = clock
        self.mail = mail
        self.peers = peers
        self.customer = f"customers/{uuid4()}"
        self.notices: Any = running.stub(notice_service_pb2_grpc.NoticeServiceStub)
        self.templates: Any = running.stub(template_service_pb2_grpc.TemplateServiceStub)
        self.reports: Any = running.stub(receipt_service_pb2_grpc.ReceiptServiceStub)
        self.policies: Any = running.stub(notice_policy_service_pb2_grpc.NoticePolicyServiceStub)

    def in_days(self, days: float) -> datetime:
        """A moment from now, by the service's clock."""
        return self.clock.now() + timedelta(days=days)

    def at_risk(self, promise: str = "", forecast_days: float | None = 7, **fields: Any) -> Any:
        """The event that a promise, due in three days, is at risk."""
        event = cases_events_pb2.PromiseAtRisk(
            state=STATES["PromiseAtRisk"],
            **{
                "promise": promise or f"promises/{uuid4()}",
                "customer": self.customer,
                "case": f"cases/{uuid4()}",
                "department": "departments/delivery",
                "kind": "delivery",
                "reference": "orders/10248",
                "due_time": timestamp(self.in_days(3)),
                "reason_code": "carrier-delay",
            }
            | fields,
        )
        if forecast_days is not None:
            event.forecast_time.CopyFrom(timestamp(self.in_days(forecast_days)))
        return event

    def about(self, fact: type[Any], promise: str, **fields: Any) -> Any:
        """Another event about a promise that is due in three days."""
        known = {
            "customer": self.customer,
            "department": "departments/delivery",
            "state": STATES[fact.DESCRIPTOR.name],
            "due_time": timestamp(self.in_days(3)),
            "reference": "orders/10248",
        }
        return fact(promise=promise, **known | fields)

    async def hear(self, event: Any, version: int = 2, event_id: UUID | None = None) -> UUID:
        """Receive an event of the cases service, which is what happened there."""
        self.peers.promises.happened(event, version)
        return await self.running.deliver(
            event, resource=event.promise, version=version, source="cases", event_id=event_id
        )

    async def notices_of(self, promise: str) -> list[notice_pb2.Notice]:
        """The notices about a promise, newest first."""
        request = notice_service_pb2.ListNoticesRequest(filter=f"promise = {promise}")
        return list((await self.notices.ListNotices(request)).notices)

    async def attempts(self, notice: notice_pb2.Notice) -> list[delivery_attempt_pb2.DeliveryAttempt]:
        """The attempts to deliver a notice, oldest first."""
        request = notice_service_pb2.ListDeliveryAttemptsRequest(parent=notice.name)
        return list((await self.notices.ListDeliveryAttempts(request)).delivery_attempts)

    async def get(self, name: str) -> notice_pb2.Notice:
        """A notice."""
        notice: notice_pb2.Notice = await self.notices.GetNotice(
            notice_service_pb2.GetNoticeRequest(name=name)
        )
        return notice

    async def send(self, notice: notice_pb2.Notice, request_id: str = "") -> notice_pb2.Notice:
        """Send a notice as a department does."""
        request = notice_service_pb2.SendNoticeRequest(notice=notice, request_id=request_id)
        requested: notice_pb2.Notice = await self.notices.SendNotice(request)
        return requested

    async def report(self, key: str, delivery: str, **fields: Any) -> notice_pb2.Notice:
        """Report as its provider what became of a message that it knows by `key`."""
        fields = {"provider": "providers/smtp" if "@" in key else "providers/gateway", **fields}
        request = receipt_service_pb2.RecordReceiptRequest(
            provider_key=key, delivery=f"DELIVERY_{delivery}", **fields
        )
        notice: notice_pb2.Notice = await self.reports.RecordReceipt(request)
        return notice

    async def explain(self, name: str) -> explanation_pb2.Explanation:
        """Why a notice was or was not sent."""
        explanation: explanation_pb2.Explanation = await self.notices.ExplainNotice(
            notice_service_pb2.ExplainNoticeRequest(name=name)
        )
        return explanation

    async def template(self, template_id: str) -> template_pb2.Template:
        """A template."""
        request = template_service_pb2.GetTemplateRequest(name=f"templates/{template_id}")
        template: template_pb2.Template = await self.templates.GetTemplate(request)
        return template

    async def text(self, name: str = DELAY_TEXT) -> template_pb2.TemplateText:
        """A text."""
        request = template_service_pb2.GetTemplateTextRequest(name=name)
        text: template_pb2.TemplateText = await self.templates.GetTemplateText(request)
        return text

    async def create_template(self, template_id: str, text: template_pb2.TemplateText, **fields: Any) -> None:
        """Create a template with a text in English."""
        own = {"type": "TYPE_INFORMATION", "purpose": "purposes/service", "default_language_code": "en"}
        template = template_pb2.Template(**own | fields)
        await self.templates.CreateTemplate(
            template_service_pb2.CreateTemplateRequest(template_id=template_id, template=template)
        )
        await self.create_text(template_id, "en", text)

    def update_template(self, template_id: str, **fields: Any) -> Awaitable[template_pb2.Template]:
        """Change a template."""
        template = template_pb2.Template(name=f"templates/{template_id}", **fields)
        return self.templates.UpdateTemplate(template_service_pb2.UpdateTemplateRequest(template=template))

    def create_text(
        self, template_id: str, language: str, text: template_pb2.TemplateText
    ) -> Awaitable[template_pb2.TemplateText]:
        """Create a text."""
        request = template_service_pb2.CreateTemplateTextRequest(
            parent=f"templates/{template_id}", template_text_id=language, template_text=text
        )
        return self.templates.CreateTemplateText(request)

    def update_text(self, name: str = DELAY_TEXT, **fields: Any) -> Awaitable[template_pb2.TemplateText]:
        """Make a new version of a text, of all that is given."""
        paths = [field for field in fields if field != "etag"]
        text = template_pb2.TemplateText(name=name, **fields)
        request = template_service_pb2.UpdateTemplateTextRequest(
            template_text=text, update_mask=FieldMask(paths=paths)
        )
        return self.templates.UpdateTemplateText(request)

    def create_policy(self, policy_id: str, **fields: Any) -> Awaitable[notice_policy_pb2.NoticePolicy]:
        """Create a policy."""
        values = {"event_type": "rapport.cases.v1.PromiseAtRisk", "template": "templates/delay"}
        policy = notice_policy_pb2.NoticePolicy(**values | fields)
        return self.policies.CreateNoticePolicy(
            notice_policy_service_pb2.CreateNoticePolicyRequest(
                notice_policy_id=policy_id, notice_policy=policy
            )
        )

    def update_policy(self, policy_id: str, **fields: Any) -> Awaitable[notice_policy_pb2.NoticePolicy]:
        """Change a policy."""
        policy = notice_policy_pb2.NoticePolicy(name=f"noticePolicies/{policy_id}", **fields)
        request = notice_policy_service_pb2.UpdateNoticePolicyRequest(
            notice_policy=policy, update_mask=FieldMask(paths=[each for each in fields if each != "etag"])
        )
        return self.policies.UpdateNoticePolicy(request)

    async def sent(self, name: str) -> notice_pb2.Notice:
        """A notice, once it was sent."""
        return await self.reached(name, "SENT")

    async def reached(self, name: str, state: str) -> notice_pb2.Notice:
        """A notice, once it is in `state`."""

        async def found() -> notice_pb2.Notice | None:
            notice = await self.get(name)
            return notice if self.state(notice) == state else None

        notice = await eventually(found)
        assert notice is not None
        return notice

    @staticmethod
    async def violations(call: Awaitable[Any]) -> dict[str, str]:
        """The reason by field with which an invalid call is refused."""
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call
        assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        status = rpc_status.from_call(refusal.value)
        found = error_details_pb2.BadRequest()
        assert any(detail.Unpack(found) for detail in status.details)
        return {violation.field: violation.reason for violation in found.field_violations}

    async def notice_in(self, state: str, promise: str) -> notice_pb2.Notice:
        """The newest notice about a promise, once it is in `state`."""

        async def found() -> notice_pb2.Notice | None:
            notices = await self.notices_of(promise)
            return notices[0] if notices and self.state(notices[0]) == state else None

        notice = await eventually(found)
        assert notice is not None
        return notice

    async def told(self, fact: str) -> list[Any]:
        """The facts of that name that the service published."""
        return [p for p in await self.running.published() if p.type.endswith(f".{fact}")]

    @staticmethod
    def state(notice: notice_pb2.Notice) -> str:
        """The state's name."""
        return enum_name(states_pb2.NoticeState.DESCRIPTOR, notice.state)

    async def outcomes(self, notice: notice_pb2.Notice) -> list[tuple[str, str]]:
        """The outcome and the provider's code of each attempt."""
        enum = delivery_attempt_pb2.DeliveryAttempt.Outcome.DESCRIPTOR
        attempts = await self.attempts(notice)
        return [(enum_name(enum, attempt.outcome), attempt.provider_code) for attempt in attempts]


class Around:
    """What stands around the service: who is asked, a mail server, and a gateway of text messages."""

    def __init__(self) -> None:
        self.peers, self.mail, self.gateway = Peers(), MailServer(), Gateway()
        self.addresses: dict[str, str] = {}

    async def forget(self) -> None:
        """Be as nothing had happened: each test begins so."""
        self.mail.gate.set()  # for what still waits for an answer
        self.mail.forget()
        await self.mail.start()
        self.gateway.forget()
        self.peers.forget()


class Peers:
    """The services that are asked."""

    def __init__(self) -> None:
        self.customers = Customers()
        self.profiles = Profiles()
        self.purposes = Purposes()
        self.links = Links()
        self.suppressions = Suppressions()
        self.directory = Directory()
        self.cases = Cases()
        self.promises = Promises()
        self.calls = Calls()

    def forget(self) -> None:
        """Be as they were made."""
        for each in vars(self).values():
            vars(each).clear()  # a test may have given one a method
            each.__init__()


@pytest.fixture(scope="module")
async def surroundings() -> AsyncIterator[Around]:
    """What stands around the services of a module's tests."""
    around = Around()
    peers, gateway = around.peers, around.gateway
    customer = (peers.customers, peers.profiles, peers.purposes, peers.links, peers.suppressions)
    async with (
        serving(*customer) as around.addresses["customer"],
        serving(peers.directory, peers.cases, peers.promises, peers.calls) as around.addresses["cases"],
        await asyncio.start_server(gateway.converse, "127.0.0.1", gateway.port),
    ):
        yield around
        around.mail.gate.set()
        await around.mail.stop()


@pytest.fixture
async def around(surroundings: Around) -> Around:
    """What stands around a test's service: of what was before it knows nothing."""
    await surroundings.forget()
    return surroundings


@pytest.fixture
def mail(around: Around) -> MailServer:
    return around.mail


@pytest.fixture
def gateway(around: Around) -> Gateway:
    """A gateway of text messages."""
    return around.gateway


@pytest.fixture
def texting(gateway: Gateway) -> dict[str, str]:
    """The settings of who takes text messages: none where nobody does."""
    url = f"http://127.0.0.1:{gateway.port}/messages"
    return {"sms_gateway_url": url, "sms_gateway_secret": "of-tests-alone-and-not-a-secret"}


@pytest.fixture
async def desk(
    start: Start, shared: Shared, around: Around, texting: dict[str, str], request: pytest.FixtureRequest
) -> Desk:
    """A running service: that of the module, unless the test is alone."""
    settings = {
        "smtp_host": "127.0.0.1",
        "smtp_port": around.mail.port,
        "smtp_security": "none",
        "mail_from": "Acme <care@acme.example>",
        "customer_pages_url": "https://care.acme.example",
    } | texting
    if is_alone(request):
        clock = request.getfixturevalue("clock")
        running = await start(service, peers=around.addresses, **settings)
    else:
        clock = shared.clock
        running = await shared.service(service, peers=around.addresses, **settings)
    return Desk(running, clock, around.mail, around.peers, around.gateway)
