"""What a release says in options holds: `make check` refuses each way to take some of it away."""

from pathlib import Path
from types import ModuleType

import pytest

from tests.contracts.test_conventions import PROTO, compiled

CONTRACT = """
syntax = "proto3";
package rapport.lending.v1;

import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/api/resource.proto";
import "google/protobuf/timestamp.proto";
import "google/type/date.proto";
import "rapport/options/v1/options.proto";

message Book {
  option (google.api.resource) = {
    type: "lending.rapport/Book" pattern: "books/{book}" singular: "book" plural: "books"
  };
  string name = 1 [(google.api.field_behavior) = IDENTIFIER];
  string department = 2 [(rapport.options.v1.owner) = true];
  string title = 3 [(google.api.field_behavior) = OPTIONAL];
  string blurb = 4 [(rapport.options.v1.multiline) = true];
  string author = 5 [(google.api.resource_reference).type = "lending.rapport/Author"];
  string isbn = 6 [(rapport.options.v1.allowed) = {format: FORMAT_CODE, batch_only: true}];
  int32 page_count = 7 [(rapport.options.v1.allowed) = {least: 1, most: 9000}];
  repeated string tags = 8 [(rapport.options.v1.allowed) = {max_items: 50, max_characters: 300}];
  google.protobuf.Timestamp print_time = 9 [
    (rapport.options.v1.allowed) = {earliest_seconds: -60, latest_seconds: 60}];
  string shelf = 10 [(rapport.options.v1.judged_apart) = true];
  map<string, string> words = 11 [(rapport.options.v1.allowed).keys = FORMAT_VARIABLE];
}
message Author {
  option (google.api.resource) = {
    type: "lending.rapport/Author" pattern: "authors/{author}" singular: "author" plural: "authors"
  };
  string name = 1;
  google.type.Date birth_date = 2 [
    (rapport.options.v1.data_class) = DATA_CLASS_PERSONAL, (rapport.options.v1.allowed).partial = true];
}
service BookService {
  rpc LendBook(LendBookRequest) returns (Book) {
    option (google.api.http) = {
      post: "/v1/{name=books/*}:lend" body: "*" additional_bindings {post: "/v1/books:lend" body: "*"}
    };
    option (rapport.options.v1.permission) = "lending.books.lend";
  }
}
message LendBookRequest {
  string name = 1 [
    (google.api.resource_reference).type = "lending.rapport/Book",
    (rapport.options.v1.allowed).wildcard = true];
  string reader = 2 [(google.api.field_behavior) = OPTIONAL];
  string until = 3 [(rapport.options.v1.further_permission) = "lending.books.renew"];
  repeated string masks = 4 [(rapport.options.v1.allowed) = {paths: "title" paths: "isbn"}];
}
message BookLent {
  option (rapport.options.v1.subject) = "events.lending.book.lent.v1";
  string book = 1;
  string topic = 2 [(rapport.options.v1.timeline) = TIMELINE_FIELD_TOPIC];
}
"""
WRONG = {
    "another path": (':lend" body', ':give" body', "google.api.http must still have post:"),
    "a further path that is gone": (
        ' additional_bindings {post: "/v1/books:lend" body: "*"}',
        "",
        'must still have post: "/v1/books:lend"',
    ),
    "another right": (
        'books.lend"',
        'books.give"',
        "LendBook: its permission must stay 'lending.books.lend'",
    ),
    "another subject": ("book.lent", "book.given", "BookLent: its subject must stay"),
    "another name of a resource": (
        "books/{book}",
        "volumes/{book}",
        "Book: its names must stay books/{book}",
    ),
    "another resource": ('rapport/Author" p', 'rapport/Writer" p', "Author: it must stay the resource"),
    "a field that must be given": (
        "title = 3 [(google.api.field_behavior) = OPTIONAL",
        "title = 3 [(google.api.field_behavior) = REQUIRED",
        "Book.title: must not become REQUIRED",
    ),
    "a field that cannot change": (
        "title = 3 [",
        "title = 3 [(google.api.field_behavior) = IMMUTABLE, ",
        "Book.title: must not become IMMUTABLE",
    ),
    "a field that is ignored": (
        "title = 3 [",
        "title = 3 [(google.api.field_behavior) = OUTPUT_ONLY, ",
        "Book.title: must not become OUTPUT_ONLY",
    ),
    "a name that is none": (
        "name = 1 [(google.api.field_behavior) = IDENTIFIER]",
        "name = 1",
        "the IDENTIFIER",
    ),
    "what is personal": (
        "(rapport.options.v1.data_class) = DATA_CLASS_PERSONAL, ",
        "",
        "Author.birth_date: must stay DATA_CLASS_PERSONAL",
    ),
    "a day without a year": (
        ", (rapport.options.v1.allowed).partial = true",
        "",
        "Author.birth_date: `allowed.partial` must not",
    ),
    "a new field that must be given": (
        "string until",
        "string why = 9 [(google.api.field_behavior) = REQUIRED]; string until",
        "LendBookRequest.why: a new field of a released message cannot be REQUIRED",
    ),
    "an owner that is none": (
        " [(rapport.options.v1.owner) = true]",
        "",
        "its option `owner` must stay True",
    ),
    "a text of one line": (" [(rapport.options.v1.multiline) = true]", "", "`multiline` must stay True"),
    "an item that refuses the batch": (
        " [(rapport.options.v1.judged_apart) = true]",
        "",
        "`judged_apart` must",
    ),
    "a further right": (
        "books.renew",
        "books.keep",
        "LendBookRequest.until: its option `further_permission`",
    ),
    "something else on the timeline": (
        "FIELD_TOPIC",
        "FIELD_OCCUR_TIME",
        "BookLent.topic: its option `timeline`",
    ),
    "a reference to another": (
        '.type = "lending.rapport/Author"',
        '.type = "lending.rapport/Book"',
        "Book.author: must refer to 'lending.rapport/Author'",
    ),
    "a reference where any text was": (
        "reader = 2 [",
        'reader = 2 [(google.api.resource_reference).type = "lending.rapport/Author", ',
        "reader: must refer to ''",
    ),
    "another format": (
        "FORMAT_CODE,",
        "FORMAT_UUID,",
        "Book.isbn: `allowed.format` must not become narrower",
    ),
    "other keys": ("FORMAT_VARIABLE", "FORMAT_CODE", "Book.words: `allowed.keys` must not"),
    "fewer characters": ("max_characters: 300", "max_characters: 299", "`allowed.max_characters` must not"),
    "fewer items": ("max_items: 50", "max_items: 49", "`allowed.max_items` must not"),
    "a greater least": ("least: 1,", "least: 2,", "`allowed.least` must not become narrower than 1"),
    "a smaller most": ("most: 9000", "most: 8999", "`allowed.most` must not become narrower than 9000"),
    "a later beginning": ("seconds: -60", "seconds: -59", "`allowed.earliest_seconds` must not"),
    "an earlier end": ("latest_seconds: 60", "latest_seconds: 59", "`allowed.latest_seconds` must not"),
    "fewer paths": ('paths: "title" ', "", "`allowed.paths` must not"),
    "no wildcard": (",\n    (rapport.options.v1.allowed).wildcard = true", "", "`allowed.wildcard` must not"),
    "in batches alone": (
        "reader = 2 [",
        "reader = 2 [(rapport.options.v1.allowed).batch_only = true, ",
        "LendBookRequest.reader: `allowed.batch_only` must not",
    ),
}
WIDER = {
    "a name of a version too": (
        'pattern: "books/{book}"',
        'pattern: "books/{book}" pattern: "books/{book}/v/{v}"',
    ),
    "a further path": (':lend" body: "*" a', ':lend" body: "*" additional_bindings {get: "/v1/x"} a'),
    "a text of several lines": (
        "string isbn = 6 [",
        "string isbn = 6 [(rapport.options.v1.multiline) = true, ",
    ),
    "more that is personal": ("DATA_CLASS_PERSONAL", "DATA_CLASS_SENSITIVE"),
    "more characters": ("max_characters: 300", "max_characters: 400"),
    "less than the least": ("least: 1,", ""),
    "more than the most": (", most: 9000", ""),
    "every path": (' [(rapport.options.v1.allowed) = {paths: "title" paths: "isbn"}]', ""),
    "alone too": (", batch_only: true", ""),
    "a reference in what is only told": (
        "string book = 1",
        'string book = 1 [(google.api.resource_reference).type = "lending.rapport/Book"]',
    ),
}


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(PROTO)
    import released

    return released


def found(released: ModuleType, folder: Path, right: str, wrong: str) -> list[str]:
    """What is said of a contract in which something of a release is replaced."""
    assert right in CONTRACT
    told: list[str] = released.faults(
        compiled(folder, CONTRACT.replace(right, wrong, 1)), compiled(folder, CONTRACT)
    )
    return told


@pytest.mark.parametrize("case", WRONG)
def test_what_a_release_loses_is_said(released: ModuleType, tmp_path: Path, case: str) -> None:
    right, wrong, fault = WRONG[case]
    told = found(released, tmp_path, right, wrong)
    assert any(fault in each for each in told), told


@pytest.mark.parametrize("case", WIDER)
def test_what_a_release_gains_is_passed(released: ModuleType, tmp_path: Path, case: str) -> None:
    assert found(released, tmp_path, *WIDER[case]) == []
