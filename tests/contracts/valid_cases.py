"""A valid request of every RPC of the cases service: see `valid`."""

from typing import Any
from uuid import uuid4

from tests.contracts.names import (
    BEFORE,
    LATER,
    PAGE,
    PROMISED,
    SOMEBODY,
    SOON,
)

_WINDOW = {"opens": "09:00", "closes": "17:00"}
_CALENDAR = {
    "display_name": "Office", "department": "departments/front-desk", "time_zone": "Europe/Berlin",
    "hours": [{"days": ["MONDAY", "TUESDAY"], "windows": [_WINDOW]}],
    "holidays": [{"region_code": "DE", "subdivision": "BY", "categories": ["public", "catholic"]}],
    "exceptions": [{
        "date": {"year": 2026, "month": 12, "day": 24}, "display_name": "Eve", "windows": [_WINDOW]}],
}  # fmt: skip

REQUESTS: list[tuple[str, dict[str, Any]]] = [
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
    ("ListTeams", PAGE | {"filter": "department = departments/front-desk"}),
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
    ("ListPresences", PAGE | {"filter": "department = departments/front-desk"}),
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
    ("ListDepartments", PAGE),
    ("ExplainDepartment", {"name": "departments/billing"}),
    ("GetAgent", {"name": "agents/alice"}),
    ("ExplainAgent", {"name": "agents/alice"}),
    ("ListAgents", PAGE),
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
    ("ListTopics", PAGE | {"filter": 'parent_topic = "topics/delivery"'}),
    ("ExplainTopic", {"name": "topics/late"}),
    ("CreateAuthorityPolicy", {"authority_policy_id": "dates", "authority_policy": {
        "display_name": "Dates", "department": "departments/front-desk", "disabled": False,
        "act": "AUTHORITY_ACT_EXTENSION", "limits": [{
            "permission": "cases.promises.write", "least_band": "VALUE_BAND_SILVER",
            "least_harm": "HARM_LOSS", "days": 3, "rolling_day_days": 9}]}}),
    ("UpdateAuthorityPolicy", {"update_mask": "limits", "authority_policy": {
        "name": "{CreateAuthorityPolicy}", "limits": [{"days": 2}], "etag": "#"}}),
    ("GetAuthorityPolicy", {"name": "{CreateAuthorityPolicy}"}),
    ("ListAuthorityPolicies", PAGE),
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
    ("ListClockPolicies", PAGE),
    ("CreateCalendar", {"calendar_id": "office", "calendar": _CALENDAR}),
    ("GetCalendar", {"name": "{CreateCalendar}"}),
    ("ExplainCalendar", {"name": "{CreateCalendar}"}),
    ("ListCalendars", PAGE),
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
    ("ListEscalations", PAGE | {"filter": "state = OPEN"}),
    ("ExplainEscalation", {"name": "{CreateEscalation}"}),
    ("TakeEscalation", {"name": "{CreateEscalation}", "etag": "#"}),
    ("BatchGetCases", {"names": ["{OpenCase}"]}),
    ("ListCases", PAGE | {"filter": "state = OPEN"}),
    ("SearchCases", PAGE | {"query": "late", "filter": "state = OPEN"}),
    ("UpdateCase", {"case": {
        "name": "{OpenCase}", "topic": "lost", "display_name": "Lost", "harm": "HARM_SEVERE",
        "etag": "#"}, "update_mask": "topic,displayName,harm"}),
    ("ListClocks", PAGE | {"filter": "state = RUNNING"}),
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
    ("ListNotes", PAGE | {"parent": "{OpenCase}", "filter": "visibility = CUSTOMER"}),
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
    ("ListWorkItems", PAGE | {"filter": "state = FINISHED"}),
    ("CreateWorkItem", {"work_item": {"case": "{OpenCase}", "department": "departments/front-desk",
        "kind": "invoice", "reference": "orders/1", "display_name": "Write to Mrs. Sommer",
        "predecessors": ["{ListWorkItems}"], "duration_minutes": 90, "fields": {"floor": "4"},
        "team": "teams/returns", "required_skills": ["refunds"], "language_code": "de"}}),
    ("GetQueue", {"name": "departments/front-desk/queue", "team": "teams/returns"}),
    ("WatchQueue", {
        "name": "departments/front-desk/queue", "team": "teams/returns", "max_age": "0.5s"}),
    ("ListQueuedWork", PAGE | {"parent": "departments/front-desk/queue", "team": "teams/returns"}),
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
    ("CheckCallFirst", {"name": "{MakePromise}"}),
    ("ListHandoffs", PAGE | {"filter": "department = departments/billing"}),
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
    ("ListCaseLinks", PAGE | {"case": "{OpenCase}", "filter": "kind = RELATED"}),
    ("ExplainCaseLink", {"name": "{CreateCaseLink}"}),
    ("DeleteCaseLink", {"name": "{CreateCaseLink}"}),
    ("PreviewCaseJob", {"case_job": {"filter": "state = OPEN", "change": {"resolution": "closed"}}}),
    ("CreateCaseJob", {"case_job": {
        "department": "departments/front-desk", "filter": 'topic = "nothing"',
        "change": {"owner": "agents/bob", "topic": "late", "note_text": "Closed",
            "note_visibility": "VISIBILITY_CUSTOMER", "resolution": "closed"}}}),
    ("GetCaseJob", {"name": "{CreateCaseJob}"}),
    ("ListCaseJobs", PAGE | {"filter": "state = RUNNING OR state = DONE"}),
    ("ListCaseJobResults", PAGE | {"parent": "{CreateCaseJob}", "filter": 'reason = "NOT_OWNER"'}),
    ("ExplainCaseJob", {"name": "{CreateCaseJob}"}),
    ("CancelCaseJob", {"name": "{CreateCaseJob}"}),
    ("MergeCases", {
        "name": "{OpenCase}", "merged_cases": ["{SplitCase}"], "reason_code": "same", "etag": ""}),
    ("UnmergeCase", {"name": "{SplitCase}", "reason_code": "two-concerns", "etag": ""}),
    ("BatchMakePromises", {
        "requests": [{"promise": PROMISED | {"case": "{OpenCase}"}, "import_key": "orders:1"}]}),
    ("GetPromise", {"name": "{MakePromise}"}),
    ("ListPromises", PAGE | {"filter": "state = OPEN"}),
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
]  # fmt: skip
