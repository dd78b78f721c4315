"""Tiers: what they take, how long they are held, and what becomes of who did not earn theirs again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.errors import InvalidArgument, Violation
from chassis.money import Currency
from loyalty.names import CUSTOMER, MEMBERSHIP, PROGRAM, TIER, TIER_STANDING


class Measure(StrEnum):
    """What is counted."""

    POINTS = "POINTS"
    SPEND = "SPEND"
    VISITS = "VISITS"


class Period(StrEnum):
    """In what time."""

    CALENDAR_YEAR = "CALENDAR_YEAR"
    ROLLING_YEAR = "ROLLING_YEAR"
    MEMBERSHIP_YEAR = "MEMBERSHIP_YEAR"


class Downgrade(StrEnum):
    """What becomes of who did not earn their tier again."""

    TO_EARNED = "TO_EARNED"
    ONE_DOWN = "ONE_DOWN"


@dataclass(frozen=True, slots=True)
class TierPolicy:
    """How tiers are reached and kept. Days end at midnight in the program's zone."""

    measure: Measure
    period: Period
    downgrade: Downgrade
    unit_code: str = ""
    currency_code: str = ""
    grace_days: int = 0
    notice_days: int = 0

    def check(self, field: str) -> None:
        """InvalidArgument when what it says does not go together."""
        wrong = []
        if (self.measure is Measure.POINTS) != bool(self.unit_code):
            told = "must be given with MEASURE_POINTS, and with nothing else"
            wrong.append(Violation(f"{field}.unit_code", "INVALID_CODE", told))
        if (self.measure is Measure.SPEND) != bool(self.currency_code):
            told = "must be given with MEASURE_SPEND, and with nothing else"
            wrong.append(Violation(f"{field}.currency_code", "INVALID_CURRENCY", told))
        elif self.currency_code:
            try:
                Currency.of(self.currency_code)
            except ValueError:
                told = "must be a currency of ISO 4217"
                wrong.append(Violation(f"{field}.currency_code", "INVALID_CURRENCY", told))
        if wrong:
            raise InvalidArgument(wrong)


def _midnight(year: int, month: int, day: int, zone: tzinfo) -> datetime:
    """The beginning of a day; of the 29th of February in other years that of the first of March."""
    try:
        return datetime(year, month, day, tzinfo=zone).astimezone(UTC)
    except ValueError:
        return datetime(year, 3, 1, tzinfo=zone).astimezone(UTC)


def _last(of: tuple[int, int] | None, at: datetime, zone: tzinfo) -> datetime:
    """The last beginning of a day of the year, at a moment."""
    this = _in_years(at, 0, zone, of)
    return this if this <= at else _in_years(at, -1, zone, of)


def _in_years(at: datetime, years: int, zone: tzinfo, day: tuple[int, int] | None = None) -> datetime:
    """The beginning of the same day in another year."""
    local = at.astimezone(zone)
    return _midnight(local.year + years, *(day or (local.month, local.day)), zone)


def _in_days(at: datetime, days: int, zone: tzinfo) -> datetime:
    local = at.astimezone(zone)
    return datetime.combine(local.date() + timedelta(days=days), time(), zone).astimezone(UTC)


@dataclass(slots=True)
class Benefit:
    """Something that holders of a tier have."""

    code: str
    display_name: str
    value: Decimal | None = None


@dataclass(slots=True)
class Tier:
    """What a tier takes, and what its holders have of it."""

    program_id: str
    id: str
    display_name: str
    threshold: Decimal
    version: int
    create_time: datetime
    update_time: datetime
    benefits: list[Benefit] = field(default_factory=list)

    name = TIER.named("program_id", "id")

    def check(self) -> None:
        """InvalidArgument unless it takes something, and each benefit is said once."""
        wrong = []
        if self.threshold <= 0:
            wrong.append(Violation("tier.threshold", "INVALID_NUMBER", "must be more than 0"))
        codes = Counter(each.code for each in self.benefits)
        for i, each in enumerate(self.benefits):
            if codes[each.code] > 1:
                wrong.append(Violation(f"tier.benefits[{i}].code", "INVALID_CODE", "must be said once"))
        if wrong:
            raise InvalidArgument(wrong)


