"""Every field of a valid request of every RPC, spoilt: refused there, and never our mistake."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from itertools import zip_longest
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import grpc
import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis import ids
from chassis.api.pages import Page
from chassis.api.resources import other_form
from rapport.cases.v1.case_service_pb2 import ListCasesRequest
from rapport.options.v1 import options_pb2
from rapport_testing.clock import ManualClock
from rapport_testing.fixtures import starting
from rapport_testing.infrastructure import Infrastructure
from rapport_testing.running import Running
from rapport_testing.tokens import TestIssuer
from rapport_tools.cli import contracts
from tests.contracts.test_reasons import common, documented
from tests.contracts.valid import CONTRACTS, REQUESTS, learn, prepare, renewed, request_of

PARENTS: dict[str, dict[str, Any]] = {
    "ListCustomerMergeEntries": {"parent": f"customerMerges/{uuid4()}"},
    "SearchCustomers": {"query": "anna"},
    "SearchCases": {"query": "late"},
    "ListTimelineEntries": {"parent": f"customers/{uuid4()}"},
    "ListAttachments": {"parent": f"customers/{uuid4()}"},
    "ListAdviceAnswers": {"parent": f"customers/{uuid4()}"},
    "ListObservations": {"parent": f"customers/{uuid4()}"},
    "ListAttributeValues": {"parent": f"customers/{uuid4()}"},
    "ListConsents": {"parent": f"customers/{uuid4()}"},
    "ListConsentVersions": {"parent": f"customers/{uuid4()}/consents/service.email"},
    "ListWordings": {"parent": "purposes/none"},
    "ListIdentifiers": {"parent": f"customers/{uuid4()}"},
    "ListRelationships": {"customer": f"customers/{uuid4()}"},
    "ListImportFindings": {"parent": f"importJobs/{uuid4()}"},
    "ListImportEffects": {"parent": f"importJobs/{uuid4()}"},
    "ListViewSections": {"parent": f"customers/{uuid4()}/view"},
    "ListNoticeJobResults": {"parent": f"noticeJobs/{uuid4()}"},
    "ListCaseJobResults": {"parent": f"caseJobs/{uuid4()}"},
    "ListReevaluationResults": {"parent": f"reevaluationJobs/{uuid4()}"},
    "ListCaseLinks": {"case": f"cases/{uuid4()}"},
    "ListQueuedWork": {"parent": "departments/billing/queue"},
    "ListNotes": {"parent": f"cases/{uuid4()}"},
    "ListDeliveryAttempts": {"parent": f"notices/{uuid4()}"},
    "ListInboxMessages": {"parent": f"customers/{uuid4()}"},
    "ListTemplateTexts": {"parent": "templates/none"},
    "ListConsumers": {"parent": "services/loyalty"},
    "ListDeadLetters": {"parent": "services/loyalty/consumers/-"},
    "ListTimers": {"parent": "services/loyalty"},
    "ListWork": {"parent": "services/loyalty"},
    "RepublishFacts": {"parent": "services/loyalty", "start_time": {"seconds": 1_700_000_000}},
    "ListTransfers": {"filter": 'account = "programs/main/accounts/points-issued"'},
    "ListEntries": {"parent": "programs/main/accounts/points-issued"},
    "ListVoucherUses": {"parent": f"vouchers/{uuid4()}"},
    "ListLots": {"parent": "programs/main/accounts/points-issued"},
    "ListUnits": {"parent": "programs/main"},
    "ListAccounts": {"parent": "programs/main"},
    "ListMemberships": {"parent": "programs/main"},
    "ListMembers": {"parent": f"programs/main/memberships/{uuid4()}"},
    "ListTiers": {"parent": "programs/main"},
    "ListCards": {"parent": f"programs/main/memberships/{uuid4()}"},
}
INTEGERS = {FieldDescriptor.TYPE_INT32: 31, FieldDescriptor.TYPE_INT64: 63}
# What requests with an update mask hold.
UPDATED = {
    "case",
    "topic",
    "consent",
    "customer",
    "agent",
    "preferences",
    "program",
    "purpose",
    "reward",
    "tier",
    "unit",
    "wording",
} | {
    "authority_policy",
    "clock_policy",
    "earning_rule",
    "calendar",
    "notice_policy",
    "template",
    "template_text",
    "identifier",
    "relationship",
    "exchange_rate",
    "import_profile",
}
ANSWERS = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "ABORTED"}
VERSION_ANSWERS = {("INVALID_ARGUMENT", "INVALID_NAME"), ("NOT_FOUND", "RESOURCE_NOT_FOUND")}


class Outcome(NamedTuple):
    """How a call ended: status code, reason, and why which fields were refused."""

    code: str
    reason: str = ""
    fields: Mapping[str, str] = {}


def wrong(field: FieldDescriptor) -> list[Any]:
    """Values that a field of this type can carry on the wire and must not hold."""
    kind = field.message_type and contracts.message_class(field.message_type)
    match kind and kind.DESCRIPTOR.full_name:
        case "google.protobuf.Timestamp":
            return [kind(seconds=2**62), kind(seconds=-(2**62)), kind(seconds=1, nanos=-5)]
        case "google.protobuf.Duration":
            return [kind(seconds=-1), kind(seconds=2**62), kind(seconds=1, nanos=-5)]
        case "google.type.Money":
            return [kind(units=2**62, currency_code="USD"), kind(units=1, nanos=-5, currency_code="USD")]
        case "google.protobuf.FieldMask":
            return [kind(paths=["no_such_field"])]
    if field.enum_type is not None:
        return [999, -1]
    if field.type in INTEGERS:
        least = min(int(field.GetOptions().Extensions[options_pb2.allowed].least), 0)
        return [least - 1, -(2 ** INTEGERS[field.type])]
    if field.type != FieldDescriptor.TYPE_STRING:
        return []
    is_required = (
        field_behavior_pb2.REQUIRED in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    )
    return ["x" * 50_000, *(["\u200b\u3164\u2800"] if is_required else [])]


def unspeakable(field: FieldDescriptor) -> list[Any]:
    """Texts that are none, or no line where the field has one."""
    if field.type != FieldDescriptor.TYPE_STRING:
        return []
    entry: Any = field.containing_type
    if entry.GetOptions().map_entry:  # whose own field says what its texts are
        field = next(each for each in entry.containing_type.fields if each.message_type is entry)
    lines = (
        []
        if field.GetOptions().Extensions[options_pb2.multiline]
        else ["a\nb", "a\u2028", "\u202ea", "\u2066"]
    )
    return ["a\0b", "\x1b[2J", "a\r", "\x9b2J", "a\ufffe", "a\U000e0061", *lines]


def odd(field: FieldDescriptor) -> list[Any]:
    """Values that are unusual; some fields may hold them."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return [
            "'; DROP TABLE cases; --",
            "../../etc/passwd",
            "\u202e\u0301",
            "💥" * 1000,
            "%s{}\\",
            "9" * 5000,
        ]
    if field.type in INTEGERS:
        return [-1, 0, 2 ** INTEGERS[field.type] - 1]
    return []


