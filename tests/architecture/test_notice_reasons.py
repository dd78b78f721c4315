"""Why a notice is not sent, or waits, is one list: in the code, in its README and at the desk."""

import ast
import re
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from desk.language.catalogues import CATALOGUES, SOURCE
from desk.ui.words import CODES, PLAIN, said
from notifications.domain.notice import Notice
from notifications.domain.reasons import Reason
from notifications.domain.receipt import spend
from notifications.usecases.attempt import Forbidden, Quiet

SERVICE = Path(__file__).parents[2] / "services/notifications"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (.+) \|$", re.MULTILINE)
# Names of something else: the policies that an installation begins with.
ELSEWHERE = {("policy.py", Reason.PROMISE_AT_RISK), ("policy.py", Reason.PROMISE_RECOVERED)}
DOORS = (
    *(Notice.suppress, Notice.withdraw, Notice.give_up, Notice.defer, Notice.want_again),
    *(spend, Forbidden.__init__, Quiet.__init__),
)
OTHER_LANGUAGES = sorted(CATALOGUES.keys() - {SOURCE.language})


def test_the_readme_lists_every_reason_in_its_words() -> None:
    chapter = (SERVICE / "README.md").read_text().partition("## Why it is not sent, or waits\n")[2]
    assert dict(ROW.findall(chapter.partition("\n## ")[0])) == {each: each.words for each in Reason}


@pytest.mark.parametrize("reason", Reason)
def test_the_desk_has_words_for_every_reason(reason: Reason) -> None:
    words = said(reason)
    assert reason in CODES or words in PLAIN
    for language in OTHER_LANGUAGES:
        assert CATALOGUES[language].gettext(words) != words, language


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__qualname__)
def test_what_a_notice_is_given_as_its_reason_is_of_the_list(door: Callable[..., Any]) -> None:
    assert "why" in signature(door).parameters
    assert get_type_hints(door)["why"] is Reason


def test_no_other_module_says_a_reason_by_itself() -> None:
    found = {
        (file.name, node.value)
        for file in (SERVICE / "src").rglob("*.py")
        if file.name != "reasons.py" and "migrations" not in file.parts
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value in set(Reason) and "-" in node.value
    }
    assert found == ELSEWHERE


def test_only_a_notice_itself_says_why_it_is_where_it_is() -> None:
    """What it is told is typed; so nothing else may write there."""
    theirs = {"reason_code", "defer_reason_code", "spent"}
    written = {
        (file.name, target.attr)
        for file in (SERVICE / "src").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Assign)
        for each in node.targets
        for target in ast.walk(each)
        if isinstance(target, ast.Attribute) and target.attr in theirs
    }
    assert {name for name, _ in written} == {"notice.py", "notice_job.py", "receipt.py"}
