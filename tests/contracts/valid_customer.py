"""A valid request of every RPC of the customer service: see `valid`."""

from base64 import b64encode
from typing import Any

from customer.domain.advice import AdviceRule
from customer.usecases.advice.seen import advice_id
from tests.contracts.names import (
    BEFORE,
    CANDIDATES,
    CASE,
    IMPORTED,
    LATER,
    PAGE,
    SOMEBODY,
    SOON,
    TWINS,
    section_contract,
)

CANDIDATE = CANDIDATES[0]
_BIRTHDAY = advice_id(AdviceRule.BIRTHDAY, occasion="2026")
ADVICE = f"{TWINS[0]}/adviceAnswers/{_BIRTHDAY}"
LETTER = b64encode(b"%PDF-1.7").decode()
SECTION = b64encode(section_contract()).decode()
_PROFILE = {
    "display_name": "Anna",
    "person": {
        "given_name": "Anna", "additional_name": "Maria", "family_name": "Berg", "honorific_prefix": "Dr.",
        "honorific_suffix": "MBA", "birth_date": {"year": 1984, "month": 4, "day": 12},
        "organization_name": "Berg AG"},
    "addresses": [{"type": "TYPE_HOME", "primary": True, "postal_address": {
        "region_code": "DE", "postal_code": "10115", "locality": "Berlin", "address_lines": ["Weg 1"]}}],
    "language_code": "de", "time_zone": "Europe/Berlin", "region_code": "DE",
}  # fmt: skip

_READING = {
    "mapping": {"amount": "Betrag"}, "columns": {"amount": "Betrag", "date": "Tag"},
    "ignored_columns": ["Note"], "constants": {"store": "web"}, "system": "till", "currency_code": "CHF",
    "time_zone": "Europe/Zurich", "decimal_mark": "DECIMAL_MARK_COMMA",
    "date_order": "DATE_ORDER_DAY_FIRST", "date_format": "DD.MM.YYYY",
    "region_code": "CH", "first_date": {"year": 2017, "month": 1, "day": 1}, "encoding": "cp1252",
    "header_line": 3, "sheet": "2026", "promising_department": "departments/delivery", "mode": "MODE_CREATE",
}  # fmt: skip


def _email(value: str) -> dict[str, str]:
    return {"type": "TYPE_EMAIL", "value": f"{value}@example.com"}


def _contact(customer: str, *attachments: str) -> dict[str, Any]:
    return {"parent": customer, "timeline_entry": {
        "channel": "CHANNEL_VOICE", "direction": "DIRECTION_INBOUND", "topic": "late",
        "summary": "Asked", "occur_time": BEFORE, "resource": CASE, "reference": "orders/1",
        "attachments": [*attachments],
    }}  # fmt: skip


