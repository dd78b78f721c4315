"""Every field of every request, given what it must not hold: refused, and never our mistake."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import grpc
import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis.api.pages import Page
from chassis.cli import contracts
from chassis.testing.running import Running
from chassis.testing.tokens import TestIssuer
from rapport.cases.v1.case_service_pb2 import ListCasesRequest
from tests.contracts.test_reasons import common, documented

SERVICES = ["customer", "cases", "loyalty", "notifications"]
NOWHERE = dict.fromkeys(SERVICES, "127.0.0.1:9")
PARENTS = {
    "ListTimelineEntries": {"parent": f"customers/{uuid4()}"},
    "ListImportErrors": {"parent": f"importJobs/{uuid4()}"},
    "ListWorkItems": {"parent": f"cases/{uuid4()}"},
    "ListTransfers": {"account": "programmes/main/accounts/issued"},
}
ANSWERS = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}


class Outcome(NamedTuple):
    """How a call ended: status code, reason, and the fields that were refused."""

    code: str
    reason: str = ""
    fields: frozenset[str] = frozenset()


def wrong(field: FieldDescriptor) -> list[Any]:
    """Values that a field of this type can carry on the wire and must not hold."""
    kind = field.message_type and contracts.message_class(field.message_type)
    match kind and kind.DESCRIPTOR.full_name:
        case "google.protobuf.Timestamp":
            return [kind(seconds=2**62), kind(seconds=-(2**62)), kind(seconds=1, nanos=-5)]
        case "google.type.Money":
            return [kind(units=-1, currency_code="USD"), kind(units=2**62, currency_code="USD")]
        case "google.protobuf.FieldMask":
            return [kind(paths=["no_such_field"])]
    if field.enum_type is not None:
        return [999, -1]
    if field.type == FieldDescriptor.TYPE_STRING:
        return ["a\0b", "x" * 100_000]
    return [-1] if field.name == "page_size" else []


def odd(field: FieldDescriptor) -> list[Any]:
    """Values that are unusual; some fields may hold them."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return ["'; DROP TABLE cases; --", "../../etc/passwd", "\u202e\u0301", "💥" * 1000, "%s{}\\"]
    if field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64):
        bits = 31 if field.type == FieldDescriptor.TYPE_INT32 else 63
        return [-1, -(2**bits), 2**bits - 1]
    return []


def ignored(field: FieldDescriptor, depth: int) -> bool:
    """Whether a request's value says nothing: what the service sets, and what creating has no use for."""
    behaviour = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return field_behavior_pb2.OUTPUT_ONLY in behaviour or (depth > 0 and field.name in ("name", "etag"))


def spoilt(
    kind: type[Message], values: Callable[[FieldDescriptor], list[Any]], depth: int = 0
) -> Iterator[tuple[str, Message]]:
    """Paths of fields, each with a message for each of its values; also of the messages inside it."""
    for field in kind.DESCRIPTOR.fields:
        if ignored(field, depth):
            continue
        inner = field.message_type
        parts: list[tuple[str, Any]] = [(field.name, value) for value in values(field)]
        if inner is not None and inner.full_name.startswith("rapport.") and not inner.GetOptions().map_entry:
            deeper = spoilt(contracts.message_class(inner), values, depth + 1)
            parts += [(f"{field.name}.{path}", part) for path, part in deeper]
        for path, part in parts:
            made = kind()
            if "request_id" in kind.DESCRIPTOR.fields_by_name:
                made.request_id = str(uuid4())  # type: ignore[attr-defined]
            if field.is_repeated:
                getattr(made, field.name).extend([part])
            elif field.message_type is not None:
                getattr(made, field.name).CopyFrom(part)
            else:
                setattr(made, field.name, part)
            yield path, made


class Caller:
    """Calls any method with any bytes."""

    def __init__(self, running: Running, issuer: TestIssuer) -> None:
        self.channel = grpc.aio.insecure_channel(running.address)
        self.metadata = [("authorization", f"Bearer {issuer.token()}")]

    async def outcome(self, method: MethodDescriptor, body: bytes) -> Outcome:
        """How a call ends."""
        path = f"/{method.containing_service.full_name}/{method.name}"
        try:
            if method.server_streaming:
                call: Any = self.channel.unary_stream(path)(body, timeout=5, metadata=self.metadata)
                await call.read()
                call.cancel()
            else:
                await self.channel.unary_unary(path)(body, timeout=5, metadata=self.metadata)
        except grpc.aio.AioRpcError as error:
            return outcome_of(error)
        return Outcome("OK")


