"""What the options of a contract refuse is refused where it stands, and nothing else is."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from google.api import field_behavior_pb2, resource_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.type.date_pb2 import Date
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.api.checks import checker
from chassis.api.messages import timestamp
from chassis.api.resources import changeable, other_form, referred, updated
from chassis.api.validation import Check
from chassis.contracts import contracts
from rapport.cases.v1 import (
    case_pb2,
    case_service_pb2,
    promise_pb2,
    promise_service_pb2,
    work_item_service_pb2,
)
from rapport.cases.v1.directory_service_pb2 import UpdateAgentRequest
from rapport.customer.v1 import customer_pb2
from rapport.customer.v1.customer_service_pb2 import UpdateCustomerRequest
from rapport.loyalty.v1 import purchase_service_pb2
from rapport.notifications.v1 import notice_service_pb2
from rapport.options.v1 import options_pb2

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = UUID("0198c2a0-0000-7000-8000-000000000001")
SERVICES = [each for module in contracts() for each in module.DESCRIPTOR.services_by_name.values()]
REQUESTS = {each.input_type.full_name: each.input_type for service in SERVICES for each in service.methods}
GOOD = {
    options_pb2.FORMAT_CODE: ["a", "late-delivery", "9" * 63],
    options_pb2.FORMAT_CODE_PAIR: ["service.email"],
    options_pb2.FORMAT_REFERENCE: ["orders/10248", "x" * 100, "A.b_c:d/#-"],
    options_pb2.FORMAT_VARIABLE: ["due_date"],
    options_pb2.FORMAT_NUMBER: ["1", "999999999"],
    options_pb2.FORMAT_UUID: [str(ONE), str(ONE).upper()],
    options_pb2.FORMAT_SHA256: ["0a" * 32],
    options_pb2.FORMAT_EMAIL: ["anna@example.com", "jörg@straße.example"],
    options_pb2.FORMAT_LANGUAGE: ["de", "en-GB", "zh-Hant-TW"],
    options_pb2.FORMAT_TIME_ZONE: ["Europe/Berlin", "UTC"],
    options_pb2.FORMAT_REGION: ["DE"],
    options_pb2.FORMAT_IMPORT_KEY: ["orders.csv:7", "a:b:c"],
}
BAD = {
    options_pb2.FORMAT_CODE: ["A", "-a", "a-", "a" * 64, "a b", "a_b", "é", "a\n"],
    options_pb2.FORMAT_CODE_PAIR: ["service", "a.b.c", ".a"],
    options_pb2.FORMAT_REFERENCE: ["for Maria", "x" * 101, "/a", "ü"],
    options_pb2.FORMAT_VARIABLE: ["Due", "1a", "a-b"],
    options_pb2.FORMAT_NUMBER: ["0", "-1", "1e3"],
    options_pb2.FORMAT_UUID: ["x", ONE.hex, f"{{{ONE}}}", f"{ONE}\n", str(ONE)[:-1]],
    options_pb2.FORMAT_SHA256: ["0A" * 32, "0a" * 31],
    options_pb2.FORMAT_EMAIL: ["anna", "a@", "a@["],
    options_pb2.FORMAT_LANGUAGE: ["German", "DE"],
    options_pb2.FORMAT_TIME_ZONE: ["CET+1", "posixrules"],
    options_pb2.FORMAT_REGION: ["XX", "de"],
    options_pb2.FORMAT_IMPORT_KEY: ["7", ":7", "a:", f"{'x' * 200}:1"],
}
FREE = {"google.protobuf.Any", "google.protobuf.FieldMask"}
LATER = {"page_size", "page_token", "filter", "consistency_token"}


class Made(NamedTuple):
    """A value for a field, and where under its path it is wrong: "" for itself."""

    value: Any
    wrong: tuple[str, ...] = ()


def behavior(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[field_behavior_pb2.field_behavior]


def allowed(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[options_pb2.allowed]


def texts(field: FieldDescriptor) -> tuple[list[str], list[str]]:
    """Good and bad ones."""
    pattern, said = referred(field), allowed(field)
    if field.name in ("etag", "request_id") and not said.format:
        return (['"7"'], ["7", '"0"']) if field.name == "etag" else ([str(ONE)], ["1"])
    if said.format and pattern is None:
        most = said.max_characters or 1000
        good = [each for each in GOOD[said.format] if len(each) <= most]
        return good, [*BAD[said.format], *(["x" * (most + 1)] if said.max_characters else [])]
    if pattern is not None:
        code, pair = (
            [{UUID: ONE, str: text, int: 7}[kind] for kind in pattern.kinds] for text in ("a", "a.b")
        )
        ids = code if pattern.match(pattern.format(*code)) else pair
        every = [pattern.any().format(*ids[:-1])] if said.wildcard else []
        every += [other.format(*ids, "1")] if (other := other_form(field)) else []  # of a version
        return [pattern.format(*ids), *every], ["x", pattern.format(*ids) + "/", "\n" + pattern.format(*ids)]
    if field.GetOptions().Extensions[resource_pb2.resource_reference].type == "*":
        return ["cases/1", f"customers/{ONE}/view/sections/a-b"], ["cases", "what she said", "/a", "a/" * 200]
    most = said.max_characters or 200
    breaks = [] if field.GetOptions().Extensions[options_pb2.multiline] else ["a\nb", "\u202ea"]
    return ["👋", " x ", "é" * most], ["x" * (most + 1), "a\0b", "\ufffe", *breaks]


def numbers(field: FieldDescriptor) -> tuple[list[int], list[int]]:
    said = allowed(field)
    most = said.most if said.HasField("most") else 2**31 - 1
    bad = [said.least - 1] + ([most + 1] if said.HasField("most") else [])
    return [said.least, most], [each for each in bad if each >= -(2**31)]


def known(field: FieldDescriptor) -> tuple[list[Any], list[Any]] | None:
    """Good and bad times, days, amounts and durations; None for other messages."""
    said = allowed(field)
    earliest = NOW + timedelta(seconds=said.earliest_seconds) if said.HasField("earliest_seconds") else None
    latest = NOW + timedelta(seconds=said.latest_seconds) if said.HasField("latest_seconds") else None
    least, most = said.least, said.most or 10**12
    first, last = earliest or datetime(1970, 1, 1, tzinfo=UTC), latest or datetime(2200, 1, 1, tzinfo=UTC)
    step = timedelta(microseconds=1)
    match field.message_type.full_name:
        case "google.protobuf.Timestamp":
            return [timestamp(first), timestamp(last)], [timestamp(first - step), timestamp(last + step)]
        case "google.type.Date" if said.partial:
            until = (latest or NOW).date()
            year, month, past = until.year, until.month, until + timedelta(days=1)
            good = [(1850, 0, 0), (year, month, until.day), (year, month, 0), (1984, 4, 12), (0, 2, 29)]
            bad = [
                (1849, 12, 31),
                (past.year, past.month, past.day),
                (year, month + 1, 0),
                (year + 1, 0, 0),
                (0, 4, 0),
                (2020, 0, 7),
                (0, 0, 0),
            ]
            return [_partial(*each) for each in good], [_partial(*each) for each in [*bad, (0, 2, 30)]]
        case "google.type.PostalAddress":
            return [{"region_code": "DE", "locality": "Ulm"}], [{"region_code": "DE", "sorting_code": "7"}]
        case "google.type.Date":
            days = [
                Date(year=d.year, month=d.month, day=d.day) for d in (first, last, last + timedelta(days=1))
            ]
            return days[:2], [days[2], Date(year=2026, month=2, day=30), Date(year=2026)]
        case "google.protobuf.Duration":
            return [{"seconds": max(least, 1)}], [{"seconds": least - 1}, {"seconds": 1, "nanos": -1}]
        case "google.type.Decimal":
            good_numbers = [str(least), str(most), f"{most - 1}.123456789", "1e1", ".5", "+1."]
            bad_numbers = ["", "one", "NaN", "Infinity", "1,5", "1e100", "1_0", "٣", "0.1234567891"]
            return (
                [{"value": each} for each in good_numbers],
                [{"value": each} for each in [*bad_numbers, f"{most}.1", str(least - 1)]],
            )
        case "google.type.Money":
            good = [{"currency_code": code, "units": most} for code in ("EUR", "JPY")]
            return good, [
                {"currency_code": "JPY", "units": 1, "nanos": 500_000_000},
                {"currency_code": "EUR", "units": most, "nanos": 10_000_000},
                {"currency_code": "EUR", "units": least - 1},
            ]
    return None


def _partial(year: int, month: int, day: int) -> Date:
    return Date(year=year, month=month, day=day)


@st.composite
def values(draw: Any, field: FieldDescriptor, is_required: bool) -> Made:
    """A value of one item of the field."""
    inner = field.message_type
    if inner is not None and (found := known(field)) is None:
        fields, wrong = draw(messages(inner))
        return Made(fields, tuple(f".{path}" for path in wrong))
    if field.enum_type is not None:
        numbers_ = [value.number for value in field.enum_type.values]
        good, bad = numbers_[1 if is_required else 0 :], [999, -1, *([0] if is_required else [])]
    elif inner is not None:
        good, bad = found  # type: ignore[misc]
    elif field.type == FieldDescriptor.TYPE_STRING:
        good, bad = texts(field)
    elif field.type == FieldDescriptor.TYPE_BYTES:
        good, bad = [b"\0"], []
    elif field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        good, bad = [True, False], []
    else:
        good, bad = numbers(field)
    if bad and draw(st.booleans()):
        return Made(draw(st.sampled_from(bad)), ("",))
    return Made(draw(st.sampled_from(good)))


@st.composite
def messages(draw: Any, descriptor: Any, *, is_request: bool = False) -> tuple[dict[str, Any], list[str]]:
    """The fields of a message, and the paths at which they are wrong."""
    made: dict[str, Any] = {}
    wrong: list[str] = []
    several = [[field.name for field in oneof.fields] for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    chosen = {draw(st.sampled_from(names)) for names in several}
    others = {name for names in several for name in names} - chosen
    for field in descriptor.fields:
        name, inner = field.name, field.message_type
        is_map = inner is not None and inner.GetOptions().map_entry
        is_ours = {field_behavior_pb2.OUTPUT_ONLY, field_behavior_pb2.IDENTIFIER} & set(behavior(field))
        is_ignored = is_ours or (name == "request_id" and not is_request) or name in LATER
        if is_request and name in LATER and field_behavior_pb2.REQUIRED in behavior(field):  # absent
            wrong.append(name)
        if name in others or is_ignored or is_map or field.GetOptions().Extensions[options_pb2.judged_apart]:
            continue
        if inner is not None and inner.full_name in FREE:
            continue
        if is_request and allowed(field).batch_only:
            if draw(st.booleans()):
                value = 1 if field.cpp_type in _PLAIN else "a:1"
                made[name] = [value] if field.is_repeated else value
                wrong.append(name)
            continue
        is_required = field_behavior_pb2.REQUIRED in behavior(field)
        is_plain = field.enum_type is not None or field.cpp_type in _PLAIN
        if field.is_repeated:
            items = draw(st.lists(values(field, True), max_size=2))
            made[name] = [item.value for item in items]
            wrong += [f"{name}[{i}]{path}" for i, item in enumerate(items) for path in item.wrong]
            wrong += [name] if is_required and not items else []
        elif not is_plain and draw(st.integers(0, 3)) == 0:  # absent
            wrong += [name] if is_required else []
        else:
            item = draw(values(field, is_required))
            made[name] = item.value
            wrong += [f"{name}{path}" for path in item.wrong]
    return made, wrong


_PLAIN = {FieldDescriptor.CPPTYPE_BOOL, FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64}
CREATED = [name for name, each in REQUESTS.items() if updated(each) is None]


@pytest.mark.parametrize("name", CREATED)
@settings(max_examples=25)
@given(st.data())
def test_what_the_contract_refuses_is_refused_where_it_stands_and_nothing_else(name: str, data: Any) -> None:
    descriptor = REQUESTS[name]
    fields, wrong = data.draw(messages(descriptor, is_request=True))
    found = checker(descriptor)(GetMessageClass(descriptor)(**fields), NOW)
    assert {each.field for each in found} == set(wrong)


def found(request: Any, **rules: Any) -> list[tuple[str, str]]:
    return [(each.field, each.reason) for each in checker(request.DESCRIPTOR, **rules)(request, NOW)]


def test_everything_is_told_at_once_with_paths_into_batches() -> None:
    request = promise_service_pb2.BatchMakePromisesRequest(
        requests=[
            {
                "promise": {
                    "customer": f"customers/{ONE}",
                    "department": "departments/billing",
                    "kind": "delivery",
                }
            },
            {"promise": {"kind": "Late!", "keep_time": timestamp(NOW + timedelta(seconds=61))}},
        ],
        request_id="1",
    )
    assert found(request) == [
        ("requests[1].promise.customer", "REQUIRED"),
        ("requests[1].promise.department", "REQUIRED"),
        ("requests[1].promise.kind", "INVALID_CODE"),
        ("requests[1].promise.keep_time", "INVALID_TIME"),
        ("request_id", "INVALID_UUID"),
    ]


def test_a_field_that_holds_no_text_is_told_that_first() -> None:
    for topic in ("a\nb", "a\0"):
        request = case_service_pb2.ResolveCaseRequest(name=f"cases/{ONE}{topic}", resolution=topic)
        assert found(request) == [("name", "INVALID_TEXT"), ("resolution", "INVALID_TEXT")]


def test_a_refusal_says_what_is_allowed_and_not_what_was_sent() -> None:
    request = work_item_service_pb2.ForecastWorkItemRequest(
        name="anna", forecast_finish_time=timestamp(NOW - timedelta(seconds=1)), reason_code="weather"
    )
    assert [each.description for each in checker(request.DESCRIPTOR)(request, NOW)] == [
        "must be a name like workItems/{work_item}",
        "must be a time from 2026-03-01T12:00:00Z to 2036-03-01T12:00:00Z",
    ]


@pytest.mark.parametrize("nanos", [-1, 10**9])
@pytest.mark.parametrize("seconds", [0, -(2**62), 2**62, int(NOW.timestamp())])
def test_a_timestamp_is_a_time_we_have(nanos: int, seconds: int) -> None:
    request = work_item_service_pb2.FinishWorkItemRequest(name=f"workItems/{ONE}")
    request.finish_time.seconds, request.finish_time.nanos = seconds, nanos
    assert found(request) == [("finish_time", "INVALID_TIME")]


def test_more_items_than_allowed_are_not_looked_at() -> None:
    request = promise_service_pb2.BatchMakePromisesRequest(requests=[{}] * 1001)
    assert found(request) == [("requests", "TOO_LONG")]


def test_of_an_update_counts_what_the_mask_names() -> None:
    case = case_pb2.Case(name=f"cases/{ONE}", topic="Late!", display_name="x" * 201)
    request = case_service_pb2.UpdateCaseRequest(case=case, update_mask={"paths": ["topic"]})
    assert found(request) == [("case.topic", "INVALID_CODE")]
    request.update_mask.paths[:] = ["*"]
    assert found(request) == [("case.topic", "INVALID_CODE"), ("case.display_name", "TOO_LONG")]
    request.update_mask.Clear()
    request.case.topic = ""
    assert found(request) == [("case.display_name", "TOO_LONG")]


def test_of_an_update_a_rule_counts_for_what_the_mask_names() -> None:
    def say_all(check: Check, case: case_pb2.Case, now: datetime) -> None:
        for field in ("topic", "display_name", "display_name.inside", "labels[0].key", "name"):
            check.refuse(field, "INVALID_CODE", "must be another")

    case = case_pb2.Case(name=f"cases/{ONE}", topic="late", display_name="Late")
    request = case_service_pb2.UpdateCaseRequest(case=case, update_mask={"paths": ["display_name"]})
    assert [path for path, _ in found(request, rules={case_pb2.Case: say_all})] == [
        "case.display_name",
        "case.display_name.inside",
    ]


def test_an_update_names_its_resource_and_what_can_change() -> None:
    assert found(UpdateAgentRequest()) == [("agent", "REQUIRED")]
    case = case_pb2.Case(name="cases/1", etag="7")
    for paths in (["customer"], ["owner"], ["topic", "colour"], ["*", "topic"]):
        request = case_service_pb2.UpdateCaseRequest(case=case, update_mask={"paths": paths})
        assert found(request) == [
            ("update_mask", "UNKNOWN_FIELD"), ("case.name", "INVALID_NAME"), ("case.etag", "INVALID_ETAG"),
        ]  # fmt: skip
    team = REQUESTS["rapport.cases.v1.UpdateTeamRequest"]
    assert changeable(team, team.fields_by_name["team"].message_type) == ["display_name", "skills"]


def test_of_an_update_a_field_inside_of_another_counts_where_it_stands() -> None:
    name, born = f"customers/{ONE}", Date(year=2026, month=3, day=2)
    person = customer_pb2.Person(given_name="x" * 101, birth_date=born)
    customer = customer_pb2.Customer(name=name, person=person, language_code="German")
    request = UpdateCustomerRequest(customer=customer, update_mask={"paths": ["person.given_name"]})
    assert found(request) == [("customer.person.given_name", "TOO_LONG")]
    both = [("customer.person.given_name", "TOO_LONG"), ("customer.person.birth_date", "INVALID_TIME")]
    request.update_mask.paths[:] = ["person"]
    assert found(request) == both
    request.update_mask.Clear()
    assert found(request) == [*both, ("customer.language_code", "INVALID_CODE")]
    request.update_mask.paths[:] = ["person.age"]
    assert found(request) == [("update_mask", "UNKNOWN_FIELD")]


def test_the_rule_of_a_message_holds_wherever_it_is_and_is_told_with_the_rest() -> None:
    def due(check: Check, promise: promise_pb2.Promise, now: datetime) -> None:
        if not promise.HasField("due_time"):
            check.refuse("due_time", "REQUIRED", "must be given")

    requests = [{"promise": {"customer": f"customers/{ONE}", "department": "departments/billing"}}]
    request = promise_service_pb2.BatchMakePromisesRequest(requests=requests)
    assert found(request, rules={promise_pb2.Promise: due}) == [
        ("requests[0].promise.kind", "REQUIRED"),
        ("requests[0].promise.due_time", "REQUIRED"),
    ]


def test_the_keys_and_values_of_a_map_are_checked_and_a_key_is_not_repeated() -> None:
    request = notice_service_pb2.SendNoticeRequest(notice={"variables": {"a\nb": "x", "name": "x" * 501}})
    paths = [path for path, _ in found(request) if "variables" in path]
    assert paths == ["notice.variables", "notice.variables[name]"]


@pytest.mark.parametrize(
    ("amount", "violation"),
    [
        ({"currency_code": "EUR", "units": 12, "nanos": 340_000_000}, None),
        ({"currency_code": "KWD", "nanos": 1_000_000}, None),
        ({"currency_code": "EUR", "nanos": 1_000_000}, ("purchase.amount", "INVALID_NUMBER")),
        ({"currency_code": "JPY", "nanos": 500_000_000}, ("purchase.amount", "INVALID_NUMBER")),
        ({"currency_code": "EUR", "nanos": 1_000_000_000}, ("purchase.amount", "INVALID_NUMBER")),
        (
            {"currency_code": "EUR", "units": 1, "nanos": -10_000_000},
            ("purchase.amount", "INVALID_NUMBER"),
        ),
        ({"currency_code": "eur", "units": 1}, ("purchase.amount.currency_code", "INVALID_CURRENCY")),
        ({"units": 1}, ("purchase.amount.currency_code", "INVALID_CURRENCY")),
    ],
)
def test_money_is_of_a_currency_and_has_its_decimals(
    amount: dict[str, Any], violation: tuple[str, str] | None
) -> None:
    request = purchase_service_pb2.RecordPurchaseRequest(purchase={"amount": amount})
    assert [each for each in found(request) if "amount" in each[0]] == ([violation] if violation else [])
