"""The description of the REST edge, OpenAPI 3.1, made of the same descriptors as the edge itself."""

import functools
import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from google.api import field_behavior_pb2 as behavior
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from starlette.responses import Response

from desk.edge.bindings import Binding, bindings
from desk.edge.problems import BY_REASON, MEDIA_TYPE, STATUS
from desk.edge.transcoding import dumps

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
_STATUSES = ", ".join(map(str, sorted({*STATUS.values(), *BY_REASON.values(), 500})))
_FIELD_HEADERS = {
    "request_id": ("Idempotency-Key", "makes a repeat of a change the same change, for seven days"),
    "etag": ("If-Match", "the etag that was read: 412 when somebody changed it since"),
}
_HEADERS = {
    "Correlation-Id": "the flow that this belongs to",
    "Grpc-Timeout": "how long to wait, such as 2S or 500m",
    "traceparent": "the trace that this belongs to (W3C)",
    "Access-Purpose": "what personal data are read for, a code",
}
_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "reason", "metadata", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "reason": {"type": "string", "description": "what programs decide by"},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
        "trace_id": {"type": "string"},
        "violations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason", "description"],
                "properties": {name: {"type": "string"} for name in ("field", "reason", "description")},
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


def description() -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Schema] = {"Problem": _PROBLEM}
    for binding in bindings():
        operations = paths.setdefault(_template(binding), {})
        operations[binding.verb.lower()] = _operation(binding, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rapport", "version": version("rapport-contracts")},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _template(binding: Binding) -> str:
    """`/v1/cases/{case}:resolve`: each id of a name is a parameter, called as the collection before it."""
    path = binding.path
    for name, pattern in binding.variables.items():
        path = path.replace(f"{{{name}={pattern}}}", _ids(pattern))
    return path


def _ids(pattern: str) -> str:
    parts = pattern.split("/")
    return "/".join(f"{{{parts[i - 1]}}}" if part == "*" else part for i, part in enumerate(parts))


def _operation(binding: Binding, schemas: dict[str, Schema]) -> dict[str, Any]:
    request: Any = binding.method.input_type
    inner = request if binding.body in ("", "*") else request.fields_by_name[binding.body].message_type
    ids = re.findall(r"\{(\w+)\}", _template(binding))
    parameters: list[Schema] = [
        {"name": each, "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[^/:]+$"}}
        for each in ids
    ]
    parameters += _query(binding, schemas)
    fields = {*request.fields_by_name, *inner.fields_by_name}
    headers = dict(told for field, told in _FIELD_HEADERS.items() if field in fields) | _HEADERS
    parameters += [
        {"name": name, "in": "header", "description": described, "schema": {"type": "string"}}
        for name, described in headers.items()
    ]
    kind, schema = "application/json", _reference(binding.method.output_type, schemas)
    if binding.method.server_streaming:
        kind, schema = "text/event-stream", {"type": "string"}
    operation = {
        "operationId": f"{binding.full_name[1:].replace('/', '.')}{binding.number or ''}",
        "tags": [binding.method.containing_service.name],
        "parameters": parameters,
        "responses": {
            "200": {"description": "done", "content": {kind: {"schema": schema}}},
            "default": {
                "description": f"refused: {_STATUSES}",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }
    if binding.body:
        content = {"application/json": {"schema": _reference(inner, schemas)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _query(binding: Binding, schemas: dict[str, Schema]) -> Iterator[Schema]:
    for field in binding.in_query:
        yield {
            "name": field.json_name,
            "in": "query",
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
            "properties": {field.json_name: _property(field, schemas) for field in message.fields},
        }
    return {"$ref": f"#/components/schemas/{name}"}


def _property(field: FieldDescriptor, schemas: dict[str, Schema]) -> Schema:
    made = _field(field, schemas)
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
    schemas[enum.full_name] = {"type": "string", "enum": [value.name for value in enum.values]}
    return {"$ref": f"#/components/schemas/{enum.full_name}"}
