"""A domain is rules: what it stands on is named here, whatever else the chassis may come to have."""

import ast
import sys
from pathlib import Path

from tests.architecture.test_packages import imported

ROOT = Path(__file__).parents[2]
RULES = {
    *("chassis.authority", "chassis.business_time", "chassis.errors", "chassis.facts", "chassis.money"),
    *("chassis.names", "chassis.zones"),
}
MATCHER = "rapport_identity"  # rules of its own, as pure as a domain


def test_a_domain_imports_the_standard_library_seven_modules_of_the_chassis_the_matcher_and_its_names() -> (
    None
):
    strange = {}
    for path in ROOT.glob("services/*/src/*/domain/**/*.py"):
        service = path.relative_to(ROOT / "services").parts[0]
        for names in imported(ast.parse(path.read_text())):
            own = names[-1].startswith((f"{service}.domain", MATCHER)) or f"{service}.names" in names
            if (
                not own
                and RULES.isdisjoint(names)
                and names[-1].partition(".")[0] not in sys.stdlib_module_names
            ):
                strange[f"{path.relative_to(ROOT)}: {names[0]}"] = names[-1]
    assert strange == {}
