"""Every RPC has a path over HTTP, and `make check` refuses each way to get one wrong."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from sysconfig import get_paths
from types import ModuleType

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

PROTO = Path(__file__).parents[2] / "proto"
CONTRACT = """
syntax = "proto3";
package rapport.lending.v1;

import "google/api/annotations.proto";
import "google/api/resource.proto";
import "google/protobuf/field_mask.proto";

message Book {
  option (google.api.resource) = {
    type: "lending.rapport/Book" pattern: "shelves/{shelf}/books/{book}" singular: "book" plural: "books"
  };
  string name = 1;
}
service BookService {
  rpc GetBook(GetBookRequest) returns (Book) {
    option (google.api.http) = {get: "/v1/{name=shelves/*/books/*}"};
  }
  rpc ListBooks(ListBooksRequest) returns (ListBooksResponse) {
    option (google.api.http) = {get: "/v1/{parent=shelves/*}/books"};
  }
  rpc BatchGetBooks(BatchGetBooksRequest) returns (ListBooksResponse) {
    option (google.api.http) = {get: "/v1/books:batchGet"};
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc CreateBook(CreateBookRequest) returns (Book) {
    option (google.api.http) = {post: "/v1/{parent=shelves/*}/books" body: "book"};
  }
  rpc UpdateBook(UpdateBookRequest) returns (Book) {
    option (google.api.http) = {patch: "/v1/{book.name=shelves/*/books/*}" body: "book"};
  }
  rpc LendBook(LendBookRequest) returns (Book) {
    option (google.api.http) = {post: "/v1/{name=shelves/*/books/*}:lend" body: "*"};
  }
  rpc ListDeadLetters(ListDeadLettersRequest) returns (ListBooksResponse) {
    option (google.api.http) = {get: "/v1/deadLetters"};
  }
}
message GetBookRequest { string name = 1 [(google.api.resource_reference).type = "lending.rapport/Book"]; }
message ListBooksRequest {
  string parent = 1 [(google.api.resource_reference).child_type = "lending.rapport/Book"];
}
message ListBooksResponse { repeated Book books = 1; }
message BatchGetBooksRequest { repeated string names = 1; }
message CreateBookRequest {
  string parent = 1 [(google.api.resource_reference).child_type = "lending.rapport/Book"];
  Book book = 2;
  string request_id = 3;
}
message UpdateBookRequest {
  Book book = 1;
  google.protobuf.FieldMask update_mask = 2;
}
message LendBookRequest {
  string name = 1 [(google.api.resource_reference).type = "lending.rapport/Book"];
  Book instead = 2;
}
message ListDeadLettersRequest { int32 page_size = 1; }
"""
GET, UPDATE, LEND = (
    '{get: "/v1/{name=shelves/*/books/*}"}',
    '{patch: "/v1/{book.name=shelves/*/books/*}" body: "book"}',
    '{post: "/v1/{name=shelves/*/books/*}:lend" body: "*"}',
)
NAME = "message GetBookRequest { string name = 1"
REFERENCE = f'{NAME} [(google.api.resource_reference).type = "lending.rapport/Book"]'
REQUEST = "message ListDeadLettersRequest {"
SERVICE = "service BookService {"
WRONG = {
    "no path": (f"option (google.api.http) = {GET};", "", "GetBook: needs a google.api.http option"),
    "another version": (GET, GET.replace("v1", "v2"), "must be /v1/, then"),
    "a collection in snake_case": ("v1/deadLetters", "v1/dead_letters", "lowerCamelCase"),
    "a segment that is nobody's": ("v1/deadLetters", "v1/*/deadLetters", "must be /v1/, then"),
    "a verb without a path": (GET, '{custom: {kind: "HEAD" path: "/v1/x"}}', "'' must be /v1/"),
    "a standard method by another verb": (GET, GET.replace("get", 'body: "*" post'), "must be get"),
    "a verb after a standard method": (GET, GET.replace('}"', '}:get"'), "without a verb at the end"),
    "a replacement instead of a change": (UPDATE, UPDATE.replace("patch", "put"), "must be patch"),
    "a custom method without a verb": (LEND, LEND.replace(":lend", ""), "one of :lend, :lendBook"),
    "a custom method by another name": (LEND, LEND.replace(":lend", ":give"), "one of :lend, :lendBook"),
    "a GET that changes something": (LEND, '{get: "/v1/{name=shelves/*/books/*}:lend"}', "must be POST"),
    "a variable that is no field": (GET, GET.replace("name", "title"), "{title=...} is no field"),
    "a name that is not in the path": (GET, '{get: "/v1/books"}', "the path must have {name=...}"),
    "another resource's pattern": (GET, GET.replace("shelves/*/", ""), "must be shelves/*/books/*"),
    "the child's pattern for a parent": (
        '{get: "/v1/{parent=shelves/*}/books"}', '{get: "/v1/{parent=shelves/*/books/*}/books"}',
        "ListBooks: {parent=shelves/*/books/*} must be shelves/*",
    ),
    "a field that names nothing": (REFERENCE, NAME, "needs a resource_reference"),
    "a reference to what there is not": (
        REQUEST, f'{REQUEST} string of = 2 [(google.api.resource_reference).type = "lending.rapport/Bok"];',
        "ListDeadLettersRequest.of: there is no resource 'lending.rapport/Bok' to refer to",
    ),
    "a body of a GET": (GET, f'{GET[:-1]} body: "*"}}', "get must not have a body"),
    "no body of a POST": (LEND, LEND.replace(' body: "*"', ""), "post must have a body"),
    "a body that is no field": (LEND, LEND.replace('"*"', '"book"'), "must be * or a message"),
    "a body that is a text": (LEND, LEND.replace('"*"', '"name"'), "must be * or a message"),
    "a change whose body is no resource": (UPDATE, UPDATE.replace('"book"', '"*"'), "must be the resource"),
    "a message in a query": (REQUEST, f"{REQUEST} Book about = 2;", "about is a message"),
    "a map in a query": (REQUEST, f"{REQUEST} map<string, string> labels = 2;", "labels is a message"),
    "the path of another method": (
        SERVICE,
        f"service LentService {{ rpc GetBook(GetBookRequest) returns (Book) "
        f"{{ option (google.api.http) = {GET}; }} }}\n{SERVICE}",
        "BookService.GetBook: get /v1/{name=shelves/*/books/*} also answers for ",
    ),
    "a path that another method's includes": (
        SERVICE,
        f"{SERVICE} rpc ListTopBooks(ListDeadLettersRequest) returns (ListBooksResponse) "
        '{ option (google.api.http) = {get: "/v1/shelves/top/books"}; }',
        "ListBooks: get /v1/{parent=shelves/*}/books also answers for /v1/shelves/top/books of ",
    ),
    "a further path of the same faults": (
        GET, f'{GET[:-1]} additional_bindings {{get: "/v1/{{title=books/*}}"}}}}', "{title=...} is no field",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def paths() -> ModuleType:
    spec = spec_from_file_location("paths", PROTO / "paths.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compiled(folder: Path, contract: str) -> FileDescriptorSet:
    """A contract, with all that it imports."""
    (folder / "lending.proto").write_text(contract)
    includes = [f"-I{folder}", f"-I{get_paths()['purelib']}"]
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        *includes,
        "--include_imports",
        f"-o{folder / 'set'}",
    ]
    subprocess.run([*command, "lending.proto"], check=True)
    return FileDescriptorSet.FromString((folder / "set").read_bytes())


def test_paths_as_they_should_be_are_passed(paths: ModuleType, tmp_path: Path) -> None:
    assert paths.faults(compiled(tmp_path, CONTRACT)) == []


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_path_is_said(paths: ModuleType, tmp_path: Path, case: str) -> None:
    right, wrong, fault = WRONG[case]
    assert right in CONTRACT
    found = paths.faults(compiled(tmp_path, CONTRACT.replace(right, wrong, 1)))
    assert any(fault in each for each in found), found
