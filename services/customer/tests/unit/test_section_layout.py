"""What departments' contracts may say of sections, and that nothing which somebody sends can do harm."""

from datetime import UTC, datetime

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from customer.usecases.section_cells import cells, check_content
from customer.usecases.section_layout import DRAWN_MAX, section_layout
from rapport.options.v1 import layout_pb2, options_pb2

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TYPE = "nobody.v1.OpenItems"
MONEY = ".google.type.Money"


def contract(*fields, syntax="proto3", **message):
    """A contract with one message of these fields: (name, type) with what else is said."""
    file = FileDescriptorProto(name="nobody.proto", package="nobody.v1", syntax=syntax)
    file.enum_type.add(name="Level").value.add(name="LEVEL_UNSPECIFIED", number=0)
    file.enum_type[0].value.add(name="LEVEL_FIRST", number=1)
    made = file.message_type.add(name="OpenItems", **message)
    for number, (name, kind, options) in enumerate(fields, 1):
        each = made.field.add(name=name, number=number, label=Field.LABEL_OPTIONAL)
        each.type = kind if isinstance(kind, int) else Field.TYPE_MESSAGE
        if each.type == Field.TYPE_MESSAGE:
            each.type_name = kind
        for option, value in options.items():
            if option in ("layout", "data_class"):
                module = layout_pb2 if option == "layout" else options_pb2
                extension = getattr(module, option)
                if option == "layout":
                    each.options.Extensions[extension].CopyFrom(value)
                else:
                    each.options.Extensions[extension] = value
            else:
                setattr(each, option, value)
    return file


def serialised(*files):
    return FileDescriptorSet(file=files).SerializeToString()


def drawn(label="Open amount", **layout):
    return {"layout": layout_pb2.Layout(label=label, **layout)}


def layout_of(*fields, **how):
    return section_layout(serialised(contract(*fields, **how)), TYPE)


def refused(descriptors, message_type=TYPE):
    with pytest.raises(InvalidArgument) as caught:
        section_layout(descriptors, message_type)
    return caught.value


def test_fields_are_drawn_in_their_order_as_their_types_say():
    layout = layout_of(
        ("amount", MONEY, drawn("Open amount", alarm=True)),
        ("level", Field.TYPE_ENUM, drawn("Dunning") | {"type_name": ".nobody.v1.Level"}),
        ("note", Field.TYPE_STRING, {}),
        ("share", Field.TYPE_DOUBLE, drawn("Share", order=1, format=layout_pb2.CELL_FORMAT_PERCENT)),
    )
    assert [(each.label, layout_pb2.CellFormat.Name(each.format)) for each in layout.drawn] == [
        ("Open amount", "CELL_FORMAT_MONEY"),
        ("Share", "CELL_FORMAT_PERCENT"),
        ("Dunning", "CELL_FORMAT_TEXT"),
    ]
    assert layout.drawn[2].words == {0: "UNSPECIFIED", 1: "FIRST"}
    assert [each.name for each in layout.fields] == ["amount", "level", "note", "share"]


TEXT = ("note", Field.TYPE_STRING, drawn("Note"))
WRONG = {
    "no field is drawn": contract(("note", Field.TYPE_STRING, {})),
    "too many are drawn": contract(*[(f"note{i}", Field.TYPE_STRING, drawn()) for i in range(DRAWN_MAX + 1)]),
    "too many fields": contract(*[(f"note{i}", Field.TYPE_STRING, {}) for i in range(65)]),
    "no label": contract(("note", Field.TYPE_STRING, drawn(""))),
    "a label of 41 characters": contract(("note", Field.TYPE_STRING, drawn("x" * 41))),
    "a label of two lines": contract(("note", Field.TYPE_STRING, drawn("a\nb"))),
    "an order of 100": contract(("note", Field.TYPE_STRING, drawn(order=100))),
    "text as money": contract(("note", Field.TYPE_STRING, drawn(format=layout_pb2.CELL_FORMAT_MONEY))),
    "a format that is none": contract(("note", Field.TYPE_STRING, drawn(format=77))),
    "bytes": contract(("note", Field.TYPE_BYTES, drawn())),
    "64 bits": contract(("note", Field.TYPE_UINT64, drawn())),
    "a nested message": contract(TEXT, ("inner", ".nobody.v1.OpenItems", {})),
    "an enum from elsewhere": contract(("level", Field.TYPE_ENUM, drawn() | {"type_name": ".else.Level"})),
    "repeated": contract(("note", Field.TYPE_STRING, drawn() | {"label": Field.LABEL_REPEATED})),
    "a group": contract(("note", Field.TYPE_GROUP, drawn())),
    "a oneof": contract(("note", Field.TYPE_STRING, drawn() | {"oneof_index": 0})),
    "a name in capitals": contract(("Note", Field.TYPE_STRING, drawn())),
    "two of one name": contract(TEXT, TEXT),
    "two that JSON confuses": contract(
        ("a_b", Field.TYPE_STRING, drawn()), ("ab", Field.TYPE_STRING, drawn())
    ),
    "a number of 1,000": contract(("note", Field.TYPE_STRING, drawn() | {"number": 1000})),
    "proto2": contract(TEXT, syntax="proto2"),
}


