"""The contracts that are installed: methods and messages by name."""

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from chassis.contracts import services as services
from rapport_tools.cli.failures import Exit, Failure


def owner(service: ServiceDescriptor) -> str:
    """Which of our services answers it: `cases` for rapport.cases.v1.PromiseService."""
    return str(service.full_name).split(".")[1]


def method(name: str) -> MethodDescriptor:
    """A method by `Service.Method` or its full name. Failure with what there is when there is none."""
    service_name, _, method_name = name.lstrip("/").replace("/", ".").rpartition(".")
    known = services()
    chosen = [service for service in known if service_name in (service.name, service.full_name)]
    if not chosen:
        names = ", ".join(sorted(service.name for service in known))
        raise Failure(f"{name!r} is not SERVICE.METHOD. Services are {names}.", Exit.WRONG_USE)
    found = chosen[0].methods_by_name.get(method_name)
    if found is None:
        names = ", ".join(chosen[0].methods_by_name)
        raise Failure(f"{chosen[0].name} has no method {method_name!r}. It has {names}.", Exit.WRONG_USE)
    return found


def message_class(descriptor: Descriptor) -> type[Message]:
    return message_factory.GetMessageClass(descriptor)


def to_json(message: Message) -> str:
    """A message as one line of JSON, its fields named as in the contracts."""
    return MessageToJson(
        message, preserving_proto_field_name=True, indent=None, descriptor_pool=descriptor_pool.Default()
    )