def outcome_of(error: grpc.aio.AioRpcError) -> Outcome:
    """What an error says, with the fields that it finds fault with."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status is not None else ():
        detail.Unpack(info)
        detail.Unpack(bad)
    fields = {re.sub(r"\[\d+\]", "", violation.field) for violation in bad.field_violations}
    return Outcome(error.code().name, str(info.reason), frozenset(fields))


def methods(service: str) -> list[MethodDescriptor]:
    """Every method of a service."""
    return [m for each in contracts.services() if contracts.owner(each) == service for m in each.methods]


@pytest.fixture
async def caller(start: Any, issuer: TestIssuer, name: str) -> Any:
    """A running service and somebody who may do everything."""
    running = await start(import_module(f"{name}.service").service, peers=NOWHERE, smtp_host="127.0.0.1")
    made = Caller(running, issuer)
    yield made
    await made.channel.close()


@pytest.mark.parametrize("name", SERVICES)
async def test_a_wrong_value_is_refused_wherever_it_stands(caller: Caller, name: str) -> None:
    accepted = {}
    for method in methods(name):
        for path, request in spoilt(contracts.message_class(method.input_type), wrong):
            got = await caller.outcome(method, request.SerializeToString())
            if got.code != "INVALID_ARGUMENT":
                accepted[f"{method.name} {path}"] = got
    assert accepted == {}


@pytest.mark.parametrize("name", SERVICES)
async def test_every_list_refuses_a_negative_page_size_and_a_foreign_page_token(
    caller: Caller, name: str
) -> None:
    lists = [method for method in methods(name) if "page_token" in method.input_type.fields_by_name]
    assert lists
    other = ListCasesRequest(filter='topic = "another list"')
    foreign = Page(other, datetime, UUID).next_token((datetime.now(UTC), uuid4()))
    for method in lists:
        kind = contracts.message_class(method.input_type)
        parent = PARENTS.get(method.name, {})
        negative = await caller.outcome(method, kind(page_size=-1, **parent).SerializeToString())
        assert (negative.code, negative.reason) == ("INVALID_ARGUMENT", "INVALID_PAGE_SIZE"), method.name
        stranger = await caller.outcome(method, kind(page_token=foreign, **parent).SerializeToString())
        assert (stranger.code, stranger.reason) == ("INVALID_ARGUMENT", "INVALID_PAGE_TOKEN"), method.name


@pytest.mark.parametrize("name", ["customer", "cases"])
async def test_every_field_mask_refuses_unknown_paths(caller: Caller, name: str) -> None:
    masked = [method for method in methods(name) if "update_mask" in method.input_type.fields_by_name]
    assert masked
    for method in masked:
        request = contracts.message_class(method.input_type)()
        request.update_mask.paths.append("no_such_field")  # type: ignore[attr-defined]
        got = await caller.outcome(method, request.SerializeToString())
        assert got.code == "INVALID_ARGUMENT"
        assert "update_mask" in got.fields, method.name


@pytest.mark.parametrize("name", SERVICES)
async def test_no_odd_value_is_answered_with_an_undocumented_error(caller: Caller, name: str) -> None:
    reasons = common() | documented(f"services/{name}/README.md") | {""}
    surprising = {}
    for method in methods(name):
        for path, request in spoilt(contracts.message_class(method.input_type), odd):
            got = await caller.outcome(method, request.SerializeToString())
            if got.code not in ANSWERS or got.reason not in reasons:
                surprising[f"{method.name} {path}"] = got
    assert surprising == {}


@pytest.mark.parametrize("name", SERVICES)
async def test_text_that_is_not_utf8_and_bodies_that_are_no_message_are_malformed(
    caller: Caller, name: str
) -> None:
    for method in methods(name):
        [text, *_] = [f for f in method.input_type.fields if f.type == FieldDescriptor.TYPE_STRING] or [None]
        bodies = [b"\xff\xff\xff"]
        bodies += [bytes([text.number << 3 | 2, 2, 0xC3, 0x28])] if text is not None else []
        for body in bodies:
            got = await caller.outcome(method, body)
            assert (got.code, got.reason) == ("INVALID_ARGUMENT", "MALFORMED_REQUEST")


@pytest.mark.parametrize("name", SERVICES)
async def test_a_message_of_more_than_four_megabytes_is_refused(caller: Caller, name: str) -> None:
    for method in methods(name):
        got = await caller.outcome(method, b"\x0a" + b"\xff" * (4 * 1024 * 1024 + 1))
        assert got.code == "RESOURCE_EXHAUSTED"
