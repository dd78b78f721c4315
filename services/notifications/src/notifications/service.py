"""The notifications service: what it is made of."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from chassis.app import App
from chassis.backoff import Backoff
from chassis.events.declarations import Listening
from chassis.inbox import aliases
from chassis.service import Service
from notifications.channels.channel import Channel
from notifications.channels.inbox import InboxChannel
from notifications.channels.mail import MailChannel
from notifications.channels.sms import Gateway, SmsChannel
from notifications.channels.smtp import SmtpProvider
from notifications.channels.vonage import Vonage
from notifications.events.any import TRIGGERS, triggered
from notifications.events.cases import on_call, on_promise
from notifications.events.customer import on_inbound, on_preferences
from notifications.jobs.gate import Gate
from notifications.jobs.notice_job import NoticeJobs
from notifications.jobs.sending import Sending
from notifications.jobs.walk import Walking
from notifications.names import FRONT_DESK, PROVIDER
from notifications.peers.addresses import Addresses
from notifications.peers.contacts import Calls, Contacts, Promises
from notifications.peers.dates import Dates
from notifications.peers.links import Links
from notifications.peers.purposes import Purposes
from notifications.peers.readers import Readers
from notifications.peers.selection import Selection
from notifications.peers.signers import Signers
from notifications.rpc.inbox import InboxRpc
from notifications.rpc.notice_jobs import NoticeJobRpc
from notifications.rpc.notices import NoticeRpc
from notifications.rpc.policies import PolicyRpc
from notifications.rpc.providers import ProviderRpc
from notifications.rpc.receipts import ReceiptRpc
from notifications.rpc.templates import TemplateRpc
from notifications.settings import Settings
from notifications.usecases.inbox import EXPIRY_TIMER, READ_TIMER, Inboxes, delete_expired, note_delivered
from notifications.usecases.marks import MARKS_TIMER, expect_forgetting, forget_marks
from notifications.usecases.notice import NEXT_YEAR_TIMER
from notifications.usecases.notice_job import measure_jobs
from notifications.usecases.seed import seed
from notifications.usecases.yearly import plan_next
from rapport.cases.v1.call_service_pb2_grpc import CallServiceStub
from rapport.cases.v1.case_service_pb2_grpc import CaseServiceStub
from rapport.cases.v1.cases_events_pb2 import (
    PromiseAtRisk,
    PromiseDelayNotified,
    PromiseKept,
    PromiseRecovered,
    PromiseRenegotiated,
    PromiseWithdrawn,
    WorkItemCalled,
)
from rapport.cases.v1.directory_service_pb2_grpc import DirectoryServiceStub
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.customer.v1.consent_service_pb2_grpc import ConsentServiceStub
from rapport.customer.v1.customer_events_pb2 import InteractionRecorded, PreferencesUpdated
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.purpose_service_pb2_grpc import PurposeServiceStub
from rapport.customer.v1.self_service_link_service_pb2_grpc import SelfServiceLinkServiceStub
from rapport.customer.v1.suppression_service_pb2_grpc import SuppressionServiceStub
from rapport.notifications.v1 import notifications_events_pb2

_log = structlog.get_logger()

PROMISES = Listening(
    "notifications-promises",
    "cases",
    [PromiseAtRisk, PromiseRecovered, PromiseKept, PromiseWithdrawn, PromiseRenegotiated],
)
CALLS = Listening("notifications-calls", "cases", [PromiseDelayNotified, WorkItemCalled])
PREFERENCES = Listening("notifications-preferences", "customer", [PreferencesUpdated])
INBOUND = Listening("notifications-inbound", "customer", [InteractionRecorded])


def compose(app: App[Settings]) -> None:
    """Everything the service serves, listens to and does on time."""
    app.on_open(lambda: seed(app.db))
    app.on_open(partial(say_who_signs, app.settings.front_desk))
    app.on_open(lambda: expect_forgetting(app.db, [MARKS_TIMER, EXPIRY_TIMER]))
    app.serve(NoticeRpc(app, per_customer=app.settings.notices_per_customer))
    customers = app.client(CustomerServiceStub, "customer")
    readers = Readers(customers, _signers(app))
    s = app.settings
    purposes = Purposes(app.client(PurposeServiceStub, "customer"))
    app.serve(
        TemplateRpc(
            app,
            purposes=purposes,
            readers=readers,
            link_hosts=s.link_hosts,
            company=s.company_name,
            review_all=s.review_texts,
        )
    )
    consents = app.client(ConsentServiceStub, "customer")
    selection = Selection(customers)
    app.work(NoticeJobs(app.db, selection, app.settings.notices_per_customer))
    app.work(Walking(app.db, selection, app.settings.notices_per_customer))
    inboxes = Inboxes(app.broadcast)
    app.serve(InboxRpc(app, inboxes=inboxes))
    sending = _sending(app, inboxes)
    channels = [each.code for each in sending.channels]
    app.serve(
        NoticeJobRpc(
            app, selection=selection, consents=consents, channels=channels, company=app.settings.company_name
        )
    )
    app.serve(
        PolicyRpc(
            app,
            past=app.past,
            selection=selection,
            consents=consents,
            channels=channels,
            budget=app.settings.budget,
        )
    )
    app.subscribe(PROMISES.durable, on_promise)
    app.subscribe(CALLS.durable, on_call)
    app.subscribe(PREFERENCES.durable, on_preferences)
    app.subscribe(INBOUND.durable, on_inbound)
    app.project(TRIGGERS.durable, triggered(app.settings.notices_per_customer))
    app.subscribe(aliases.listening(app.name).durable, aliases.regrouped)
    app.timer(MARKS_TIMER, forget_marks)
    app.timer(NEXT_YEAR_TIMER, plan_next)
    app.timer(READ_TIMER, note_delivered)
    app.timer(EXPIRY_TIMER, delete_expired)
    app.serve(ProviderRpc(app))
    app.measure(partial(measure_jobs, app.db))
    app.measure(lambda: sending.gate.measure(sending.channels))
    app.serve(ReceiptRpc(app, addresses=_addresses(app, sending.channels), channels=channels))
    app.on_open(lambda: sending.gate.open(sending.channels))
    app.work(sending)


async def say_who_signs(front_desk: str) -> None:
    """Say where nobody in person is named for customers whom nobody looks after."""
    if front_desk == FRONT_DESK:
        told = "nobody in person signs what customers are sent whom nobody looks after: name somebody"
        _log.warning(told, setting="RAPPORT_FRONT_DESK", such_as="agents/alice", signs=front_desk)


def _signers(app: App[Settings]) -> Signers:
    directory, cases = app.client(DirectoryServiceStub, "cases"), app.client(CaseServiceStub, "cases")
    return Signers(directory, cases, app.settings.front_desk)


def _addresses(app: App[Settings], channels: Sequence[Channel]) -> Addresses:
    return Addresses(
        app.client(CustomerServiceStub, "customer"),
        app.client(ConsentServiceStub, "customer"),
        app.client(SuppressionServiceStub, "customer"),
        app.client(PurposeServiceStub, "customer"),
        {each.code: each.addressed for each in channels if each.addressed is not None},
    )


def _links(app: App[Settings]) -> Links:
    return Links(
        app.client(SelfServiceLinkServiceStub, "customer"),
        app.client(PurposeServiceStub, "customer"),
        app.client(ConsentServiceStub, "customer"),
        app.settings.customer_pages_url,
    )


def _channels(app: App[Settings], inboxes: Inboxes) -> list[Channel]:
    """E-mail, text messages where somebody takes them, and the inbox."""
    s = app.settings
    server = SmtpProvider(
        s.smtp_host,
        s.smtp_port,
        s.smtp_security,
        s.smtp_username,
        lambda: str(s.current("smtp_password").get_secret_value()),
        s.signer.sign if s.signer else bytes,
    )
    app.probe("the mail server", server.greet)
    channels: list[Channel] = [MailChannel(server, s.sender, s.smtp_per_minute)]
    if s.sms_gateway_url:
        secret = partial(s.current, "sms_gateway_secret")
        gateway = Gateway(s.sms_gateway_url, lambda: secret().get_secret_value(), app.clock)
        channels.append(SmsChannel(gateway, s.sms_segments, s.sms_per_minute))
    elif s.vonage_application:
        key = partial(s.current, "vonage_key")
        private = (lambda: key().get_secret_value(), s.sms_sender)
        vonage = Vonage(s.vonage_url, s.vonage_application, *private, app.clock)
        channels.append(SmsChannel(vonage, s.sms_segments, s.sms_per_minute))
    return [*channels, InboxChannel(app.db, inboxes, timedelta(days=s.inbox_days))]


def _sending(app: App[Settings], inboxes: Inboxes) -> Sending:
    s, channels = app.settings, _channels(app, inboxes)
    consents = app.client(ConsentServiceStub, "customer")
    return Sending(
        app.db,
        Contacts(consents, _signers(app), [each.code for each in channels]),
        Promises(app.db, app.client(PromiseServiceStub, "cases")),
        Dates(app.client(CustomerServiceStub, "customer"), app.clock),
        _links(app),
        Calls(app.client(CallServiceStub, "cases")),
        channels,
        Gate(app.db, _rates(channels), _side_by_side(s.send_at_once, channels)),
        budget=s.budget,
        company=s.company_name,
        call_within=timedelta(hours=s.call_first_hours),
        at_once=s.send_at_once,
        prepare_time=timedelta(seconds=s.send_prepare_timeout_s),
        answer_time=timedelta(seconds=s.send_answer_timeout_s),
        retries=Backoff(s.retry_first_s, s.retry_longest_s),
    )


def _rates(channels: Sequence[Channel]) -> dict[str, int]:
    return {str(PROVIDER.ids(each.provider)[0]): each.a_minute for each in channels}


def _side_by_side(at_once: int, channels: Sequence[Channel]) -> int:
    """How much of it one provider may have in hand: not all, so that one that hangs stops no other."""
    elsewhere = sum(each.addressed is not None for each in channels)
    return at_once + 1 if elsewhere == 1 else max(1, at_once * 3 // 4)


service = Service(
    "notifications",
    port=7004,
    settings=Settings,
    events=notifications_events_pb2,
    migrations=Path(__file__).parent / "migrations",
    compose=compose,
    listens=[PROMISES, CALLS, PREFERENCES, INBOUND, TRIGGERS, aliases.listening("notifications")],
    calls=["cases", "customer"],
    permissions=(
        "cases.agents.read",
        "cases.cases.read",
        "cases.promises.read",
        "customer.consents.issue",
        "customer.consents.write",
        "customer.self_service_links.read",
        "customer.customers.contact",
        "customer.customers.read",
        "customer.identifiers.read",
        "customer.purposes.read",
        "customer.suppressions.write",
    ),
)
