"""A request over HTTP and the message that it is say the same, whatever the message."""

import json
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from desk.edge import transcoding
from desk.edge.bindings import Binding, bindings

ALL = {f"{each.method.name}{each.number or ''}": each for each in bindings()}
F = FieldDescriptor
# What the messages of a test are made of: hypothesis, drawing each value, would take fifty times as long.
SEEDS = st.integers(0, 2**64 - 1)
CHARACTERS = [
    *"aZ09 _-.~%&=+#?!/:;,@$'\"\\<>{}[]\0\n\t",
    "ä",
    "ß",
    "\u00a0",
    "\u200d",
    "\u202e",
    "\ufeff",
    "中",
    "🙂",
]
EDGES = {
    F.TYPE_INT32: (-(2**31), 2**31 - 1),
    F.TYPE_INT64: (-(2**63), 2**63 - 1),
    F.TYPE_UINT32: (0, 2**32 - 1),
    F.TYPE_UINT64: (0, 2**64 - 1),
}
FLOATS = [0.0, -0.0, 0.1, -1.5, 1e-7, 1e16, 2**53 + 1, 5e-324, 3e38, float("inf"), float("-inf")]


def text(random: Random, most: int = 8, least: int = 0, without: str = "") -> str:
    usual = [each for each in CHARACTERS if each not in without]
    rare = [chr(random.choice((random.randrange(32, 0xD800), random.randrange(0xE000, 0x110000))))]
    return "".join(random.choices([*usual, *rare * 8], k=random.randint(least, most)))


def some(random: Random, most: int) -> range:
    return range(random.randint(0, most))


def scalar(random: Random, field: FieldDescriptor) -> Any:
    if field.enum_type is not None:
        return random.choice(field.enum_type.values).number
    if edges := EDGES.get(field.type):
        return random.choice((*edges, 0, 1, random.randint(*edges)))
    if field.type in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
        return random.choice((*FLOATS, random.uniform(-1e9, 1e9)))
    if field.type == F.TYPE_BYTES:
        return random.randbytes(random.randint(0, 8))
    return random.random() < 0.5 if field.type == F.TYPE_BOOL else text(random)


def mask(random: Random) -> list[str]:
    words = ["a", "name", "given_name", "x_y"]
    return [random.choice(words) for _ in some(random, 3)]


WELL_KNOWN: dict[str, dict[str, Callable[[Random], Any]]] = {
    "google.protobuf.Timestamp": {
        "seconds": lambda random: random.randint(-62135596800, 253402300799),
        "nanos": lambda random: random.choice((0, 1, 1000, 500_000_000, random.randint(0, 999_999_999))),
    },
    "google.protobuf.Duration": {"seconds": lambda random: random.randint(0, 315_576_000_000)},
    "google.protobuf.FieldMask": {"paths": mask},
}


def fill(random: Random, message: Any, depth: int = 0) -> None:
    """Give some of the fields a value."""
    descriptor: Descriptor = message.DESCRIPTOR
    if known := WELL_KNOWN.get(descriptor.full_name):
        for name, value_of in known.items():
            value = value_of(random)
            getattr(message, name).extend(value) if isinstance(value, list) else setattr(message, name, value)
        return
    for field in descriptor.fields:
        if depth > 3 or random.random() < 0.5:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            pairs = {text(random, 4): text(random, 4) for _ in some(random, 2)}
            getattr(message, field.name).update(pairs)
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            target = inner.add() if field.is_repeated else inner
            if not field.is_repeated:
                target.SetInParent()
            fill(random, target, depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).extend([scalar(random, field) for _ in some(random, 3)])
        else:
            setattr(message, field.name, scalar(random, field))


def made(random: Random, binding: Binding) -> Message:
    """A request that the path can be made for."""
    message: Any = binding.request()
    fill(random, message)
    if binding.body not in ("", "*"):
        getattr(message, binding.body).SetInParent()
    for name, pattern in binding.variables.items():
        *outer, inner = name.split(".")
        target = message
        for each in outer:
            target = getattr(target, each)
        ids = [text(random, 8, 1, "/:") if part == "*" else part for part in pattern.split("/")]
        setattr(target, inner, "/".join(ids))
    return message


def parts(binding: Binding, message: Any) -> tuple[str, str, bytes]:
    """The URL's path and query, and the body, that say a message."""
    told = json_format.MessageToDict(message)
    path = binding.path
    for name, pattern in binding.variables.items():
        value = message
        for each in name.split("."):
            value = getattr(value, each)
        path = path.replace(f"{{{name}={pattern}}}", quote(value))
        told.pop(name, None)
    body: Any = told if binding.body == "*" else None
    if binding.body not in ("", "*"):
        body = told.pop(binding.method.input_type.fields_by_name[binding.body].json_name, {})
    query = []
    for name, value in {} if binding.body == "*" else told.items():
        for each in value if isinstance(value, list) else [value]:
            query.append((name, str(each).lower() if isinstance(each, bool) else each))
    return path, urlencode(query), b"" if body is None else json.dumps(body).encode()


@settings(max_examples=8)
@given(seed=SEEDS)
def test_a_message_said_over_http_is_read_as_the_same_message(seed: int) -> None:
    for binding in ALL.values():
        message = made(Random(seed), binding)
        path, query, body = parts(binding, message)
        found = [b for b in ALL.values() if b.verb == binding.verb and b.regex.fullmatch(path)]
        assert found == [binding]
        match = binding.regex.fullmatch(path)
        assert match
        ids = [unquote(each) for each in match.groups()]
        pairs = parse_qsl(query, keep_blank_values=True)
        assert transcoding.request(binding, ids, pairs, body, {}, "") == message, binding.path