Steps = tuple[tuple[str, int | None], ...]


def places(message: Any, steps: Steps = ()) -> Iterator[tuple[Steps, FieldDescriptor]]:
    """Every field that a message sets, also of the messages inside it, and how to get there."""
    for field, value in message.ListFields():
        inner = field.message_type
        if field.GetOptions().Extensions[options_pb2.judged_apart]:
            continue
        if inner is not None and inner.full_name.startswith("rapport.") and not inner.GetOptions().map_entry:
            many = field.is_repeated
            yield from places(value[0] if many else value, (*steps, (field.name, 0 if many else None)))
        elif inner is not None and inner.GetOptions().map_entry:
            yield (*steps, (field.name, None)), inner.fields_by_name["value"]
        else:
            yield (*steps, (field.name, 0 if field.is_repeated else None)), field


def referred_to(request: Any, steps: Steps) -> str:
    """What is named at a place, without the version where it is that of one."""
    for name, i in steps:
        request = getattr(request, name) if i is None else getattr(request, name)[i]
    return str(request).partition("/versions/")[0]


def path_of(steps: Steps) -> str:
    """A place as errors name it."""
    return ".".join(name if i is None else f"{name}[{i}]" for name, i in steps)


def spoilt(valid: Message, values: Mapping[Steps, Any]) -> Message:
    """The valid request with fields changed; None leaves one out."""
    made = renewed(type(valid).FromString(valid.SerializeToString()))
    for steps, value in values.items():
        _spoil(made, steps, value)
    return made


