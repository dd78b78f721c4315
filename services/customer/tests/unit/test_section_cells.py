"""What content becomes when it is drawn, and which is refused."""

import math
from datetime import UTC, datetime

import pytest
from google.protobuf.descriptor_pb2 import EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money
from hypothesis import given
from hypothesis import strategies as st

from customer.usecases.section_cells import CONTENT_MAX_BYTES, cells, check_content
from customer.usecases.section_layout import section_layout
from rapport.customer.v1.section_pb2 import SectionCell
from rapport.options.v1 import layout_pb2 as formats

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REASONS = {"INVALID_CONTENT", "INVALID_CURRENCY", "INVALID_ENUM", "INVALID_LINK", "INVALID_NUMBER"}
REASONS |= {"INVALID_TEXT", "INVALID_TIME", "TOO_LONG"}


def schema(**changes):
    """A schema with a field of each kind, all of which alarm."""
    kinds = {
        "note": Field.TYPE_STRING,
        "page": Field.TYPE_STRING,
        "level": Field.TYPE_ENUM,
        "invoices": Field.TYPE_INT64,
        "score": Field.TYPE_DOUBLE,
        "share": Field.TYPE_FLOAT,
        "blocked": Field.TYPE_BOOL,
        "paperless": Field.TYPE_BOOL,
        "amount": ".google.type.Money",
        "next_debit": ".google.type.Date",
        "paid_at": ".google.protobuf.Timestamp",
        "inner": Field.TYPE_STRING,
    }
    said = {"page": formats.CELL_FORMAT_LINK, "share": formats.CELL_FORMAT_PERCENT} | changes
    file = FileDescriptorProto(name="b.proto", package="b", syntax="proto3")
    levels = [("LEVEL_UNSPECIFIED", 0), ("LEVEL_FIRST", 1), ("LEVEL_SECOND", 2)]
    file.enum_type.append(EnumDescriptorProto(name="Level"))
    for name, number in levels:
        file.enum_type[0].value.add(name=name, number=number)
    message = file.message_type.add(name="Items")
    for number, (name, kind) in enumerate(kinds.items(), 1):
        field = message.field.add(name=name, number=number, label=Field.LABEL_OPTIONAL)
        field.type = kind if isinstance(kind, int) else Field.TYPE_MESSAGE
        field.type_name = {Field.TYPE_ENUM: ".b.Level"}.get(kind, "") if isinstance(kind, int) else kind
        if name == "paperless":
            field.proto3_optional, field.oneof_index = True, 0
            message.oneof_decl.add(name="_paperless")
        if name != "inner":
            layout = formats.Layout(label=name, alarm=True, format=said.get(name, 0))
            field.options.Extensions[formats.layout].CopyFrom(layout)
    return section_layout(FileDescriptorSet(file=[file]).SerializeToString(), "b.Items")


LAYOUT = schema()


def content(**fields):
    made = LAYOUT.message()
    for name, value in fields.items():
        if hasattr(value, "SerializeToString"):
            getattr(made, name).MergeFromString(value.SerializeToString())
            getattr(made, name).SetInParent()
        else:
            setattr(made, name, value)
    return made.SerializeToString()


def shown(drawn):
    """The cells in short: label and value."""
    return {cell.label: getattr(cell, cell.WhichOneof("value")) for cell in drawn}


def faults(raw):
    found = []
    check_content(LAYOUT, raw, "content", NOW, found)
    return {each.field: each.reason for each in found}


FULL = {
    "note": "Pays by invoice",
    "page": "https://billing.example.com/accounts/7?tab=open#top",
    "level": 2,
    "invoices": 3,
    "score": 0.5,
    "share": 0.25,
    "blocked": True,
    "paperless": False,
    "amount": Money(currency_code="EUR", units=86, nanos=400_000_000),
    "next_debit": Date(year=2026, month=12, day=4),
    "paid_at": Timestamp(seconds=1_772_442_000),
}


def test_each_field_is_a_cell_of_its_format():
    raw = content(**FULL, inner="kept and not drawn")
    assert faults(raw) == {}
    assert shown(cells(LAYOUT, raw)) == FULL | {"level": "SECOND"}


