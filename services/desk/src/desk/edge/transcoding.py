"""From a request over HTTP to the message of an RPC, and from its answer to JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.errors import invalid
from desk.edge.bindings import Binding

_KEYS = UUID("0b7e6a52-7b86-5f0e-9c39-6f6e3a7f4a11")  # of Idempotency-Keys that are no UUIDs
_TRUTHS = {"true": True, "false": False}
# What is an object where one would write a text or a number, or a text of one form only.
_WRITTEN = {
    "google.type.Decimal": '{"value": "12.5"}',
    "google.type.Date": '{"year": 2026, "month": 12, "day": 24}',
    "google.type.Money": '{"currencyCode": "EUR", "units": "12", "nanos": 500000000}',
    "google.protobuf.Timestamp": '"2026-12-24T12:00:00Z"',
    "google.protobuf.Duration": '"90s"',
}
# What Python's reader of ProtoJSON raises for what somebody made up.
_MALFORMED = (json_format.ParseError, ValueError, TypeError, OverflowError, RecursionError, SystemError)


def request(
    binding: Binding,
    path: Sequence[str],
    query: Iterable[tuple[str, str]],
    body: bytes,
    headers: Mapping[str, str],
    caller: str,
) -> Message:
    """The message that a request is: the path's variables in their order, the query's pairs, a body of JSON.

    `Idempotency-Key` and `If-Match` become fields; a key is of its caller alone, a subject. InvalidArgument:
    MALFORMED_REQUEST, with the field where it is known; INVALID_ETAG.
    """
    message = binding.request()
    if binding.body:
        _read_body(binding, body, message)
    elif body.strip():
        raise invalid("body", "MALFORMED_REQUEST", f"must be empty: {binding.verb} takes none")
    _parse(_pairs(binding, query), message)
    for name, value in zip(binding.variables, path, strict=True):
        _parse(_nested(name, value), message)
    _from_headers(binding, message, headers, caller)
    return message


def answer(message: Message) -> bytes:
    """A message as ProtoJSON, its empty fields included."""
    told = json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
    return dumps(told).encode()


def dumps(told: Any) -> str:
    """JSON without blanks."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _read_body(binding: Binding, body: bytes, message: Any) -> None:
    try:
        told = json.loads(body.decode() or "{}", object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):  # what it says repeats the body
        raise invalid("body", "MALFORMED_REQUEST", "must be JSON in UTF-8, each key once") from None
    if not isinstance(told, dict):
        raise invalid("body", "MALFORMED_REQUEST", "must be a JSON object")
    if binding.body == "*":
        _parse(told, message)
    else:
        inner = getattr(message, binding.body)
        inner.SetInParent()
        _parse(told, inner, binding.body)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without the same key twice: which one counts, readers would disagree on."""
    told = dict(pairs)
    if len(told) < len(pairs):
        raise ValueError("a key twice")
    return told


def _no_number(name: str) -> None:
    """Python reads NaN and infinities, which JSON does not have: in ProtoJSON they are text."""
    raise ValueError("no number")


def _parse(told: dict[str, Any], message: Message, where: str = "") -> None:
    """Merge JSON into a message that is the field `where` of the request. MALFORMED_REQUEST."""
    try:
        json_format.ParseDict(told, message)
    except _MALFORMED:  # what it says repeats values
        field, allowed = _fault(told, message.DESCRIPTOR, where)
        raise invalid(field or "body", "MALFORMED_REQUEST", allowed) from None


def _pairs(binding: Binding, query: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The pairs of a query as JSON has them."""
    fields = {field.json_name: field for field in binding.in_query}
    by_name = fields | {field.name: field for field in fields.values()}
    told: dict[str, Any] = {}
    for name, value in query:
        field = by_name.get(name)
        if field is None:
            raise invalid("query", "MALFORMED_REQUEST", f"must hold only {', '.join(fields) or 'nothing'}")
        said = _TRUTHS.get(value, value) if field.type == FieldDescriptor.TYPE_BOOL else value
        if field.is_repeated:
            told.setdefault(field.json_name, []).append(said)
        elif field.json_name in told:
            raise invalid(field.name, "MALFORMED_REQUEST", "must be given once")
        else:
            told[field.json_name] = said
    return told


def _nested(path: str, value: str) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    return {name: _nested(rest, value) if rest else value}


def _from_headers(binding: Binding, message: Any, headers: Mapping[str, str], caller: str) -> None:
    fields = binding.method.input_type.fields_by_name
    if (key := headers.get("idempotency-key", "")) and "request_id" in fields and not message.request_id:
        message.request_id = _request_id(key, caller)
    etag = headers.get("if-match", "")
    if etag and etag != "*":
        if not binding.takes_etag:
            raise invalid("If-Match", "INVALID_ETAG", "must not be given: this call takes no etag")
        (message if "etag" in fields else getattr(message, binding.body)).etag = etag


def _request_id(key: str, caller: str) -> str:
    """A key that is a UUID as it is; another as the UUID that is always made of it and of who asks."""
    try:
        return str(UUID(key.strip('"')))
    except ValueError:
        return str(uuid5(_KEYS, f"{caller}\n{key}"))


def _fault(told: dict[str, Any], kind: Any, path: str) -> tuple[str, str]:
    """Of an object that is no message of a kind the innermost field at fault, and what is allowed there.

    The object is the field `path` of the request, empty for the whole: `requests[2].identifier.type`.
    """
    fields = {each.json_name: each for each in kind.fields}
    by_name = {each.name: each for each in kind.fields} | fields
    for name, value in told.items():
        field = by_name.get(name)
        if field is None:
            return (path, f"must have no fields but {', '.join(fields) or 'none'}")
        if not _fits(kind, name, value):
            return _inside(field, name, value, f"{path}.{field.name}".removeprefix("."))
    return (
        path,
        f"must be as ProtoJSON writes {kind.full_name}: each field once, one of those that exclude others",
    )


def _inside(field: FieldDescriptor, name: str, value: Any, path: str) -> tuple[str, str]:
    if field.is_repeated and isinstance(value, list):
        number = next(n for n, each in enumerate(value) if not _fits(field.containing_type, name, [each]))
        path, value = f"{path}[{number}]", value[number]
    kind = field.message_type
    if isinstance(value, dict) and kind and not _is_written_otherwise(kind):
        return _fault(value, kind, path)
    return (path, _allowed(field))


def _fits(kind: Any, name: str, value: Any) -> bool:
    try:
        json_format.ParseDict({name: value}, GetMessageClass(kind)())
    except _MALFORMED:
        return False
    return True


def _is_written_otherwise(kind: Any) -> bool:
    return bool(kind.GetOptions().map_entry) or kind.full_name.startswith("google.protobuf.")


def _allowed(field: Any) -> str:
    if field.enum_type is not None:
        return f"must be one of {', '.join(each.name for each in field.enum_type.values)}"
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "must be an object"
    kind = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    written = field.message_type.full_name if field.message_type is not None else kind
    such = f", such as {_WRITTEN[written]}" if written in _WRITTEN and not field.is_repeated else ""
    return f"must be as ProtoJSON writes {'a list of ' * field.is_repeated}{written}{such}"
