"""Whatever a caller is refused for is documented: in the service's README, or for all in docs/errors.md."""

import re
from pathlib import Path

import pytest

from tests.contracts.reasons import raised

ROOT = Path(__file__).parents[2]
SERVICES = ["customer", "cases", "loyalty", "notifications"]


def documented(page: str) -> set[str]:
    """The reasons that a page's tables list."""
    rows = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("|")]
    return {reason for row in rows for reason in re.findall(r"`([A-Z][A-Z0-9_]+)`", row)}


def common() -> set[str]:
    return documented("docs/errors.md")


def test_the_chassis_refuses_for_documented_reasons_only() -> None:
    found = raised(ROOT / "chassis" / "src")
    assert len(found) > 30
    assert {reason: where for reason, where in found.items() if reason not in common()} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_refuses_for_documented_reasons_only(service: str) -> None:
    found = raised(ROOT / "services" / service / "src")
    known = common() | documented(f"services/{service}/README.md")
    assert found
    assert {reason: where for reason, where in found.items() if reason not in known} == {}


def test_no_documented_common_reason_is_out_of_use() -> None:
    assert common() - set(raised(ROOT / "chassis" / "src")) == set()
