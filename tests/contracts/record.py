"""Records a sample of each event message: `python -m tests.contracts.record`.

A recorded sample is what a producer of that day published. Consumers must be able to read it for ever, so it
is never changed. A message whose samples leave a field unset, because the field is new, gets one more.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.events.registry import events

SAMPLES = Path(__file__).parent / "samples"
EPOCH = datetime(2026, 3, 2, 9, tzinfo=UTC)

# By the field's name: what resource it names. A word in braces stands for a UUID.
NAMES = {
    "customer": "customers/{customer}",
    "merged_customer": "customers/{other}",
    "customers": "customers/{other}",
    "survivors": "customers/{customer}",
    "customer_merge": "customerMerges/{merge}",
    "match_candidate": "matchCandidates/{candidate}",
    "match_parameters": "matchParameters/{parameters}",
    "previous_match_parameters": "matchParameters/{parameters}",
    "match_job": "matchJobs/{match_job}",
    "import_job": "importJobs/{import_job}",
    "first_customer": "customers/{customer}",
    "other_customer": "customers/{other}",
    "digest": "0123456789ab",
    "previous_customer": "customers/{previous}",
    "case": "cases/{case}",
    "linked_case": "cases/{other}",
    "merged_into": "cases/{other}",
    "case_job": "caseJobs/{job}",
    "notice_job": "noticeJobs/{job}",
    "problem": "cases/{problem}",
    "case_link": "caseLinks/{link}",
    "work_item": "workItems/{work_item}",
    "clock": "clocks/{clock}",
    "clock_policy": "clockPolicies/default",
    "promise": "promises/{promise}",
    "predecessor": "promises/{predecessor}",
    "root": "promises/{predecessor}",
    "successor": "promises/{successor}",
    "notice": "notices/{notice}",
    "purchase": "purchases/{purchase}",
    "transfer": "transfers/{transfer}",
    "reverses": "transfers/{reversed}",
    "goodwill": "goodwill/{goodwill}",
    "account": "programs/main/accounts/{account}",
    "program": "programs/main",
    "membership": "programs/main/memberships/{membership}",
    "tier_standing": "programs/main/memberships/{membership}/tierStanding",
    "tier": "programs/main/tiers/gold",
    "previous_tier": "programs/main/tiers/silver",
    "expected_tier": "programs/main/tiers/silver",
    "missing_to_keep": "120.5",
    "receiving_membership": "programs/main/memberships/{receiving}",
    "member": "programs/main/memberships/{membership}/members/{member}",
    "card": "programs/main/memberships/{membership}/cards/{card}",
    "replaced_card": "programs/main/memberships/{membership}/cards/{replaced}",
    "unit": "programs/main/units/points",
    "grantor": "agents/alice",
    "redemption": "redemptions/{redemption}",
    "reward": "rewards/cup",
    "voucher": "vouchers/{voucher}",
    "use": "vouchers/{voucher}/uses/{use}",
    "item": "cup-7",
    "campaign": "spring",
    "requester": "agents/bob",
    "decider": "agents/alice",
    "decision_reason_code": "not-our-mistake",
    "causing_department": "departments/delivery",
    "formula_version": "lifetime-1",
    "notice_policy": "noticePolicies/promise-at-risk",
    "earning_rule": "earningRules/base",
    "earning_rule_version": "earningRules/base/versions/3",
    "reevaluation_job": "reevaluationJobs/{job}",
    "authority_policy": "authorityPolicies/goodwill",
    "template": "templates/delay",
    "language_code": "de",
    "region_code": "DE",
    "customer_value": "customerValues/{value}",
    "identifier": "customers/{customer}/identifiers/{identifier}",
    "relationship": "relationships/{relationship}",
    "related_customer": "customers/{other}",
    "method": "code-sent",
    "outcome_code": "no-answer",
    "escalation": "escalations/{escalation}",
    "answer_promise": "promises/{answer}",
    "resource": "cases/{case}",
    "advice_answer": "customers/{customer}/adviceAnswers/{answer}",
    "evidence": "promises/{promise}",
    "timeline_entry": "customers/{customer}/timelineEntries/{entry}",
    "attribute": "attributes/billing.contract-type",
    "attribute_value": "customers/{customer}/attributeValues/billing.contract-type",
    "consent": "customers/{customer}/consents/service.email",
    "purpose": "purposes/service",
    "source": "web-form",
    "wording_version": "2026-01",
    "wording": "purposes/service/wordings/de/versions/1",
    "suppression": "suppressions/{suppression}",
    "release_reason_code": "asked-again",
    "category": "marketing",
    "view_section": "customers/{customer}/view/sections/billing",
    "preferences": "customers/{customer}/preferences",
    "owner": "agents/alice",
    "assignee": "agents/alice",
    "notifier": "agents/alice",
    "previous_assignee": "agents/bob",
    "previous_owner": "agents/bob",
    "agent": "agents/alice",
    "calendar": "calendars/office",
    "note": "cases/{case}/notes/{note}",
    "previous_department": "departments/billing",
    "relationship_manager": "agents/alice",
    "department": "departments/delivery",
    "reference": "orders/1042",
    "resolution": "delivered",
    "team": "teams/returns",
    "topic": "order-delivery",
    "parent_topic": "topics/delivery",
    "permission": "loyalty.programs.write",
    "priority_reasons": "harm-loss",
    "reason_code": "carrier-delay",
    "previous_relationship_manager": "agents/bob",
    "system": "shop",
    "updated_fields": "display_name",
    "time_zone": "Europe/Berlin",
}
TOPIC = "topics/order-delivery"  # elsewhere a code
LOYALTY = {"reason_code": "promise-renegotiated"}
VOUCHERS = {"reverses": "vouchers/{voucher}/uses/{reversed}"}
KINDS = {
    "Notice": "promise-at-risk",
    "Promise": "delivery",
    "Relationship": "employee-of",
    "WorkItem": "deliver-order",
}
DAYS = {
    "due_time": 3,
    "new_due_time": 5,
    "forecast_time": 5,
    "forecast_finish_time": 5,
    "previous_forecast_finish_time": 2,
    "start_time": 1,
    "keep_time": 4,
    "finish_time": 4,
}


class Uuids(dict[str, UUID]):
    """A UUID for each word, always the same."""

    def __missing__(self, word: str) -> UUID:
        return UUID(bytes=b"\x01\x9c" + word.encode().ljust(4, b"\0")[:4] + b"\x70\0\x80\0" + b"\0" * 6)


def sample(message: type[Message]) -> Message:
    """A message with every field set to something that a producer could have published."""
    made = message()
    for field in made.DESCRIPTOR.fields:
        fill(made, field)
    return made


def fill(made: Message, field: FieldDescriptor) -> None:
    """Set one field."""
    if field.message_type is not None and field.message_type.name == "Timestamp":
        getattr(made, field.name).FromDatetime(EPOCH + timedelta(days=DAYS.get(field.name, -1)))
    elif field.message_type is not None and field.message_type.name == "Money":
        money = getattr(made, field.name).add() if field.is_repeated else getattr(made, field.name)
        money.currency_code, money.units, money.nanos = "USD", 129, 990_000_000
    elif field.message_type is not None and field.message_type.name == "Date":
        day = getattr(made, field.name)
        day.year, day.month, day.day = 2026, 3, 5
    elif field.message_type is not None and not field.is_repeated:
        getattr(made, field.name).CopyFrom(sample(GetMessageClass(field.message_type)))
    elif field.message_type is not None:
        getattr(made, field.name).append(sample(GetMessageClass(field.message_type)))
    elif field.is_repeated:
        getattr(made, field.name).append(scalar(made, field))
    else:
        setattr(made, field.name, scalar(made, field))


def scalar(made: Message, field: FieldDescriptor) -> Any:
    """The value of a field without parts."""
    if field.enum_type is not None:
        return field.enum_type.values[1].number
    if field.type == FieldDescriptor.TYPE_STRING:
        return text(made, field)
    return True if field.type == FieldDescriptor.TYPE_BOOL else 7


def text(made: Message, field: FieldDescriptor) -> str:
    """The value of a text field. KeyError for a new one: say above what it holds."""
    if field.name == "kind":
        return next(kind for prefix, kind in KINDS.items() if made.DESCRIPTOR.name.startswith(prefix))
    if field.name == "topic" and made.DESCRIPTOR.name.startswith("Topic"):
        return TOPIC
    if field.name in VOUCHERS and made.DESCRIPTOR.name.startswith("Voucher"):
        return VOUCHERS[field.name].format_map(Uuids())
    if field.name in LOYALTY and ".loyalty." in made.DESCRIPTOR.full_name:
        return LOYALTY[field.name]
    return NAMES[field.name].format_map(Uuids())


def recorded(full_name: str) -> Iterator[Path]:
    """The samples of a message, oldest first."""
    number = 1
    while (path := SAMPLES / f"{full_name}.{number}.bin").exists():
        yield path
        number += 1


def missing(full_name: str, message: type[Message]) -> set[str]:
    """The fields that no recorded sample of a message sets."""
    known = [message.FromString(path.read_bytes()) for path in recorded(full_name)]
    set_somewhere = {field.name for each in known for field, _ in each.ListFields()}
    return {field.name for field in message.DESCRIPTOR.fields} - set_somewhere


def main() -> None:
    """Record what is missing."""
    for full_name, message in events().items():
        if missing(full_name, message):
            number = len(list(recorded(full_name))) + 1
            made = sample(message)
            path = SAMPLES / f"{full_name}.{number}.bin"
            path.write_bytes(made.SerializeToString(deterministic=True))
            path.with_suffix(".json").write_text(
                MessageToJson(
                    made, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
                )
                + "\n"
            )
            print(f"recorded {path.name}")


if __name__ == "__main__":
    main()
