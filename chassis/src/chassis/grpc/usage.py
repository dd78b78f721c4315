"""Who calls what, how often and how it ends: measured by workload, or by the department of a person."""

from google.protobuf.descriptor import Descriptor

from chassis.context import Principal
from chassis.telemetry.metrics import CALLS, RPC_DURATION

CALLERS_MAX = 200  # each is a series for every method and code
NAMING = ("name", "parent", "customer", "case")
_callers: set[str] = set()


def naming(request: Descriptor) -> list[str]:
    """The fields of a request that name the customer or the case that it is about."""
    fields = (request.fields_by_name.get(name) for name in NAMING)
    return [each.name for each in fields if each and each.type == each.TYPE_STRING and not each.is_repeated]


def note(principal: Principal | None, method: str, code: str, seconds: float, trace_id: str) -> None:
    """One RPC has ended. `principal` is None when it is not known who called."""
    RPC_DURATION.observe((method, code), seconds, trace_id)
    CALLS.labels(caller_of(principal), method, code).inc()


def caller_of(principal: Principal | None) -> str:
    """`service:cases` for what a workload calls, whoever for; a person's department; nobody; others.

    Nobody's name, and of many callers only the first: each is a series of its own.
    """
    if principal is None:
        return "nobody"
    calling = principal.via or principal
    known_as = calling.subject if calling.subject.startswith("service:") else calling.department or "people"
    if known_as not in _callers:
        if len(_callers) >= CALLERS_MAX:
            return "others"
        _callers.add(known_as)
    return known_as
