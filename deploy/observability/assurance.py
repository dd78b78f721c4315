"""Writes what can be counted of docs/assurance.md: tests by kind, RPCs with their rights, alerts."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "assurance.md"
_COUNTED = re.compile(r"(?<=<!-- counted -->\n).*(?=<!-- end -->)", re.DOTALL)
_TEST = re.compile(r"^(?:async )?def test_", re.MULTILINE)
# Of which kind tests are, by how their path begins or what is in it: the first that fits.
KINDS = {
    "rules, without a database": r"/tests/unit/|^identity/|^imports/",
    "pages, in a browser": r"/browser/",
    "a service or the chassis, on real PostgreSQL, NATS and gRPC": r"^services/|^chassis/|^testing/",
    "what all contracts and the code have in common": r"^tests/(contracts|architecture)/",
    "charts, alerts, images": r"^tests/charts/",
    "the platform as a whole": r"^tests/",
    "the `rapport` command and the local stack": r"^tools/",
}


def page() -> str:
    """The page, with what is counted now."""
    return _COUNTED.sub(lambda _: _counted(), PAGE.read_text())


def _counted() -> str:
    tests = _tests()
    kinds = "".join(f"| {kind} | {_many(tests[kind])} |\n" for kind in KINDS)
    rows = re.findall(r"^[a-z]+\.\w+\.(\S+)", _read("tests/contracts/authority.txt"), re.MULTILINE)
    further = sum("+" in rpc for rpc in rows)
    runbooks = len(list((ROOT / "docs/runbooks").glob("Rapport*.md")))
    return f"""| tests of | functions, many of them with several cases |
|---|---|
{kinds}
- RPCs: {len(rows) - further}, each with a row of who may call it, and each row is tried; {further} more
  rows for fields and departments with a right of their own. None is without, by a test.
- Alerts: {runbooks}, each with a test that it fires and a runbook. None is without, by a test.
"""


def _tests() -> Counter[str]:
    found: Counter[str] = Counter()
    for tops in ("chassis", "identity", "imports", "services", "testing", "tests", "tools"):
        for file in (ROOT / tops).rglob("test_*.py"):
            path = file.relative_to(ROOT).as_posix()
            kind = next(kind for kind, of in KINDS.items() if re.search(of, path))
            found[kind] += len(_TEST.findall(file.read_text()))
    return found


def _many(number: int) -> str:
    """A number that stays when a few are added."""
    step = 500 if number > 1000 else 100 if number > 100 else 50
    return f"more than {(number - 1) // step * step:,}"


def _read(path: str) -> str:
    return (ROOT / path).read_text()


if __name__ == "__main__":
    PAGE.write_text(page())
