"""What an installation begins with reads as well in HTML as in plain text, in each of its languages."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest

from chassis.names import PLATFORM
from notifications.domain.template import Template, Text, Type
from notifications.usecases import words
from notifications.usecases.letters import CONFIRM, DELAY, RECOVERY, Letter

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SITE = "http://127.0.0.1:8080/c/token"
GIVEN = {
    "customer_name": "Maria Anders",
    "contact_name": "Sam Reed",
    "contact_reach": "+49 30 1234",
    "company_name": "Acme & Sons",
    "reason": "weather",
    "old_date": "2026-03-05",
    "new_date": "2026-03-09",
    "reference": "orders/10248",
    "confirm_purpose": "News",
    "confirm_link": f"{SITE}/confirm",
}
LETTERS = [
    *((Type.DELAY, each) for each in DELAY),
    *((Type.INFORMATION, each) for each in RECOVERY + CONFIRM),
]


def said(type: Type, letter: Letter, given: dict[str, str]) -> words.Words:
    template = Template("first", type, "purposes/service", PLATFORM, "en-GB", {}, NOW, NOW, essential=True)
    code, parts = letter.language_code, (letter.subject, letter.body, letter.apology, letter.reasons)
    text = Text("first", code.lower(), code, 1, *parts, NOW, letter.mjml)
    words.check(template, text)
    used = words.used_in(text)
    return words.render(template, text, {name: given[name] for name in used & given.keys()}, UTC)


def targets(html: str) -> list[str]:
    """Where its links lead."""
    return re.findall(r'<a href="([^"]*)"', html)


@pytest.mark.parametrize(("type", "letter"), LETTERS)
def test_both_say_the_same_also_of_pages_on_this_machine(type: Type, letter: Letter) -> None:
    told = said(type, letter, GIVEN | {"pages_link": SITE})
    shown = unescape(" ".join(re.sub("<[^>]*>", " ", told.html).split() + targets(told.html)))
    for line in told.body.splitlines():
        assert line.removesuffix(":") in re.sub(" (?=[.,)])", "", shown), line
    assert told.subject in shown
    assert told.body.endswith("Acme & Sons\n")


@pytest.mark.parametrize(("type", "letter"), LETTERS)
def test_where_there_are_no_pages_and_no_company_nothing_is_said_of_them(type: Type, letter: Letter) -> None:
    told = said(type, letter, {name: each for name, each in GIVEN.items() if name != "company_name"})
    assert told.body.rstrip().endswith("Sam Reed")
    assert targets(told.html) == ([GIVEN["confirm_link"]] if letter in CONFIRM else [])
