"""A promise: what we said we would do for a customer, by when.

A promise is never edited. It changes its state by the verbs below, and each change is a fact:

    verb          from                        to
    expect        OPEN, AT_RISK               AT_RISK when the forecast is late, OPEN when it no longer is
                  BROKEN                      BROKEN, with the new forecast
    due_soon      OPEN                        AT_RISK, by the clock
    block         OPEN                        AT_RISK, for what it rests on cannot go on
    unblock       AT_RISK for that alone      OPEN
    keep          OPEN, AT_RISK, BROKEN       KEPT, or KEPT_LATE after the due time
    break_        OPEN, AT_RISK               BROKEN, by the clock
    renegotiate   OPEN, AT_RISK               RENEGOTIATED, and a successor is made
                  BROKEN                      BROKEN, and a successor is made
    withdraw      OPEN, AT_RISK               WITHDRAWN
                  BROKEN                      BROKEN, and nobody waits for it any more
    notified      all but WITHDRAWN and       RENEGOTIATED when the customer was told in time, else BROKEN;
                  RENEGOTIATED                and a successor is made: see `delay_notification.py`

A broken promise without a successor can still be kept: word of the work may come late, and the customer did
get what was promised. One with a successor, which the customer counts on, or that was taken back is over.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cases.domain import facts
from cases.domain.basis import Basis
from cases.domain.due import Due, day_of
from cases.domain.promise_state import LIVE, PromiseState
from cases.names import CASE, CUSTOMER, DEPARTMENT, NOTICE, PROMISE, TEAM, WORK_ITEM
from chassis.errors import FailedPrecondition, invalid
from chassis.facts import fact_of

DUE_SOON, WORK_BLOCKED, WORK_UNASSIGNED = "due-soon", "work-blocked", "work-unassigned"


@dataclass(slots=True)
class Promise:
    """A promise to a customer."""

    id: UUID
    customer_id: UUID
    department_id: str
    kind: str
    due_time: datetime  # with due_date and time_zone: see `Due`
    make_time: datetime
    create_time: datetime  # when it was recorded here; `make_time`: when it was made
    update_time: datetime
    due_date: date | None = None
    time_zone: str = ""
    case_id: UUID | None = None
    work_item_id: UUID | None = None
    reference: str = ""
    display_name: str = ""  # what was promised, as it was said. Personal
    predecessor_id: UUID | None = None
    root_id: UUID | None = None  # the first of its chain; None: itself
    first_make_time: datetime | None = None  # of the first of those that replaced each other; None: this
    first_due_time: datetime | None = None  # what a delay counts from, when that is not this one's due
    import_key: str | None = None
    state: PromiseState = PromiseState.OPEN
    forecast_time: datetime | None = None  # the forecast that put it at risk
    reason_code: str = ""
    keep_time: datetime | None = None
    record_time: datetime | None = None  # when we learned that it was kept, however long ago that was
    withdraw_time: datetime | None = None  # when it was taken back
    successor_id: UUID | None = None
    notice_id: UUID | None = None
    bounced_notice_id: UUID | None = None  # the latest about it that was accepted, and came back
    basis: Basis = Basis.EXPLICIT
    delay_notify_time: datetime | None = None  # when the customer first heard that it will not be kept
    notifier: str = ""  # by whom, `agents/{agent}` or `services/{service}`
    notify_channel: str = ""  # and how, a touch point
    customer_requested: bool = False  # whether it was renegotiated because they asked for it
    keeper: str = ""  # who said that it was kept, as `notifier`
    team_id: str | None = None  # that has the work it rests on, or had it when it ended
    version: int = 1

    name = PROMISE.named("id")
    customer = CUSTOMER.named("customer_id")
    case = CASE.named("case_id")
    work_item = WORK_ITEM.named("work_item_id")
    department = DEPARTMENT.named("department_id")
    team = TEAM.named("team_id")
    predecessor = PROMISE.named("predecessor_id")
    successor = PROMISE.named("successor_id")
    notice = NOTICE.named("notice_id")

    @property
    def root(self) -> str:
        """The first of its chain: of those that replaced each other or were made on one work item."""
        return f"promises/{self.root_id or self.id}"

    @property
    def due(self) -> Due:
        """By when."""
        return Due(self.due_time, self.due_date, self.time_zone)

    @property
    def forecast_date(self) -> date | None:
        """The day of the forecast, for the promise of a day."""
        return self._day(self.forecast_time)

    @property
    def since(self) -> datetime:
        """When it was first promised: nothing can have been done for it before."""
        return self.first_make_time or self.make_time

    @property
    def notified_early(self) -> bool:
        """Whether the customer was told before it was due."""
        return self.delay_notify_time is not None and not self.due.missed_by(self.delay_notify_time)

    @property
    def moved_untold(self) -> bool:
        """Whether the notice that moved it came back: its customer does not know of its successor."""
        return self.notice_id in {self.bounced_notice_id} - {None} and self.delay_notify_time is None

    @property
    def live(self) -> bool:
        """Whether it can still be kept in time, as far as we know."""
        return self.state in LIVE

    @property
    def awaited(self) -> bool:
        """Whether the customer still waits for this very promise: it is live, or broken and nothing more."""
        over = self.successor_id or self.withdraw_time
        return self.live or (self.state is PromiseState.BROKEN and not over)

    @property
    def was_broken_here(self) -> bool:
        """Whether it is broken, and was not when it was recorded: what an import tells of the past was."""
        broken = self.state is PromiseState.BROKEN and not self.withdraw_time
        return broken and not self.due.missed_by(self.create_time)

    def made(self) -> facts.PromiseMade:
        """The fact that it was made."""
        return fact_of(facts.PromiseMade, self)

    def expect(
        self, forecast_time: datetime, reason_code: str
    ) -> facts.PromiseAtRisk | facts.PromiseRecovered | None:
        """Compare with a forecast of the work: at risk when it is late, recovered when it no longer is.

        Every forecast that is late is told, better ones too: a message that was not sent yet must not say
        what is no longer true. Whether a customer hears of it again is for those to decide who tell them.
        """
        if not self.awaited:
            return None
        if self.due.missed_by(forecast_time):
            known = (forecast_time, reason_code) == (self.forecast_time, self.reason_code)
            return None if known else self._at_risk(forecast_time, reason_code)
        if self.forecast_time is None or not self.live:
            return None
        return self._recovered(forecast_time)

    def due_soon(self, *, unattended: bool = False) -> facts.PromiseAtRisk | None:
        """The due time is near, and nobody may have taken the work; nothing when it is at risk or ended."""
        why = WORK_UNASSIGNED if unattended else DUE_SOON
        return self._at_risk(None, why) if self.state is PromiseState.OPEN else None

    def block(self) -> facts.PromiseAtRisk | None:
        """What it rests on cannot go on; nothing when it is at risk or ended."""
        return self._at_risk(None, WORK_BLOCKED) if self.state is PromiseState.OPEN else None

    def unblock(self) -> facts.PromiseRecovered | None:
        """What it rests on can go on; nothing when that was not all that put it at risk."""
        for_that_alone = self.forecast_time is None and self.reason_code == WORK_BLOCKED
        return self._recovered(None) if self.state is PromiseState.AT_RISK and for_that_alone else None

    def keep(self, keep_time: datetime, now: datetime, keeper: str = "") -> facts.PromiseKept:
        """It was done at `keep_time`, as we learn now from the keeper.

        InvalidArgument INVALID_TIME when it was done before it was first promised.
        """
        self.require_awaited()
        if keep_time < self.since:
            allowed = f"must not be before {self.since.isoformat()}, when it was made"
            raise invalid("keep_time", "INVALID_TIME", allowed)
        self.state = PromiseState.KEPT_LATE if self.due.missed_by(keep_time) else PromiseState.KEPT
        self.keep_time, self.record_time, self.keeper = keep_time, now, keeper
        self.version += 1
        return fact_of(facts.PromiseKept, self)

    def break_(self) -> facts.PromiseBroken | None:
        """The clock says that due time and grace are over; nothing when it ended before."""
        if not self.live:
            return None
        self.state = PromiseState.BROKEN
        self.version += 1
        return fact_of(facts.PromiseBroken, self)

    def delay_notified(self, now: datetime, notifier: str, channel: str) -> facts.PromiseDelayNotified | None:
        """A person told the customer that it will not be kept in time; nothing when they knew."""
        if not self.moved_untold:
            self.require_awaited()
        if not self.know(now, notifier, channel):
            return None
        self.version += 1
        return fact_of(facts.PromiseDelayNotified, self, channel=channel)

    def know(self, at: datetime, notifier: str, channel: str) -> bool:
        """The customer was told at `at`. False when they had been told before, which is what counts."""
        if is_first := self.delay_notify_time is None:
            self.delay_notify_time, self.notifier, self.notify_channel = at, notifier, channel
        return is_first

    def renegotiate(
        self,
        successor_id: UUID,
        due: Due,
        now: datetime,
        reason_code: str,
        *,
        customer_requested: bool,
        notifier: str = "",
        channel: str = "",
    ) -> tuple["Promise", facts.PromiseRenegotiated]:
        """End it, because a person agreed on another date with the customer, and make its successor."""
        self.require_awaited()
        self.state = PromiseState.RENEGOTIATED if self.live else PromiseState.BROKEN
        self.customer_requested = customer_requested
        if not customer_requested:
            self.know(now, notifier, channel)
        return self.succeed(successor_id, due, now, now, reason_code)

    def succeed(
        self, successor_id: UUID, due: Due, make_time: datetime, now: datetime, reason_code: str
    ) -> tuple["Promise", facts.PromiseRenegotiated]:
        """Make the successor of a promise whose state is final: the same promise with a new due time.

        A delay counts from the first due time, or from a later one that the customer asked for.
        """
        first_due_time = self.first_due_time or self.due_time
        asked_later = self.customer_requested and due.time >= first_due_time
        successor = Promise(
            id=successor_id,
            customer_id=self.customer_id,
            department_id=self.department_id,
            kind=self.kind,
            due_time=due.time,
            make_time=make_time,
            create_time=now,
            update_time=now,
            due_date=due.day,
            time_zone=due.time_zone,
            case_id=self.case_id,
            work_item_id=self.work_item_id,
            team_id=self.team_id,
            reference=self.reference,
            display_name=self.display_name,
            predecessor_id=self.id,
            root_id=self.root_id or self.id,
            first_make_time=self.since,
            first_due_time=None if asked_later else first_due_time,
            basis=self.basis,
        )
        self.forecast_time, self.reason_code, self.successor_id = None, reason_code, successor_id
        self.version += 1
        fact = fact_of(
            facts.PromiseRenegotiated,
            self,
            new_due_time=due.time,
            new_due_date=due.day,
            first_due_time=first_due_time,
            authority_policy="",
            policy_version=0,
        )
        return successor, fact

    def withdraw(self, reason_code: str, now: datetime) -> facts.PromiseWithdrawn:
        """Take it back. What was broken by then stays so."""
        self.require_awaited()
        self.state = PromiseState.WITHDRAWN if self.live else PromiseState.BROKEN
        self.reason_code, self.forecast_time, self.withdraw_time = reason_code, None, now
        self.version += 1
        return fact_of(facts.PromiseWithdrawn, self)

    def _at_risk(self, forecast_time: datetime | None, reason_code: str) -> facts.PromiseAtRisk:
        self.state = PromiseState.AT_RISK if self.live else PromiseState.BROKEN
        self.forecast_time, self.reason_code = forecast_time, reason_code
        self.version += 1
        return fact_of(facts.PromiseAtRisk, self)

    def _recovered(self, forecast_time: datetime | None) -> facts.PromiseRecovered:
        self.state, self.forecast_time, self.reason_code = PromiseState.OPEN, None, ""
        self.version += 1
        forecast_date = self._day(forecast_time)
        return fact_of(facts.PromiseRecovered, self, forecast_time=forecast_time, forecast_date=forecast_date)

    def _day(self, forecast_time: datetime | None) -> date | None:
        """The day of a forecast, where a day was promised."""
        return day_of(forecast_time, self.time_zone) if forecast_time and self.due_date else None

    def require_awaited(self) -> None:
        """Refuse one that the customer waits for no more (`PROMISE_ENDED`)."""
        if not self.awaited:
            told = f"{self.name} is {self.state} and over: only one that the customer waits for can change."
            raise FailedPrecondition("PROMISE_ENDED", told, {"resource": self.name, "state": self.state})
