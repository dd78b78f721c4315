"""What conditions of policies may read."""

import re
from pathlib import Path

import pytest

from cases.usecases.conditions import VARIABLES
from chassis.errors import InvalidArgument
from chassis.rules import compile_rule, require_rule

RULES = Path(__file__).parents[4] / "docs" / "rules.md"


def test_the_first_example_of_the_page_on_conditions_is_one() -> None:
    first = re.search(r"`([^`]+)`", RULES.read_text())
    assert first
    assert "band in" in first[1]
    compile_rule(first[1], VARIABLES)


@pytest.mark.parametrize(
    "text",
    [
        "work_item.state == WorkItem.State.STATE_PENDING && case.kind == Case.Kind.KIND_PROBLEM",
        "case.progress == CaseProgress.CASE_PROGRESS_RESOLVED || has(promise.forecast_time)",
        "work_item.fields['order'] != '' && 'de' == work_item.language_code",
    ],
)
def test_fields_and_states_by_their_names(text: str) -> None:
    compile_rule(text, VARIABLES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("case.display_name == 'x'", "Case has no field display_name."),
        ("case.resolution == 'x'", "Case has no field resolution."),
        ("work_item.state == State.STATE_PENDING", "State.STATE_PENDING is not known."),
        ("promise == promise", "It is compared by its fields."),
    ],
)
def test_what_nobody_promised_to_keep_is_refused_with_what_there_is(text: str, told: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        require_rule(text, VARIABLES, "clock_policy.condition")
    (violation,) = refused.value.violations
    assert told in violation.description
    assert "There is: " in violation.description
