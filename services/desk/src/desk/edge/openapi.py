"""The description of the REST edge, OpenAPI 3.1, made of the same contracts as the edge itself."""

import functools
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from google.api import field_behavior_pb2 as behavior
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, ServiceDescriptor
from starlette.responses import Response

from chassis.contracts import comments
from desk.edge.bindings import Binding, bindings
from desk.edge.problems import BY_REASON, MEDIA_TYPE, STATUS
from desk.edge.transcoding import dumps
from rapport.options.v1 import options_pb2 as options

Schema = dict[str, Any]
_F = FieldDescriptor
_INT64 = {"type": "string", "format": "int64"}
_INT32 = {"type": "integer", "format": "int32"}
_UINT32 = {"type": "integer", "minimum": 0}
_SCALARS: dict[int, Schema] = {
    _F.TYPE_BOOL: {"type": "boolean"},
    _F.TYPE_STRING: {"type": "string"},
    _F.TYPE_BYTES: {"type": "string", "format": "byte"},
    _F.TYPE_DOUBLE: {"type": "number", "format": "double"},
    _F.TYPE_FLOAT: {"type": "number", "format": "float"},
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), _INT64),
}
# What ProtoJSON writes otherwise than as an object of its fields.
_WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Any": {"type": "object", "properties": {"@type": {"type": "string"}}},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
}
_comments = functools.cache(comments)
_STATUSES = ", ".join(map(str, sorted({*STATUS.values(), *BY_REASON.values(), 500})))
_BESIDE = (
    "Every call of every service. What others tell us of calls, messages and mail goes to "
    "`POST /webhooks/{source}`, as the desk's README describes."
)
_ONCE = ("Idempotency-Key", "makes a repeat of a change the same change, for seven days")
_UNCHANGED = ("If-Match", "the etag that was read: 412 when somebody changed it since")
_HEADERS = {
    "Correlation-Id": "the flow that this belongs to",
    "Grpc-Timeout": "how long to wait, such as 2S or 500m",
    "traceparent": "the trace that this belongs to (W3C)",
    "Access-Purpose": "what personal data are read for, a code",
}
_TEXT: Schema = {"type": "string"}
_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "reason", "metadata", "trace_id"],
    "properties": {
        **dict.fromkeys(("title", "detail", "code", "trace_id"), _TEXT),
        "type": _TEXT | {"format": "uri"},
        "status": {"type": "integer"},
        "reason": _TEXT | {"description": "what programs decide by"},
        "metadata": {"type": "object", "additionalProperties": _TEXT},
        "violations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason", "description"],
                "properties": dict.fromkeys(("field", "reason", "description"), _TEXT),
            },
        },
    },
}


def answer() -> Response:
    """The description, to whoever asks: it holds no more than the contracts do."""
    return Response(_document(), media_type="application/json")


@functools.cache
def _document() -> str:
    return dumps(description())


