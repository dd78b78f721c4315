"""Whatever a caller is refused for is documented: in the service's README, or for all in docs/errors.md."""

import re
from pathlib import Path

import grpc
import pytest
from google.api import resource_pb2

from chassis.contracts import contracts
from deploy.services import SERVICES
from tests.contracts.reasons import raised, refused_with

ROOT = Path(__file__).parents[2]


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


def resources() -> set[str]:
    """What resources are called, each in the singular."""
    messages = [each for file in contracts() for each in file.DESCRIPTOR.message_types_by_name.values()]
    return {each.GetOptions().Extensions[resource_pb2.resource].singular for each in messages} - {""}


@pytest.mark.parametrize("service", SERVICES)
def test_a_refusal_that_names_resources_says_which_of_them_it_is_about(service: str) -> None:
    """So that no program has to know under which key a service names what."""
    kinds = {re.sub("(?<=[a-z])(?=[A-Z])", "_", kind).lower() for kind in resources()} | {"name"}
    assert "work_item" in kinds
    told = list(refused_with(ROOT / "services" / service / "src"))
    assert told
    assert [where for where, keys in told if keys & kinds and "resource" not in keys] == []


def test_no_documented_common_reason_is_out_of_use() -> None:
    assert common() - set(raised(ROOT / "chassis" / "src")) == set()


def refusing(page: str) -> set[str]:
    """The reasons that a page lists with a status code."""
    rows = [line.split("|") for line in (ROOT / page).read_text().splitlines() if line.startswith("|")]
    cells = [row[1] for row in rows if len(row) > 2 and row[2].strip() in grpc.StatusCode.__members__]
    return {reason for cell in cells for reason in re.findall(r"`([A-Z][A-Z0-9_]+)`", cell)}


def expected(*folders: str) -> str:
    """What the tests below some folders say."""
    return "\n".join(p.read_text() for folder in folders for p in sorted((ROOT / folder).rglob("test_*.py")))


def test_every_common_reason_is_expected_by_a_test() -> None:
    said = expected("chassis/tests", "services", "tests/e2e")
    assert {reason for reason in common() if not re.search(rf"\b{reason}\b", said)} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_reason_of_a_service_is_expected_by_a_test_of_it(service: str) -> None:
    said = expected(f"services/{service}/tests", "tests/e2e")
    reasons = refusing(f"services/{service}/README.md") - common()
    assert {reason for reason in reasons if not re.search(rf"\b{reason}\b", said)} == set()