def _spoil(inside: Any, steps: Steps, value: Any) -> None:
    *way, (last, index) = steps
    for name, i in way:
        inside = getattr(inside, name) if i is None else getattr(inside, name)[i]
    if value is None:
        inside.ClearField(last)
    elif inside.DESCRIPTOR.fields_by_name[last].is_repeated and index is None:  # a map
        texts = getattr(inside, last)
        texts[next(iter(texts))] = value
    elif index is not None:
        getattr(inside, last)[index] = value
    elif isinstance(value, Message):
        getattr(inside, last).CopyFrom(value)
    else:
        setattr(inside, last, value)


def required(message: Any, steps: Steps = ()) -> Iterator[Steps]:
    """Every required field of a request and of the messages that it sets, set or not.

    Of a resource that is updated, what the mask leaves out is not.
    """
    is_update = bool(steps) and steps[0][0] in UPDATED
    for field in message.DESCRIPTOR.fields:
        options = field.GetOptions()
        behaviour = options.Extensions[field_behavior_pb2.field_behavior]
        value, inner = getattr(message, field.name), field.message_type
        if options.Extensions[options_pb2.judged_apart] or field_behavior_pb2.OUTPUT_ONLY in behaviour:
            continue
        is_ignored = field.type == FieldDescriptor.TYPE_BOOL or (steps and field.name == "request_id")
        is_set = message.HasField(field.name) if field.has_presence else bool(value)
        if field_behavior_pb2.REQUIRED in behaviour and (is_set or not is_update) and not is_ignored:
            yield (*steps, (field.name, None))
        if inner is not None and inner.full_name.startswith("rapport.") and not inner.GetOptions().map_entry:
            if field.is_repeated and value:
                yield from required(value[0], (*steps, (field.name, 0)))
            elif not field.is_repeated and message.HasField(field.name):
                yield from required(value, (*steps, (field.name, None)))


class Caller:
    """Calls any method with any bytes."""

    def __init__(self, running: Running, issuer: TestIssuer) -> None:
        self.channel = grpc.aio.insecure_channel(running.address)
        self.metadata = [("authorization", f"Bearer {issuer.token()}")]

    async def outcome(self, method: MethodDescriptor, body: bytes) -> Outcome:
        """How a call ends."""
        path = path_to(method)
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


def path_to(method: MethodDescriptor) -> str:
    """Where it is called."""
    return f"/{method.containing_service.full_name}/{method.name}"


def outcome_of(error: grpc.aio.AioRpcError) -> Outcome:
    """What an error says, with the fields that it finds fault with."""
    info, bad = details_of(error)
    fields = {violation.field: violation.reason for violation in bad.field_violations}
    return Outcome(error.code().name, str(info.reason), fields)


