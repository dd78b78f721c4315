"""Values that people write: expressions over messages of the contracts which say something, not yes or no.

value = compile_value("event.tier", {"event": TierUpgraded})
value.of({"event": event})
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal
from google.type.money_pb2 import Money

from chassis.rules.checked import Tree, form
from chassis.rules.refusing import at
from chassis.rules.rule import MAX_CACHED, Kind, Values, checked, said

_SCALARS = ("STRING", "INT", "DOUBLE", "TIMESTAMP")
_MESSAGES = tuple(each.DESCRIPTOR.full_name for each in (Date, Decimal, Money))


class Value:
    """An expression that is known to be well-formed and cheap, made by `compile_value`; safe to share."""

    def __init__(self, text: str, env: Any, program: Any) -> None:
        self.text = text
        self._env, self._program = env, program

    def of(self, values: Values) -> Any:
        """What it says of these: a str, int, float or datetime, or a google.type.Date, Decimal or Money.

        Undecided when nobody can say: a division by zero.
        """
        return said(self._program, self._env.Activation(dict(values)))


def compile_value(text: str, variables: Mapping[str, Kind]) -> Value:
    """The value that a text says, over variables of these kinds.

    BadRule for what `compile_rule` refuses, for what says something else than a text, a number, a time, a
    day, a decimal or an amount, and for a state alone, which is a number: `x.state == X.A ? 'a' : 'b'`.
    """
    return _compiled(text, tuple(sorted(variables.items())))


@lru_cache(MAX_CACHED)
def _compiled(text: str, declared: tuple[tuple[str, Kind], ...]) -> Value:
    env, program, tree = checked(text, declared)
    kind = program.return_type().name()
    if kind not in (*_SCALARS, *_MESSAGES):
        raise at(text, 0, f"It must say a text, a number, a time or an amount, and is of type {kind}.")
    if _is_state(tree, dict(declared)):
        raise at(text, 0, "It is a state, which people read as words: write it == A ? 'a' : 'b'.")
    return Value(text, env, program)


def _is_state(tree: Tree, variables: Mapping[str, Kind]) -> bool:
    """Whether the whole is one field of a message that holds an enum."""
    select = tree.root.select_expr
    if form(tree.root) != "select_expr" or form(select.operand) != "ident_expr":
        return False
    message = variables.get(select.operand.ident_expr.name)
    fields = getattr(getattr(message, "DESCRIPTOR", None), "fields_by_name", {})
    return select.field in fields and fields[select.field].enum_type is not None
