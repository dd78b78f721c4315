"""`make check` refuses a contract that keeps to no convention, and says why."""

import subprocess
import sys
from pathlib import Path
from sysconfig import get_paths
from types import ModuleType

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

PROTO = Path(__file__).parents[2] / "proto"
CONTRACT = """
syntax = "proto3";
package rapport.lending.v1;

import "google/api/resource.proto";
import "rapport/options/v1/options.proto";

message LentBook {
  option (google.api.resource) = {
    type: "lending.rapport/LentBook" pattern: "lentBooks/{lent_book}" singular: "lentBook" plural: "lentBooks"
  };
  string name = 1;
}
service LendingService {
  rpc LendBook(LendBookRequest) returns (LentBook) {
    option (rapport.options.v1.permission) = "lending.lent_books.write";
  }
  rpc GetLentBook(LendBookRequest) returns (LentBook) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (rapport.options.v1.permission) = "lending.lent_books.read";
  }
  rpc ListLentBooks(ListLentBooksRequest) returns (ListLentBooksResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (rapport.options.v1.permission) = "lending.lent_books.read";
  }
}
message LendBookRequest {
  string title = 1 [(rapport.options.v1.further_permission) = "lending.lent_books.choose"];
}
message ListLentBooksRequest {
  int32 page_size = 1;
  string page_token = 2;
}
message ListLentBooksResponse {
  repeated LentBook lent_books = 1;
  string next_page_token = 2;
}
// Somebody took a book.
message BookLent {
  option (rapport.options.v1.subject) = "events.lending.lent-book.taken.v1";
  string lent_book = 1 [(google.api.resource_reference).type = "lending.rapport/LentBook"];
  string customer = 2;
}
// A book was bound anew, which concerns no customer.
message BookBound {
  option (rapport.options.v1.subject) = "events.lending.lent-book.bound.v1";
  string lent_book = 1 [(google.api.resource_reference).type = "lending.rapport/LentBook"];
}
"""
OF_COLLECTION = "must be of a collection of the service: lent_books"
OF_RESOURCE = "must name a resource of the service: lent-book"
WRITE, TAKEN = "lending.lent_books.write", "lending.lent-book.taken"
WRONG = {
    "a permission of no collection": (WRITE, "lending.books.write", OF_COLLECTION),
    "a permission in camelCase": (WRITE, "lending.lentBooks.write", "must be service.collection"),
    "a permission of another service": (WRITE, "cases.lent_books.write", "must be of a collection"),
    "a further permission of none": ("lending.lent_books.choose", "lending.titles.choose", OF_COLLECTION),
    "a subject of no resource": (TAKEN, "lending.loan.taken", OF_RESOURCE),
    "a subject in camelCase": (TAKEN, "lending.lentBook.taken", "must be events.service.resource-in-dashes"),
    "an event that names another first": (
        "string lent_book = 1 [", "string book = 1; string lent_book = 3 [", "the first field must be the",
    ),
    "an event of which nobody knows whom": ("  string customer = 2;", "", "needs `customer`, or a comment"),
    "a list without pages": ("  int32 page_size = 1;", "", "a list comes in pages: it needs page_size"),
    "a list that never ends": ("  string next_page_token = 2;", "", "it needs next_page_token"),
    "what is written and not read": ("rpc GetLentBook(", "rpc FetchLentBook(", "it needs GetLentBook"),
    "what is written and not listed": ("rpc ListLentBooks(", "rpc FindLentBooks(", "it needs ListLentBooks"),
    "British": ("string title = 1", "string programme = 1", "LendBookRequest.programme: names are American"),
}  # fmt: skip


@pytest.fixture
def conventions(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(PROTO)
    import conventions

    return conventions


def compiled(folder: Path, contract: str) -> FileDescriptorSet:
    """A contract with its comments, and all that it imports."""
    (folder / "lending.proto").write_text(contract)
    includes = [f"-I{folder}", f"-I{PROTO}", f"-I{get_paths()['purelib']}"]
    options = ["--include_imports", "--include_source_info", f"-o{folder / 'set'}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *includes, *options, "lending.proto"]
    subprocess.run(command, check=True)
    return FileDescriptorSet.FromString((folder / "set").read_bytes())


def test_a_contract_that_keeps_to_them_is_passed(conventions: ModuleType, tmp_path: Path) -> None:
    assert conventions.faults(compiled(tmp_path, CONTRACT)) == []


@pytest.mark.parametrize("case", WRONG)
def test_what_keeps_to_no_convention_is_said(conventions: ModuleType, tmp_path: Path, case: str) -> None:
    right, wrong, fault = WRONG[case]
    assert right in CONTRACT
    found = conventions.faults(compiled(tmp_path, CONTRACT.replace(right, wrong, 1)))
    assert any(fault in each for each in found), found
