"""What would become of clocks if their calendar, or the policy that started them, were another."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from cases.domain.calendar import ALWAYS
from cases.domain.clock import Clock, ClockState
from cases.domain.clock_policy import ClockMetric, Pause, Subject, Target
from cases.domain.reckoning import BusinessTime
from cases.names import CALENDAR, CLOCK_POLICY
from cases.store import clocks as store
from cases.store.calendars import CALENDAR as LATEST
from cases.usecases.calendar import calendars
from cases.usecases.clock_policy import require_sound
from chassis.api.entities import found
from chassis.db.database import Database
from chassis.db.statement import Statement

CHECKED_MAX, AT_ONCE, MOVES_MAX = 10_000, 500, 100


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """A policy as it would be."""

    display_name: str
    department_id: str | None
    subject: Subject
    condition: str
    position: int
    targets: list[Target]
    pauses: list[Pause]
    disabled: bool


@dataclass(frozen=True, slots=True)
class Move:
    """A clock whose time would be up at another moment; None is never."""

    clock: str
    case: str
    metric: ClockMetric
    due_time: datetime | None
    new_due_time: datetime | None


@dataclass(slots=True)
class Preview:
    """How many clocks it is about, how many were looked at, and what would become of those."""

    clock_count: int
    checked_count: int = 0
    moved_count: int = 0
    earlier_count: int = 0
    later_count: int = 0
    breached_count: int = 0
    endless_count: int = 0
    moves: list[Move] = field(default_factory=list)

    def look_at(self, clock: Clock, now: datetime, before: datetime | None) -> None:
        """A clock, which nobody keeps, is as it would be; it was due before."""
        self.checked_count += 1
        after = clock.due_time
        self.endless_count += after is None and clock.state is ClockState.RUNNING
        if after == before:
            return
        self.moved_count += 1
        earlier = after is not None and (before is None or after < before)
        self.earlier_count += earlier
        self.later_count += not earlier
        self.breached_count += after is not None and after <= now
        if len(self.moves) < MOVES_MAX:
            self.moves.append(Move(clock.name, clock.case, clock.metric, before, after))


async def preview_calendar(db: Database, calendar_id: str, calendar: BusinessTime) -> Preview:
    """Look at the oldest clocks that go by a calendar. NotFound."""
    await found(db, CALENDAR, LATEST, calendar_id)
    about = {"calendar_id": calendar_id}
    (count,) = await store.COUNT_FOLLOWING.one(db, **about)
    preview = Preview(count)
    await _look(
        db,
        preview,
        store.SOME_FOLLOWING,
        about,
        lambda clock: clock.follow(clock.calendar_version + 1, calendar),
    )
    return preview


async def preview_policy(db: Database, clock_policy_id: str, draft: PolicyDraft) -> Preview:
    """Look at the oldest clocks that a policy started. NotFound; what an update refuses."""
    before = await found(db, CLOCK_POLICY, store.CLOCK_POLICY, clock_policy_id)
    policy = replace(
        before,
        version=before.version + 1,
        condition=draft.condition,
        disabled=draft.disabled,
        pauses=[*draft.pauses],
        targets=draft.targets,
    )
    await require_sound(db, policy)
    latest = {each: (await LATEST.one(db, id=each)).version for each in policy.calendar_ids}
    by_id = {each: await calendars(db).of(db, each, version) for each, version in latest.items()}
    about = {"clock_policy_id": clock_policy_id}
    (count,) = await store.COUNT_STARTED_BY.one(db, **about)
    preview, now = Preview(count), db.clock.now()

    def go_by(clock: Clock) -> object:
        target = policy.target(clock.metric)
        calendar_id = (target and target.calendar_id) or ALWAYS
        return target and clock.go_by(policy, latest[calendar_id], by_id[calendar_id], now)

    await _look(db, preview, store.SOME_STARTED_BY, about, go_by)
    return preview


async def _look(
    db: Database,
    preview: Preview,
    some: Statement[Clock],
    about: dict[str, str],
    change: Callable[[Clock], object],
) -> None:
    """Change clocks, a page at a time, so that others are served in between."""
    after, now = UUID(int=0), db.clock.now()
    while preview.checked_count < CHECKED_MAX:
        clocks = await some.all(db, **about, after=after, limit=AT_ONCE)
        for clock in clocks:
            before = clock.due_time
            change(clock)
            preview.look_at(clock, now, before)
        if len(clocks) < AT_ONCE:
            return
        after = clocks[-1].id
