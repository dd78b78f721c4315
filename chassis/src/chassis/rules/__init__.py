"""The one expression language: conditions that people write, over messages of the contracts.

    rule = compile_rule("case.topic == 'late' && band in ['GOLD', 'SILVER']", {"case": Case, "band": str})
    rule.evaluate({"case": case, "band": "GOLD"})
    rule.explain({"case": case, "band": "GOLD"})

It is CEL (the Common Expression Language), checked against the contracts when it is compiled; docs/rules.md
says what may be written.
"""

from chassis.rules.limits import MAX_CHARACTERS, MAX_COST
from chassis.rules.refusing import BadRule, Problem, Undecided
from chassis.rules.required import require_rule, require_value
from chassis.rules.rule import Fields, Kind, Part, Rule, Values, compile_rule
from chassis.rules.value import Value, compile_value

__all__ = [
    "MAX_CHARACTERS",
    "MAX_COST",
    "BadRule",
    "Fields",
    "Kind",
    "Part",
    "Problem",
    "Rule",
    "Undecided",
    "Value",
    "Values",
    "compile_rule",
    "compile_value",
    "require_rule",
    "require_value",
]
