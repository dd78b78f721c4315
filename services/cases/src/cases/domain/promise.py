"""A promise: what we said we would do for a customer, by when.

A promise is never edited. It changes its state by the verbs below, and each change is a fact:

    verb          from                        to
    expect        OPEN, AT_RISK               AT_RISK, when the forecast is later than the due time
    due_soon      OPEN                        AT_RISK, by the clock
    keep          OPEN, AT_RISK, BROKEN       KEPT, or KEPT_LATE after the due time
    break_        OPEN, AT_RISK               BROKEN, by the clock
    renegotiate   OPEN, AT_RISK               RENEGOTIATED, and a successor is made
    withdraw      OPEN, AT_RISK               WITHDRAWN

Two decisions. A promise at risk stays so until it ends, also when the forecast recovers: the customer may
have been told already. And a broken promise can still be kept: word of the work may come late, and the
customer did get what was promised.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from cases.domain.facts import (
    PromiseAtRisk,
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromiseRenegotiated,
    PromiseWithdrawn,
)
from chassis.errors import FailedPrecondition

DUE_SOON = "DUE_SOON"


class PromiseState(StrEnum):
    """Where a promise is."""

    OPEN = "OPEN"
    AT_RISK = "AT_RISK"
    KEPT = "KEPT"
    KEPT_LATE = "KEPT_LATE"
    BROKEN = "BROKEN"
    RENEGOTIATED = "RENEGOTIATED"
    WITHDRAWN = "WITHDRAWN"


LIVE = frozenset({PromiseState.OPEN, PromiseState.AT_RISK})


@dataclass(slots=True)
class Promise:
    """A promise to a customer. The due time is a moment; what is done at that very moment is in time."""

    id: UUID
    customer_id: UUID
    department_id: str
    kind: str
    due_time: datetime
    make_time: datetime
    case_id: UUID | None = None
    work_item_id: UUID | None = None
    reference: str = ""
    predecessor_id: UUID | None = None
    root_id: UUID | None = None  # None: itself
    import_key: str | None = None
    state: PromiseState = PromiseState.OPEN
    forecast_time: datetime | None = None
    reason_code: str = ""
    keep_time: datetime | None = None
    successor_id: UUID | None = None
    notice_id: UUID | None = None
    version: int = 1

    @property
    def name(self) -> str:
        """`promises/{uuid}`."""
        return f"promises/{self.id}"

    @property
    def customer(self) -> str:
        """`customers/{uuid}`."""
        return f"customers/{self.customer_id}"

    @property
    def case(self) -> str:
        """`cases/{uuid}`, or empty."""
        return f"cases/{self.case_id}" if self.case_id else ""

    @property
    def work_item(self) -> str:
        """`cases/{uuid}/workItems/{uuid}`, or empty."""
        return f"{self.case}/workItems/{self.work_item_id}" if self.work_item_id else ""

    @property
    def department(self) -> str:
        """`departments/{department}`."""
        return f"departments/{self.department_id}"

    @property
    def predecessor(self) -> str:
        """The promise that this one replaced, or empty."""
        return f"promises/{self.predecessor_id}" if self.predecessor_id else ""

    @property
    def root(self) -> str:
        """The first of the promises that replaced each other, itself when it replaced none."""
        return f"promises/{self.root_id or self.id}"

    @property
    def successor(self) -> str:
        """The promise that replaced this one, or empty."""
        return f"promises/{self.successor_id}" if self.successor_id else ""

    @property
    def notice(self) -> str:
        """The notice that told the customer about the new date, or empty."""
        return f"notices/{self.notice_id}" if self.notice_id else ""

    @property
    def live(self) -> bool:
        """Whether it can still be kept in time, as far as we know."""
        return self.state in LIVE

    def made(self) -> PromiseMade:
        """The fact that it was made."""
        return PromiseMade(
            self.name,
            self.customer,
            self.case,
            self.department,
            self.kind,
            self.reference,
            self.due_time,
            self.predecessor,
            self.root,
        )

    def expect(self, forecast_time: datetime, reason_code: str) -> PromiseAtRisk | None:
        """Compare with a forecast of the work: at risk when it is later than the due time.

        A promise at risk already is announced again only when things get worse or the reason changes, so that
        a customer is not told twice about the same delay.
        """
        if not self.live or forecast_time <= self.due_time:
            return None
        known = self.forecast_time is not None and forecast_time <= self.forecast_time
        if known and reason_code == self.reason_code:
            return None
        return self._at_risk(forecast_time, reason_code)

    def due_soon(self) -> PromiseAtRisk | None:
        """The clock says that the due time is near; nothing when it is at risk or ended."""
        return self._at_risk(None, DUE_SOON) if self.state is PromiseState.OPEN else None

    def keep(self, keep_time: datetime) -> PromiseKept:
        """It was done at `keep_time`."""
        if self.state is not PromiseState.BROKEN:
            self._require_live()
        late = keep_time > self.due_time
        self.state = PromiseState.KEPT_LATE if late else PromiseState.KEPT
        self.keep_time = keep_time
        self.version += 1
        return PromiseKept(
            self.name, self.customer, self.case, self.department, self.due_time, keep_time, late
        )

    def break_(self) -> PromiseBroken | None:
        """The clock says that due time and grace are over; nothing when it ended before."""
        if not self.live:
            return None
        self.state = PromiseState.BROKEN
        self.version += 1
        return PromiseBroken(self.name, self.customer, self.case, self.department, self.due_time)

    def renegotiate(
        self,
        successor_id: UUID,
        due_time: datetime,
        now: datetime,
        reason_code: str,
        notice_id: UUID | None = None,
    ) -> tuple["Promise", PromiseRenegotiated]:
        """End it and make its successor, the same promise with a new due time.

        Args:
            successor_id: the id of the new promise.
            due_time: the new due time.
            now: when the new promise is made.
            reason_code: why.
            notice_id: the notice that told the customer; None when a person did.

        """
        self._require_live()
        successor = Promise(
            id=successor_id,
            customer_id=self.customer_id,
            department_id=self.department_id,
            kind=self.kind,
            due_time=due_time,
            make_time=now,
            case_id=self.case_id,
            work_item_id=self.work_item_id,
            reference=self.reference,
            predecessor_id=self.id,
            root_id=self.root_id or self.id,
        )
        self.state, self.reason_code = PromiseState.RENEGOTIATED, reason_code
        self.successor_id, self.notice_id = successor_id, notice_id
        self.version += 1
        return successor, PromiseRenegotiated(
            self.name,
            self.customer,
            self.case,
            self.department,
            self.due_time,
            due_time,
            successor.name,
            self.notice,
            reason_code,
            self.root,
        )

    def withdraw(self, reason_code: str) -> PromiseWithdrawn:
        """Take it back."""
        self._require_live()
        self.state, self.reason_code = PromiseState.WITHDRAWN, reason_code
        self.version += 1
        return PromiseWithdrawn(self.name, self.customer, self.case, self.department, reason_code)

    def _at_risk(self, forecast_time: datetime | None, reason_code: str) -> PromiseAtRisk:
        self.state, self.forecast_time, self.reason_code = PromiseState.AT_RISK, forecast_time, reason_code
        self.version += 1
        return PromiseAtRisk(
            self.name,
            self.customer,
            self.case,
            self.department,
            self.kind,
            self.reference,
            self.due_time,
            forecast_time,
            reason_code,
        )

    def _require_live(self) -> None:
        if not self.live:
            raise FailedPrecondition(
                "PROMISE_ENDED",
                f"{self.name} is {self.state}: only an open promise, or one at risk, can change.",
                {"promise": self.name, "state": self.state},
            )


@dataclass(frozen=True, slots=True)
class PromiseClock:
    """When the clock acts on a promise.

    Attributes:
        lead: how long before the due time an unkept promise is at risk.
        grace: how long after the due time an unkept promise is broken.

    """

    lead: timedelta = timedelta(hours=24)
    grace: timedelta = timedelta()

    def at_risk_at(self, promise: Promise) -> datetime:
        """When the promise is at risk."""
        return promise.due_time - self.lead

    def broken_at(self, promise: Promise) -> datetime:
        """When the promise is broken."""
        return promise.due_time + self.grace
