"""The customer service: everything it is made of."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from chassis.app import App
from chassis.inbox.arrivals import Arrivals
from chassis.inbox.freshness import Standing
from chassis.inbox.subscription import Subscription
from chassis.service import Service
from customer.domain.attachments import AttachmentLimits
from customer.domain.links import LinkKeys
from customer.domain.suppressions import AddressKey
from customer.events.cases import CALLS, on_called
from customer.events.customer import NAMES, on_names
from customer.events.loyalty import PURCHASES, on_purchases
from customer.events.view import LISTENING, project
from customer.jobs.learning import Learning
from customer.jobs.matching import Matching
from customer.jobs.scanning import Scanning
from customer.rpc.advice import AdviceRpc
from customer.rpc.attachments import AttachmentRpc
from customer.rpc.attributes import AttributeRpc
from customer.rpc.consents import ConsentRpc, PurposeRpc
from customer.rpc.customers import CustomerRpc
from customer.rpc.import_profiles import ImportProfileRpc
from customer.rpc.links import SelfServiceLinkRpc
from customer.rpc.matches import MatchRpc
from customer.rpc.merges import CustomerMergeRpc
from customer.rpc.relationships import RelationshipRpc
from customer.rpc.services import ImportRpc, SectionRpc, TimelineRpc
from customer.rpc.suppressions import SuppressionRpc
from customer.rpc.views import ViewRpc
from customer.settings import Settings
from customer.usecases.freshness import ViewFreshness
from customer.usecases.hot_views import HotViews
from customer.usecases.imports import (
    APPLY_TIMER,
    APPLY_TIMER_BEFORE,
    EXPIRE_TIMER,
    FORGET_PREVIEW_TIMER,
    PREVIEW_TIMER,
    apply_chunk,
    expire_job,
    forget_preview,
    preview_chunk,
)
from customer.usecases.match_figures import measure
from customer.usecases.match_jobs import JOB_TIMER, match_everybody
from customer.usecases.match_step import Matcher
from customer.usecases.match_training import seed_parameters
from customer.usecases.reverting import FORGET_TIMER, REVERT_TIMER, forget_effects, revert_chunk
from customer.usecases.sections import REDRAW_TIMER, redraw
from customer.usecases.suppressions import require_key
from rapport.customer.v1 import customer_events_pb2

PROJECTING = ("cases", "loyalty", "notifications")  # what they keep is of customers, who may be merged


def compose(app: App[Settings]) -> None:
    """Put the service together."""
    manager, zone = app.settings.default_relationship_manager, app.settings.time_zone
    projections: dict[str, Subscription] = {}
    arrivals = Arrivals(app.db, projections)
    hot = HotViews(app.db, app.broadcast, arrivals.moved, zone)

    app.serve(CustomerRpc(app, relationship_manager=manager, time_zone=zone))
    app.serve(RelationshipRpc(app))
    app.project(NAMES.durable, on_names)
    app.project(PURCHASES.durable, on_purchases)
    app.subscribe(CALLS.durable, on_called)
    app.serve(TimelineRpc(app, hot=hot))
    projections.update(app.project(LISTENING.durable, partial(project, hot=hot)))
    own_first = sorted(projections, key=lambda source: source != app.name)
    consumers = {source: projections[source].durable for source in own_first}
    freshness = ViewFreshness(app.db, app.freshness, consumers, hot.look_again)
    app.serve(ViewRpc(app, hot=hot, freshness=freshness, arrivals=arrivals, time_zone=zone))
    app.serve(AdviceRpc(app, hot=hot))
    limits = AttachmentLimits(
        app.settings.attachment_max_bytes,
        app.settings.attachments_max_bytes,
        scans=bool(app.settings.attachment_scanner_url),
    )
    app.serve(AttachmentRpc(app, hot=hot, limits=limits))
    app.serve(CustomerMergeRpc(app, hot=hot, freshness=app.freshness, projecting=PROJECTING))
    app.serve(PurposeRpc(app))
    app.serve(SectionRpc(app, hot=hot))
    app.serve(AttributeRpc(app))
    addresses = AddressKey(app.settings.address_pepper.get_secret_value())
    app.serve(ConsentRpc(app, addresses=addresses, time_zone=zone))
    app.serve(SuppressionRpc(app, addresses=addresses))
    keys = LinkKeys(app.settings.keys_of_links)
    app.serve(SelfServiceLinkRpc(app, keys=keys, addresses=addresses, time_zone=zone))
    app.serve(ImportRpc(app))
    app.serve(ImportProfileRpc(app))
    matcher = Matcher(
        hot,
        link_probability=app.settings.match_link_probability,
        ask_probability=app.settings.match_ask_probability,
    )
    app.serve(MatchRpc(app, hot=hot, matcher=matcher))

    app.on_open(partial(require_key, app.db, addresses))
    app.on_open(partial(seed_parameters, app.db))
    app.measure(partial(measure, app.db))
    app.background(freshness.run)
    app.background(Matching(app.db, matcher).run)
    app.work(Learning(app.db))
    if scanner := app.settings.attachment_scanner_url:
        app.work(Scanning(app.db, hot, scanner))

    kept_for = timedelta(days=app.settings.import_revert_days)

    def is_complete() -> bool:
        """Whether all facts about customers are known to be on their timelines."""
        return all(app.freshness.of(source).standing is Standing.FRESH for source in consumers)

    for kind in (APPLY_TIMER, APPLY_TIMER_BEFORE):
        app.timer(kind, lambda tx, timer: apply_chunk(tx, UUID(timer.key), manager, kept_for))
    app.timer(REVERT_TIMER, lambda tx, timer: revert_chunk(tx, UUID(timer.key), is_complete))
    app.timer(FORGET_TIMER, lambda tx, timer: forget_effects(tx, UUID(timer.key)))
    app.timer(PREVIEW_TIMER, lambda tx, timer: preview_chunk(tx, UUID(timer.key), manager))
    app.timer(FORGET_PREVIEW_TIMER, lambda tx, timer: forget_preview(tx, UUID(timer.key)))
    app.timer(EXPIRE_TIMER, lambda tx, timer: expire_job(tx, UUID(timer.key)))
    app.timer(JOB_TIMER, lambda tx, timer: match_everybody(tx, matcher, UUID(timer.key), timer.attempts))
    app.timer(REDRAW_TIMER, lambda tx, timer: redraw(tx, timer.key, hot))


service = Service(
    "customer",
    port=7001,
    settings=Settings,
    events=customer_events_pb2,
    migrations=Path(__file__).parent / "migrations",
    compose=compose,
    listens=[LISTENING, NAMES, PURCHASES, CALLS],
    calls=PROJECTING,
    permissions=[  # to explain what is on the timeline
        "cases.case_links.read",
        "cases.cases.read",
        "cases.clocks.read",
        "cases.escalations.read",
        "cases.notes.read",
        "cases.promises.read",
        "cases.work_items.read",
        "loyalty.accounts.read",
        "loyalty.customer_values.read",
        "loyalty.goodwill.read",
        "loyalty.memberships.read",
        "loyalty.purchases.read",
        "loyalty.redemptions.read",
        "loyalty.tiers.read",
        "notifications.notices.read",
    ],
)
