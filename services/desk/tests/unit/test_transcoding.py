"""A request over HTTP and the message that it is say the same, whatever the message."""

import json
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
IDS = st.text(min_size=1, max_size=8).filter(lambda each: not {"/", ":"} & set(each))
SCALARS = {
    F.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    F.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    F.TYPE_UINT32: st.integers(0, 2**32 - 1),
    F.TYPE_UINT64: st.integers(0, 2**64 - 1),
    F.TYPE_DOUBLE: st.floats(allow_nan=False),
    F.TYPE_FLOAT: st.floats(allow_nan=False, width=32),
    F.TYPE_BOOL: st.booleans(),
    F.TYPE_STRING: st.text(max_size=8),
    F.TYPE_BYTES: st.binary(max_size=8),
}
WELL_KNOWN = {
    "google.protobuf.Timestamp": {
        "seconds": st.integers(-62135596800, 253402300799),
        "nanos": st.integers(0, 999_999_999),
    },
    "google.protobuf.Duration": {"seconds": st.integers(0, 315_576_000_000)},
    "google.protobuf.FieldMask": {
        "paths": st.lists(st.from_regex(r"[a-z]{1,5}(_[a-z]{1,5})?", fullmatch=True))
    },
}


def scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    return SCALARS[field.type]


def fill(draw: st.DrawFn, message: Any, depth: int = 0) -> None:
    """Give some of the fields a value."""
    descriptor: Descriptor = message.DESCRIPTOR
    if known := WELL_KNOWN.get(descriptor.full_name):
        for name, values in known.items():
            value = draw(values)
            getattr(message, name).extend(value) if isinstance(value, list) else setattr(message, name, value)
        return
    for field in descriptor.fields:
        if depth > 3 or not draw(st.booleans()):
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            getattr(message, field.name).update(
                draw(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2))
            )
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            target = inner.add() if field.is_repeated else inner
            if not field.is_repeated:
                target.SetInParent()
            fill(draw, target, depth + 1)
        else:
            values = scalars(field)
            if field.is_repeated:
                getattr(message, field.name).extend(draw(st.lists(values, max_size=3)))
            else:
                setattr(message, field.name, draw(values))


@st.composite
def requests(draw: st.DrawFn, binding: Binding) -> Message:
    """A request that the path can be made for."""
    message: Any = binding.request()
    fill(draw, message)
    if binding.body not in ("", "*"):
        getattr(message, binding.body).SetInParent()
    for name, pattern in binding.variables.items():
        *outer, inner = name.split(".")
        target = message
        for each in outer:
            target = getattr(target, each)
        parts = [draw(IDS) if part == "*" else part for part in pattern.split("/")]
        setattr(target, inner, "/".join(parts))
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


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=8)
@given(data=st.data())
def test_a_message_said_over_http_is_read_as_the_same_message(name: str, data: st.DataObject) -> None:
    binding = ALL[name]
    message = data.draw(requests(binding))
    path, query, body = parts(binding, message)
    found = [b for b in ALL.values() if b.verb == binding.verb and b.regex.fullmatch(path)]
    assert found == [binding]
    match = binding.regex.fullmatch(path)
    assert match
    ids = [unquote(each) for each in match.groups()]
    pairs = parse_qsl(query, keep_blank_values=True)
    assert transcoding.request(binding, ids, pairs, body, {}, "") == message


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=5)
@given(data=st.data())
def test_an_answer_is_read_as_the_same_message(name: str, data: st.DataObject) -> None:
    message = ALL[name].answer()
    fill(data.draw, message)
    assert json_format.ParseDict(json.loads(transcoding.answer(message)), type(message)()) == message


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
