"""A valid request of every RPC, in an order in which each finds what it needs: all are answered OK.

Names in braces stand for what the answer to the RPC of that name is called, the etag `#` for that of the
latest answer with the same name.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from chassis.db.database import Database
from chassis.db.statement import values
from customer.domain.customers import new_customer
from customer.domain.matches import new_candidate
from customer.names import CUSTOMER
from customer.store.matches import SAVE_CANDIDATES
from customer.store.tables import INSERT_CUSTOMERS
from deploy.services import TELLING as SERVICES
from loyalty.domain.goodwill import Goodwill
from loyalty.domain.goodwill import State as GoodwillState
from loyalty.names import GOODWILL
from loyalty.store.goodwill import INSERT_GOODWILL
from notifications.domain.notice import Attempt, Notice, State
from notifications.store.tables import INSERT_ATTEMPT, INSERT_NOTICE
from tests.contracts.names import (
    BEFORE,
    CANDIDATES,
    CASE,
    LATER,
    SOMEBODY,
    SOON,
    TWINS,
)
from tests.contracts.names import (
    PAGE as _PAGE,
)
from tests.contracts.valid_customer import REQUESTS as CUSTOMERS

CONTRACTS = {name: name for name in SERVICES} | {"operations": "loyalty"}  # and a service that answers them
PAIRS = [  # two who are here, and two who are no more
    tuple(UUID(f"019cade0-0000-7000-8000-00000000002{n}") for n in range(2)),
    (UUID(SOMEBODY.partition("/")[2]), UUID("019cade0-0000-7000-8000-000000000008")),
]
ALIKE = {"kind": "PERSON", "given_name": "Ada", "family_name": "Berg", "birth_date": "1984-04-12"}
PROMISE = "promises/019cade0-0000-7000-8000-000000000002"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
_WINDOW = {"opens": "09:00", "closes": "17:00"}
_CALENDAR = {
    "display_name": "Office", "department": "departments/front-desk", "time_zone": "Europe/Berlin",
    "hours": [{"days": ["MONDAY", "TUESDAY"], "windows": [_WINDOW]}],
    "holidays": [{"region_code": "DE", "subdivision": "BY", "categories": ["public", "catholic"]}],
    "exceptions": [{
        "date": {"year": 2026, "month": 12, "day": 24}, "display_name": "Eve", "windows": [_WINDOW]}],
}  # fmt: skip


PROMISED = {
    "customer": SOMEBODY, "department": "departments/front-desk", "kind": "delivery", "reference": "orders/1",
    "due_time": SOON, "display_name": "The piano for Mrs. Sommer", "basis": "BASIS_QUOTE",
}  # fmt: skip
LETTERS = [f"services/loyalty/consumers/loyalty-promises/deadLetters/{uuid4()}" for _ in range(2)]
TIMER = uuid4()
_WAITING = (
    "INSERT INTO timers (id, kind, key, due_at, correlation_id, causation_id, traceparent)"
    " VALUES ($1, 'none', '', now() + interval '1 day', '', $1, '')",
    "INSERT INTO work (id, kind, key, state, due_at, expire_at, repeats, correlation_id, causation_id,"
    " traceparent, alarm, code, ended_at) VALUES ($1, 'none', '', 'DONE', now(), now(), 1, '', $1, '', false,"
    " '', now())",
)
_LETTER = """
    INSERT INTO parked (event_id, consumer, state, source, subject, type, resource, customer, headers, data,
                        attempts, error, reason, parked_at, due_at)
    VALUES ($1, 'loyalty-promises', 'DEAD', 'cases', '', '', '', '', '{}', '', 3, 'Malformed', '', now(),
            now())