@functools.cache
def description() -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Schema] = {"Problem": _PROBLEM}
    services: dict[str, ServiceDescriptor] = {}
    for binding in bindings():
        service = binding.method.containing_service
        services[service.name] = service
        operations = paths.setdefault(template(binding), {})
        operations[binding.verb.lower()] = _operation(binding, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rapport", "version": version("rapport-contracts"), "description": _BESIDE},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name, **_described(each.full_name)} for name, each in services.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": {name: _header(name, told) for name, told in _HEADERS.items()},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _described(name: str, *more: str) -> Schema:
    """A description: what the contract says of a name, and more."""
    told = "\n\n".join(each for each in (_comments().get(name, ""), *more) if each)
    return {"description": told} if told else {}


def template(binding: Binding) -> str:
    """`/v1/cases/{case}:resolve`: each id of a name is a parameter, called as the collection before it."""
    path = binding.path
    for name, pattern in binding.variables.items():
        path = path.replace(f"{{{name}={pattern}}}", _ids(pattern))
    return path


def _ids(pattern: str) -> str:
    parts = pattern.split("/")
    return "/".join(f"{{{parts[i - 1]}}}" if part == "*" else part for i, part in enumerate(parts))


def _event(data: Schema) -> Schema:
    """One event of a stream: before OpenAPI 3.2 the schema of a stream is that of each."""
    said = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    return {"type": "object", "properties": {"data": said}, "required": ["data"]}


def _operation(binding: Binding, schemas: dict[str, Schema]) -> dict[str, Any]:
    request: Any = binding.method.input_type
    inner = request if binding.body in ("", "*") else request.fields_by_name[binding.body].message_type
    parameters = [*_path(binding), *_query(binding, schemas)]
    parameters += [_header(*_ONCE)] if "request_id" in request.fields_by_name else []
    parameters += [_header(*_UNCHANGED)] if binding.takes_etag else []
    parameters += [{"$ref": f"#/components/parameters/{name}"} for name in _HEADERS]
    kind, schema = "application/json", _reference(binding.method.output_type, schemas)
    if binding.method.server_streaming:
        kind, schema = "text/event-stream", _event(schema)
    refused = {
        "description": f"refused: {_STATUSES}",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    permission: str = binding.method.GetOptions().Extensions[options.permission]
    described = _described(binding.method.full_name, f"Needs the permission `{permission}`.")
    operation = {
        "summary": " ".join(described["description"].split()).partition(". ")[0],
        **described,
        "security": [{"bearer": [permission]}],
        "operationId": f"{binding.full_name[1:].replace('/', '.')}{binding.number or ''}",
        "tags": [binding.method.containing_service.name],
        "parameters": parameters,
        "responses": {
            "200": {"description": "done", "content": {kind: {"schema": schema}}},
            **dict.fromkeys(("4XX", "default"), refused),
        },
    }
    if binding.body:
        content = {"application/json": {"schema": _reference(inner, schemas)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _header(name: str, described: str) -> Schema:
    return {"name": name, "in": "header", "description": described, "schema": {"type": "string"}}


def _path(binding: Binding) -> Iterator[Schema]:
    for name, pattern in binding.variables.items():
        kind: Any = binding.method.input_type
        *outer, last = name.split(".")
        for each in outer:
            kind = kind.fields_by_name[each].message_type
        for each in re.findall(r"\{(\w+)\}", _ids(pattern)):
            yield {
                "name": each,
                "in": "path",
                **_described(kind.fields_by_name[last].full_name),
                "required": True,
                "schema": {"type": "string", "pattern": "^[^/:]+$"},
            }


def _query(binding: Binding, schemas: dict[str, Schema]) -> Iterator[Schema]:
    for field in binding.in_query:
        yield {
            "name": field.json_name,
            "in": "query",
            **_described(field.full_name),
            "required": behavior.REQUIRED in _behavior(field),
            "schema": _field(field, schemas),
        }


def _behavior(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[behavior.field_behavior]


def _reference(message: Descriptor, schemas: dict[str, Schema]) -> Schema:
    """A schema of a message, by reference, so that messages may be recursive."""
    name = message.full_name
    if name in _WELL_KNOWN:
        return _WELL_KNOWN[name]
    if name not in schemas:
        schemas[name] = {}
        schemas[name] = {
            "type": "object",
            **_described(name),
            "properties": {field.json_name: _property(field, schemas) for field in message.fields},
        }
    return {"$ref": f"#/components/schemas/{name}"}


def _property(field: FieldDescriptor, schemas: dict[str, Schema]) -> Schema:
    further: str = field.GetOptions().Extensions[options.further_permission]
    more = [f"Needs the permission `{further}`, too."] if further else []
    if behavior.REQUIRED in _behavior(field):
        more.append("Required.")
    made = _field(field, schemas) | _described(field.full_name, *more)
    return made | {"readOnly": True} if behavior.OUTPUT_ONLY in _behavior(field) else made


def _field(field: FieldDescriptor, schemas: dict[str, Schema]) -> Schema:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {
            "type": "object",
            "additionalProperties": _one(field.message_type.fields_by_name["value"], schemas),
        }
    one = _one(field, schemas)
    return {"type": "array", "items": one} if field.is_repeated else one


def _one(field: FieldDescriptor, schemas: dict[str, Schema]) -> Schema:
    if field.message_type is not None:
        return _reference(field.message_type, schemas)
    if field.enum_type is not None:
        return _enum(field.enum_type, schemas)
    return _SCALARS[field.type]


def _enum(enum: EnumDescriptor, schemas: dict[str, Schema]) -> Schema:
    name = enum.full_name
    if name not in schemas:
        values = {value.name: _comments().get(f"{name}.{value.name}", "") for value in enum.values}
        told = "\n".join(f"- `{value}`: {said}" for value, said in values.items() if said)
        schemas[name] = {"type": "string", "enum": list(values), **_described(name, told)}
    return {"$ref": f"#/components/schemas/{enum.full_name}"}