@pytest.mark.parametrize("file", WRONG.values(), ids=WRONG)
def test_what_cannot_be_drawn_is_refused(file):
    assert refused(serialised(file)).reason == "INVALID_SCHEMA"


def test_all_that_is_wrong_is_told_at_once_with_the_field():
    fields = [("one", Field.TYPE_BYTES, drawn()), ("two", Field.TYPE_STRING, drawn("", order=-1))]
    violations = refused(serialised(contract(*fields))).violations
    assert [each.description.partition(":")[0] for each in violations] == [
        "field one",
        "field two",
        "field two",
    ]


@pytest.mark.parametrize(
    "descriptors", [b"", b"\xff", serialised(), serialised(contract(TEXT), contract(TEXT))]
)
def test_a_set_without_the_message_or_with_two_is_refused(descriptors):
    assert refused(descriptors).reason == "INVALID_SCHEMA"


def test_a_field_is_of_its_type_and_not_of_a_message_that_it_names_as_well():
    [field] = layout_of(("open_amount", Field.TYPE_STRING, drawn() | {"type_name": MONEY})).fields
    assert (field.kind, field.format) == (Field.TYPE_STRING, layout_pb2.CELL_FORMAT_TEXT)


def test_a_sensitive_field_is_refused_drawn_or_not():
    secret = ("health", Field.TYPE_STRING, {"data_class": options_pb2.DATA_CLASS_SENSITIVE})
    assert refused(serialised(contract(TEXT, secret))).reason == "SENSITIVE_IN_SECTION"
    layout_of(TEXT, ("nickname", Field.TYPE_STRING, {"data_class": options_pb2.DATA_CLASS_PERSONAL}))


def test_a_later_schema_reads_what_an_earlier_one_wrote():
    reserving = contract(TEXT)
    reserving.message_type[0].reserved_range.add(start=2, end=3)
    both = layout_of(TEXT, ("count", Field.TYPE_INT64, drawn()))
    less = section_layout(serialised(reserving), TYPE)
    assert both.misread(layout_of(TEXT)) == []
    assert less.misread(both) == []
    assert layout_of(TEXT).misread(both) == [2]  # gone without being reserved
    assert layout_of(("note", Field.TYPE_INT64, drawn())).misread(layout_of(TEXT)) == [1]  # of another type
    assert both.misread(less) == [2]  # used again


def levels(*reserved, **values):
    """The layout of a message with an enum of these values, which reserves the numbers of these spans."""
    file = contract(("level", Field.TYPE_ENUM, drawn() | {"type_name": ".nobody.v1.Level"}))
    for name, number in values.items():
        file.enum_type[0].value.add(name=f"LEVEL_{name}", number=number)
    for start, end in reserved:
        file.enum_type[0].reserved_range.add(start=start, end=end)
    return serialised(file)


def test_what_a_value_is_called_stays_and_one_that_is_gone_is_never_used_again():
    before = section_layout(levels(PAID=2, OVERDUE=3), TYPE)
    for later, misread in (
        (levels(PAID=2, OVERDUE=3, LOST=4), []),
        (levels(PAID=3, OVERDUE=2), [1]),
        (levels(PAID=2, LATE=3), [1]),
        (levels(PAID=2), [1]),
        (levels((3, 3), PAID=2), []),
        (levels((3, 9), PAID=2), []),
    ):
        assert section_layout(later, TYPE).misread(before) == misread, later
    reserving = section_layout(levels((3, 9), (-(2**31), -1), PAID=2), TYPE)
    assert reserving.misread(reserving) == []
    assert before.misread(reserving) == [1]
    assert section_layout(levels((3, 8), (-(2**31), -1), PAID=2), TYPE).misread(reserving) == [1]


def test_what_is_reserved_is_not_used():
    field = contract(TEXT)
    field.message_type[0].reserved_range.add(start=1, end=2)
    for descriptors in (serialised(field), levels((2, 2), PAID=2)):
        assert refused(descriptors).reason == "INVALID_SCHEMA"


def test_a_small_set_that_claims_much_is_refused_or_read_at_once():
    wide = contract(TEXT)
    for start, end in [(-(2**31), 1), (2, 2**31 - 1)] * 32:
        wide.message_type[0].reserved_range.add(start=start, end=end)
    assert len(section_layout(serialised(wide), TYPE).reserved) == 998
    wide.message_type[0].reserved_range.add(start=1, end=2)
    assert refused(serialised(wide)).reason == "INVALID_SCHEMA"
    long = contract(("level", Field.TYPE_ENUM, drawn() | {"type_name": ".nobody.v1.Level"}))
    for number in range(2, 101):
        long.enum_type[0].value.add(name=f"L{number}", number=number)
    assert refused(serialised(long)).reason == "INVALID_SCHEMA"


