"""Conditions over messages of the contracts."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

from chassis.rules import BadRule, Fields, Part, Problem, Rule, Undecided, compile_rule
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.common.v1.states_pb2 import CASE_STATE_OPEN
from rapport.common.v1.value_band_pb2 import VALUE_BAND_GOLD, ValueBand
from rapport.customer.v1.customer_pb2 import Customer
from rapport.loyalty.v1.purchase_pb2 import Purchase

VARIABLES: dict[str, type] = {"case": Case, "band": str, "work": WorkItem, "customer": Customer}
CASE = Case(topic="late-delivery", state=CASE_STATE_OPEN, reopen_count=2, department="departments/delivery")


def held(text: str, case: Message | None = CASE, band: str = "GOLD") -> bool:
    values = {"case": case, "band": band, "work": None, "customer": None}
    return compile_rule(text, VARIABLES).evaluate(values)


def refused(text: str) -> BadRule:
    with pytest.raises(BadRule) as error:
        compile_rule(text, VARIABLES)
    return error.value


@pytest.mark.parametrize(
    "text",
    [
        "case.topic == 'late-delivery' && band in ['GOLD', 'PLATINUM']",
        "case.topic.startsWith('late-') && !case.topic.endsWith('-refund') && case.topic.contains('del')",
        "case.topic.matches('^late-[a-z]+$')",
        "case.state == CaseState.CASE_STATE_OPEN",
        "case.reopen_count + 1 == 3",
        "case.open_time < timestamp('2026-01-01T00:00:00Z')",
        "duration('90m') > duration('1h')",
        "customer.relationship_manager == ''",
        "band == 'TIN' ? false : case.reopen_count > 1",
        "['a', 'b'].exists(each, each == 'b') && ['a'].filter(each, each > 'a').size() == 0",
        "1 / case.reopen_count == 0 || true",
    ],
)
def test_a_condition_that_holds(text: str) -> None:
    assert held(text)
    assert not held(f"!({text})")


def test_what_a_message_lacks_has_its_default_and_can_be_asked_for() -> None:
    assert held("case.reopen_count == 0 && case.topic == '' && !has(case.open_time)", Case())
    assert held("case.reopen_count == 0 && case.open_time == timestamp('1970-01-01T00:00:00Z')", None)


def test_an_enum_is_asked_by_the_names_of_its_values() -> None:
    rule = compile_rule("band == ValueBand.VALUE_BAND_GOLD", {"band": ValueBand})
    assert rule.evaluate({"band": VALUE_BAND_GOLD})
    assert not rule.evaluate({"band": 77})
    with pytest.raises(
        BadRule, match=r"ValueBand has no value VALUE_BAND_GOLDEN\. Did you mean VALUE_BAND_GOLD"
    ):
        compile_rule("band == ValueBand.VALUE_BAND_GOLDEN", {"band": ValueBand})


def test_scalars_are_typed() -> None:
    variables = {"at": datetime, "since": timedelta, "share": float, "vip": bool, "points": int}
    rule = compile_rule("at - since > timestamp('2026-02-01T00:00:00Z') && (vip || share > 0.5)", variables)
    values = {"at": datetime(2026, 3, 1, tzinfo=UTC), "since": timedelta(days=1), "vip": False, "points": 3}
    assert rule.evaluate(values | {"share": 0.6})
    assert not rule.evaluate(values | {"share": 0.4})
    with pytest.raises(TypeError, match="points must be int, and is bool"):
        rule.evaluate(values | {"share": 0.4, "points": True})
    with pytest.raises(KeyError, match="share"):
        rule.evaluate(values)


def test_an_unknown_field_is_pointed_at_and_those_that_exist_are_named() -> None:
    error = refused("band == 'GOLD' &&\n\tcase.topik == 'x'")
    assert [(each.line, each.column) for each in error.problems] == [(2, 7)]
    assert "Case has no field topik. Did you mean topic? There is: name, customer, topic," in str(error)
    assert str(error).endswith("\n\tcase.topik == 'x'\n\t     ^")


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("bant == 'x'", 1, "bant is not known. Did you mean band? There is:"),
        ("case.topic.splot(',')", 17, "splot() is not known. There is: all, contains,"),
        ("case.state == CaseState.CASE_STATE_OPN", 25, "CaseState has no value CASE_STATE_OPN. Did you mean"),
        ("case.topic == 1", 12, "no matching overload"),
        ("case.topic", 1, "must say true or false, and is of type STRING"),
        ("band ==", 8, "The text ends where more is expected."),
        ("", 1, "The text ends where more is expected."),
        ("band == 'a' band", 13, "extraneous input 'band'"),
        ("timestamp('tomorrow') < case.open_time", 10, "String to Timestamp conversion failed"),
        ("band.matches('(')", 13, "missing ): ("),
        ("case.open_time.getHours('Nowhere/X') > 0", 25, 'Invalid timezone: "Nowhere/X".'),
        ("case.open_time.getDayOfWeek('../../etc/passwd') == 1", 29, 'Invalid timezone: "../../etc/passwd".'),
        ("timestamp(0).getHours('\\n\"') > 0", 23, 'Invalid timezone: "\\n\\"".'),
        ("1 / 0 == 1", 3, "divide by zero"),
        ("'ä😀' == band && bant", 17, "bant is not known"),
        ("band == null", 6, "no matching overload"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(text: str, column: int, message: str) -> None:
    problem = refused(text).problems[0]
    assert (problem.line, problem.column) == (1, column)
    assert message in problem.message


def test_a_zone_that_there_is_or_that_only_a_value_says_is_taken() -> None:
    for zone in ("'Europe/Berlin'", "'+05:30'", "'UTC'", "band"):
        compile_rule(f"case.open_time.getHours({zone}) >= 0", VARIABLES)


def test_of_a_long_line_only_the_place_is_shown() -> None:
    error = refused("true && " * 100 + "bant == 'x' && " + " && ".join(["true"] * 100))
    _, shown, caret = str(error).split("\n")
    assert shown[caret.index("^") :].startswith("bant == 'x'")
    assert len(shown) == 80


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert [each.column for each in refused("case.a == 1 && case.b == 2").problems] == [6, 21]


def test_what_cannot_be_said_is_undecided_and_not_false() -> None:
    with pytest.raises(Undecided, match="divide by zero"):
        held("1 / case.reopen_count == 0", Case())
    assert held("case.reopen_count == 0 || 1 / case.reopen_count == 0", Case())


def test_what_no_rule_needs_is_refused() -> None:
    for text, why in {
        "case.topic + 'x' == 'y'": "builds nothing",
        "[1].map(each, each + 1).size() == 1": "map() is not for rules",
        "[1].map(each, each > 0, each + 1).size() == 1": "map() is not for rules",
        "{'a': 1}['a'] == 1": "builds nothing",
        "rapport.cases.v1.Case{topic: 'x'} == case": "builds nothing",
        "dyn(1) == 1": "types are checked",
        "band.matches(case.topic)": "A pattern is written out.",
    }.items():
        assert why in str(refused(text)), text


def test_the_same_text_is_compiled_once() -> None:
    assert compile_rule("band == 'A'", VARIABLES) is compile_rule("band == 'A'", dict(VARIABLES))


def test_an_explanation_says_which_part_held_also_of_those_that_decided_nothing() -> None:
    text = "case.topic == 'x' && (band == 'GOLD' || !(case.reopen_count > 0)) && 1 / work.version > 0 // why"
    text = text.replace("work.version", "(case.reopen_count - 2)")
    rule = compile_rule(text, VARIABLES)
    assert rule.explain({"case": CASE, "band": "GOLD", "work": None, "customer": None}) == Part(
        text.removesuffix(" // why"),
        False,
        operator="&&",
        parts=(
            Part("case.topic == 'x'", False),
            Part(
                "band == 'GOLD' || !(case.reopen_count > 0)",
                True,
                operator="||",
                parts=(
                    Part("band == 'GOLD'", True),
                    Part(
                        "!(case.reopen_count > 0)",
                        False,
                        operator="!",
                        parts=(Part("case.reopen_count > 0", True),),
                    ),
                ),
            ),
            Part("1 / (case.reopen_count - 2) > 0", None, "divide by zero"),
        ),
    )


def test_a_parenthesis_in_a_text_or_a_comment_is_none() -> None:
    text = """(band == ")" // (
        || band == r'\\d(') && (band == '\\'(' || band == '''(''')"""
    rule = compile_rule(text, {"band": str})
    assert [part.text for each in rule.explain({"band": ")"}).parts for part in each.parts] == [
        'band == ")"',
        "band == r'\\d('",
        "band == '\\'('",
        "band == '''('''",
    ]


def test_a_text_that_is_no_text_is_refused_or_ends() -> None:
    assert refused("x" * 4_001).problems == (Problem(0, 0, "must be of at most 4000 characters"),)
    assert refused("\0").problems
    assert not held("'\ud800' == band")


def test_only_the_fields_that_are_named_are_read() -> None:
    variables = {"case": Fields(Case, frozenset({"topic", "state"}))}
    rule = compile_rule("case.topic == 'late' && case.state == CaseState.CASE_STATE_OPEN", variables)
    assert rule.evaluate({"case": Case(topic="late", state=CASE_STATE_OPEN)})
    for text, column in (
        ("case.owner == ''", 6),
        ("case.topic == '' && has(case.owner)", 24),
        ("case == case", 1),
    ):
        with pytest.raises(BadRule) as error:
            compile_rule(text, variables)
        (problem,) = error.value.problems
        assert (problem.line, problem.column, "topic, state" in problem.message) == (1, column, True)
    with pytest.raises(ValueError, match="no field topik"):
        Fields(Case, frozenset({"topik"}))


def another(name: str) -> EnumDescriptor:
    """An enum of that name in another package."""
    file = FileDescriptorProto(name="another.proto", package="another", syntax="proto3")
    file.enum_type.add(name=name).value.add(name="NONE", number=0)
    pool = DescriptorPool()
    pool.Add(file)
    return pool.FindEnumTypeByName(f"another.{name}")


def test_enums_in_messages_are_called_by_both_and_two_of_one_name_are_refused() -> None:
    compile_rule("work.state == WorkItem.State.STATE_PENDING", {"work": WorkItem})
    with pytest.raises(ValueError, match="two are called"):
        compile_rule("true", {"case": Case, "harm": EnumTypeWrapper(another("Harm"))})


@pytest.mark.parametrize("case", [CASE, Case(), Case(reopen_count=1, topic="refund")])
@pytest.mark.parametrize(
    "text",
    [
        "case.topic == 'refund' && band == 'GOLD' || !(case.reopen_count > 1)",
        "10 / case.reopen_count > 4 && case.topic != ''",
        "10 / case.reopen_count > 4 || case.topic == ''",
        "!(10 / case.reopen_count > 4)",
        "(band == 'GOLD' ? case.reopen_count > 1 : false) && ((case.topic == '') || band == '(')",
    ],
)
def test_what_its_parts_say_decides_a_rule_as_the_whole_does(text: str, case: Case) -> None:
    values = {"case": case, "band": "GOLD", "work": None, "customer": None}

    def ask(rule: Rule) -> bool | None:
        try:
            return rule.evaluate(values)
        except Undecided:
            return None

    rule = compile_rule(text, VARIABLES)
    assert rule.decide(ask) is ask(rule)


def test_a_rule_says_what_it_reads() -> None:
    rule = compile_rule(
        "case.topic == 'late' && ['x'].exists(band, band == customer.language_code)", VARIABLES
    )
    assert [part.reads for part in rule.parts] == [
        {"case", "case.topic"},
        {"customer", "customer.language_code"},
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("line.amount > 50", "line.amount is an amount of money: write line.amount.units, its whole units,"),
        ("50 < line.amount", "line.amount is an amount of money: write line.amount.units, its whole units,"),
        ("line.quantity >= 3", "line.quantity is a decimal: write double(line.quantity.value), and a number"),
        ("line.quantity + 1 > 2", "line.quantity is a decimal: write double(line.quantity.value), and"),
        ("[line][0].quantity == 3", "This is a decimal: write double(x.value), and a number"),
        ("double(line.quantity.value) >= 3", "A number with a point is compared with one that has one, too"),
    ],
)
def test_what_is_no_number_by_itself_says_what_to_write(text: str, told: str) -> None:
    with pytest.raises(BadRule) as error:
        compile_rule(text, {"line": Purchase.Line})
    assert error.value.problems[0].message.startswith(told)


def test_a_decimal_is_compared_as_a_number() -> None:
    rule = compile_rule("double(line.quantity.value) >= 3.0", {"line": Purchase.Line})
    sold = [Purchase.Line(quantity={"value": value}) for value in ("2.5", "3", "3.000", "10")]
    assert [rule.evaluate({"line": each}) for each in sold] == [False, True, True, True]
