"""Conditions in requests: refused where they are none."""

from collections.abc import Mapping

from chassis.errors import invalid
from chassis.rules.refusing import BadRule
from chassis.rules.rule import Kind, Rule, compile_rule

TOLD_BYTES = 800  # headers carry it, twice


def require_rule(text: str, variables: Mapping[str, Kind], field: str) -> Rule:
    """The rule that a field of a request says. InvalidArgument INVALID_RULE, with what is wrong and where."""
    try:
        return compile_rule(text, variables)
    except BadRule as error:
        told = str(error).encode()[:TOLD_BYTES].decode(errors="ignore")
        raise invalid(field, "INVALID_RULE", told) from None
