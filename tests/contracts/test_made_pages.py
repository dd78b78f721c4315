"""docs/metrics.md, docs/contracts.md and the counts of docs/assurance.md are what the code declares."""

import json
import re
import subprocess
import sys

import pytest

from deploy.observability.metrics import ROOT, families

PAGES = ["metrics", "contracts", "assurance"]
MADE = f"""
import json
from deploy.observability import {", ".join(PAGES)}
print(json.dumps([page.page() for page in ({", ".join(PAGES)})]))
"""


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """In a process of its own: which service tells a metric is known by whose module brings it."""
    done = subprocess.run([sys.executable, "-c", MADE], cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(zip(PAGES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_up_to_date(made: dict[str, str], page: str) -> None:
    assert (ROOT / "docs" / f"{page}.md").read_text() == made[page], "run `make observability`"


def test_names_have_a_prefix_and_a_unit_that_is_written_out() -> None:
    for family in families():
        assert re.fullmatch(r"(rapport|rpc|http)(_[a-z]+)+", family.name)
        assert not re.search(r"_(s|ms|sec|bytes_s|count|number)$", family.name), family.name
        if family.type == "histogram":
            assert family.name.endswith("_seconds")


def test_no_label_names_a_person_or_a_resource() -> None:
    bounded = "act caller code consumer currency earning_rule flaw kind method notice_policy"
    bounded += " outcome provider reason route source state status type verdict"
    assert {label for family in families() for label in family.labels} <= set(bounded.split())