def details_of(
    error: grpc.aio.AioRpcError,
) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """Why, and which fields are at fault."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details if status is not None else ():
        detail.Unpack(info)
        detail.Unpack(bad)
    return info, bad


def methods(service: str) -> list[MethodDescriptor]:
    """Every method of a service."""
    return [m for each in contracts.services() if contracts.owner(each) == service for m in each.methods]


@pytest.fixture(autouse=True)
def ids_of_this_test() -> None:
    """Ids go on from test to test: they share a service."""


@pytest.fixture(scope="module", params=CONTRACTS)
def name(request: pytest.FixtureRequest) -> str:
    """Whose requests are spoilt."""
    return str(request.param)


@pytest.fixture(scope="module")
async def caller(
    infrastructure: Infrastructure,
    issuer: TestIssuer,
    tmp_path_factory: pytest.TempPathFactory,
    peers: dict[str, str],
    name: str,
) -> AsyncIterator[Caller]:
    """A running service, for all that is refused changes nothing, and somebody who may do everything."""
    module = import_module(f"{CONTRACTS[name]}.service")
    clock, folder = ManualClock(datetime(2026, 3, 2, 9, tzinfo=UTC)), tmp_path_factory.mktemp(name)
    async with starting(infrastructure, issuer, clock, folder) as start:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ids, "_last", 0)  # they never go back, also where the clock before was ahead
            running = await start(module.service, peers=peers, smtp_host="127.0.0.1")
            await prepare(name, running.db)
            made = Caller(running, issuer)
            yield made
            await made.channel.close()


@pytest.fixture(scope="module")
async def valid(caller: Caller, name: str) -> dict[str, Message]:
    """A valid request of every method, each answered OK."""
    known: dict[str, str] = {}
    made = {}
    by_name = {method.name: method for method in methods(name)}
    for short, fields in REQUESTS[name]:
        method = by_name[short]
        request = request_of(contracts.message_class(method.input_type), fields, known)
        made[short] = request
        if method.server_streaming:
            assert await caller.outcome(method, request.SerializeToString()) == Outcome("OK")
            continue
        call = caller.channel.unary_unary(path_to(method))
        answer = await call(request.SerializeToString(), timeout=10, metadata=caller.metadata)
        learn(short, contracts.message_class(method.output_type).FromString(answer), known)
    assert made.keys() == by_name.keys()
    return made


async def refusals(
    caller: Caller, name: str, valid: Mapping[str, Message], values: Callable[[FieldDescriptor], list[Any]]
) -> AsyncIterator[tuple[str, str, Outcome]]:
    """How each method answers when one field of a valid request is changed, with the field's path."""
    for method in methods(name):
        request = valid[method.name]
        for steps, field in places(request):
            for value in values(field):
                made = spoilt(request, {steps: value})
                yield method.name, path_of(steps), await caller.outcome(method, made.SerializeToString())


async def refusals_together(
    caller: Caller, name: str, valid: Mapping[str, Message], values: Callable[[FieldDescriptor], list[Any]]
) -> AsyncIterator[tuple[str, str, Outcome]]:
    """As `refusals`, of all fields in one call, as everything is told at once; who is not told of, alone."""
    for method in methods(name):
        request = valid[method.name]
        rounds = zip_longest(*([(at, each) for each in values(field)] for at, field in places(request)))
        for spoils in (dict(filter(None, each)) for each in rounds):
            got = await caller.outcome(method, spoilt(request, spoils).SerializeToString())
            for steps, value in spoils.items():
                told = got
                if not faults(got, path_of(steps)):
                    alone = spoilt(request, {steps: value})
                    told = await caller.outcome(method, alone.SerializeToString())
                yield method.name, path_of(steps), told


def faults(got: Outcome, path: str) -> set[str]:
    """Why what stands there, or a part of it, was refused; nothing when it was not."""
    return {
        reason
        for field, reason in got.fields.items()
        if got.code == "INVALID_ARGUMENT" and (field == path or field.startswith((f"{path}.", f"{path}[")))
    }


