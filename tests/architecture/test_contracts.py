"""Contracts keep the rules that buf does not know: permissions, request ids, subjects, nothing personal."""

import importlib
import re
from collections.abc import Iterator

from google.api import field_behavior_pb2
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from chassis.api.resources import patterns
from chassis.contracts import contracts
from chassis.names import Pattern
from deploy.services import TELLING as SERVICES
from rapport.options.v1 import options_pb2

# Methods that change nothing; every other one is a mutation.
READS = re.compile(
    r"(Get|List|BatchGet|Download|Watch|Search|Find|Explain|Check|Evaluate|Render|Report|Score|Preview(?!ImportJob))([A-Z]|$)"
    r"|ResolveSelfServiceLink$"  # which says whose a link is; ResolveCustomer makes whom it does not find
)
SUBJECT = re.compile(r"events\.(?P<service>[a-z]+)\.[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]*")
PERMISSION = re.compile(r"(?P<service>[a-z]+|\{service\})\.[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")


def methods() -> list[MethodDescriptor]:
    """Every RPC of every service."""
    services: list[ServiceDescriptor] = [
        service for module in contracts() for service in module.DESCRIPTOR.services_by_name.values()
    ]
    return [method for service in services for method in service.methods]


def events(service: str) -> dict[str, Descriptor]:
    """A service's event messages by name."""
    module = importlib.import_module(f"rapport.{service}.v1.{service}_events_pb2")
    return dict(module.DESCRIPTOR.message_types_by_name)


def fields(message: Descriptor) -> Iterator[FieldDescriptor]:
    """Every field of a message and of the messages inside it."""
    for field in message.fields:
        yield field
        if field.message_type is not None and field.message_type.file.package.startswith("rapport."):
            yield from fields(field.message_type)


def data_class(field: FieldDescriptor) -> int:
    """How sensitive a field is."""
    value: int = field.GetOptions().Extensions[options_pb2.data_class]
    return value


def test_every_event_has_a_subject_of_its_own() -> None:
    found: dict[str, str] = {}
    for service in SERVICES:
        for name, message in events(service).items():
            subject = message.GetOptions().Extensions[options_pb2.subject]
            match = SUBJECT.fullmatch(subject)
            assert match is not None, f"{name}: {subject!r}"
            assert match["service"] == service, name
            assert subject not in found, f"{name} and {found[subject]} share {subject}"
            found[subject] = name


def test_every_event_begins_with_its_resource() -> None:
    for service in SERVICES:
        for name, message in events(service).items():
            assert message.fields[0].type == FieldDescriptor.TYPE_STRING, name


def test_only_events_have_subjects() -> None:
    for module in contracts():
        if not module.__name__.endswith("_events_pb2"):
            for message in module.DESCRIPTOR.message_types_by_name.values():
                assert not message.GetOptions().Extensions[options_pb2.subject], message.full_name


def test_no_event_holds_a_field_that_is_personal() -> None:
    personal = {
        field.name
        for module in contracts()
        for message in module.DESCRIPTOR.message_types_by_name.values()
        for field in message.fields
        if data_class(field)
    }
    personal -= {
        "reference"
    }  # words about somebody stay in the resource; an event tells it when it is a code
    assert personal
    for service in SERVICES:
        for name, message in events(service).items():
            for field in fields(message):
                assert not data_class(field), f"{name}.{field.name}"
                is_text = field.enum_type is None
                assert not is_text or field.name not in personal, f"{name}.{field.name} is personal elsewhere"


def test_every_method_names_a_permission_of_its_service() -> None:
    for method in methods():
        permission = method.GetOptions().Extensions[options_pb2.permission]
        match = PERMISSION.fullmatch(permission)
        assert match is not None, f"{method.full_name}: {permission!r}"
        owner = "operations" if match["service"] == "{service}" else match["service"]
        assert method.containing_service.file.package == f"rapport.{owner}.v1", method.full_name


def test_every_read_and_no_mutation_says_that_it_has_no_side_effects() -> None:
    """Clients repeat what says so, and nothing else without a request id."""
    for method in methods():
        says = method.GetOptions().idempotency_level == descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
        assert says == bool(READS.match(method.name)), method.full_name


def test_every_mutation_and_no_read_takes_a_request_id() -> None:
    """A stream is held, and begun anew when it ends: that repeats nothing."""
    for method in methods():
        takes = "request_id" in method.input_type.fields_by_name
        held = bool(READS.match(method.name)) or method.server_streaming
        assert takes != held, method.full_name


def test_every_field_that_a_request_can_have_says_whether_it_must_may_or_cannot_be_set() -> None:
    silent = {
        field.full_name
        for method in methods()
        for field in fields(method.input_type)
        if not field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        and not field.containing_type.GetOptions().map_entry
    }
    assert silent == set()


def test_names_are_of_the_kinds_that_the_contracts_describe() -> None:
    described = {str(pattern): pattern.kinds for pattern in patterns()}
    for service in ("cases", "loyalty", "notifications"):
        found = importlib.import_module(f"{service}.names")
        for pattern in (each for each in vars(found).values() if isinstance(each, Pattern)):
            assert described.get(str(pattern), pattern.kinds) == pattern.kinds, f"{service}: {pattern}"
