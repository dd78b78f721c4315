"""Conditions and values in requests: refused where they are none."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from chassis.errors import invalid
from chassis.rules.refusing import BadRule
from chassis.rules.rule import Kind, Rule, compile_rule
from chassis.rules.value import Value, compile_value

TOLD_BYTES = 800  # headers carry it, twice


T = TypeVar("T")


def require_rule(text: str, variables: Mapping[str, Kind], field: str) -> Rule:
    """The rule that a field of a request says. InvalidArgument INVALID_RULE, with what is wrong and where."""
    return _required(compile_rule, text, variables, field)


def require_value(text: str, variables: Mapping[str, Kind], field: str) -> Value:
    """The value that a field of a request says. InvalidArgument INVALID_RULE, as `require_rule`."""
    return _required(compile_value, text, variables, field)


def _required(
    compiled: Callable[[str, Mapping[str, Kind]], T], text: str, variables: Mapping[str, Kind], field: str
) -> T:
    try:
        return compiled(text, variables)
    except BadRule as error:
        told = str(error).encode()[:TOLD_BYTES].decode(errors="ignore")
        raise invalid(field, "INVALID_RULE", told) from None
