"""Pages say what is there: their links lead somewhere, and a newcomer finds each part of the chassis."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("docs/adr/*.md"), *ROOT.glob("services/*/*.md")]
PAGES += ROOT.glob("deploy/helm/**/README.md")


def anchors(page: Path) -> set[str]:
    """What headings are linked by: their letters, digits and dashes."""
    headings = re.findall(r"^#+ (.*)", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_a_decision_has_a_number_of_its_own_which_its_heading_says() -> None:
    numbers = [page.stem[:4] for page in ROOT.glob("docs/adr/0*.md")]
    assert [number for number in set(numbers) if numbers.count(number) > 1] == []
    headings = {page.stem[:4]: page.read_text().partition("\n")[0] for page in ROOT.glob("docs/adr/0*.md")}
    assert {number for number, said in headings.items() if not said.startswith(f"# {int(number)}.")} == set()


def test_every_room_and_module_of_the_chassis_has_its_line_in_the_guide() -> None:
    told = set(re.findall(r"`(\w+)/?`", (ROOT / "CONTRIBUTING.md").read_text()))
    there = {
        path.stem
        for path in (ROOT / "chassis/src/chassis").iterdir()
        if not path.name.startswith(("_", "py."))
    }
    assert there
    assert there - told == set()


def test_what_is_promised_names_the_test_that_it_leads_to_and_commands_that_there_are() -> None:
    page = (ROOT / "docs" / "assurance.md").read_text()
    named = re.findall(r"\[(test_\w+)\]\(\S+/(\w+)\.py\)", page)
    assert named
    assert [name for name, file in named if name != file] == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", page)) <= targets
