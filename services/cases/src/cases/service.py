"""The cases service: what it serves, listens to, and does on time."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from cases.domain.promise_clock import PromiseClock
from cases.events.cases import Calls, on_clock, on_promise_ended
from cases.events.customer import on_interaction, on_languages, on_managers, regrouped
from cases.events.loyalty import on_goodwill, on_values
from cases.events.notifications import Notices
from cases.rpc.authority import AuthorityRpc
from cases.rpc.calendars import CalendarRpc
from cases.rpc.calls import CallRpc
from cases.rpc.case_jobs import CaseJobRpc
from cases.rpc.case_links import CaseLinkRpc
from cases.rpc.cases import CaseRpc, NoteRpc
from cases.rpc.clocks import ClockPolicyRpc, ClockRpc
from cases.rpc.directory import DirectoryRpc
from cases.rpc.escalations import EscalationRpc
from cases.rpc.handoffs import HandoffRpc
from cases.rpc.presences import PresenceRpc
from cases.rpc.promises import PromiseRpc
from cases.rpc.queue import QueueRpc
from cases.rpc.teams import TeamRpc
from cases.rpc.topics import TopicRpc
from cases.rpc.work_items import WorkItemRpc
from cases.settings import Settings
from cases.usecases import clock, clock_keeping
from cases.usecases.agent import LEAVE_TIMER, seed_front_desk
from cases.usecases.announcing import AT_RISK_TIMER, DUE_TIMER
from cases.usecases.authority_policy import seed_goodwill
from cases.usecases.calendar import FOLLOW_TIMER, seed_always
from cases.usecases.call import CALL_TIMER, Calling, call_again, count_calls
from cases.usecases.case_job import CASE_JOB_TIMER, go_on
from cases.usecases.clock_policy import APPLY_TIMER, clocks_go_by
from cases.usecases.deadlines import DEADLINE_TIMER
from cases.usecases.escalation import LEVEL_TIMER, count_open, next_level
from cases.usecases.leaving import leave_behind
from cases.usecases.promise import break_promise, count_live, promise_due_soon
from cases.usecases.queue import set_deadline
from cases.usecases.queue_measuring import measure_queues
from cases.usecases.queue_reading import Queues
from cases.usecases.reconcile import RECONCILE_TIMER, begin_reconciling, reconcile_some
from cases.usecases.routing import LANGUAGE_TIMER, open_to_all_languages
from cases.usecases.standing import PRIORITY_TIMER, prioritize_some
from chassis.app import App
from chassis.events.declarations import Listening
from chassis.inbox import aliases
from chassis.service import Service
from chassis.work.timers import Together
from rapport.cases.v1 import cases_events_pb2
from rapport.cases.v1.cases_events_pb2 import (
    ClockBreached,
    ClockFulfilled,
    ClockWarned,
    PromiseBroken,
    PromiseDelayNotified,
    PromiseKept,
    PromiseRecovered,
    PromiseRenegotiated,
    PromiseWithdrawn,
)
from rapport.customer.v1.customer_events_pb2 import (
    CustomerCreated,
    CustomerUpdated,
    InteractionRecorded,
    RelationshipManagerAssigned,
)
from rapport.loyalty.v1.loyalty_events_pb2 import CustomerValueChanged, GoodwillGranted, GoodwillReversed
from rapport.notifications.v1.notifications_events_pb2 import NoticeCallRequested, NoticeSent

NOTICES = Listening("cases-notices", "notifications", [NoticeSent])
NOTICE_CALLS = Listening("cases-notice-calls", "notifications", [NoticeCallRequested])
VALUES = Listening("cases-values", "loyalty", [CustomerValueChanged], in_batches=True)
GOODWILL = Listening("cases-goodwill", "loyalty", [GoodwillGranted, GoodwillReversed])
MANAGERS = Listening(
    "cases-managers", "customer", [CustomerCreated, RelationshipManagerAssigned], in_batches=True
)
LANGUAGES = Listening("cases-languages", "customer", [CustomerCreated, CustomerUpdated], in_batches=True)
CONTACTS = Listening("cases-contacts", "customer", [InteractionRecorded])
TIMES = Listening("cases-times", "cases", [ClockWarned, ClockBreached, ClockFulfilled])
MISSED = Listening("cases-missed", "cases", [PromiseBroken, PromiseKept, PromiseWithdrawn])
CALLS = Listening(
    "cases-calls",
    "cases",
    [PromiseKept, PromiseRecovered, PromiseDelayNotified, PromiseRenegotiated, PromiseWithdrawn],
)


def compose(app: App[Settings]) -> None:
    """Put the service together."""
    settings = app.settings
    promise_clock = PromiseClock(
        timedelta(seconds=settings.promise_lead_s), timedelta(seconds=settings.promise_grace_s)
    )
    calling = Calling(settings.call_attempts, timedelta(minutes=settings.call_pause_minutes))

    app.serve(CaseRpc(app, clock=promise_clock))
    app.serve(CaseLinkRpc(app))
    app.serve(CaseJobRpc(app))
    app.serve(TopicRpc(app))
    app.serve(NoteRpc(app))
    app.serve(WorkItemRpc(app, clock=promise_clock))
    app.serve(HandoffRpc(app))
    app.serve(QueueRpc(app, queues=Queues(app.db)))
    app.serve(PresenceRpc(app))
    app.serve(TeamRpc(app))
    app.serve(CallRpc(app, clock=promise_clock, calling=calling))
    app.serve(PromiseRpc(app, clock=promise_clock))
    app.serve(DirectoryRpc(app))
    app.serve(EscalationRpc(app, clock=promise_clock))
    app.serve(AuthorityRpc(app))
    app.serve(ClockPolicyRpc(app))
    app.serve(ClockRpc(app))
    app.serve(CalendarRpc(app))

    app.subscribe(aliases.listening(app.name).durable, regrouped)
    app.subscribe(NOTICES.durable, Notices(promise_clock).sent)
    app.subscribe(NOTICE_CALLS.durable, Notices(promise_clock).call_requested)
    app.subscribe(CALLS.durable, Calls(promise_clock).moot)
    app.project(VALUES.durable, on_values)
    app.subscribe(GOODWILL.durable, on_goodwill)
    app.subscribe(TIMES.durable, on_clock)
    app.subscribe(MISSED.durable, on_promise_ended)
    app.subscribe(CONTACTS.durable, on_interaction)
    app.project(MANAGERS.durable, on_managers)
    app.project(LANGUAGES.durable, on_languages)

    app.timer(AT_RISK_TIMER, promise_due_soon)
    app.timer(DUE_TIMER, break_promise)
    app.timer(CASE_JOB_TIMER, lambda tx, timer: go_on(tx, timer.key))
    app.timer(PRIORITY_TIMER, lambda tx, timer: prioritize_some(tx, timer.key))
    app.timer(DEADLINE_TIMER, set_deadline)
    app.timer(LEAVE_TIMER, leave_behind)
    app.timer(LANGUAGE_TIMER, open_to_all_languages)
    app.timer(clock_keeping.WARNING_TIMER, clock.clock_due_soon)
    app.timer(clock_keeping.DUE_TIMER, Together(clock.clocks_due))
    app.timer(LEVEL_TIMER, next_level)
    app.timer(CALL_TIMER, lambda tx, timer: call_again(tx, promise_clock, timer))
    app.timer(FOLLOW_TIMER, clock.clocks_follow)
    app.timer(APPLY_TIMER, clocks_go_by)
    app.timer(RECONCILE_TIMER, reconcile_some)

    app.measure(partial(count_live, app.db))
    app.measure(partial(measure_queues, app.db))
    app.measure(partial(count_open, app.db))
    app.measure(partial(count_calls, app.db))
    app.measure(partial(clock.count_endless, app.db))
    app.on_open(partial(seed_always, app.db))
    app.on_open(partial(seed_goodwill, app.db))
    app.on_open(partial(begin_reconciling, app.db))
    app.on_open(
        partial(seed_front_desk, app.db, phone=settings.front_desk_phone, email=settings.front_desk_email)
    )


service = Service(
    "cases",
    port=7002,
    settings=Settings,
    events=cases_events_pb2,
    migrations=Path(__file__).parent / "migrations",
    compose=compose,
    listens=[
        *(NOTICES, NOTICE_CALLS, CALLS, VALUES, GOODWILL, MISSED, TIMES, CONTACTS, MANAGERS, LANGUAGES),
        aliases.listening("cases"),
    ],
    calls=["customer", "notifications"],  # to explain what a contact or a notice led to
    permissions=["customer.timeline_entries.read", "notifications.notices.read"],
)