"""
NOTICE = Notice(
    id=uuid4(),
    customer=SOMEBODY,
    kind="ready",
    purpose="purposes/service",
    template_id="ready",
    variables={},
    promise=PROMISE,
    case=CASE,
    expire_time=NOW,
    create_time=NOW,
    update_time=NOW,
    request_event=uuid4(),
    state=State.SENT,
)
ATTEMPT = Attempt(NOTICE.id, 1, "providers/smtp", "<1@acme.example>", NOW)
ASKED = [f"goodwill/{uuid4()}" for _ in range(2)]
_RATE = {
    "base_currency": "EUR",
    "quote_currency": "USD",
    "rate": {"value": "1.08"},
    "rate_date": {"year": 2026, "month": 3, "day": 1},
    "source": "ecb",
}


def _asked(id: UUID) -> Goodwill:
    """Goodwill that somebody else has asked for."""
    return Goodwill(
        id=id,
        customer_id=uuid4(),
        membership_id=None,
        program_id="main",
        unit_id="points",
        amount=10,
        reason_code="sorry",
        promise_id=None,
        root_id=None,
        department_id=None,
        transfer_id=None,
        authority_policy="",
        policy_version=0,
        grantor="",
        create_time=NOW,
        update_time=NOW,
        state=GoodwillState.REQUESTED,
        requester="agents/bob",
    )


_PURCHASE = {
    "customer": SOMEBODY, "amount": {"currency_code": "USD", "units": 10}, "purchase_time": BEFORE,
    "quantity": 1, "reference": "orders/1",
}  # fmt: skip
_BASKET = _PURCHASE | {
    "lines": [
        {"product": "sku-1", "quantity": {"value": "2"}, "amount": {"currency_code": "USD", "units": 10}}
    ]
}
_TIER = {
    "display_name": "Silver", "threshold": {"value": "100"},
    "benefits": [{"code": "lounge", "display_name": "Lounge", "value": {"value": "2"}}],
}  # fmt: skip
_POLICY = {"event_type": "rapport.cases.v1.PromiseAtRisk", "template": "templates/plain"}
_DEPOT = [{"name": "depot", "impersonal": True}]
_TEMPLATE = {"type": "TYPE_DELAY", "purpose": "purposes/service", "default_language_code": "en"}
_TEXT = {
    "subject": "Late", "apology": "Sorry", "reasons": {"other": "Something"},
    "body": "{{ customer_name }} {{ reason }} {{ old_date }} {{ new_date }} {{ apology }} {{ contact_name }}"
    " {{ contact_reach }}",
}  # fmt: skip

REQUESTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "customer": CUSTOMERS,
    "cases": [
        ("UpdateAgent", {"agent": {
            "name": "agents/bob", "display_name": "Bob", "email": "bob@example.com",
            "department": "departments/front-desk"},
            "allow_missing": True}),
        ("CreateTeam", {"team_id": "returns", "team": {
            "display_name": "Returns", "department": "departments/front-desk", "skills": ["refunds"]}}),
        ("UpdateTeam", {
            "team": {"name": "teams/returns", "display_name": "Returned", "skills": ["tax"], "etag": "#"},
            "update_mask": "displayName,skills"}),
        ("GetTeam", {"name": "teams/returns"}),
        ("ListTeams", _PAGE | {"filter": "department = departments/front-desk"}),
        ("ExplainTeam", {"name": "teams/returns"}),
        ("UpdateAgent", {"agent": {
            "name": "agents/alice", "display_name": "Alice", "phone": "+49 30 1234567",
            "email": "alice@example.com", "department": "departments/front-desk",
            "teams": ["teams/returns"], "skills": ["refunds"], "language_codes": ["de", "en"],
            "capacity": 100}, "allow_missing": True, "update_mask": "*"}),
        ("SetPresence", {
            "name": "agents/alice/presence", "state": "STATE_AVAILABLE", "until_time": LATER}),
        ("HoldPresence", {"name": "agents/alice/presence", "max_age": "0.5s"}),
        ("GetPresence", {"name": "agents/alice/presence"}),
        ("ListPresences", _PAGE | {"filter": "department = departments/front-desk"}),
        ("UpdateAgent", {
            "agent": {"name": "agents/alice", "display_name": "Alice Berg", "inactive": False, "etag": "#"},
            "update_mask": "displayName,inactive"}),
        ("UpdateDepartment", {"allow_missing": True, "department": {
            "name": "departments/front-desk", "display_name": "Front desk",
            "escalation_path": ["agents/bob"]}}),
        ("UpdateDepartment", {"department": {
            "name": "departments/billing", "display_name": "Billing", "calendar": "calendars/always",
            "escalation_path": ["agents/alice", "agents/bob"], "escalation_business_minutes": 30,
            "call_scripts": {"bad-news": "We are sorry."}, "work_kinds": [{
                "kind": "invoice", "required_fields": [
                    {"field": "order", "display_name": "Order", "format": "FORMAT_REFERENCE"}]}]},
            "update_mask": "displayName,workKinds", "allow_missing": True}),
        ("UpdateDepartment", {
            "department": {"name": "departments/billing", "display_name": "Accounts", "etag": "#"},
            "update_mask": "displayName"}),
        ("GetDepartment", {"name": "departments/billing"}),
        ("ListDepartments", _PAGE),
        ("ExplainDepartment", {"name": "departments/billing"}),
        ("GetAgent", {"name": "agents/alice"}),
        ("ExplainAgent", {"name": "agents/alice"}),
        ("ListAgents", _PAGE),
        ("CreateTopic", {"topic_id": "delivery", "topic": {
            "display_name": "Delivery", "department": "departments/front-desk"}}),
        ("CreateTopic", {"topic_id": "late", "topic": {
            "display_name": "Late", "parent_topic": "topics/delivery", "default_owner": "agents/bob",
            "default_harm": "HARM_LOSS", "required_skills": ["tax"], "reply_days": 14}}),
        ("UpdateTopic", {"topic": {
            "name": "topics/late", "display_name": "Too late", "parent_topic": "topics/delivery",
            "default_owner": "agents/alice", "default_harm": "HARM_INCONVENIENCE",
            "required_skills": ["refunds"], "etag": "#"},
            "update_mask": "displayName,parentTopic,defaultOwner,defaultHarm,requiredSkills"}),
        ("GetTopic", {"name": "topics/late"}),
        ("ListTopics", _PAGE | {"filter": 'parent_topic = "topics/delivery"'}),
        ("ExplainTopic", {"name": "topics/late"}),
        ("CreateAuthorityPolicy", {"authority_policy_id": "dates", "authority_policy": {
            "display_name": "Dates", "department": "departments/front-desk", "disabled": False,
            "act": "AUTHORITY_ACT_EXTENSION", "limits": [{
                "permission": "cases.promises.write", "least_band": "VALUE_BAND_SILVER",
                "least_harm": "HARM_LOSS", "days": 3, "rolling_day_days": 9}]}}),
        ("UpdateAuthorityPolicy", {"update_mask": "limits", "authority_policy": {
            "name": "{CreateAuthorityPolicy}", "limits": [{"days": 2}], "etag": "#"}}),
        ("GetAuthorityPolicy", {"name": "{CreateAuthorityPolicy}"}),
        ("ListAuthorityPolicies", _PAGE),
        ("ExplainAuthorityPolicy", {"name": "{CreateAuthorityPolicy}"}),
        ("CheckAuthority", {"customer": SOMEBODY, "act": "AUTHORITY_ACT_EXTENSION"}),
        ("CreateClockPolicy", {"clock_policy_id": "default", "clock_policy": {
            "display_name": "Everything", "department": "departments/front-desk", "subject": "SUBJECT_CASE",
            "condition": "case.topic != ''", "position": 10, "disabled": False, "targets": [{
                "metric": "CLOCK_METRIC_RESOLUTION", "business_minutes": 480, "warning_minutes": 60,
                "calendar": "calendars/always"}], "pauses": ["PAUSE_WORK_BLOCKED"]}}),
        ("UpdateClockPolicy", {"clock_policy": {
            "name": "{CreateClockPolicy}", "condition": "true", "position": 5, "etag": "#"},
            "update_mask": "condition,position", "apply_to_running": True}),
        ("PreviewClockPolicy", {"name": "{CreateClockPolicy}", "clock_policy": {
            "subject": "SUBJECT_CASE", "condition": "true", "targets": [{
                "metric": "CLOCK_METRIC_RESOLUTION", "business_minutes": 240}]}}),
        ("GetClockPolicy", {"name": "{CreateClockPolicy}"}),
        ("ExplainClockPolicy", {"name": "{CreateClockPolicy}"}),
        ("ListClockPolicies", _PAGE),
        ("CreateCalendar", {"calendar_id": "office", "calendar": _CALENDAR}),
        ("GetCalendar", {"name": "{CreateCalendar}"}),
        ("ExplainCalendar", {"name": "{CreateCalendar}"}),
        ("ListCalendars", _PAGE),
        ("UpdateCalendar", {
            "calendar": {key: value for key, value in _CALENDAR.items() if key != "department"} | {
                "name": "{CreateCalendar}", "time_zone": "Europe/Paris", "etag": "#"},
            "update_mask": "displayName,timeZone,hours,holidays,exceptions"}),
        ("OpenCase", {"case": {
            "customer": SOMEBODY, "topic": "late", "display_name": "Late", "owner": "agents/alice",
            "harm": "HARM_LOSS", "kind": "KIND_CONCERN"}}),
        ("GetCase", {"name": "{OpenCase}"}),
        ("CreateEscalation", {"escalation": {
            "case": "{OpenCase}", "reason": "ESCALATION_REASON_CUSTOMER_ASKED"}}),
        ("GetEscalation", {"name": "{CreateEscalation}"}),
        ("ListEscalations", _PAGE | {"filter": "state = OPEN"}),
        ("ExplainEscalation", {"name": "{CreateEscalation}"}),
        ("TakeEscalation", {"name": "{CreateEscalation}", "etag": "#"}),
        ("BatchGetCases", {"names": ["{OpenCase}"]}),
        ("ListCases", _PAGE | {"filter": "state = OPEN"}),
        ("SearchCases", _PAGE | {"query": "late", "filter": "state = OPEN"}),
        ("UpdateCase", {"case": {
            "name": "{OpenCase}", "topic": "lost", "display_name": "Lost", "harm": "HARM_SEVERE",
            "etag": "#"}, "update_mask": "topic,displayName,harm"}),
        ("ListClocks", _PAGE | {"filter": "state = RUNNING"}),
        ("GetClock", {"name": "{ListClocks}"}),
        ("PauseClock", {"name": "{ListClocks}", "reason_code": "waiting-for-customer", "etag": "#"}),
        ("ResumeClock", {"name": "{ListClocks}", "etag": ""}),
        ("ReconcileClocks", {"page_token": "", "validate_only": True}),
        ("ExplainClock", {"name": "{ListClocks}"}),
        ("PreviewCalendar", {"name": "calendars/always", "calendar": _CALENDAR}),
        ("AssignCase", {"name": "{OpenCase}", "owner": "agents/bob", "etag": "#"}),
        ("CreateNote", {"parent": "{OpenCase}", "note": {
            "text": "Called", "visibility": "VISIBILITY_CUSTOMER"}}),
        ("GetNote", {"name": "{CreateNote}"}),
        ("ExplainNote", {"name": "{CreateNote}"}),
        ("ListNotes", _PAGE | {"parent": "{OpenCase}", "filter": "visibility = CUSTOMER"}),
        ("CreateWorkItem", {"work_item": {"case": "{OpenCase}",
            "department": "departments/front-desk", "kind": "deliver", "reference": "orders/1",
            "display_name": "Bring the piano up"}}),
        ("StartWorkItem", {"name": "{CreateWorkItem}", "etag": "#"}),
        ("MakePromise", {"promise": PROMISED | {"case": "{OpenCase}", "work_item": "{CreateWorkItem}"}}),
        ("ForecastWorkItem", {
            "name": "{CreateWorkItem}", "forecast_finish_time": LATER, "reason_code": "weather",
            "etag": "#"}),
        ("GetWorkItem", {"name": "{CreateWorkItem}"}),
        ("GetPromise", {"name": "{MakePromise}"}),
        ("RenegotiatePromise", {
            "name": "{MakePromise}", "due_time": LATER, "reason_code": "customer-away",
            "customer_requested": True, "channel": "CHANNEL_VOICE", "etag": "#"}),
        ("FinishWorkItem", {"name": "{CreateWorkItem}", "finish_time": "2026-03-02T09:00:00Z", "etag": "#"}),
        ("ExplainWorkItem", {"name": "{CreateWorkItem}"}),
        ("ListWorkItems", _PAGE | {"filter": "state = FINISHED"}),
        ("CreateWorkItem", {"work_item": {"case": "{OpenCase}", "department": "departments/front-desk",
            "kind": "invoice", "reference": "orders/1", "display_name": "Write to Mrs. Sommer",
            "predecessors": ["{ListWorkItems}"], "duration_minutes": 90, "fields": {"floor": "4"},
            "team": "teams/returns", "required_skills": ["refunds"], "language_code": "de"}}),
        ("GetQueue", {"name": "departments/front-desk/queue", "team": "teams/returns"}),
        ("WatchQueue", {
            "name": "departments/front-desk/queue", "team": "teams/returns", "max_age": "0.5s"}),
        ("ListQueuedWork", _PAGE | {"parent": "departments/front-desk/queue", "team": "teams/returns"}),
        ("RouteWorkItem", {
            "name": "{CreateWorkItem}", "team": "teams/returns", "required_skills": ["refunds"],
            "language_code": "de-AT", "etag": "#"}),
        ("TakeNextWork", {"name": "agents/alice"}),
        ("AssignWorkItem", {"name": "{CreateWorkItem}", "assignee": "agents/alice", "etag": ""}),
        ("BlockWorkItem", {"name": "{CreateWorkItem}", "reason_code": "customer", "etag": "#"}),
        ("UnblockWorkItem", {"name": "{CreateWorkItem}", "etag": "#"}),
        ("RemovePredecessor", {
            "name": "{CreateWorkItem}", "predecessor": "{ListWorkItems}", "etag": "#"}),
        ("AddPredecessor", {"name": "{CreateWorkItem}", "predecessor": "{ListWorkItems}", "etag": "#"}),
        ("HandOverWorkItem", {
            "name": "{CreateWorkItem}", "department": "departments/billing", "reason_code": "not-ours",
            "asked_customer_again": True, "fields": {"order": "orders/1"}, "required_skills": ["tax"],
            "etag": "#"}),
        ("FinishWorkItem", {"name": "{CreateWorkItem}", "finish_time": "2026-03-02T09:00:00Z", "etag": "#"}),
        ("RequestCall", {
            "customer": SOMEBODY, "case": "{OpenCase}", "promise": "{MakePromise}", "reason_code": "bad-news",
            "department": "departments/front-desk", "call_time": SOON}),
        ("RecordCallOutcome", {
            "name": "{RequestCall}", "outcome": "CALL_OUTCOME_CALL_BACK", "call_time": SOON,
            "identifier": f"{SOMEBODY}/identifiers/{uuid4()}", "etag": "#"}),
        ("RecordCallOutcome", {"name": "{RequestCall}", "outcome": "CALL_OUTCOME_REACHED", "etag": ""}),
        ("ListHandoffs", _PAGE | {"filter": "department = departments/billing"}),
        ("GetHandoff", {"name": "{ListHandoffs}"}),
        ("ReportHandoffs", {"start_time": BEFORE, "end_time": SOON, "topic": "lost"}),
        ("ResolveCase", {"name": "{OpenCase}", "resolution": "delivered", "etag": "#"}),
        ("ExplainCase", {"name": "{OpenCase}"}),
        ("ReopenCase", {"name": "{OpenCase}", "reason_code": "not-settled", "etag": "#"}),
        ("SplitCase", {
            "name": "{OpenCase}", "topic": "lost", "display_name": "And the other one",
            "owner": "agents/bob", "harm": "HARM_LOSS", "reason_code": "two-concerns"}),
        ("CreateCaseLink", {"case_link": {
            "case": "{SplitCase}", "linked_case": "{OpenCase}", "kind": "KIND_RELATED",
            "reason_code": "same-street"}}),
        ("GetCaseLink", {"name": "{CreateCaseLink}"}),
        ("ListCaseLinks", _PAGE | {"case": "{OpenCase}", "filter": "kind = RELATED"}),
        ("ExplainCaseLink", {"name": "{CreateCaseLink}"}),
        ("DeleteCaseLink", {"name": "{CreateCaseLink}"}),
        ("PreviewCaseJob", {"case_job": {"filter": "state = OPEN", "change": {"resolution": "closed"}}}),
        ("CreateCaseJob", {"case_job": {
            "department": "departments/front-desk", "filter": 'topic = "nothing"',
            "change": {"owner": "agents/bob", "topic": "late", "note_text": "Closed",
                "note_visibility": "VISIBILITY_CUSTOMER", "resolution": "closed"}}}),
        ("GetCaseJob", {"name": "{CreateCaseJob}"}),
        ("ListCaseJobs", _PAGE | {"filter": "state = RUNNING OR state = DONE"}),
        ("ListCaseJobResults", _PAGE | {"parent": "{CreateCaseJob}", "filter": 'reason = "NOT_OWNER"'}),
        ("ExplainCaseJob", {"name": "{CreateCaseJob}"}),
        ("CancelCaseJob", {"name": "{CreateCaseJob}"}),
        ("MergeCases", {
            "name": "{OpenCase}", "merged_cases": ["{SplitCase}"], "reason_code": "same", "etag": ""}),
        ("UnmergeCase", {"name": "{SplitCase}", "reason_code": "two-concerns", "etag": ""}),
        ("BatchMakePromises", {
            "requests": [{"promise": PROMISED | {"case": "{OpenCase}"}, "import_key": "orders:1"}]}),
        ("GetPromise", {"name": "{MakePromise}"}),
        ("ListPromises", _PAGE | {"filter": "state = OPEN"}),
        ("ExplainPromise", {"name": "{MakePromise}"}),
        ("MakePromise", {"promise": PROMISED | {"case": "{OpenCase}"}}),
        ("RecordDelayNotification", {"name": "{MakePromise}", "channel": "CHANNEL_VOICE", "etag": "#"}),
        ("ScorePromises", {
            "start_time": BEFORE, "end_time": LATER, "department": "departments/front-desk",
            "team": "teams/returns",
            "group_by": ["GROUP_BY_DEPARTMENT", "GROUP_BY_WEEK", "GROUP_BY_TEAM"]}),
        ("KeepPromise", {"name": "{MakePromise}", "keep_time": "2026-03-02T09:00:00Z", "etag": "#"}),
        ("MakePromise", {"promise": PROMISED}),
        ("WithdrawPromise", {"name": "{MakePromise}", "reason_code": "customer-wish", "etag": "#"}),
    ],
    "loyalty": [
        ("CreateMembership", {"parent": "programs/main", "membership": {"customer": SOMEBODY}}),
        ("GetMembership", {"name": "{CreateMembership}"}),
        ("ExplainMembership", {"name": "{CreateMembership}"}),
        ("ListMemberships", _PAGE | {"parent": "programs/main", "filter": f'customer = "{SOMEBODY}"'}),
        ("CreateMember", {"parent": "{CreateMembership}", "member": {"customer": f"customers/{uuid4()}"}}),
        ("GetMember", {"name": "{CreateMember}"}),
        ("ListMembers", _PAGE | {"parent": "{CreateMembership}"}),
        ("MakeMemberPrimary", {"name": "{CreateMember}"}),
        ("CreateMember", {"parent": "{CreateMembership}", "member": {"customer": f"customers/{uuid4()}"}}),
        ("RemoveMember", {"name": "{CreateMember}", "reason_code": "moved-out"}),
        ("CreateCard", {"parent": "{CreateMembership}", "card": {"number": "4000 0001"}}),
        ("GetCard", {"name": "{CreateCard}"}),
        ("ListCards", _PAGE | {"parent": "{CreateMembership}"}),
        ("FindMembership", {"parent": "programs/main", "card_number": "4000-0001"}),
        ("FindMembership", {"parent": "programs/main", "customer": SOMEBODY}),
        ("ReplaceCard", {"name": "{CreateCard}", "number": "4000 0002", "reason_code": "lost"}),
        ("BlockCard", {"name": "{ReplaceCard}", "reason_code": "lost"}),
        ("CreateProgram", {"program_id": "staff", "program": {"display_name": "Staff"}}),
        ("GetProgram", {"name": "{CreateProgram}"}),
        ("ListPrograms", _PAGE),
        ("UpdateProgram", {"program": {"name": "{CreateProgram}", "display_name": "Us", "etag": "#"},
            "update_mask": "displayName"}),
        ("CreateTier", {"parent": "programs/main", "tier_id": "silver", "tier": _TIER}),
        ("GetTier", {"name": "{CreateTier}"}),
        ("ListTiers", _PAGE | {"parent": "programs/main"}),
        ("UpdateTier", {"tier": _TIER | {"name": "{CreateTier}", "display_name": "Ag", "etag": "#"},
            "update_mask": "displayName,threshold,benefits"}),
        ("GetTierStanding", {"name": "{GetMembership}/tierStanding"}),
        ("ExplainTierStanding", {"name": "{GetMembership}/tierStanding"}),
        ("CheckBenefit", {"parent": "programs/main", "customer": SOMEBODY, "benefit_code": "lounge"}),
        ("CheckBenefit", {
            "parent": "programs/main", "membership": "{GetMembership}", "benefit_code": "lounge"}),
        ("CreateUnit", {"parent": "programs/main", "unit_id": "stars", "unit": {"display_name": "Stars"}}),
        ("GetUnit", {"name": "{CreateUnit}"}),
        ("ListUnits", _PAGE | {"parent": "programs/main"}),
        ("UpdateUnit", {"unit": {"name": "{CreateUnit}", "display_name": "Suns", "etag": "#"},
            "update_mask": "displayName"}),
        ("CreateAccount", {
            "parent": "programs/main",
            "account": {"membership": "{CreateMembership}", "unit": "{CreateUnit}"}}),
        ("GetAccount", {"name": "{CreateAccount}"}),
        ("ExplainAccount", {"name": "{CreateAccount}"}),
        ("BatchGetAccounts", {"parent": "programs/main", "names": ["{CreateAccount}"]}),
        ("ListAccounts", _PAGE | {
            "parent": "programs/main", "filter": 'membership = "programs/main/memberships/' f'{uuid4()}"'}),
        ("PostTransfer", {"transfer": {"reason_code": "welcome", "legs": [
            {"account": "programs/main/accounts/stars-issued", "amount": -10},
            {"account": "{CreateAccount}", "amount": 10}]}}),
        ("PostTransfer", {"transfer": {"reason_code": "welcome", "legs": [
            {"account": "programs/main/accounts/stars-issued", "amount": -5},
            {"account": "{CreateAccount}", "amount": 5, "lot_policy": {
                "activation": "ACTIVATION_ON_ACTION", "expiry": "EXPIRY_AFTER_EARNING",
                "expiry_days": 30}}]}}),
        ("ListLots", _PAGE | {"parent": "{CreateAccount}"}),
        ("GetLot", {"name": "{ListLots}"}),
        ("ActivateLot", {"name": "{ListLots}"}),
        ("CreateReservation", {
            "reservation": {"account": "{CreateAccount}", "amount": 2, "reason_code": "reward"},
            "lifetime": "60s"}),
        ("GetReservation", {"name": "{CreateReservation}"}),
        ("ListReservations", _PAGE | {"filter": 'account = "programs/main/accounts/x"'}),
        ("CommitReservation", {
            "name": "{CreateReservation}", "redeem_account": "programs/main/accounts/stars-redeemed"}),
        ("CreateReservation", {
            "reservation": {"account": "{CreateAccount}", "amount": 2, "reason_code": "reward"}}),
        ("ReleaseReservation", {"name": "{CreateReservation}"}),
        ("ListJournalEntries", _PAGE),
        ("CheckLedger", _PAGE),
        ("OpenAccount", {
            "parent": "programs/main", "unit": "{CreateUnit}", "type": "TYPE_PARTNER", "owner_code": "acme"}),
        ("ListEntries", _PAGE | {
            "parent": "{CreateAccount}", "start_time": BEFORE, "end_time": LATER, "order_by": "post_time"}),
        ("ReverseTransfer", {"name": "{PostTransfer}", "reason_code": "mistake"}),
        ("GetTransfer", {"name": "{PostTransfer}"}),
        ("ExplainTransfer", {"name": "{PostTransfer}"}),
        ("PostTransfer", {"transfer": {"reason_code": "welcome", "legs": [
            {"account": "programs/main/accounts/stars-issued", "amount": -10},
            {"account": "{CreateAccount}", "amount": 10}]}}),
        ("CreateMembership", {"parent": "programs/main", "membership": {"customer": f"customers/{uuid4()}"}}),
        ("TransferPoints", {
            "name": "{GetMembership}", "receiving_membership": "{CreateMembership}",
            "unit": "programs/main/units/stars", "amount": 1, "reason_code": "gift"}),
        ("MergeMemberships", {
            "name": "{GetMembership}", "merged_membership": "{CreateMembership}", "reason_code": "same"}),
        ("UnmergeMembership", {"name": "{CreateMembership}", "reason_code": "mistake"}),
        ("CloseMembership", {
            "name": "{CreateMembership}", "receiving_membership": "{GetMembership}", "reason_code": "wish"}),
        ("ReopenMembership", {"name": "{CreateMembership}", "reason_code": "wish"}),
        ("CreateExchangeRate", {"exchange_rate": _RATE}),
        ("BatchCreateExchangeRates", {"requests": [{"exchange_rate": _RATE | {"quote_currency": "JPY"}}]}),
        ("GetExchangeRate", {"name": "{CreateExchangeRate}"}),
        ("ListExchangeRates", _PAGE | {"filter": 'base_currency = "EUR"'}),
        ("UpdateExchangeRate", {
            "exchange_rate": {"name": "{CreateExchangeRate}", "rate": {"value": "1.09"}, "etag": "#"},
            "update_mask": "rate"}),
        ("GrantGoodwill", {"goodwill": {
            "customer": SOMEBODY, "points": {"unit": "programs/main/units/points", "amount": 10},
            "reason_code": "sorry"}}),
        ("RequestGoodwill", {"lifetime": "3600s", "goodwill": {
            "customer": SOMEBODY, "reason_code": "sorry", "explanation": "It came late.",
            "money": {"currency_code": "USD", "units": 10}}}),
        ("RequestGoodwill", {"goodwill": {
            "customer": SOMEBODY, "reason_code": "sorry", "explanation": "It came late.", "in_kind": {
                "kind": "GOODWILL_KIND_ITEM", "reference": "cup-7",
                "cost": {"currency_code": "USD", "units": 10}}}}),
        ("ApproveGoodwill", {"name": ASKED[0]}),
        ("DeclineGoodwill", {"name": ASKED[1], "reason_code": "not-our-mistake"}),
        ("ReportGoodwillCosts", {"first_month": {"year": 2026, "month": 3, "day": 1}, "month_count": 2}),
        ("ListTransfers", _PAGE | {"filter": 'account = "programs/main/accounts/points-goodwill"'}),
        ("ReverseTransfer", {"name": "{ListTransfers}", "reason_code": "mistake"}),
        ("CheckGoodwill", {"customer": SOMEBODY, "promise": f"promises/{uuid4()}"}),
        ("GetGoodwill", {"name": "{GrantGoodwill}"}),
        ("ExplainGoodwill", {"name": "{GrantGoodwill}"}),
        ("ListGoodwill", _PAGE | {"filter": f'customer = "{SOMEBODY}" AND state = GRANTED'}),
        ("RecordPurchase", {"purchase": _PURCHASE}),
        ("BatchRecordPurchases", {"requests": [{"purchase": _PURCHASE, "import_key": "orders:1"}]}),
        ("BatchRecordPurchases", {"requests": [
            {"purchase": _PURCHASE | {"quantity": 2}, "import_key": "orders:1"}]}),
        ("RecordPurchase", {"purchase": _BASKET}),
        ("ReturnPurchase", {"name": "{RecordPurchase}", "lines": [{"line": 1, "quantity": {"value": "1"}}]}),
        ("GetPurchase", {"name": "{RecordPurchase}"}),
        ("RecordPurchase", {"purchase": {**_BASKET, "customer": ""}, "receipt_code": "K7QF-2M9X-4TBD-8WRH"}),
        ("ClaimPurchase", {"customer": SOMEBODY, "receipt": {
            "reference": "4711", "store": "store-7", "purchase_date": {"year": 2026, "month": 3, "day": 1},
            "time_zone": "Europe/Berlin", "amount": {"currency_code": "USD", "units": 5}}}),
        ("ClaimPurchase", {"customer": SOMEBODY, "receipt_code": "K7QF-2M9X-4TBD-8WRH"}),
        ("ExplainPurchase", {"name": "{RecordPurchase}"}),
        ("ListPurchases", _PAGE | {"filter": f'customer = "{SOMEBODY}"'}),
        ("ListCustomerValues", _PAGE | {"filter": f'customer = "{SOMEBODY}"'}),
        ("GetCustomerValue", {"name": "{ListCustomerValues}"}),
        ("ExplainCustomerValue", {"name": "{ListCustomerValues}"}),
    ],
    "notifications": [
        ("CreateTemplate", {"template_id": "plain", "template": _TEMPLATE}),
        ("CreateTemplateText", {
            "parent": "{CreateTemplate}", "template_text_id": "en", "template_text": _TEXT}),
        ("UpdateTemplateText", {
            "template_text": _TEXT | {"name": "{CreateTemplateText}", "subject": "So late", "etag": "#"},
            "update_mask": "subject,body,apology,reasons"}),
        ("CreateTemplate", {"template_id": "late", "template": _TEMPLATE | {"variables": _DEPOT}}),
        ("CreateTemplateText", {"parent": "{CreateTemplate}", "template_text_id": "en",
            "template_text": _TEXT | {"body": f"{_TEXT['body']} {{{{ depot }}}}"}}),
        ("CreateTemplate", {"template_id": "ready", "template": _TEMPLATE | {
            "type": "TYPE_INFORMATION", "variables": _DEPOT}}),
        ("CreateTemplateText", {"parent": "{CreateTemplate}", "template_text_id": "en",
            "template_text": _TEXT | {"body": "{{ contact_name }} {{ depot }}"}}),
        ("UpdateTemplate", {"template": {
            "name": "{CreateTemplate}", "default_language_code": "en", "variables": _DEPOT, "etag": "#"},
            "update_mask": "defaultLanguageCode,variables"}),
        ("GetTemplate", {"name": "templates/late"}),
        ("ListTemplates", _PAGE),
        ("GetTemplateText", {"name": "templates/plain/texts/en"}),
        ("GetTemplateText", {"name": "templates/plain/texts/en/versions/1"}),
        ("ListTemplateTexts", _PAGE | {"parent": "templates/late"}),
        ("RenderTemplate", {"name": "templates/late", "language_code": "en-GB", "variables": {
            "customer_name": "Anna", "reason": "other", "old_date": SOON, "new_date": LATER,
            "contact_name": "Sam", "contact_reach": "sam@example.com", "depot": "Hamburg"}}),
        ("CreateNoticePolicy", {"notice_policy_id": "gone", "notice_policy": _POLICY}),
        ("DeleteNoticePolicy", {"name": "{CreateNoticePolicy}", "etag": ""}),
        ("CreateNoticePolicy", {"notice_policy_id": "late", "notice_policy": _POLICY}),
        ("UpdateNoticePolicy", {
            "notice_policy": _POLICY | {"name": "{CreateNoticePolicy}", "disabled": True, "etag": "#"},
            "update_mask": "eventType,template,disabled"}),
        ("GetNoticePolicy", {"name": "{CreateNoticePolicy}"}),
        ("ListNoticePolicies", _PAGE),
        ("SendNotice", {"notice": {
            "customer": SOMEBODY, "kind": "ready", "template": "templates/ready", "promise": PROMISE,
            "case": CASE, "expire_time": LATER, "variables": {"depot": "Hamburg"}}, "hold": "600s"}),
        ("GetNotice", {"name": "{SendNotice}"}),
        ("GetDeliveryAttempt", {"name": ATTEMPT.name}),
        ("ListDeliveryAttempts", _PAGE | {"parent": NOTICE.name}),
        ("ListNotices", _PAGE | {"filter": "state = REQUESTED"}),
        ("ExplainNotice", {"name": "{SendNotice}"}),
        ("CancelNotice", {"name": "{SendNotice}"}),
    ],
    "operations": [
        ("GetBacklog", {"name": "services/loyalty/backlog"}),
        ("GetConsumer", {"name": "services/loyalty/consumers/loyalty-promises"}),
        ("ListConsumers", _PAGE | {"parent": "services/loyalty"}),
        ("ListDeadLetters", _PAGE | {"parent": "services/loyalty/consumers/loyalty-promises"}),
        ("GetDeadLetter", {"name": LETTERS[0]}),
        ("ReplayDeadLetter", {"name": LETTERS[0]}),
        ("DeleteDeadLetter", {"name": LETTERS[1], "reason_code": "repaired-by-hand"}),
        ("GetTimer", {"name": f"services/loyalty/timers/{TIMER}"}),
        ("ListTimers", _PAGE | {"parent": "services/loyalty"}),
        ("GetWork", {"name": f"services/loyalty/work/{TIMER}"}),
        ("ListWork", _PAGE | {"parent": "services/loyalty"}),
        ("RepublishFacts", _PAGE | {"parent": "services/loyalty", "start_time": BEFORE, "end_time": SOON}),
    ],
}  # fmt: skip


async def prepare(name: str, db: Database) -> None:
    """Make what requests of a contract need and no request of it brings about."""
    if name == "operations":
        async with db.connection() as connection:
            await connection.executemany(_LETTER, [[UUID(letter.rpartition("/")[2])] for letter in LETTERS])
            for made in _WAITING:
                await connection.execute(made, TIMER)
    if name == "customer":
        twins = [new_customer(*CUSTOMER.ids(each), {}, "agents/front-desk", NOW) for each in TWINS]
        alike = [new_customer(each, ALIKE, "agents/front-desk", NOW) for each in PAIRS[0]]
        await INSERT_CUSTOMERS.rows(db, [*twins, *alike])
        for candidate, pair in zip(CANDIDATES, PAIRS, strict=True):
            made = new_candidate(UUID(candidate.partition("/")[2]), pair, UUID(int=1), NOW)
            await SAVE_CANDIDATES.rows(db, [made])
    if name == "loyalty":
        for asked in ASKED:
            await INSERT_GOODWILL.run(db, **values(_asked(*GOODWILL.ids(asked))))
    if name == "notifications":
        await INSERT_NOTICE.run(db, **values(NOTICE))
        await INSERT_ATTEMPT.run(db, **values(ATTEMPT))


def resolved(value: Any, known: dict[str, str]) -> Any:
    """`value` with the names that are known by now."""
    if isinstance(value, dict):
        found = {key: resolved(part, known) for key, part in value.items()}
        return found | {"etag": known[f"#{found['name']}"]} if found.get("etag") == "#" else found
    if isinstance(value, list):
        return [resolved(part, known) for part in value]
    if isinstance(value, str) and value.startswith("{") and not value.startswith("{{"):
        name, _, rest = value[1:].partition("}")
        return known[name] + rest
    return value


def request_of(kind: type[Message], fields: dict[str, Any], known: dict[str, str]) -> Message:
    """A valid request, with a request id of its own where there is one."""
    request = ParseDict(resolved(fields, known), kind())
    return renewed(request)


def renewed(request: Message) -> Message:
    """The request as another one: with another request id."""
    if "request_id" in request.DESCRIPTOR.fields_by_name:
        request.request_id = str(uuid4())  # type: ignore[attr-defined]
    return request


def learn(short: str, answer: Message, known: dict[str, str]) -> None:
    """Remember what the answer is called, or the first of a list, and its etag."""
    listed = [item for field, items in answer.ListFields() if field.is_repeated for item in items]
    if listed and not hasattr(answer, "name"):
        answer = listed[0]
    name = getattr(answer, "name", "")
    if name:
        known[short] = name
        known[f"#{name}"] = getattr(answer, "etag", "")
    elif customer := getattr(answer, "customer", ""):  # of one that was found
        known[short] = customer