def earned(tiers: Sequence[Tier], progress: Decimal) -> Tier | None:
    """The highest that is earned by so much, of tiers from the lowest on; None for none."""
    return next((tier for tier in reversed(tiers) if tier.threshold <= progress), None)


def after_review(
    tiers: Sequence[Tier], held: Tier | None, progress: Decimal, downgrade: Downgrade
) -> Tier | None:
    """The tier of who held one and earned so much since; None for none."""
    reached = earned(tiers, progress)
    if held is None or (reached and reached.threshold >= held.threshold):
        return reached
    if downgrade is Downgrade.TO_EARNED:
        return reached
    lower = [tier for tier in tiers if tier.threshold < held.threshold]
    return lower[-1] if lower else None


@dataclass(slots=True)
class Standing:
    """The tier of a membership, which has the same id, and how long it is held.

    `due_time` is when the clock has something to do with it: to tell of a review, or to hold it. While it is
    part of another, `whole_tier_id` and `whole_term_end` are what that one held before.
    """

    id: UUID
    program_id: str
    customer_id: UUID
    tier_id: str
    reach_time: datetime | None
    term_end: datetime | None
    review_time: datetime | None
    told: bool
    due_time: datetime | None
    shard: int
    create_time: datetime
    update_time: datetime
    version: int = 0
    whole_tier_id: str = ""
    whole_term_end: datetime | None = None

    name = TIER_STANDING.named("program_id", "id")
    program = PROGRAM.named("program_id")
    membership = MEMBERSHIP.named("program_id", "id")
    customer = CUSTOMER.named("customer_id")
    tier = TIER.named("program_id", "tier_id")

    def hold(self, tier: Tier | None, term_end: datetime, at: datetime, rules: "TierRules") -> str:
        """Have that tier, or none, for that time. Returns the name of the one that it had before."""
        before, self.tier_id = self.tier, tier.id if tier else ""
        if self.tier != before:
            self.reach_time = at if tier else None
            self.version += 1
        self.until(term_end if tier else None, rules)
        self.update_time = at
        return before

    def until(self, term_end: datetime | None, rules: "TierRules") -> None:
        """Have it for that time."""
        self.term_end, self.told = term_end, False
        self.review_time = rules.review_time(term_end) if term_end else None
        self.due_time = (term_end and rules.notice_time(term_end)) or self.review_time


@dataclass(frozen=True, slots=True)
class TierRules:
    """A program's policy for one membership, which was made at `joined`; days end at midnight in the zone."""

    policy: TierPolicy
    joined: datetime
    time_zone: str

    @property
    def zone(self) -> tzinfo:
        """Whose midnight ends a day."""
        return ZoneInfo(self.time_zone)

    def period_start(self, at: datetime) -> datetime:
        """From when on is counted what counts at a moment."""
        if self.policy.period is Period.ROLLING_YEAR:
            return _in_years(at, -1, self.zone)
        return _last(self._day, at, self.zone)

    def term_end(self, at: datetime) -> datetime:
        """When the time ends for which a tier is held that is reached at a moment."""
        if self.policy.period is Period.ROLLING_YEAR:
            return _in_years(at, 1, self.zone)
        return _in_years(self.period_start(at), 1, self.zone, self._day)

    def term_start(self, term_end: datetime) -> datetime:
        """From when on counts what is reviewed after the end of a time."""
        return _in_years(term_end, -1, self.zone, self._day)

    def next_term_end(self, term_end: datetime, at: datetime) -> datetime:
        """When the time ends that follows one, at a moment after that."""
        following = _in_years(term_end, 1, self.zone, self._day)
        return following if following > at else self.term_end(at)

    def review_time(self, term_end: datetime) -> datetime:
        """When it is seen whether a tier is kept."""
        return _in_days(term_end, self.policy.grace_days, self.zone)

    def notice_time(self, term_end: datetime) -> datetime | None:
        """When somebody hears that they would lose it; None for never."""
        days = self.policy.grace_days - self.policy.notice_days
        return _in_days(term_end, days, self.zone) if self.policy.notice_days else None

    @property
    def _day(self) -> tuple[int, int] | None:
        """The day of each year on which a period begins; None for any."""
        if self.policy.period is Period.CALENDAR_YEAR:
            return 1, 1
        joined = self.joined.astimezone(self.zone)
        return (joined.month, joined.day) if self.policy.period is Period.MEMBERSHIP_YEAR else None
