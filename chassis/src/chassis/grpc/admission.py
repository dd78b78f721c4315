"""Who calls, judged by the metadata alone: the bearer of one token, or of two that travel together.

How often they call what, and how it ends, is measured by workload, or by the department of a person.
"""

import re
from collections.abc import Mapping, Sequence

from google.protobuf.descriptor import Descriptor

from chassis.auth.tokens import Verifier
from chassis.context import CORRELATION_ID, Principal
from chassis.errors import PermissionDenied, Unauthenticated, invalid
from chassis.grpc.bounds import TOKEN_MAX_BYTES
from chassis.telemetry.metrics import CALLS, RPC_DURATION

AUTHORIZATION, ON_BEHALF_OF, PURPOSE = "authorization", "on-behalf-of", "access-purpose"
DEFAULT_PURPOSE = "customer-care"

_PURPOSE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
CALLERS_MAX = 200  # each is a series for every method and code
NAMING = ("name", "parent", "customer", "case")
_callers: set[str] = set()


async def recognise(verifier: Verifier, metadata: Mapping[str, str]) -> Principal:
    """Who calls: the caller, or whoever it makes the call for, with the rights that both have.

    Unauthenticated, Unavailable as `Verifier.verify`.
    """
    caller = await _bearer(verifier, metadata, AUTHORIZATION)
    if ON_BEHALF_OF not in metadata:
        return caller
    return (await _bearer(verifier, metadata, ON_BEHALF_OF)).relayed_by(caller)


async def _bearer(verifier: Verifier, metadata: Mapping[str, str], where: str) -> Principal:
    bearer = metadata.get(where, "")
    if len(bearer) > TOKEN_MAX_BYTES:
        raise Unauthenticated(
            "TOKEN_INVALID", f"The token in `{where}` must be of at most {TOKEN_MAX_BYTES} bytes."
        )
    return verifier.known(bearer) or await verifier.verify(bearer, where)


def require(principal: Principal, permission: str) -> None:
    """Refuse who lacks a permission (PermissionDenied)."""
    if not principal.may(permission):
        raise PermissionDenied(
            "PERMISSION_DENIED", f"Permission '{permission}' denied.", {"permission": permission}
        )


def unambiguous(pairs: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """The metadata by key. Who calls must be said once: a proxy may have looked at the other one."""
    metadata = dict(pairs)
    if len(metadata) < len(pairs):
        keys = [key for key, _ in pairs]
        for where in (AUTHORIZATION, ON_BEHALF_OF, PURPOSE):
            if keys.count(where) > 1:
                raise Unauthenticated("TOKEN_INVALID", f"The metadata `{where}` must be given once.")
    return metadata


def credential(metadata: Mapping[str, str]) -> str:
    """The token of whoever began the call, for calls that are made on their behalf."""
    return metadata.get(ON_BEHALF_OF) or metadata[AUTHORIZATION]


def correlation_id(metadata: Mapping[str, str]) -> str:
    """The flow that the call belongs to; empty when it begins one. INVALID_TEXT."""
    told = metadata.get("correlation-id", "")
    if told and not CORRELATION_ID.fullmatch(told):
        raise invalid("correlation-id", "INVALID_TEXT", "must be 1 to 64 letters, digits, '-', '_', '.', ':'")
    return told


def purpose(metadata: Mapping[str, str]) -> str:
    """What the call is for. INVALID_CODE."""
    told = metadata.get(PURPOSE, DEFAULT_PURPOSE)
    if not _PURPOSE.fullmatch(told):
        raise invalid(PURPOSE, "INVALID_CODE", "must be 1 to 63 lower-case letters, digits and dashes")
    return told


def naming(request: Descriptor) -> list[str]:
    """The fields of a request that name the customer or the case that it is about."""
    fields = (request.fields_by_name.get(name) for name in NAMING)
    return [each.name for each in fields if each and each.type == each.TYPE_STRING and not each.is_repeated]


def note(principal: Principal | None, method: str, code: str, seconds: float, trace_id: str) -> None:
    """One RPC has ended. `principal` is None when it is not known who called."""
    traced = {"trace_id": trace_id} if trace_id else None
    RPC_DURATION.labels(method, code).observe(seconds, traced)
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
