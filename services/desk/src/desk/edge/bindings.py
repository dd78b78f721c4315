"""Which RPC a request over HTTP is for, as `google.api.http` of every installed contract says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from google.api import annotations_pb2
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.contracts import services

OPERATIONS = "/v1/services/"  # each service answers these about itself
_VARIABLE = re.compile(r"\{([a-z_.]+)=([^}]+)\}")


@dataclass(frozen=True)
class Binding:
    """One path of an RPC."""

    method: MethodDescriptor  # the RPC
    verb: str  # of HTTP, in capitals
    path: str  # as the option has it, `/v1/{name=cases/*}`
    body: str  # the field that the body is, `*` for the whole request, empty without a body
    number: int  # 0 for the path that the RPC is known by, more for its others

    @cached_property
    def variables(self) -> dict[str, str]:
        """The fields of the request that are in the path, each with its pattern."""
        return dict(_VARIABLE.findall(self.path))

    @cached_property
    def regex(self) -> "re.Pattern[str]":
        """Matches the paths of its URLs, a group for each variable."""
        parts = _VARIABLE.split(self.path)
        literals = [re.escape(part) for part in parts[::3]]
        groups = [f"({each.replace('*', '[^/:]+')})" for each in parts[2::3]]
        return re.compile("".join(a + b for a, b in zip(literals, [*groups, ""], strict=True)))

    @property
    def full_name(self) -> str:
        """`/rapport.cases.v1.CaseService/GetCase`, as gRPC calls it."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def in_query(self) -> list[FieldDescriptor]:
        """The fields of the request that are neither in the path nor in the body."""
        elsewhere = {self.body, *(name.partition(".")[0] for name in self.variables)}
        fields = self.method.input_type.fields
        return [] if self.body == "*" else [each for each in fields if each.name not in elsewhere]

    @property
    def takes_etag(self) -> bool:
        """Whether it changes what was read: what is created has no etag yet."""
        given = self.method.input_type.fields_by_name
        changed: Any = given[self.body].message_type if self.verb == "PATCH" else None
        return "etag" in given or bool(changed and "etag" in changed.fields_by_name)

    @property
    def request(self) -> type[Message]:
        return GetMessageClass(self.method.input_type)

    @property
    def answer(self) -> type[Message]:
        return GetMessageClass(self.method.output_type)

    def service(self, path: str) -> str:
        """The service that answers a URL: the one in the path of an operation, else that of the contract."""
        if path.startswith(OPERATIONS):
            return path.removeprefix(OPERATIONS).partition("/")[0]
        return self.method.containing_service.full_name.split(".")[-3]


def bindings() -> list[Binding]:
    """Every path of every RPC of the installed contracts, in the order of their modules."""
    methods: list[Any] = [method for service in services() for method in service.methods]
    return [binding for method in methods for binding in _of(method)]


def _of(method: MethodDescriptor) -> Iterator[Binding]:
    rule: Any = method.GetOptions().Extensions[annotations_pb2.http]
    for number, each in enumerate((rule, *rule.additional_bindings)):
        if verb := each.WhichOneof("pattern"):
            yield Binding(method, verb.upper(), getattr(each, verb), each.body, number)
