"""The page of components: what is on it is what there is."""

import re
from pathlib import Path
from typing import Any

import desk.pages.customer.page
import desk.ui

PARTS = Path(next(iter(desk.ui.__path__))) / "parts.html"
PAGE = Path(next(iter(desk.ui.__path__))).parent / "pages" / "showcase" / "page.html"
MACRO = re.compile(r"{% macro ([a-z_]+)[(]")
PIECES = {"live", "letter", "key", "own", "labelled", "described"}  # of which others are made


def test_every_component_has_an_example() -> None:
    macros = set(MACRO.findall(PARTS.read_text())) - PIECES
    assert macros
    shown = PAGE.read_text()
    assert {each for each in macros if f"ui.{each}(" not in shown} == set()


async def test_every_card_is_shown_in_every_state(desk: Any) -> None:
    alice = await desk.signed_in("agent:alice", ["*"], "front-desk")
    answer = await alice.get("/ui")
    assert answer.status_code == 200
    cards = len(desk_cards())
    for state in ("usual", "empty", "stale", "refused", "failing", "too-much"):
        part = answer.text.partition(f'<h2 id="{state}">')[2].partition('<h2 id="')[0]
        assert part.count('<section class="card live">') == cards, state
    assert "40 seconds behind" in answer.text
    assert "You may not see everything of Cases" in answer.text
    assert "Cases does not answer" in answer.text
    assert "56 more" in answer.text
    assert "111 more slipped, and are not shown here" in answer.text


def desk_cards() -> tuple[str, ...]:
    return desk.pages.customer.page.IDS
