"""Who is acting, why, and in which trace: carried from the edge to every row that a transaction writes."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from uuid import UUID

CLOCK = "clock"  # who acts when a timer fires
CORRELATION_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")  # what a flow is known by


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: the acting subject (`agent:alice`, `service:cases`), its department and its permissions.

    `expires_at` is when the token's time is over, in seconds since 1970. `via` is the workload that made the
    call on behalf of the subject; None when the subject called by itself.
    """

    subject: str
    department: str = ""
    permissions: frozenset[str] = frozenset()
    expires_at: float = math.inf
    via: "Principal | None" = None

    @property
    def caller(self) -> str:
        """Whose share of what all callers share this one takes: the subject's, by way of who relays it."""
        return self.subject if self.via is None else f"{self.subject} by {self.via.subject}"

    def may(self, permission: str) -> bool:
        """Whether the caller holds `permission`, or `*`, or `<service>.*`; and so does whoever relays it.

        `<service>.*` is what a service is for, not how it is run: `<service>.operations.read` and `.write`
        are named, or part of `*`.
        """
        service, _, verb = permission.partition(".")
        enough = {permission, "*"} if verb.startswith("operations.") else {permission, "*", f"{service}.*"}
        held = not self.permissions.isdisjoint(enough)
        return held and (self.via is None or self.via.may(permission))

    def administers(self, service: str) -> bool:
        """Whether the caller may change what any department owns: `<service>.departments.administer`.

        It is named, or part of `*`; `<service>.*` gives every verb, and no department's rows.
        """
        held = not self.permissions.isdisjoint({f"{service}.departments.administer", "*"})
        return held and (self.via is None or self.via.administers(service))

    def relayed_by(self, workload: "Principal") -> "Principal":
        """The same subject, whose call `workload` makes: with the rights that both have."""
        return replace(self, via=workload, expires_at=min(self.expires_at, workload.expires_at))


def service_itself(service: str, subject: str = "") -> Principal:
    """Who acts when nobody called: consumers, timers, jobs. A service owns what its own database holds.

    `subject` is `service:<name>` unless the clock, say, is a better answer. Its rights at other services are
    in its token, declared by `Service(permissions=...)`.
    """
    own = frozenset({f"{service}.*", f"{service}.departments.administer"})
    return Principal(subject or f"service:{service}", permissions=own)


@dataclass(frozen=True, slots=True)
class Call:
    """One unit of work: an RPC, the handling of an event, or the firing of a timer.

    `cause_id` is what the facts of this work point back to: the consumed event or the fired timer; for an RPC
    it is None, which stands for the transaction's own audit row. `correlation_id` names the whole flow.
    `purpose` says what for. `credential` is the `Bearer <token>` of whoever began an RPC: calls that the
    method makes to other services are on their behalf.
    """

    what: str
    principal: Principal
    request_id: str = ""
    cause_id: UUID | None = None
    correlation_id: str = ""
    traceparent: str = ""
    purpose: str = ""
    credential: str = field(default="", repr=False)


current_call: ContextVar[Call] = ContextVar("current_call")


@contextmanager
def acting(call: Call) -> Iterator[None]:
    """Have what is done inside be part of `call`."""
    token = current_call.set(call)
    try:
        yield
    finally:
        current_call.reset(token)