def test_texts_enums_and_messages_that_say_nothing_have_no_cell_and_numbers_and_flags_have():
    numbers = {"invoices": 0, "score": 0, "share": 0, "blocked": False}
    assert shown(cells(LAYOUT, b"")) == shown(cells(LAYOUT, content(note="\u200b \u2800"))) == numbers


def test_an_alarm_stands_out_while_there_is_something():
    calm = content(amount=Money(currency_code="EUR"), paperless=False)
    assert not any(cell.alarm for cell in cells(LAYOUT, calm))
    assert all(cell.alarm for cell in cells(LAYOUT, content(**FULL)) if cell.label != "paperless")


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"note": "a\nb"}, {"content.note": "INVALID_TEXT"}),
        ({"note": "\x1b[2J"}, {"content.note": "INVALID_TEXT"}),
        ({"note": "x" * 201}, {"content.note": "TOO_LONG"}),
        ({"inner": "a\0b"}, {"content.inner": "INVALID_TEXT"}),
        ({"page": "http://billing.example.com"}, {"content.page": "INVALID_LINK"}),
        ({"page": "javascript:alert(1)"}, {"content.page": "INVALID_LINK"}),
        ({"page": "https://a@evil.example"}, {"content.page": "INVALID_LINK"}),
        ({"page": 'https://a.example/"><script>'}, {"content.page": "INVALID_LINK"}),
        ({"page": "https://a.example/" + "x" * 490}, {"content.page": "INVALID_LINK"}),
        ({"level": 7}, {"content.level": "INVALID_ENUM"}),
        ({"score": math.nan}, {"content.score": "INVALID_NUMBER"}),
        ({"share": -math.inf}, {"content.share": "INVALID_NUMBER"}),
        ({"amount": Money(units=1)}, {"content.amount.currency_code": "INVALID_CURRENCY"}),
        ({"amount": Money(currency_code="EUR", units=1, nanos=-1)}, {"content.amount": "INVALID_NUMBER"}),
        ({"amount": Money(currency_code="JPY", nanos=10**8)}, {"content.amount": "INVALID_NUMBER"}),
        ({"next_debit": Date(year=2026, month=2, day=30)}, {"content.next_debit": "INVALID_TIME"}),
        ({"next_debit": Date(year=2026)}, {"content.next_debit": "INVALID_TIME"}),
        ({"paid_at": Timestamp(seconds=2**62)}, {"content.paid_at": "INVALID_TIME"}),
    ],
)
def test_a_value_that_cannot_be_drawn_is_refused_where_it_stands(fields, refused):
    assert faults(content(**fields)) == refused


def test_content_has_a_size_and_nothing_that_the_schema_does_not_know():
    assert faults(b"\0" * (CONTENT_MAX_BYTES + 1)) == {"content": "TOO_LONG"}
    assert faults(b"\xff") == {"content": "INVALID_CONTENT"}
    assert faults(b"\xa2\x06\x01x") == {"content": "INVALID_CONTENT"}  # field 100
    assert faults(content(amount=Money(currency_code="EUR")) + b"\x4a\x03\xa2\x06\x00") == {
        "content": "INVALID_CONTENT"
    }
    assert faults(b"\x08\x01") == {"content": "INVALID_CONTENT"}  # a number where the text is


def test_a_text_that_a_later_schema_calls_a_link_is_no_link():
    raw = content(note="javascript:alert(1)")
    [cell, *_] = cells(schema(note=formats.CELL_FORMAT_LINK), raw)
    assert (cell.text, cell.format) == ("javascript:alert(1)", formats.CELL_FORMAT_TEXT)


@given(st.one_of(st.binary(max_size=300), st.tuples(st.sampled_from(sorted(FULL)), st.binary(max_size=40))))
def test_whatever_somebody_sends_is_drawn_or_refused(sent):
    if isinstance(sent, tuple):
        field = LAYOUT.message.DESCRIPTOR.fields_by_name[sent[0]]
        sent = bytes([field.number << 3 | 2, len(sent[1])]) + sent[1]
    found = []
    kept = check_content(LAYOUT, sent, "content", NOW, found)
    assert {each.reason for each in found} <= REASONS
    if not found:
        assert kept == check_content(LAYOUT, kept, "content", NOW, found)
        for cell in cells(LAYOUT, kept):
            assert SectionCell.FromString(cell.SerializeToString()) == cell
