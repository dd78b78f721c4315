"""What this service tells.

Generated from rapport/customer/v1/customer_events.proto: not to be edited.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCreated:
    """A customer was created."""

    customer: str
    type: str
    language_code: str
    time_zone: str
    region_code: str
    relationship_manager: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUpdated:
    """Fields of a customer changed."""

    customer: str
    type: str
    language_code: str
    time_zone: str
    region_code: str
    relationship_manager: str
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDeleted:
    """A customer is none any more: the import that created them was taken back, and nothing else came of it.

    Their handles are nobody's, and nobody is found by their name.
    """

    customer: str
    type: str
    import_job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identifier:
    """What every event about the identifier tells."""

    identifier: str
    customer: str
    type: str
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierCreated(_Identifier):
    """A customer got a handle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierDeleted(_Identifier):
    """A customer lost a handle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierUpdated(_Identifier):
    """What is known about a handle changed."""

    shared: bool
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierVerified(_Identifier):
    """A customer proved that they have a handle."""

    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierVerificationWithdrawn(_Identifier):
    """It is no longer said that a customer proved a handle."""

    method: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionRecorded:
    """A customer and we were in contact."""

    timeline_entry: str
    customer: str
    department: str
    channel: str
    direction: str
    topic: str
    resource: str
    reference: str
    occur_time: datetime
    outcome_code: str
    duration: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntryAssigned:
    """A contact that was recorded while two customers were taken for one is of the other one."""

    timeline_entry: str
    customer: str
    previous_customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentUpdated:
    """A customer allowed or forbade contact, or it was noted otherwise."""

    consent: str
    customer: str
    purpose: str
    channel: str
    state: str
    previous_state: str
    source: str
    wording_version: str
    effective_time: datetime
    wording: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequested:
    """A customer said yes where they have to confirm it.

    They are to be sent what they confirm it with, by a notice of service about that; it counts as no until
    then.
    """

    consent: str
    customer: str
    purpose: str
    channel: str
    source: str
    wording: str
    confirm_expire_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesUpdated:
    """A customer changed how they want to be reached."""

    preferences: str
    customer: str
    channels: list[str]
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStopped:
    """A customer wants nothing but what they have of us, of whatever purpose of now or later.

    What is essential goes on.
    """

    preferences: str
    customer: str
    source: str
    effective_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStopWithdrawn:
    """A customer's stop was withdrawn: it was said of another, or never.

    What they had said before it holds again.
    """

    preferences: str
    customer: str
    effective_time: datetime
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeCreated:
    """A purpose of contact was created.

    It concerns no single customer.
    """

    purpose: str
    department: str
    contact_default: str
    essential: bool
    legal_basis: str
    category: str
    double_opt_in_channels: list[str]
    default_language_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeUpdated:
    """A purpose of contact is called or described in another way, or lawful, counted or confirmed in another.

    It concerns no single customer.
    """

    purpose: str
    department: str
    contact_default: str
    updated_fields: list[str]
    essential: bool
    legal_basis: str
    category: str
    double_opt_in_channels: list[str]
    default_language_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipManagerAssigned:
    """A customer got a new named human."""

    customer: str
    relationship_manager: str
    previous_relationship_manager: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _CustomerMerge:
    """What every event about the customer merge tells."""

    customer_merge: str
    customer: str
    merged_customer: str
    reason_code: str
    customers: list[str]
    survivors: list[str]
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersMerged(_CustomerMerge):
    """Two customers are one.

    Who projects customers keeps, of each name, what the event with the highest `sequence` says.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMergeUndone(_CustomerMerge):
    """Two customers who were taken for one are two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchCandidateCreated:
    """Two customers may be one.

    It concerns no single customer: whoever reads timelines need not know before it is decided.
    """

    match_candidate: str
    first_customer: str
    other_customer: str
    state: str
    match_parameters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchCandidateUpdated:
    """Two customers who may be one were linked, rejected, closed, or are asked about again.

    It concerns no single customer: a link is told of each by itself.
    """

    match_candidate: str
    first_customer: str
    other_customer: str
    state: str
    match_parameters: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchParametersCreated:
    """There are new parameters of matching, in force from now on.

    It concerns no single customer.
    """

    match_parameters: str
    digest: str
    customer_count: int
    match_job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchParametersActivated:
    """Parameters of matching were put in force again.

    It concerns no single customer.
    """

    match_parameters: str
    digest: str
    previous_match_parameters: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchJobCreated:
    """A matching of everybody began.

    It concerns no single customer.
    """

    match_job: str
    retrain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchJobEnded:
    """A matching of everybody ended.

    It concerns no single customer.
    """

    match_job: str
    retrain: bool
    state: str
    matched_count: int
    candidate_count: int
    linked_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeCreated:
    """An attribute of customers was declared.

    It concerns no single customer.
    """

    attribute: str
    department: str
    type: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeUpdated:
    """An attribute is declared otherwise, or again: another value of any customer may stand.

    It concerns no single customer.
    """

    attribute: str
    department: str
    type: str
    rule: str
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeDeleted:
    """An attribute was withdrawn.

    It concerns no single customer.
    """

    attribute: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeValueUpdated:
    """Another value of a customer's attribute stands, or it was pinned or released.

    Of the fields of the profile `CustomerUpdated` tells.
    """

    attribute_value: str
    customer: str
    attribute: str
    department: str
    source: str
    observe_time: datetime
    pinned: bool
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Relationship:
    """What every event about the relationship tells."""

    relationship: str
    customer: str
    related_customer: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipCreated(_Relationship):
    """What a customer is to another was noted."""

    start_time: datetime | None
    end_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipUpdated(_Relationship):
    """What is known of a relationship changed."""

    start_time: datetime | None
    end_time: datetime | None
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipEnded(_Relationship):
    """A customer is no longer what they were to another."""

    end_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipDeleted(_Relationship):
    """A relationship was noted by mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerConverted:
    """A customer bought for the first time that we know of.

    Told once of each name by which they bought: of who was merged it is told of the name that bought, of whom
    it stays true when the merge is undone.
    """

    customer: str
    type: str
    purchase: str
    purchase_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionCreated:
    """An address is sent nothing any more.

    It concerns no single customer: whoever has the address.
    """

    suppression: str
    type: str
    reason: str
    category: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionReleased:
    """A suppression holds no more.

    It concerns no single customer.
    """

    suppression: str
    type: str
    reason: str
    category: str
    release_reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceAnswered:
    """What a view advised was answered: done, or not now."""

    advice_answer: str
    customer: str
    rule: str
    evidence: str
    outcome: str
    until_time: datetime | None
    reason_code: str