@settings(max_examples=5)
@given(seed=SEEDS)
def test_an_answer_is_read_as_the_same_message(seed: int) -> None:
    for name, binding in ALL.items():
        message = binding.answer()
        fill(Random(seed), message)
        read = json_format.ParseDict(json.loads(transcoding.answer(message)), type(message)())
        assert read == message, name


RESOLVE = ALL["BatchResolveCustomers"]
CREATE, LIST, UPDATE = ALL["CreateCustomer"], ALL["ListCustomers"], ALL["UpdateCustomer"]
WRONG: list[tuple[Binding, list[tuple[str, str]], bytes, str]] = [
    (CREATE, [], b"{", "body"),
    (CREATE, [], b"[]", "body"),
    (CREATE, [], b"\xff", "body"),
    (CREATE, [], '{"displayName": "Ä"}'.encode("utf-16"), "body"),
    (CREATE, [], b'{"displayName": "a", "displayName": "b"}', "body"),
    (CREATE, [], b'{"displayName": 7}', "customer.display_name"),
    (CREATE, [], b'{"displayName": "\\ud800"}', "customer.display_name"),
    (CREATE, [], b'{"\\ud800": 7}', "customer"),
    (CREATE, [], b'{"person": "\\ud800"}', "customer.person"),
    (CREATE, [], b'{"identifiers": [{"type": "\\ud800"}]}', "customer.identifiers[0].type"),
    (CREATE, [], b'{"person": {"givenName": [1]}}', "customer.person.given_name"),
    (CREATE, [], b'{"nickname": "a"}', "customer"),
    (CREATE, [], b'{"person": {"nickname": "a"}}', "customer.person"),
    (CREATE, [], b'{"identifiers": {}}', "customer.identifiers"),
    (
        CREATE,
        [],
        b'{"identifiers": [{"type": "TYPE_EMAIL"}, {"type": "MAIL"}]}',
        "customer.identifiers[1].type",
    ),
    (CREATE, [], b'{"identifiers": [{}, null]}', "customer.identifiers[1]"),
    (CREATE, [], b'{"createTime": {"seconds": 7}}', "customer.create_time"),
    (CREATE, [], b'{"person": {}, "organization": {}}', "customer"),
    (CREATE, [], b'{"displayName": NaN}', "body"),
    (
        RESOLVE,
        [],
        b'{"requests": [{"identifier": {}}, {"identifier": {"value": 7}}]}',
        "requests[1].identifier.value",
    ),
    (RESOLVE, [], b'{"nickname": 7}', "body"),
    (CREATE, [], b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "body"),
    (CREATE, [], b'{"displayName": ' + b"1" * 5000 + b"}", "body"),
    (CREATE, [("customer.displayName", "a")], b"{}", "query"),
    (LIST, [("pageSize", "1"), ("pageSize", "2")], b"", "page_size"),
    (LIST, [("pageSize", "1"), ("page_size", "2")], b"", "page_size"),
    (LIST, [("pageSize", "many")], b"", "page_size"),
    (LIST, [("pageSize", "99999999999999999999")], b"", "page_size"),
    (LIST, [("nothing", "1")], b"", "query"),
    (LIST, [("pageSize.x", "1")], b"", "query"),
    (LIST, [], b"{}", "body"),
]


@pytest.mark.parametrize(("binding", "query", "body", "field"), WRONG)
def test_what_is_no_request_is_refused_and_not_repeated(
    binding: Binding, query: list[tuple[str, str]], body: bytes, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        transcoding.request(binding, (), query, body, {}, "")
    (violation,) = refused.value.violations
    assert (violation.field, violation.reason) == (field, "MALFORMED_REQUEST")
    assert not {"many", "nickname"} & {*str(refused.value).split()}


def test_a_key_is_the_request_id_and_the_same_key_of_the_same_caller_the_same_one() -> None:
    def request_id(key: str, query: str = "", caller: str = "service:shop") -> str:
        pairs = [("requestId", query)] if query else []
        message: Any = transcoding.request(CREATE, (), pairs, b"{}", {"idempotency-key": key}, caller)
        return str(message.request_id)

    uuid = "2f1f9f0e-7a3c-4a63-9d6c-3f1f5b5d8a11"
    assert request_id(uuid) == request_id(f'"{uuid}"') == request_id("other", query=uuid) == uuid
    assert request_id("order-7") == request_id("order-7") != request_id("order-8")
    assert request_id("order-7") != request_id("order-7", caller="service:other")
    assert request_id(uuid, caller="service:other") == uuid


def test_if_match_is_the_etag_of_what_is_changed() -> None:
    changed: Any = transcoding.request(
        UPDATE, ("customers/1",), [], b'{"etag": "\\"6\\""}', {"if-match": '"7"'}, ""
    )
    assert changed.customer.etag == '"7"'
    any_version: Any = transcoding.request(UPDATE, ("customers/1",), [], b"{}", {"if-match": "*"}, "")
    assert any_version.customer.etag == ""
    for nothing_read, body in ((LIST, b""), (CREATE, b"{}")):
        with pytest.raises(InvalidArgument, match="takes no etag"):
            transcoding.request(nothing_read, (), [], body, {"if-match": '"7"'}, "")
