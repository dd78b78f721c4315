"""The customer service: everything it is made of."""

from pathlib import Path

from chassis.app import App
from chassis.events.arrivals import Arrivals
from chassis.events.subscription import Listening, Subscription
from chassis.service import Service
from customer.events.view import SOURCES, ViewProjector, durable, messages
from customer.jobs.apply_import import apply_import
from customer.rpc.consents import ConsentRpc
from customer.rpc.customers import CustomerRpc
from customer.rpc.explanation import Explainer
from customer.rpc.imports import ImportRpc
from customer.rpc.timeline import TimelineRpc
from customer.rpc.views import ViewRpc
from customer.settings import Settings
from customer.usecases.freshness import ViewFreshness
from customer.usecases.hot_views import HotViews
from customer.usecases.imports import APPLY_TIMER
from rapport.cases.v1.promise_service_pb2_grpc import PromiseServiceStub
from rapport.customer.v1 import customer_events_pb2
from rapport.notifications.v1.notice_service_pb2_grpc import NoticeServiceStub


def compose(app: App[Settings]) -> None:
    """Put the service together."""
    manager = app.settings.default_relationship_manager
    projections: dict[str, Subscription] = {}
    arrivals = Arrivals(app.db, projections)
    hot = HotViews(app.db, app.broadcast, arrivals.moved)
    explainer = Explainer(
        app.db,
        {
            "promises": app.client(PromiseServiceStub, "cases").Explain,
            "notices": app.client(NoticeServiceStub, "notifications").Explain,
        },
    )

    app.serve(CustomerRpc(app.db, manager))
    app.serve(TimelineRpc(app.db, explainer))
    consumers = {source: durable(source) for source in SOURCES}
    types = [message.DESCRIPTOR.full_name for source in SOURCES for message in messages(source)]
    freshness = ViewFreshness(app.db, app.freshness, consumers, types, hot.look_again)
    app.serve(ViewRpc(app.db, hot, freshness, arrivals))
    app.serve(ConsentRpc(app.db))
    app.serve(ImportRpc(app.db))

    projector = ViewProjector(hot)
    for source, consumer in consumers.items():
        projections[source] = app.project(consumer, projector.project)
    app.background(freshness.run)

    app.timer(APPLY_TIMER, apply_import(manager))


service = Service(
    "customer",
    port=7001,
    settings=Settings,
    events=customer_events_pb2,
    migrations=Path(__file__).parent.parent.parent / "migrations",
    compose=compose,
    listens=[Listening(durable(source), source, messages(source), in_batches=True) for source in SOURCES],
    calls=["cases", "notifications"],
    permissions=["cases.promises.read", "notifications.notices.read"],
)
