"""A valid request of every RPC, in an order in which each finds what it needs: all are answered OK.

Names in braces stand for what the answer to the RPC of that name is called, the etag `#` for that of the
latest answer with the same name.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from chassis.db.database import Database
from chassis.db.statement import values
from customer.domain.customers import new_customer
from customer.domain.imports import ImportJob, ImportState
from customer.domain.matches import new_candidate
from customer.names import CUSTOMER, IMPORT_JOB
from customer.store.imports import INSERT_JOB
from customer.store.matches import SAVE_CANDIDATES
from customer.store.tables import INSERT_CUSTOMERS
from deploy.services import TELLING as SERVICES
from loyalty.domain.goodwill import Goodwill
from loyalty.domain.goodwill import State as GoodwillState
from loyalty.names import GOODWILL
from loyalty.store.goodwill import INSERT_GOODWILL
from notifications.domain.attempt import Attempt
from notifications.domain.inbox_message import InboxMessage
from notifications.domain.notice import Notice, State
from notifications.domain.template import Text, TextState
from notifications.store.inbox import PUT
from notifications.store.tables import INSERT_ATTEMPT, INSERT_NOTICE, INSERT_TEXT
from tests.contracts.names import (
    BEFORE,
    CANDIDATES,
    CASE,
    IMPORTED,
    LATER,
    SOMEBODY,
    SOON,
    TWINS,
)
from tests.contracts.names import (
    PAGE as _PAGE,
)
from tests.contracts.valid_cases import REQUESTS as CASES
from tests.contracts.valid_customer import REQUESTS as CUSTOMERS

CONTRACTS = {name: name for name in SERVICES} | {"operations": "loyalty"}  # and a service that answers them
PAIRS = [  # two who are here, and two who are no more
    tuple(UUID(f"019cade0-0000-7000-8000-00000000002{n}") for n in range(2)),
    (UUID(SOMEBODY.partition("/")[2]), UUID("019cade0-0000-7000-8000-000000000008")),
]
ALIKE = {"kind": "PERSON", "given_name": "Ada", "family_name": "Berg", "birth_date": "1984-04-12"}
PROMISE = "promises/019cade0-0000-7000-8000-000000000002"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
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
INBOX_MESSAGE = InboxMessage(
    id=uuid4(),
    customer_id=CUSTOMER.ids(SOMEBODY)[0],
    notice=NOTICE.name,
    key=f"{NOTICE.id}.0",
    subject="News",
    body="Hello",
    html="",
    language_code="en",
    create_time=NOW,
    expire_time=NOW + timedelta(days=90),
)
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
_EARNING = {
    "display_name": "A point a dollar",
    "department": "departments/front-desk",
    "basis": "BASIS_LINE",
    "unit": "programs/main/units/points",
    "condition": "line.product != ''",
    "currency_code": "EUR",
    "points_per_currency_unit": {"value": "1"},
}
_ANEW = {"department": "departments/front-desk", "start_time": BEFORE, "end_time": LATER}
_BASKET = _PURCHASE | {
    "lines": [
        {"product": "sku-1", "quantity": {"value": "2"}, "amount": {"currency_code": "USD", "units": 10}}
    ]
}
_TIER = {
    "display_name": "Silver", "threshold": {"value": "100"},
    "benefits": [{"code": "lounge", "display_name": "Lounge", "value": {"value": "2"}}],
}  # fmt: skip
_NOTICE_JOB = {
    "filter": 'region_code = "DE"', "kind": "ready", "template": "templates/ready",
    "variables": {"depot": "Hamburg"},
}  # fmt: skip
_DELIVERY = {"channels": ["CHANNEL_SMS", "CHANNEL_EMAIL"], "fallback_after": "3600s"}
_POLICY = {"event_type": "rapport.cases.v1.PromiseAtRisk", "template": "templates/plain"}
_DEPOT = [{"name": "depot", "impersonal": True}]
_POLICY_ON_ANY = {
    "event_type": "rapport.loyalty.v1.TierUpgraded",
    "template": "templates/ready",
    "condition": "event.tier == 'gold'",
    "variables": {"depot": "event.tier"},
    "customer_field": "customer",
    "subject_field": "membership",
    "expire_after": "3600s",
    "cancel_event_types": ["rapport.loyalty.v1.TierDowngraded"],
    "schedule": {"day": {"date_field": "review_time", "offset_days": -14, "hour": 10, "yearly": True}},
    "delivery": _DELIVERY,
}
_TEMPLATE = {"type": "TYPE_DELAY", "purpose": "purposes/service", "default_language_code": "en"}
_TEXT: dict[str, Any] = {
    "subject": "Late", "apology": "Sorry", "next_step": "We call you", "reasons": {"other": "Something"},
    "body": "{{ customer_name }} {{ reason }} {{ old_date }} {{ new_date }} {{ apology }} {{ contact_name }}"
    " {{ contact_reach }}",
}  # fmt: skip

DRAFTS = [  # of somebody else
    Text("delay", each, each, 1, **_TEXT, create_time=NOW, state=TextState.DRAFT, author="agent:ada")
    for each in ("fr", "it")
]

REQUESTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "customer": CUSTOMERS,
    "cases": CASES,
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
        ("CreateUnit", {"parent": "programs/main", "unit_id": "stars", "unit": {
            "display_name": "Stars",
            "value": {"money": {"currency_code": "EUR", "units": 1}, "unit_count": 100}}}),
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
        ("CreateReward", {"reward_id": "cup", "reward": {
            "display_name": "Cup", "unit": "programs/main/units/points", "points": 1, "stocked": True,
            "cash": {"currency_code": "USD", "units": 2}, "condition": "balance >= 0", "member_limit": 100,
            "limit_days": 1, "start_time": BEFORE, "return_policy": "RETURN_POLICY_FULFILLED",
            "return_days": 14, "reference": "orders/1"}}),
        ("GetReward", {"name": "{CreateReward}"}),
        ("GetReward", {"name": "rewards/cup/versions/1"}),
        ("ListRewards", _PAGE),
        ("UpdateReward", {"reward": {"name": "{CreateReward}", "display_name": "Blue cup", "etag": "#"},
            "update_mask": "displayName"}),
        ("ExplainReward", {"name": "{CreateReward}"}),
        ("RestockReward", {"name": "{CreateReward}", "added_count": 5}),
        ("GrantGoodwill", {"goodwill": {
            "customer": SOMEBODY, "points": {"amount": 10}, "reason_code": "sorry"}}),
        ("RedeemReward", {"reward": "{CreateReward}", "customer": SOMEBODY, "lifetime": "3600s"}),
        ("CheckRewards", {"customer": SOMEBODY}),
        ("GetRedemption", {"name": "{RedeemReward}"}),
        ("ListRedemptions", _PAGE | {"filter": 'reward = "rewards/cup" AND state = RESERVED'}),
        ("ExplainRedemption", {"name": "{RedeemReward}"}),
        ("FulfillRedemption", {"name": "{RedeemReward}"}),
        ("ReturnRedemption", {"name": "{RedeemReward}", "reason_code": "damaged"}),
        ("RedeemReward", {"reward": "{CreateReward}", "customer": SOMEBODY}),
        ("CancelRedemption", {"name": "{RedeemReward}", "reason_code": "changed-mind"}),
        ("CreateReward", {"reward_id": "ten-off", "reward": {
            "display_name": "Ten off", "unit": "programs/main/units/points", "points": 1,
            "voucher": {"money": {"currency_code": "USD", "units": 10}, "max_uses": 9, "valid_days": 30}}}),
        ("RedeemReward", {"reward": "{CreateReward}", "customer": SOMEBODY}),
        ("IssueVoucher", {"redemption": "{RedeemReward}"}),
        ("GetVoucher", {"name": "{IssueVoucher}"}),
        ("ListVouchers", _PAGE | {"filter": 'campaign = "spring" AND state = ACTIVE'}),
        ("ExplainVoucher", {"name": "{IssueVoucher}"}),
        ("ValidateVoucher", {"code": "{IssueVoucherCode}", "customer": SOMEBODY}),
        ("UseVoucher", {"code": "{IssueVoucherCode}", "customer": SOMEBODY, "reference": "orders/7"}),
        ("ListVoucherUses", _PAGE | {"parent": "{IssueVoucher}"}),
        ("GetVoucherUse", {"name": "{UseVoucher}"}),
        ("ReverseVoucherUse", {"name": "{UseVoucher}", "reason_code": "purchase-returned"}),
        ("ReplaceVoucherCode", {"name": "{IssueVoucher}"}),
        ("CancelVoucher", {"name": "{IssueVoucher}", "reason_code": "mistake"}),
        ("BatchIssueVouchers", {"count": 2, "voucher": {
            "program": "programs/main", "money": {"currency_code": "USD", "units": 50}, "in_parts": True,
            "campaign": "spring", "start_date": {"year": 2026, "month": 3, "day": 1},
            "end_date": {"year": 2199, "month": 3, "day": 1}}}),
        ("ListJournalEntries", _PAGE | {"start_time": BEFORE, "end_time": LATER}),
        ("CheckLedger", _PAGE),
        ("ReportLiability", {"name": "programs/main/units/points", "month_count": 3}),
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
        ("CreateEarningRule", {"earning_rule_id": "base", "earning_rule": _EARNING}),
        ("UpdateEarningRule", {"earning_rule": {
            "name": "{CreateEarningRule}", "position": 5, "end_date": {"year": 2199, "month": 1, "day": 31},
            "caps": [{"points": 500, "holder": "HOLDER_MEMBER", "period": "PERIOD_DAY"}], "etag": "#"},
            "update_mask": "position,caps,endDate"}),
        ("ActivateEarningRule", {"name": "{CreateEarningRule}", "etag": "#"}),
        ("GetEarningRule", {"name": "{CreateEarningRule}"}),
        ("ExplainEarningRule", {"name": "{CreateEarningRule}"}),
        ("ListEarningRules", _PAGE),
        ("RecordPurchase", {"purchase": _BASKET}),
        ("PreviewEarningRule", {
            "name": "{CreateEarningRule}", "earning_rule": _EARNING,
            "start_time": BEFORE, "end_time": LATER}),
        ("EvaluatePurchase", {"purchase": _BASKET, "earning_rule": _EARNING}),
        ("ListEarnings", _PAGE | {"filter": f'customer = "{SOMEBODY}"'}),
        ("GetEarning", {"name": "{ListEarnings}"}),
        ("PreviewReevaluationJob", {"reevaluation_job": _ANEW | {
            "program": "programs/main", "store": "store-7", "customer": SOMEBODY}}),
        ("CreateReevaluationJob", {
            "reevaluation_job": _ANEW | {"earning_rule": "earningRules/base/versions/3"},
            "rules_digest": sha256(b"main\nbase\nbase/3").hexdigest()}),
        ("GetReevaluationJob", {"name": "{CreateReevaluationJob}"}),
        ("ListReevaluationJobs", _PAGE | {"filter": "state = RUNNING OR state = DONE"}),
        ("ListReevaluationResults", _PAGE | {"parent": "{CreateReevaluationJob}"}),
        ("ExplainReevaluationJob", {"name": "{CreateReevaluationJob}"}),
        ("CancelReevaluationJob", {"name": "{CreateReevaluationJob}"}),
        ("EndEarningRule", {"name": "{CreateEarningRule}", "effective_time": SOON, "etag": "#"}),
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
        ("CreateTemplate", {"template_id": "plain", "template": _TEMPLATE | {"urgent": True}}),
        ("CreateTemplateText", {
            "parent": "{CreateTemplate}", "template_text_id": "en", "template_text": _TEXT}),
        ("UpdateTemplateText", {
            "template_text": _TEXT | {"name": "{CreateTemplateText}", "subject": "So late", "etag": "#"},
            "update_mask": "subject,body,mjml,apology,nextStep,reasons"}),
        ("CreateTemplate", {"template_id": "late", "template": _TEMPLATE | {"variables": _DEPOT}}),
        ("CreateTemplateText", {"parent": "{CreateTemplate}", "template_text_id": "en",
            "template_text": _TEXT | {"body": f"{_TEXT['body']} {{{{ depot }}}}"}}),
        ("CreateTemplate", {"template_id": "ready", "template": _TEMPLATE | {
            "type": "TYPE_INFORMATION", "variables": _DEPOT}}),
        ("CreateTemplateText", {"parent": "{CreateTemplate}", "template_text_id": "en",
            "template_text": _TEXT | {"body": "{{ contact_name }} {{ depot }}"}}),
        ("UpdateTemplate", {"template": {
            "name": "{CreateTemplate}", "default_language_code": "en", "variables": _DEPOT, "etag": "#"},
            "update_mask": "defaultLanguageCode,variables,reviewRequired"}),
        ("ApproveTemplateText", {"name": DRAFTS[0].name, "etag": '"1"'}),
        ("RejectTemplateText", {"name": DRAFTS[1].name, "etag": '"1"', "note": "Too long"}),
        ("GetTemplate", {"name": "templates/late"}),
        ("ListTemplates", _PAGE),
        ("GetTemplateText", {"name": "templates/plain/texts/en"}),
        ("GetTemplateText", {"name": "templates/plain/texts/en/versions/1"}),
        ("ListTemplateTexts", _PAGE | {"parent": "templates/late"}),
        ("RenderTemplate", {"name": "templates/late", "language_code": "en-GB", "variables": {
            "customer_name": "Anna", "reason": "other", "old_date": SOON, "new_date": LATER,
            "contact_name": "Sam", "contact_reach": "sam@example.com", "depot": "Hamburg"}}),
        ("RenderTemplate", {"name": "templates/late", "time_zone": "Europe/Berlin", "sample": True}),
        ("RenderTemplate", {"name": "templates/plain", "language_code": "en", "text_version": 1,
            "variables": {
            "customer_name": "Anna", "reason": "other", "old_date": SOON, "new_date": LATER,
            "contact_name": "Sam", "contact_reach": "sam@example.com"}}),
        ("CreateNoticePolicy", {"notice_policy_id": "gone", "notice_policy": _POLICY_ON_ANY}),
        ("DeleteNoticePolicy", {"name": "{CreateNoticePolicy}", "etag": ""}),
        ("CreateNoticePolicy", {"notice_policy_id": "late", "notice_policy": _POLICY}),
        ("UpdateNoticePolicy", {
            "notice_policy": _POLICY | {"name": "{CreateNoticePolicy}", "disabled": True, "etag": "#"},
            "update_mask": "eventType,template,disabled,condition,variables,customerField,subjectField,"
            "expireAfter,cancelEventTypes,schedule,delivery,callFirst"}),
        ("PreviewNoticePolicy", {
            "notice_policy": _POLICY_ON_ANY, "start_time": BEFORE, "end_time": LATER}),
        ("GetNoticePolicy", {"name": "{CreateNoticePolicy}"}),
        ("GetNoticePolicy", {"name": "{CreateNoticePolicy}/versions/1"}),
        ("ListNoticePolicies", _PAGE),
        ("ListTriggerEvents", _PAGE),
        ("SendNotice", {"notice": {
            "customer": SOMEBODY, "kind": "ready", "template": "templates/ready", "promise": PROMISE,
            "case": CASE, "expire_time": LATER, "variables": {"depot": "Hamburg"},
            "delivery": _DELIVERY}, "hold": "600s"}),
        ("GetNotice", {"name": "{SendNotice}"}),
        ("GetDeliveryAttempt", {"name": ATTEMPT.name}),
        ("ListDeliveryAttempts", _PAGE | {"parent": NOTICE.name}),
        ("RecordReceipt", {
            "provider_key": ATTEMPT.provider_key, "delivery": "DELIVERY_DELIVERED", "complaint": True,
            "provider_code": "2.0.0", "recipient": "anna@example.com", "occur_time": BEFORE,
            "provider": ATTEMPT.provider}),
        ("ListNotices", _PAGE | {"filter": "state = REQUESTED"}),
        ("GetInboxMessage", {"name": INBOX_MESSAGE.name}),
        ("ListInboxMessages", _PAGE | {"parent": SOMEBODY, "filter": "NOT read_time:*"}),
        ("WatchInbox", {"parent": SOMEBODY, "max_age": "1s"}),
        ("MarkInboxMessagesRead", {"parent": SOMEBODY, "names": [INBOX_MESSAGE.name]}),
        ("GetProvider", {"name": "providers/smtp"}),
        ("ListProviders", _PAGE),
        ("TryProvider", {"name": "providers/smtp"}),
        ("ReportNotices", {
            "start_time": BEFORE, "end_time": LATER, "group_by": "GROUP_BY_NOTICE_POLICY",
            "department": "departments/billing"}),
        ("ExplainNotice", {"name": "{SendNotice}"}),
        ("PreviewNoticeJob", {"notice_job": _NOTICE_JOB}),
        ("CreateNoticeJob", {"notice_job": _NOTICE_JOB | {
            "department": "departments/front-desk", "schedule_time": SOON, "expire_time": LATER,
            "delivery": _DELIVERY, "rate_per_minute": 6}}),
        ("GetNoticeJob", {"name": "{CreateNoticeJob}"}),
        ("ReportNoticeJob", {"name": "{CreateNoticeJob}"}),
        ("ListNoticeJobs", _PAGE | {"filter": "state = RUNNING OR state = DONE"}),
        ("ListNoticeJobResults", _PAGE | {
            "parent": "{CreateNoticeJob}", "filter": 'reason = "TOO_MANY_NOTICES"'}),
        ("ExplainNoticeJob", {"name": "{CreateNoticeJob}"}),
        ("PauseNoticeJob", {"name": "{CreateNoticeJob}"}),
        ("ResumeNoticeJob", {"name": "{CreateNoticeJob}"}),
        ("CancelNoticeJob", {"name": "{CreateNoticeJob}"}),
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


_COUNTS = (
    *("row_count", "last_line", "refused_count"),
    *("created_count", "matched_count", "renamed_count"),
)


async def prepare(name: str, db: Database) -> None:
    """Make what requests of a contract need and no request of it brings about."""
    if name == "operations":
        async with db.connection() as connection:
            await connection.executemany(_LETTER, [[UUID(letter.rpartition("/")[2])] for letter in LETTERS])
            for made in _WAITING:
                await connection.execute(made, TIMER)
    if name == "customer":
        born = {"birth_date": "1984-03-02"}  # today, by the clock of tests
        twins = [new_customer(*CUSTOMER.ids(each), born, "agents/front-desk", NOW) for each in TWINS]
        alike = [new_customer(each, ALIKE, "agents/front-desk", NOW) for each in PAIRS[0]]
        await INSERT_CUSTOMERS.rows(db, [*twins, *alike])
        imported = ImportJob(
            *IMPORT_JOB.ids(IMPORTED),
            source="done",
            state=ImportState.DONE,
            **dict.fromkeys(_COUNTS, 0),
            department_id="front-desk",
            create_time=NOW,
            update_time=NOW,
            end_time=NOW,
            revert_expire_time=NOW + timedelta(days=36500),
        )
        await INSERT_JOB.run(db, **values(imported))
        for candidate, pair in zip(CANDIDATES, PAIRS, strict=True):
            made = new_candidate(UUID(candidate.partition("/")[2]), pair, UUID(int=1), NOW)
            await SAVE_CANDIDATES.rows(db, [made])
    if name == "loyalty":
        for asked in ASKED:
            await INSERT_GOODWILL.run(db, **values(_asked(*GOODWILL.ids(asked))))
    if name == "notifications":
        await INSERT_NOTICE.run(db, **values(NOTICE))
        await INSERT_ATTEMPT.run(db, **values(ATTEMPT))
        await PUT.maybe(db, **values(INBOX_MESSAGE))
        for draft in DRAFTS:
            await INSERT_TEXT.run(db, **values(draft))


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
    if listed and isinstance(listed[0], Message) and not hasattr(answer, "name"):  # and not only names
        answer = listed[0]
    if code := getattr(answer, "code", "") or getattr(answer, "token", ""):
        known[f"{short}Code"] = code
    if token := getattr(answer, "token", ""):
        known[f"{short}Token"] = token
    if stop := getattr(answer, "contact_stop", None):
        known[f"{short}Time"] = stop.effective_time.ToJsonString()
    inside = [value for field, value in answer.ListFields() if not field.is_repeated]
    if not hasattr(answer, "name"):  # with what is said of it beside
        answer = next((value for value in inside if hasattr(value, "name")), answer)
    name = getattr(answer, "name", "")
    if name:
        known[short] = name
        known[f"#{name}"] = getattr(answer, "etag", "")
    elif customer := getattr(answer, "customer", ""):  # of one that was found
        known[short] = customer