@pytest.mark.parametrize("values", [[], ["\x1b[2J"], ["a\nb"], [""], ["x" * 101]])
def test_an_enum_without_values_or_with_names_that_cannot_be_drawn_is_refused(values):
    file = contract(("level", Field.TYPE_ENUM, drawn() | {"type_name": ".nobody.v1.Level"}))
    del file.enum_type[0].value[:]
    for number, name in enumerate(values):
        file.enum_type[0].value.add(name=name, number=number)
    assert refused(serialised(file)).reason == "INVALID_SCHEMA"


def test_nothing_of_a_contract_gets_into_the_pool_of_ours():
    layout_of(TEXT)
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName(TYPE)
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindFileByName("section.proto")


def test_a_contract_that_claims_a_name_of_ours_changes_nothing_here():
    stranger = contract(TEXT)
    stranger.name, stranger.package = "rapport/customer/v1/view.proto", "rapport.customer.v1"
    layout = section_layout(serialised(stranger), "rapport.customer.v1.OpenItems")
    assert [each.name for each in layout.drawn] == ["note"]


names = st.one_of(
    st.sampled_from(["note", "amount", "a_b", "ab", "_x", "", "Ä", "google"]), st.text(max_size=70)
)
numbers = st.sampled_from([0, -1, -(2**31), 999, 1000, 19_500, 2**29, 2**31 - 1])
layouts = st.builds(
    layout_pb2.Layout,
    label=st.one_of(st.just("Note"), st.text(max_size=45)),
    order=st.integers(-1, 101),
    format=st.integers(0, 12),
    alarm=st.booleans(),
)
KINDS = [(kind, "") for kind in (1, 2, 3, 5, 7, 8, 9, 13, 15, 16, 17, 18)]
KINDS += [
    (11, MONEY),
    (11, ".google.type.Date"),
    (11, ".google.protobuf.Timestamp"),
    (14, ".nobody.v1.Level"),
]


@st.composite
def contracts(draw):
    """Files as compilers write them, or with something that none would write."""
    file = contract(syntax=draw(st.sampled_from(["proto3"] * 8 + ["", "editions"])))
    message, odd = file.message_type[0], draw(st.integers(0, 5))
    for number in range(1, draw(st.integers(1, 5)) + 1):
        field = message.field.add(name=f"f{number}", number=number, label=Field.LABEL_OPTIONAL)
        field.type, field.type_name = draw(st.sampled_from(KINDS))
        field.options.Extensions[layout_pb2.layout].label = "Note"
        field.options.Extensions[layout_pb2.layout].alarm = True
        if draw(st.booleans()):
            field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
            message.oneof_decl.add(name=f"_f{number}")
        if number == odd:
            spoil(draw, field)
    if odd == 0:
        message.reserved_range.add(start=draw(numbers), end=draw(numbers))
        file.enum_type[0].value.add(name=draw(names), number=draw(st.integers(-2, 3)))
        file.name = draw(names)
    return FileDescriptorSet(file=[file] * draw(st.sampled_from([1] * 9 + [2]))).SerializeToString()


def spoil(draw, field):
    """Something about a field that may be wrong."""
    field.name, field.number = draw(st.one_of(st.just("f1"), names)), draw(st.one_of(st.just(1), numbers))
    field.type, field.label = draw(st.integers(1, 18)), draw(st.integers(1, 3))
    field.type_name = draw(st.sampled_from(["", MONEY, ".x", "y"]))
    field.oneof_index = draw(st.integers(-1, 2))
    field.options.Extensions[layout_pb2.layout].CopyFrom(draw(layouts))
    field.options.Extensions[options_pb2.data_class] = draw(st.integers(0, 3))


contents = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 2), st.just(0), st.integers(0, 200).map(lambda n: bytes([n & 127]))),
        st.tuples(st.integers(1, 2), st.just(1), st.binary(min_size=8, max_size=8)),
        st.tuples(st.integers(1, 2), st.just(2), st.text(max_size=20).map(lambda t: t.encode()[:60])),
        st.tuples(st.integers(1, 2), st.just(5), st.binary(min_size=4, max_size=4)),
    ),
    max_size=2,
)


def wire(number, kind, value):
    """A field as it is sent: a number, eight bytes, some bytes or four."""
    return bytes([number << 3 | kind]) + (bytes([len(value)]) if kind == 2 else b"") + value


@given(st.one_of(contracts(), st.binary(max_size=200)), contents)
def test_whatever_somebody_sends_is_a_layout_or_refused_and_content_is_drawn_or_refused(descriptors, sent):
    reasons, layout = set(), None
    try:
        layout = section_layout(descriptors, TYPE)
    except InvalidArgument as error:
        reasons = {each.reason for each in error.violations}
    assert reasons <= {"INVALID_SCHEMA", "SENSITIVE_IN_SECTION"}
    assert bool(reasons) != (layout is not None and 1 <= len(layout.drawn) <= DRAWN_MAX)
    if layout is not None:
        found = []
        kept = check_content(layout, b"".join(wire(*each) for each in sent), "content", NOW, found)
        assert found or len(cells(layout, kept)) <= len(layout.drawn)
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName(TYPE)
