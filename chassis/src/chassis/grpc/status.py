"""The one place where refusals and other exceptions become gRPC statuses, and statuses become refusals again.

Every error carries `google.rpc.ErrorInfo{reason, domain, metadata}`. What callers cannot know about becomes
INTERNAL with a fixed text and the trace id; its own text is never sent. An answer ends with bytes, or with
the refusal that an error stands for.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import grpc
import structlog
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details_pb2
from google.rpc import status_pb2
from grpc_status import rpc_status
from opentelemetry.trace import StatusCode

from chassis import errors
from chassis.db import failures
from chassis.errors import Refusal
from chassis.telemetry import tracing

# All of it travels in HTTP/2 headers, in base64 and with the message twice; clients accept 8 KB of those.
MESSAGE_MAX = 1000
VIOLATIONS_MAX_BYTES = 3000
SERVER_ERRORS = frozenset({"DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "UNKNOWN"})

log = structlog.get_logger(__name__)

# What a server that shuts down makes of calls that it has not begun.
_CLASSES: Mapping[str, type[Refusal]] = errors.BY_CODE | {"CANCELLED": errors.Unavailable}
Metadata = Mapping[str, str]
Answer = Callable[[Any, Metadata, str], Awaitable[bytes | None]]


class Unimplemented(Refusal, code="UNIMPLEMENTED"):
    """The method is not in the contract, or not served yet."""

    def __init__(self, method: str) -> None:
        super().__init__("UNIMPLEMENTED", f"{method} is not served here.", {"method": method})


def status(refusal: Refusal, domain: str) -> Any:
    """The `grpc.Status` to abort with. `domain` is `<service>.rapport`."""
    code = grpc.StatusCode[refusal.code]
    rich = status_pb2.Status(code=code.value[0], message=refusal.message[:MESSAGE_MAX])
    _add(rich, details_pb2.ErrorInfo(reason=refusal.reason, domain=domain, metadata=refusal.metadata))
    if isinstance(refusal, errors.InvalidArgument):
        _add(rich, _bad_request(refusal))
    elif isinstance(refusal, errors.NotFound):
        name = refusal.metadata["resource"]
        _add(rich, details_pb2.ResourceInfo(resource_type=name.partition("/")[0], resource_name=name))
    elif isinstance(refusal, errors.FailedPrecondition):
        failure = details_pb2.PreconditionFailure()
        subject, described = refusal.metadata.get("resource", ""), refusal.message[:MESSAGE_MAX]
        failure.violations.add(type=refusal.reason, subject=subject, description=described)
        _add(rich, failure)
    if refusal.retry_after_s:
        delay = Duration()
        delay.FromMilliseconds(round(refusal.retry_after_s * 1000))
        _add(rich, details_pb2.RetryInfo(retry_delay=delay))
    return rpc_status.to_status(rich)


def refusal_of(error: Exception, traceparent: str) -> Refusal:
    """The refusal that an exception amounts to. Unknown ones are logged and become INTERNAL."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, TimeoutError):
        return errors.DeadlineExceeded("DEADLINE_EXCEEDED", "The call was not done in its time.")
    if isinstance(error, grpc.aio.AioRpcError):
        peers = refusal(error)
        if is_passing(peers) or peers.code in ("DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"):
            return errors.Unavailable(
                "DEPENDENCY_UNAVAILABLE",
                "Another service that this call needs did not answer. Try again.",
                {"reason": peers.reason},
                retry_after_s=1,
            )
    return failures.refusal_of(error) or _internal(error, tracing.trace_id(traceparent))


def refusal(error: grpc.aio.AioRpcError) -> Refusal:
    """The refusal that another service answered with: same code, reason, message, metadata."""
    found = _refusal(error)
    found.of_peer = True
    return found


def is_passing(peers: Refusal) -> bool:
    """Whether what a peer refused with is no word about the call: it stops, or has lost its database."""
    return peers.code == "UNAVAILABLE" or peers.reason == "COMMIT_UNKNOWN"


def _refusal(error: grpc.aio.AioRpcError) -> Refusal:
    rich = _rich(error)
    info = _detail(rich, details_pb2.ErrorInfo)
    retry = _detail(rich, details_pb2.RetryInfo).retry_delay
    why, message, metadata = info.reason or error.code().name, error.details() or "", dict(info.metadata)
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
        bad = _detail(rich, details_pb2.BadRequest).field_violations
        violations = [errors.Violation(v.field, v.reason, v.description) for v in bad]
        return errors.InvalidArgument(violations or [errors.Violation("", why, message)])
    if error.code() is grpc.StatusCode.NOT_FOUND:
        found = errors.NotFound(metadata.get("resource", ""), message)
        found.reason, found.metadata = info.reason or found.reason, metadata or found.metadata
        return found
    cls = _CLASSES.get(error.code().name, Refusal)
    return cls(why, message, metadata, retry_after_s=retry.seconds + retry.nanos / 1e9)


def reason(error: grpc.aio.AioRpcError) -> str:
    """The reason in an error's ErrorInfo; the status code's name when there is none."""
    return _detail(_rich(error), details_pb2.ErrorInfo).reason or error.code().name


def _internal(error: Exception, trace_id: str) -> Refusal:
    log.error("an RPC failed", exc_info=error, trace_id=trace_id)
    return Refusal("INTERNAL", f"An internal error occurred. Trace {trace_id}.", {"trace_id": trace_id})


def _bad_request(refusal: errors.InvalidArgument) -> details_pb2.BadRequest:
    bad = details_pb2.BadRequest()
    for violation in refusal.violations:
        bad.field_violations.add(
            field=violation.field, reason=violation.reason, description=violation.description[:MESSAGE_MAX]
        )
        if bad.ByteSize() > VIOLATIONS_MAX_BYTES:
            del bad.field_violations[-1]
            break
    return bad


def _add(rich: status_pb2.Status, detail: Message) -> None:
    rich.details.add().Pack(detail)


def _rich(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    metadata: Iterable[Any] = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == "grpc-status-details-bin":
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()


def _detail(rich: status_pb2.Status, cls: Any) -> Any:
    """The first detail of `cls`, or an empty one."""
    found = cls()
    for packed in rich.details:
        if packed.Unpack(found):
            break
    return found


async def settled(
    answer: Answer, context: Any, metadata: Metadata, traceparent: str
) -> bytes | Refusal | None:
    """The answer, or why there is none."""
    try:
        return await answer(context, metadata, traceparent)
    except grpc.aio.AbortError:
        raise
    except Exception as error:
        return refusal_of(error, traceparent)


async def traced(
    name: str, arrived: str, answer: Answer, context: Any, metadata: Metadata
) -> tuple[bytes | Refusal | None, str]:
    """The same within a span, and the id of its trace."""
    with tracing.server_span(name, arrived) as span:
        traceparent = tracing.traceparent()
        outcome = await settled(answer, context, metadata, traceparent)
        code = outcome.code if isinstance(outcome, Refusal) else "OK"
        span.set_attribute("rpc.response.status_code", code)
        if code in SERVER_ERRORS:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", code)
        return outcome, tracing.trace_id(traceparent)
