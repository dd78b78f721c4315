"""Refusals, raised anywhere and mapped to a gRPC status in one place (`chassis.grpc.status`).

Standard library only, so that `domain` packages may raise them.

    Refusal                     code                 raised when
      InvalidArgument           INVALID_ARGUMENT     the request itself is wrong; carries every violation
      Unauthenticated           UNAUTHENTICATED      no valid token
      PermissionDenied          PERMISSION_DENIED    a valid token without the permission
      NotFound                  NOT_FOUND            the resource is absent
      AlreadyExists             ALREADY_EXISTS       something unique is taken
      FailedPrecondition        FAILED_PRECONDITION  a rule or a state says no
      Aborted                   ABORTED              stale etag, or the same request is still in flight
      ResourceExhausted         RESOURCE_EXHAUSTED   overload or a budget is spent
      Unavailable               UNAVAILABLE          a dependency is down; try again
      DeadlineExceeded          DEADLINE_EXCEEDED    not done in the caller's time
      OutcomeUnknown            UNKNOWN              done or not done: nobody can tell now
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a request: which field, a documented reason, and what is allowed."""

    field: str
    reason: str
    description: str


class Refusal(Exception):
    """A call that is answered with an error the caller can act on.

    `reason` is UPPER_SNAKE and part of the contract: the service's README lists it. `message` says what is
    allowed. `metadata` repeats every value of the message for programs. Neither holds personal data.
    """

    code = "INTERNAL"
    of_peer = False  # whether another service refused, which may think otherwise in a moment

    def __init__(
        self,
        reason: str,
        message: str,
        metadata: Mapping[str, object] | None = None,
        retry_after_s: float = 0,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = {key: str(value) for key, value in (metadata or {}).items()}
        self.retry_after_s = retry_after_s


class InvalidArgument(Refusal):
    """The request is wrong. Build it with every violation, not the first."""

    code = "INVALID_ARGUMENT"

    def __init__(self, violations: Sequence[Violation]) -> None:
        first = violations[0]
        message = "; ".join(f"{v.field}: {v.description}" for v in violations)
        super().__init__(first.reason, message, {"field": first.field})
        self.violations = violations


def invalid(field: str, reason: str, description: str) -> InvalidArgument:
    """The refusal for a single violation."""
    return InvalidArgument([Violation(field, reason, description)])


class Unauthenticated(Refusal):
    """The caller is not known."""

    code = "UNAUTHENTICATED"


class PermissionDenied(Refusal):
    """The caller is known and may not."""

    code = "PERMISSION_DENIED"


class NotFound(Refusal):
    """The resource is absent. `resource` is its name, which may be echoed: names are not personal."""

    code = "NOT_FOUND"

    def __init__(self, resource: str, message: str = "") -> None:
        told = message or f"{resource} was not found."
        super().__init__("RESOURCE_NOT_FOUND", told, {"resource": resource})


class AlreadyExists(Refusal):
    """Something unique is taken."""

    code = "ALREADY_EXISTS"


class ResourceExists(AlreadyExists):
    """A resource that was to be made is there (`RESOURCE_EXISTS`): `resource` is its name."""

    def __init__(self, resource: str) -> None:
        super().__init__("RESOURCE_EXISTS", f"{resource} exists.", {"resource": resource})


class FailedPrecondition(Refusal):
    """A rule or the resource's state says no."""

    code = "FAILED_PRECONDITION"


class Aborted(Refusal):
    """A concurrent change won, or the same request is still in flight: read again, or try again."""

    code = "ABORTED"


class ResourceExhausted(Refusal):
    """Too much, for now."""

    code = "RESOURCE_EXHAUSTED"


def response_too_large(fits: int | None = None) -> ResourceExhausted:
    """The refusal of an answer that no client could receive. `fits`: how many of what was asked for do."""
    less = "less" if fits is None else f"at most {fits}"
    metadata = {} if fits is None else {"fits": fits}
    return ResourceExhausted(
        "RESPONSE_TOO_LARGE", f"The answer would be of more than 4 MB. Ask for {less} at once.", metadata
    )


class Unavailable(Refusal):
    """A dependency is down; the call had no effect and may be tried again."""

    code = "UNAVAILABLE"


class DeadlineExceeded(Refusal):
    """Not done in time."""

    code = "DEADLINE_EXCEEDED"


class OutcomeUnknown(Refusal):
    """It may have been done, or not. A repeat with the same request id tells; any other may do it twice."""

    code = "UNKNOWN"


class Malformed(Exception):
    """A message that is no event: a header is missing or wrong, or the body does not decode."""
