"""What this service tells.

Generated from rapport/loyalty/v1/loyalty_events.proto: not to be edited.
"""

from dataclasses import dataclass
from datetime import datetime

from chassis.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class _Purchase:
    """What every event about the purchase tells."""

    purchase: str
    customer: str
    department: str
    reference: str
    amount: Money
    refunded_amount: Money | None
    net_amount: Money
    quantity: int
    purchase_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRecorded(_Purchase):
    """A customer bought something.

    Told once of each purchase; what becomes of it later is told by `PurchaseCorrected`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseCorrected(_Purchase):
    """A purchase is not what was told before: its source says otherwise now, or somebody claimed it.

    The highest version is what stands.
    """

    previous_customer: str
    previous_net_amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class _Membership:
    """What every event about the membership tells."""

    membership: str
    customer: str
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipCreated(_Membership):
    """A customer joined a program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined(_Membership):
    """A customer came to belong to a membership."""

    member: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLeft(_Membership):
    """A customer does not belong to a membership any more."""

    member: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryMemberChanged(_Membership):
    """Another member answers for a membership."""

    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardIssued(_Membership):
    """A card was issued."""

    card: str
    replaced_card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardBlocked(_Membership):
    """A card finds its membership no more."""

    card: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipMerged(_Membership):
    """A membership is part of another from now on."""

    receiving_membership: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipUnmerged(_Membership):
    """A merged membership is one of its own again."""

    receiving_membership: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipClosed(_Membership):
    """A membership was closed."""

    receiving_membership: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipReopened(_Membership):
    """A closed membership was opened again."""

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _TierStanding:
    """What every event about the tier standing tells."""

    tier_standing: str
    customer: str
    program: str
    membership: str
    tier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TierUpgraded(_TierStanding):
    """A membership got a higher tier."""

    previous_tier: str
    review_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDowngraded(_TierStanding):
    """A membership lost its tier, to a lower one or to none."""

    previous_tier: str
    review_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDowngradeExpected(_TierStanding):
    """A membership will lose its tier unless it earns it again: told once of each review, days before."""

    expected_tier: str
    review_time: datetime
    missing_to_keep: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """What every event about the account tells."""

    account: str
    customer: str
    program: str
    membership: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPosted(_Account):
    """Units moved to or from a member's account: told for each that got or gave."""

    transfer: str
    amount: int
    balance: int
    account_version: int
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What ends on one day."""

    expire_time: datetime
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpiring(_Account):
    """Points of a member will end.

    Told once of each day, some days before (`Program.expiry_notice_days`).
    """

    ends: list[End]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferReversed(_Account):
    """A transfer was undone: told for each that got or gave."""

    transfer: str
    amount: int
    balance: int
    account_version: int
    reason_code: str
    reverses: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Goodwill:
    """What every event about the goodwill tells."""

    goodwill: str
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodwillGranted(_Goodwill):
    """A customer was granted goodwill."""

    membership: str
    department: str
    reason_code: str
    promise: str
    root: str
    state: str
    unit: str
    points: int
    transfer: str
    authority_policy: str
    policy_version: int
    grantor: str
    create_time: datetime
    kind: str
    money: Money | None
    requester: str
    causing_department: str
    converted_money: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodwillReversed(_Goodwill):
    """The transfer of a grant was reversed: it is as if it had never been.

    What it says of the grant is as it was granted.
    """

    membership: str
    department: str
    reason_code: str
    promise: str
    root: str
    state: str
    unit: str
    points: int
    transfer: str
    authority_policy: str
    policy_version: int
    grantor: str
    create_time: datetime
    kind: str
    money: Money | None
    requester: str
    causing_department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerValueChanged:
    """What a customer is worth changed."""

    customer_value: str
    customer: str
    lifetime_values: list[Money]
    purchase_count: int
    band: str
    previous_band: str
    first_purchase_time: datetime | None
    last_purchase_time: datetime | None
    formula_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRuleCreated:
    """A rule says what members earn: a draft, so far.

    It is about no customer.
    """

    earning_rule: str
    department: str
    unit: str
    version: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRuleUpdated:
    """A rule was changed, activated or ended: there is another version of it.

    It is about no customer.
    """

    earning_rule: str
    department: str
    unit: str
    version: int
    state: str
    effective_time: datetime | None
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReevaluationJobCreated:
    """Somebody began to reckon anew what many purchases earned.

    It is about no single customer.
    """

    reevaluation_job: str
    department: str
    earning_rule_version: str
    purchase_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReevaluationJobEnded:
    """A job has reckoned all of its purchases anew, or was given up.

    It is about no single customer.
    """

    reevaluation_job: str
    department: str
    earning_rule_version: str
    purchase_count: int
    state: str
    done_count: int
    changed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodwillRequested(_Goodwill):
    """Somebody asked for goodwill that they may not grant alone.

    Not on the customer's timeline: nothing was given yet.
    """

    department: str
    reason_code: str
    promise: str
    state: str
    kind: str
    unit: str
    points: int
    money: Money | None
    requester: str
    expire_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodwillDeclined(_Goodwill):
    """Who has the authority said no."""

    department: str
    reason_code: str
    promise: str
    state: str
    kind: str
    unit: str
    points: int
    money: Money | None
    requester: str
    expire_time: datetime
    decider: str
    decision_reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodwillRequestExpired(_Goodwill):
    """Nobody said yes or no to what was asked for in time."""

    department: str
    reason_code: str
    promise: str
    state: str
    kind: str
    unit: str
    points: int
    money: Money | None
    requester: str
    expire_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardCreated:
    """A reward was created.

    It is about no customer.
    """

    reward: str
    unit: str
    points: int
    disabled: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardUpdated:
    """A reward was changed: a new version.

    It is about no customer.
    """

    reward: str
    unit: str
    points: int
    disabled: bool
    version: int
    updated_fields: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Redemption:
    """What every event about the redemption tells."""

    redemption: str
    customer: str
    reward: str
    reward_version: int
    state: str
    points: int
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRedeemed(_Redemption):
    """A member redeemed a reward: points, and one of the stock, are set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionFulfilled(_Redemption):
    """What was redeemed was handed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionCancelled(_Redemption):
    """What was redeemed was given up before it was handed out."""

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionExpired(_Redemption):
    """Nobody handed out what was redeemed in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionReturned(_Redemption):
    """What was handed out was taken back."""

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voucher:
    """What every event about the voucher tells."""

    voucher: str
    customer: str
    program: str
    state: str
    money: Money | None
    percent_off: int
    item: str
    campaign: str
    expire_time: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherIssued(_Voucher):
    """A voucher was issued.

    Its code is in no event.
    """

    redemption: str
    goodwill: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherCodeReplaced(_Voucher):
    """A voucher has another code; the one before is worth nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherUsed(_Voucher):
    """A voucher was used."""

    use: str
    used_money: Money | None
    reference: str
    department: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherUseReversed(_Voucher):
    """A use of a voucher was undone."""

    use: str
    used_money: Money | None
    reference: str
    department: str
    reverses: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherCancelled(_Voucher):
    """A voucher was made worth nothing."""

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherExpired(_Voucher):
    """A voucher ended before it was used up."""
