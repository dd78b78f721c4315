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
from typing import ClassVar


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

    code: ClassVar[str] = "INTERNAL"
    of_peer = False  # whether another service refused, which may think otherwise in a moment

    def __init_subclass__(cls, code: str = "") -> None:
        cls.code = code or cls.code

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


class InvalidArgument(Refusal, code="INVALID_ARGUMENT"):
    """The request is wrong. Build it with every violation, not the first."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        first = violations[0]
        message = "; ".join(f"{v.field}: {v.description}" for v in violations)
        super().__init__(first.reason, message, {"field": first.field})
        self.violations = violations


def invalid(field: str, reason: str, description: str) -> InvalidArgument:
    """The refusal for a single violation."""
    return InvalidArgument([Violation(field, reason, description)])


class Unauthenticated(Refusal, code="UNAUTHENTICATED"):
    """The caller is not known."""


class PermissionDenied(Refusal, code="PERMISSION_DENIED"):
    """The caller is known and may not."""


class NotFound(Refusal, code="NOT_FOUND"):
    """The resource is absent. `resource` is its name, which may be echoed: names are not personal."""

    def __init__(self, resource: str, message: str = "") -> None:
        told = message or f"{resource} was not found."
        super().__init__("RESOURCE_NOT_FOUND", told, {"resource": resource})


class AlreadyExists(Refusal, code="ALREADY_EXISTS"):
    """Something unique is taken."""


class ResourceExists(AlreadyExists):
    """A resource that was to be made is there (`RESOURCE_EXISTS`): `resource` is its name."""

    def __init__(self, resource: str) -> None:
        super().__init__("RESOURCE_EXISTS", f"{resource} exists.", {"resource": resource})


class FailedPrecondition(Refusal, code="FAILED_PRECONDITION"):
    """A rule or the resource's state says no."""


class Aborted(Refusal, code="ABORTED"):
    """A concurrent change won, or the same request is still in flight: read again, or try again."""


class ResourceExhausted(Refusal, code="RESOURCE_EXHAUSTED"):
    """Too much, for now."""


def overloaded(
    message: str = "Too many calls at once. Try again.", most: int | None = None
) -> ResourceExhausted:
    """The refusal of a call for which there is no room: nothing was done. `most`: how many there may be."""
    return ResourceExhausted("OVERLOADED", message, {} if most is None else {"most": most}, retry_after_s=1)


def response_too_large(fits: int | None = None) -> ResourceExhausted:
    """The refusal of an answer that no client could receive. `fits`: how many of what was asked for do."""
    less = "less" if fits is None else f"at most {fits}"
    metadata = {} if fits is None else {"fits": fits}
    return ResourceExhausted(
        "RESPONSE_TOO_LARGE", f"The answer would be of more than 4 MB. Ask for {less} at once.", metadata
    )


class Unavailable(Refusal, code="UNAVAILABLE"):
    """A dependency is down; the call had no effect and may be tried again."""


class DeadlineExceeded(Refusal, code="DEADLINE_EXCEEDED"):
    """Not done in time."""


class OutcomeUnknown(Refusal, code="UNKNOWN"):
    """It may have been done, or not. A repeat with the same request id tells; any other may do it twice."""


BY_CODE = {refusal.code: refusal for refusal in Refusal.__subclasses__()}


class Malformed(Exception):
    """A message that is no event: a header is missing or wrong, or the body does not decode."""
