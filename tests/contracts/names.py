"""Names and moments of which requests are made."""

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from rapport.options.v1 import layout_pb2

SOMEBODY = "customers/019cade0-0000-7000-8000-000000000001"
CANDIDATES = [f"matchCandidates/019cade0-0000-7000-8000-00000000000{n}" for n in (5, 6)]
IMPORTED = "importJobs/019cade0-0000-7000-8000-000000000020"
TWINS = [f"customers/019cade0-0000-7000-8000-00000000001{n}" for n in range(2)]
CASE = "cases/019cade0-0000-7000-8000-000000000003"
SOON, LATER, BEFORE = "2026-03-05T12:00:00Z", "2026-03-07T12:00:00Z", "2026-03-01T12:00:00Z"
PROMISED = {
    "customer": SOMEBODY, "department": "departments/front-desk", "kind": "delivery", "reference": "orders/1",
    "due_time": SOON, "display_name": "The piano for Mrs. Sommer", "basis": "BASIS_QUOTE",
}  # fmt: skip
PAGE = {"page_size": 10}


def section_contract() -> bytes:
    """The descriptors of a section with one text."""
    file = FileDescriptorProto(name="items.proto", package="items.v1", syntax="proto3")
    field = file.message_type.add(name="Items").field.add(name="note", number=1, label=1, type=9)
    field.options.Extensions[layout_pb2.layout].label = "Note"
    return FileDescriptorSet(file=[file]).SerializeToString()
