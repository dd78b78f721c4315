"""Who is acting, why, and in which trace: carried from the edge to every row that a transaction writes."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: the acting subject (`agent:alice`, `service:cases`), its department and its permissions."""

    subject: str
    department: str = ""
    permissions: frozenset[str] = frozenset()

    def may(self, permission: str) -> bool:
        """Whether the caller holds `permission`, or `*`, or `<service>.*`."""
        service = permission.split(".", 1)[0]
        return not self.permissions.isdisjoint({permission, "*", f"{service}.*"})


@dataclass(frozen=True, slots=True)
class Call:
    """One unit of work: an RPC, the handling of an event, or the firing of a timer.

    `cause_id` is what the facts of this work point back to: the consumed event or the fired timer; for an RPC
    it is None, which stands for the transaction's own audit row. `correlation_id` names the whole flow.
    """

    what: str
    principal: Principal
    request_id: str = ""
    cause_id: UUID | None = None
    correlation_id: str = ""
    traceparent: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


NOBODY = Principal("nobody")

current_call: ContextVar[Call] = ContextVar("current_call")