async def test_a_wrong_value_is_refused_where_it_stands_for_a_documented_reason(
    caller: Caller, name: str, valid: dict[str, Message]
) -> None:
    reasons = common() | documented(f"services/{CONTRACTS[name]}/README.md")
    accepted = {
        f"{method} {path}": got
        async for method, path, got in refusals_together(caller, name, valid, wrong)
        if not (found := faults(got, path)) or not found <= reasons
    }
    assert accepted == {}


async def test_no_text_of_any_request_holds_control_characters_and_no_line_what_breaks_or_turns_it(
    caller: Caller, name: str, valid: dict[str, Message]
) -> None:
    accepted = {
        f"{method} {path}": got
        async for method, path, got in refusals_together(caller, name, valid, unspeakable)
        if faults(got, path) != {"INVALID_TEXT"}
    }
    assert accepted == {}


async def test_what_is_required_is_missed_where_it_should_stand(
    caller: Caller, name: str, valid: dict[str, Message]
) -> None:
    accepted = {}
    for method in methods(name):
        request = valid[method.name]
        for steps in required(request):
            path = path_of(steps)
            got = await caller.outcome(method, spoilt(request, {steps: None}).SerializeToString())
            if not any(faults(got, each) for each in (path, path.rpartition(".")[0]) if each):
                accepted[f"{method.name} {path}"] = got
    assert accepted == {}


async def test_a_version_s_name_is_refused_where_the_thing_itself_is_meant(
    caller: Caller, name: str, valid: dict[str, Message]
) -> None:
    """Where a version is meant as well, it is answered, or not found."""
    surprising = {}
    for method in methods(name):
        request = valid[method.name]
        for steps, field in places(request):
            if field.type != FieldDescriptor.TYPE_STRING or other_form(field) is None:
                continue
            version = f"{referred_to(request, steps)}/versions/9"
            got = await caller.outcome(method, spoilt(request, {steps: version}).SerializeToString())
            if (got.code, got.reason) not in VERSION_ANSWERS and got.code != "OK":
                surprising[f"{method.name} {path_of(steps)}"] = got
    assert surprising == {}


async def test_every_list_refuses_a_negative_page_size_and_a_foreign_page_token(
    caller: Caller, name: str
) -> None:
    lists = [method for method in methods(name) if "page_size" in method.input_type.fields_by_name]
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


@pytest.mark.parametrize("name", ["cases", "customer"], indirect=True)  # others replace whole resources
async def test_every_field_mask_refuses_unknown_paths(
    caller: Caller, name: str, valid: dict[str, Message]
) -> None:
    masked = [method for method in methods(name) if "update_mask" in method.input_type.fields_by_name]
    assert masked
    for method in masked:
        request = renewed(valid[method.name])
        request.update_mask.paths[:] = ["no_such_field"]  # type: ignore[attr-defined]
        got = await caller.outcome(method, request.SerializeToString())
        assert got == Outcome("INVALID_ARGUMENT", "UNKNOWN_FIELD", {"update_mask": "UNKNOWN_FIELD"}), (
            method.name
        )


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


async def test_a_message_of_more_than_four_megabytes_is_refused(caller: Caller, name: str) -> None:
    one_of_each = {method.server_streaming: method for method in methods(name)}  # the server's limit for all
    for method in one_of_each.values():
        got = await caller.outcome(method, b"\x0a" + b"\xff" * (4 * 1024 * 1024 + 1))
        assert got.code == "RESOURCE_EXHAUSTED"


async def test_no_odd_value_is_answered_with_an_undocumented_error(
    caller: Caller, name: str, valid: dict[str, Message]
) -> None:
    """The last: some are taken, and change what there is."""
    reasons = common() | documented(f"services/{CONTRACTS[name]}/README.md") | {""}
    surprising = {
        f"{method} {path}": got
        async for method, path, got in refusals(caller, name, valid, odd)
        if got.code not in ANSWERS or got.reason not in reasons
    }
    assert surprising == {}
