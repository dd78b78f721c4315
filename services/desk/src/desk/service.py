"""The desk: what it is made of, and what it serves."""

from datetime import timedelta
from pathlib import Path

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.app import App
from chassis.service import Service
from desk.auth.gate import Gate
from desk.edge import ending, openapi, page
from desk.edge.rest import Rest
from desk.edge.webhooks.http import PREFIX, Webhooks
from desk.edge.webhooks.receipts import Receipts
from desk.edge.webhooks.receiving import Keeping, Receiving
from desk.edge.webhooks.recording import Recording
from desk.edge.webhooks.resolving import Customers
from desk.edge.webhooks.smtp import Listener
from desk.edge.webhooks.sources import Sources
from desk.live.calls import Calls
from desk.live.presence import Presence
from desk.pages.actions.drafts import clean
from desk.pages.app import pages
from desk.pages.services import Services
from desk.pages.traces.store import Traces, TraceStore
from desk.selfservice.offering import AGAIN_S, Offering
from desk.selfservice.site import PREFIX as OWN
from desk.selfservice.site import OwnPages
from desk.settings import Settings
from desk.store.cleaning import every
from desk.transfer.keeping import letting_go
from desk.transfer.working import Transferring
from rapport.customer.v1.customer_service_pb2_grpc import CustomerServiceStub
from rapport.customer.v1.timeline_service_pb2_grpc import TimelineServiceStub
from rapport.notifications.v1.provider_service_pb2_grpc import ProviderServiceStub
from rapport.notifications.v1.receipt_service_pb2_grpc import ReceiptServiceStub

MINUTE_S, HOUR_S = 60.0, 3600.0
OF_PROGRAMS = ("/v1/", page.PATH)


def compose(app: App[Settings]) -> None:
    s = app.settings
    traces = Traces(TraceStore(s.traces_url) if s.traces_url else None, s.trace_link)
    if traces.store:
        app.background(traces.store.keep)
    calls, gate = Calls(app.db, app.broadcast), Gate(app)
    app.background(lambda: every(MINUTE_S, gate.sessions.clean))
    app.background(lambda: every(HOUR_S, clean(app.db)))
    app.work(Transferring(app.db, gate.lending, app.forwarding))
    app.background(lambda: every(HOUR_S, *letting_go(app.db, timedelta(days=s.file_days))))
    services, presence = Services(app.forwarding, s.front_desk), Presence(app.broadcast)
    guarded = gate.before(pages(services, app.db, app.draining, traces, calls, presence))
    rest = Rest(app.forwarding, app.verifier, s.rest_timeout_s, app.draining)
    signing_out = ending.Ending(gate.sessions, app.verifier)
    offering = Offering(app.name, app.client(ProviderServiceStub, "notifications"), s.customer_channels)
    app.background(lambda: every(AGAIN_S, offering.hear))
    app.web(_site(rest, _webhooks(app, calls), signing_out, OwnPages(app, offering), guarded))


def _site(rest: Rest, webhooks: ASGIApp, signing_out: ASGIApp, own: ASGIApp, pages: ASGIApp) -> ASGIApp:
    """Every path: a token asks REST, a cookie sees pages, a link its customer's; and none opens another."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path, reads = scope["path"], scope["method"] in ("GET", "HEAD")
        answers: ASGIApp = rest
        if path.startswith(PREFIX):
            answers = webhooks
        elif path == ending.PATH:
            answers = signing_out
        elif path.startswith(OWN):
            answers = own
        elif not path.startswith(OF_PROGRAMS):
            answers = pages
        elif path == f"{page.PATH}.json" and reads:
            answers = openapi.answer()
        elif path.startswith(page.PATH) and reads:
            answers = page.answer(Request(scope))
        await answers(scope, receive, send)

    return serve


def _webhooks(app: App[Settings], calls: Calls) -> Webhooks:
    """What takes webhooks, by HTTP and SMTP, and what records them."""
    s = app.settings
    customers = Customers(app.client(CustomerServiceStub, "customer"))
    timeline = app.client(TimelineServiceStub, "customer")
    sources = Sources(s.webhooks_dir)
    receiving = Receiving(app.db, timedelta(seconds=s.webhooks_call_limit_s), calls.ring)
    receipts = Receipts(app.client(ReceiptServiceStub, "notifications"))
    app.work(Recording(app.db, sources, customers, timeline, receipts))
    keeping = Keeping(app.db, s.webhooks_keep_days, s.webhooks_wait_days)
    app.measure(keeping.count)
    app.background(keeping.run)
    if s.mail_port:
        app.background(Listener(sources, s.mail_source, receiving, s.host, s.mail_port).run)
    return Webhooks(sources, receiving, app.clock)


service = Service(
    "desk",
    port=7005,
    web_port=8080,
    settings=Settings,
    events=None,
    migrations=Path(__file__).parent / "migrations",
    calls=["customer", "cases", "loyalty", "notifications", "desk"],
    compose=compose,
    # Of its own identity, by which what webhooks bring is recorded, and customers' own pages are served.
    # Whoever looks brings their own.
    permissions=(
        "cases.agents.read",
        "cases.cases.read",
        "cases.notes.read",
        "cases.promises.read",
        "customer.consents.confirm",
        "customer.self_service_links.open",
        "customer.customers.read",
        "customer.customers.resolve",
        "customer.customers.write",
        "customer.purposes.read",
        "customer.suppressions.read",
        "customer.timeline_entries.write",
        "customer.wordings.read",
        "notifications.delivery_attempts.record",
        "notifications.providers.read",
    ),
)