def _observed(customer: str, value: str) -> dict[str, Any]:
    said = {"attribute": "{PutAttribute}", "value": {"text": value}}
    observation = {"source": "crm", "observe_time": BEFORE, "confidence": 0.9, "values": [said]}
    return {"parent": customer, "observation": observation}


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("CreateCustomer", {"customer": _PROFILE | {"identifiers": [_email("anna")]}}),
    ("GetCustomer", {"name": "{CreateCustomer}"}),
    ("BatchGetCustomers", {"names": ["{CreateCustomer}"]}),
    ("UpdateCustomer", {
        "customer": _PROFILE | {"name": "{CreateCustomer}", "region_code": "AT", "etag": "#"},
        "update_mask": "displayName,person,addresses,languageCode,timeZone,regionCode"}),
    ("ListCustomers", PAGE | {"filter": "region_code = AT"}),
    ("SearchCustomers", PAGE | {"query": "anna berg"}),
    ("ResolveCustomer", {
        "identifier": _email("bea"), "new_customer": _PROFILE | {"identifiers": [_email("bea2")]}}),
    ("BatchResolveCustomers", {"requests": [{
        "identifier": _email("cleo"), "new_customer": _PROFILE | {"identifiers": [_email("cleo2")]}}]}),
    ("CreateIdentifier", {"parent": "{CreateCustomer}", "identifier": _email("anna2")}),
    ("GetIdentifier", {"name": "{CreateIdentifier}"}),
    ("ExplainIdentifier", {"name": "{CreateIdentifier}"}),
    ("ListIdentifiers", PAGE | {"parent": "{CreateCustomer}"}),
    ("UpdateIdentifier", {
        "identifier": {"name": "{CreateIdentifier}", "shared": True, "etag": "#"},
        "update_mask": "shared"}),
    ("VerifyIdentifier", {"name": "{CreateIdentifier}", "method": "code-sent", "etag": "#"}),
    ("WithdrawIdentifierVerification", {
        "name": "{CreateIdentifier}", "reason_code": "bounced", "etag": "#"}),
    ("DeleteIdentifier", {"name": "{CreateIdentifier}"}),
    ("CreateRelationship", {"relationship": {
        "customer": "{CreateCustomer}", "related_customer": "{ResolveCustomer}", "kind": "employee-of",
        "role": "Buyer", "start_time": BEFORE}}),
    ("GetRelationship", {"name": "{CreateRelationship}"}),
    ("ListRelationships", PAGE | {"customer": "{CreateCustomer}", "filter": "kind = employee-of"}),
    ("UpdateRelationship", {
        "relationship": {
            "name": "{CreateRelationship}", "role": "Head", "end_time": BEFORE, "etag": "#"},
        "update_mask": "role,endTime"}),
    ("ExplainRelationship", {"name": "{CreateRelationship}"}),
    ("DeleteRelationship", {"name": "{CreateRelationship}", "etag": "#"}),
    ("AssignRelationshipManager", {
        "name": "{CreateCustomer}", "relationship_manager": "agents/sam", "etag": ""}),
    ("UploadAttachment", {
        "parent": "{CreateCustomer}", "attachment": {"display_name": "letter.pdf"}, "content": LETTER}),
    ("GetAttachment", {"name": "{UploadAttachment}"}),
    ("ListAttachments", PAGE | {"parent": "{CreateCustomer}"}),
    ("DownloadAttachment", {"name": "{UploadAttachment}"}),
    ("RecordInteraction", _contact("{CreateCustomer}", "{UploadAttachment}")),
    ("DeleteAttachment", {"name": "{UploadAttachment}", "etag": "#", "reason_code": "asked-by-customer"}),
    ("BatchRecordInteractions", {"requests": [_contact("{CreateCustomer}")]}),
    ("GetTimelineEntry", {"name": "{RecordInteraction}"}),
    ("ListTimelineEntries", PAGE | {"parent": "{CreateCustomer}"}),
    ("ExplainTimelineEntry", {"name": "{RecordInteraction}"}),
    ("ExplainCustomer", {"name": "{CreateCustomer}"}),
    ("GetCustomerView", {"name": "{CreateCustomer}/view"}),
    ("BatchGetCustomerViews", {"names": ["{CreateCustomer}/view"]}),
    ("RebuildCustomerViews", {"names": ["{CreateCustomer}/view"], "validate_only": True}),
    ("WatchCustomerView", {"name": "{CreateCustomer}/view", "max_age": "1s"}),
    ("AnswerAdvice", {
        "name": ADVICE, "outcome": "OUTCOME_NOT_NOW", "until_time": LATER, "reason_code": "not-reached"}),
    ("GetAdviceAnswer", {"name": "{AnswerAdvice}"}),
    ("ListAdviceAnswers", PAGE | {"parent": TWINS[0]}),
    ("ExplainAdviceAnswer", {"name": "{AnswerAdvice}"}),
    ("CreatePurpose", {"purpose_id": "research", "purpose": {
        "display_name": "Research", "description": "Surveys", "department": "departments/front-desk",
        "contact_default": "DEFAULT_DENIED", "legal_basis": "LEGAL_BASIS_CONSENT", "category": "survey",
        "double_opt_in_channels": ["CHANNEL_EMAIL"], "default_language_code": "en",
        "translations": [{"language_code": "de", "display_name": "Forschung", "description": "Umfragen"}]}}),
    ("CreateWording", {
        "parent": "purposes/research", "wording_id": "en", "wording": {"text": "You may ask me."}}),
    ("UpdateWording", {
        "wording": {"name": "{CreateWording}", "text": "You may write to me.", "etag": "#"},
        "update_mask": "text"}),
    ("GetWording", {"name": "{CreateWording}"}),
    ("ListWordings", PAGE | {"parent": "purposes/research", "language_code": "de-AT"}),
    ("GetPurpose", {"name": "purposes/research"}),
    ("ExplainPurpose", {"name": "purposes/research"}),
    ("ListPurposes", PAGE),
    ("UpdatePurpose", {"purpose": {
        "name": "purposes/research", "display_name": "Surveys", "description": "Questions", "etag": "#",
        "double_opt_in_channels": ["CHANNEL_EMAIL", "CHANNEL_SMS"], "default_language_code": "de",
        "legal_basis": "LEGAL_BASIS_CONSENT", "category": "survey",
        "translations": [{"language_code": "en-GB", "display_name": "Research"}]},
        "update_mask": "displayName,description,doubleOptInChannels,defaultLanguageCode,legalBasis,category,"
        "translations"}),
    ("UpdateConsent", {"consent": {
        "name": "{CreateCustomer}/consents/marketing.email", "state": "STATE_GRANTED",
        "source": "web-form", "wording_version": "2026-01", "effective_time": BEFORE, "etag": "",
        "proof": "forms/4711"},
        "update_mask": "state,source,wordingVersion,effectiveTime,proof", "allow_missing": True}),
    ("UpdateConsent", {"consent": {
        "name": "{CreateCustomer}/consents/research.email", "state": "STATE_GRANTED",
        "wording": "purposes/research/wordings/en/versions/1", "etag": ""},
        "update_mask": "state,wording", "allow_missing": True}),
    ("CreateIdentifier", {"parent": "{CreateCustomer}", "identifier": _email("anna3")}),
    ("IssueConsentToken", {
        "name": "{CreateCustomer}/consents/research.email", "identifier": "{CreateIdentifier}"}),
    ("FindRequestedConsent", {"token": "{IssueConsentTokenCode}"}),
    ("ConfirmConsent", {"token": "{IssueConsentTokenCode}"}),
    ("ListConsentVersions", PAGE | {"parent": "{CreateCustomer}/consents/marketing.email"}),
    ("GetConsent", {"name": "{CreateCustomer}/consents/marketing.email"}),
    ("ExplainConsent", {"name": "{CreateCustomer}/consents/marketing.email"}),
    ("ListConsents", PAGE | {"parent": "{CreateCustomer}", "read_time": BEFORE}),
    ("CreateSuppression", {
        "suppression": {"type": "TYPE_EMAIL", "reason": "REASON_COMPLAINT", "category": "marketing",
                        "source": "feedback-loop", "address": "nobody@example.com"}}),
    ("GetSuppression", {"name": "{CreateSuppression}"}),
    ("ListSuppressions", PAGE | {"customer": "{CreateCustomer}", "filter": "reason = COMPLAINT"}),
    ("ExplainSuppression", {"name": "{CreateSuppression}"}),
    ("ReleaseSuppression", {"name": "{CreateSuppression}", "reason_code": "asked-again", "etag": "#"}),
    ("PutSectionSchema", {
        "name": "sectionSchemas/billing", "department": "departments/billing", "display_name": "Billing",
        "message_type": "items.v1.Items", "descriptors": SECTION, "etag": "", "validate_only": False}),
    ("GetSectionSchema", {"name": "{PutSectionSchema}"}),
    ("ListSectionSchemas", PAGE),
    ("PutViewSection", {
        "name": "{CreateCustomer}/view/sections/billing", "as_of_time": BEFORE, "stale_time": LATER,
        "etag": ""}),
    ("GetViewSection", {"name": "{PutViewSection}"}),
    ("ExplainViewSection", {"name": "{PutViewSection}"}),
    ("ListViewSections", PAGE | {"parent": "{CreateCustomer}/view"}),
    ("BatchPutViewSections", {"requests": [{
        "name": "{CreateCustomer}/view/sections/billing", "as_of_time": BEFORE, "stale_time": LATER}]}),
    ("DeleteViewSection", {"name": "{PutViewSection}"}),
    ("PutAttribute", {
        "name": "attributes/billing.tariff", "display_name": "Tariff", "description": "What they pay by",
        "type": "TYPE_TEXT", "data_class": "DATA_CLASS_PLAIN", "rule": "RULE_MANUAL",
        "trusted_sources": ["billing.crm"], "etag": "", "validate_only": False}),
    ("PutAttribute", {
        "name": "attributes/billing.tariff", "display_name": "Tariff", "description": "What they chose",
        "type": "TYPE_TEXT", "data_class": "DATA_CLASS_PLAIN", "rule": "RULE_MANUAL",
        "trusted_sources": ["billing.crm"], "etag": "#", "validate_only": False}),
    ("GetAttribute", {"name": "{PutAttribute}"}),
    ("ExplainAttribute", {"name": "{PutAttribute}"}),
    ("ListAttributes", PAGE),
    ("RecordObservation", _observed("{CreateCustomer}", "basic")),
    ("BatchRecordObservations", {"requests": [_observed("{CreateCustomer}", "plus")]}),
    ("GetObservation", {"name": "{RecordObservation}"}),
    ("ListObservations", PAGE | {
        "parent": "{CreateCustomer}", "attribute": "{PutAttribute}", "filter": "source = crm"}),
    ("PinAttributeValue", {
        "name": "{CreateCustomer}/attributeValues/billing.tariff", "value": {"text": "gold"},
        "source": "desk", "etag": ""}),
    ("GetAttributeValue", {"name": "{CreateCustomer}/attributeValues/billing.tariff"}),
    ("ListAttributeValues", PAGE | {"parent": "{CreateCustomer}"}),
    ("ExplainAttributeValue", {"name": "{CreateCustomer}/attributeValues/billing.tariff"}),
    ("ReleaseAttributeValue", {
        "name": "{CreateCustomer}/attributeValues/billing.tariff", "etag": ""}),
    ("DeleteAttribute", {"name": "{PutAttribute}"}),
    ("DeleteSectionSchema", {"name": "{PutSectionSchema}"}),
    ("UpdatePreferences", {"preferences": {
        "name": "{CreateCustomer}/preferences", "channels": ["CHANNEL_EMAIL"], "etag": "",
        "quiet_hours": [{"days": ["FRIDAY"], "starts": "22:00", "ends": "07:00"}],
        "pauses": [{"start_time": BEFORE, "end_time": LATER}], "language_code": "de",
        "time_zone": "Asia/Tokyo"}, "update_mask": "channels,quietHours,pauses,languageCode,timeZone"}),
    ("StopContact", {"name": "{CreateCustomer}", "source": "call", "proof": "calls/4711"}),
    ("WithdrawContactStop", {
        "name": "{CreateCustomer}", "reason_code": "wrong-customer", "stop_time": "{StopContactTime}"}),
    ("GetPreferences", {"name": "{CreateCustomer}/preferences"}),
    ("GetSelfServiceLink", {"name": "{CreateCustomer}/selfServiceLink"}),
    ("ResolveSelfServiceLink", {"token": "{GetSelfServiceLinkToken}"}),
    ("SubmitSelfServiceConsents", {
        "token": "{GetSelfServiceLinkToken}", "source": "one-click",
        "consents": [{
            "purpose": "purposes/research", "channel": "CHANNEL_EMAIL", "state": "STATE_DENIED",
            "wording": "purposes/research/wordings/en/versions/1"}]}),
    ("StopSelfServiceContact", {"token": "{GetSelfServiceLinkToken}", "source": "stop-all"}),
    ("SubmitSelfServicePreferences", {
        "token": "{GetSelfServiceLinkToken}",
        "preferences": {
            "name": "{CreateCustomer}/preferences", "channels": ["CHANNEL_SMS"], "etag": "#",
            "quiet_hours": [{"days": ["FRIDAY"], "starts": "21:00", "ends": "06:00"}],
            "pauses": [{"start_time": SOON, "end_time": LATER}], "language_code": "en-GB",
            "time_zone": "Asia/Kolkata"},
        "update_mask": "channels,quietHours,pauses,languageCode,timeZone"}),
    ("RevokeSelfServiceLinks", {
        "name": "{ResolveCustomer}/selfServiceLink", "reason_code": "mailbox-shared"}),
    ("ExplainPreferences", {"name": "{CreateCustomer}/preferences"}),
    ("CheckContact", {
        "name": "{CreateCustomer}", "purpose": "purposes/service", "channels": ["CHANNEL_EMAIL"],
        "urgent": True, "app_for_everybody": True}),
    ("CreateImportJob", {"import_job": {"source": "a" * 64}}),
    ("AppendImportRows", {"name": "{CreateImportJob}", "rows": [
        {"line": 2, "customer": _PROFILE | {"identifiers": [_email("dora")]}}]}),
    ("GetImportJob", {"name": "{CreateImportJob}"}),
    ("ListImportJobs", PAGE | {"filter": "state = OPEN"}),
    ("ListImportFindings", PAGE | {
        "parent": "{CreateImportJob}", "filter": "line > 1 AND reason = CHANGED"}),
    ("PreviewImportJob", {"name": "{CreateImportJob}"}),
    ("ListImportEffects", PAGE | {"parent": "{CreateImportJob}"}),
    ("CancelImportJob", {"name": "{CreateImportJob}"}),
    ("CreateImportJob", {"import_job": {"source": "b" * 64, "system": "crm", "mode": "MODE_UPDATE"}}),
    ("CommitImportJob", {"name": "{CreateImportJob}"}),
    ("RevertImportJob", {"name": IMPORTED}),
    ("CreateImportProfile", {"import_profile_id": "till", "import_profile": {
        "department": "departments/front-desk", "kind": "KIND_PURCHASES", "reading": _READING}}),
    ("GetImportProfile", {"name": "importProfiles/till"}),
    ("ListImportProfiles", PAGE),
    ("UpdateImportProfile", {"import_profile": {
        "name": "importProfiles/till", "reading": _READING | {"system": "web-shop"}, "etag": "#"},
        "update_mask": "reading"}),
    ("DeleteImportProfile", {"name": "importProfiles/till", "etag": "#"}),
    ("CreateCustomerMerge", {"older_survives": True, "customer_merge": {
        "customer": TWINS[0], "merged_customer": TWINS[1], "reason_code": "same-person",
        "comment": "They said so"}}),
    ("GetCustomerMerge", {"name": "{CreateCustomerMerge}"}),
    ("ListCustomerMerges", PAGE | {"customer": TWINS[1], "filter": "state = MERGED"}),
    ("RecordInteraction", _contact(TWINS[0])),
    ("ListCustomerMergeEntries", PAGE | {"parent": "{CreateCustomerMerge}"}),
    ("ExplainCustomerMerge", {"name": "{CreateCustomerMerge}"}),
    ("UndoCustomerMerge", {
        "name": "{CreateCustomerMerge}", "reason_code": "two-persons", "etag": "#"}),
    ("AssignTimelineEntry", {
        "name": "{RecordInteraction}", "assigned_customer": TWINS[1], "etag": "#"}),
    ("ListMatchCandidates", PAGE | {
        "customer": "{CreateCustomer}", "filter": "state = PENDING", "order_by": "weight"}),
    ("GetMatchCandidate", {"name": CANDIDATE}),
    ("ExplainMatchCandidate", {"name": CANDIDATE}),
    ("RejectMatchCandidate", {
        "name": CANDIDATE, "etag": "", "reason_code": "twins", "comment": "They live together"}),
    ("ReopenMatchCandidate", {"name": CANDIDATE, "etag": ""}),
    ("AcceptMatchCandidate", {"name": CANDIDATES[1], "etag": "", "survivor": SOMEBODY}),
    ("ListMatchParameters", PAGE),
    ("GetMatchParameters", {"name": "{ListMatchParameters}"}),
    ("ActivateMatchParameters", {"name": "{ListMatchParameters}"}),
    ("CreateMatchJob", {"match_job": {"retrain": False}}),
    ("GetMatchJob", {"name": "{CreateMatchJob}"}),
    ("ListMatchJobs", PAGE),
    ("CancelMatchJob", {"name": "{CreateMatchJob}"}),
]  # fmt: skip
