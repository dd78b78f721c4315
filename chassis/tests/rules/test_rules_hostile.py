"""Random rules mean what Python means by them; hostile ones end."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from hypothesis import strategies as st

from chassis.rules import BadRule, Part, Undecided, compile_rule

VARIABLES: dict[str, type] = {"a": int, "b": int, "s": str, "yes": bool}
NUMBERS = st.sampled_from(["a", "b", "0", "1", "-2"])
TEXTS = st.sampled_from(["s", "'x'", "'('", "'&&'", '"//"'])
LEAVES = st.one_of(
    st.tuples(NUMBERS, st.sampled_from(["==", "!=", "<", ">="]), NUMBERS).map(" ".join),
    st.tuples(TEXTS, st.sampled_from(["==", "!="]), TEXTS).map(" ".join),
    st.sampled_from(["yes", "true", "false", "a in [1, 2]"]),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.lists(parts, min_size=2, max_size=4).map(lambda several: "(" + " && ".join(several) + ")"),
        st.lists(parts, min_size=2, max_size=4).map(lambda several: "(" + "||".join(several) + " )"),
        parts.map("!({})".format),
        parts.map("!!({})".format),
    ),
    max_leaves=12,
)
TOKENS = (
    "a s yes 1 'x' ( ) [ ] { } , . && || ! - ? : + == < in "
    'all( exists(x, map(x, filter(x, x size() has( // "'
)
SOUP = st.lists(st.sampled_from(TOKENS.split()), max_size=40).map(" ".join)


def in_python(text: str) -> str:
    return (
        text.replace("&&'", "AND'")
        .replace("!=", "≠")
        .replace("!", " not ")
        .replace("≠", "!=")
        .replace("&&", " and ")
        .replace("||", " or ")
        .replace("AND'", "&&'")
        .replace("true", "True")
        .replace("false", "False")
    )


@given(CONDITIONS, st.integers(-3, 3), st.integers(-3, 3), st.sampled_from(["x", "(", ""]), st.booleans())
def test_a_rule_means_what_python_means_by_it_and_so_does_each_part(
    text: str, a: int, b: int, s: str, yes: bool
) -> None:
    values = {"a": a, "b": b, "s": s, "yes": yes}
    rule = compile_rule(text, VARIABLES)
    assert rule.evaluate(values) == eval(in_python(text), {}, values)
    whole = rule.explain(values)
    assert whole.held == rule.evaluate(values)
    agrees(whole, values)


def agrees(part: Part, values: dict[str, object]) -> None:
    """A part's text alone gives what was said of it, and its parts explain it."""
    assert compile_rule(part.text, VARIABLES).evaluate(values) == part.held
    inner = [each.held for each in part.parts]
    expected = {"&&": all(inner), "||": any(inner), "!": not all(inner), "": part.held}
    assert part.held == expected[part.operator]
    for each in part.parts:
        assert each.operator != part.operator or part.operator == "!"
        agrees(each, values)


@given(st.one_of(st.text(max_size=60), SOUP))
def test_any_text_is_refused_or_is_a_rule_that_answers(text: str) -> None:
    try:
        rule = compile_rule(text, VARIABLES)
    except BadRule:
        return
    values = {"a": 1, "b": 2, "s": "x", "yes": True}
    try:
        assert rule.evaluate(values) == rule.explain(values).held
    except Undecided:
        assert rule.explain(values).held is None


NUMBERED = "[" + ", ".join(str(number) for number in range(99)) + "]"
CHAIN = "".join(f".map(x{step}, x{step} + x{step})" for step in range(20))


@pytest.mark.parametrize(
    "text",
    [
        f"['x']{CHAIN}[0].size() > 0",  # a text that doubles twenty times
        "[[1, 1]].exists(c, [[c, c]].exists(d, [[d, d]].exists(e, e == e)))",  # lists that double
        f"{NUMBERED}.all(x, {NUMBERED}.all(y, {NUMBERED}.all(z, x + y + z >= 0)))",  # a million rounds
        f"{NUMBERED}.all(x, {NUMBERED}.all(y, !s.matches('(a*)*b')))",  # ten thousand patterns
        f"{NUMBERED}.all(x, {' && '.join(['x >= 0'] * 300)})",
        "mask.paths.all(x, mask.paths.all(y, mask.paths.all(z, x != y)))",
        "(" * 40 + "yes" + ")" * 40,
        "[" * 900 + "]" * 900 + " == []",
        "a" + ".a" * 1_500,
        "yes" + " ? yes" * 400,
        "a" + " + a" * 900 + " > 0",
        "s.matches('(a{1000}){1000}')",
    ],
)
def test_what_could_run_long_is_refused(text: str) -> None:
    with pytest.raises(BadRule):
        compile_rule(text, VARIABLES | {"mask": FieldMask})


@pytest.mark.parametrize(
    "text", ["!" * 3_900 + "yes", "-" * 3_900 + "1 > 0", "yes" + " && yes" * 550, "yes || " * 500 + "yes"]
)
def test_what_is_only_long_answers(text: str) -> None:
    rule = compile_rule(text, {"yes": bool})
    assert rule.explain({"yes": True}).held == rule.evaluate({"yes": True})
