"""Files and functions stay small enough to be read at a glance."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
TEST_LINES_MAX = 600


def sources() -> Iterator[Path]:
    """The code of every package: written by hand, which facts are not, and no migration and no test."""
    for folder in (*ROOT.glob("*/src"), *ROOT.glob("services/*/src")):
        for path in folder.rglob("*.py"):
            if path.name != "facts.py" and "migrations" not in path.parts:
                yield path


def test_no_file_is_too_long() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert lengths
    assert {path: length for path, length in lengths.items() if length > FILE_LINES_MAX} == {}


def test_no_file_of_tests_is_too_long() -> None:
    """Nor what they stand on."""
    folders = (ROOT / "tests", *ROOT.glob("*/tests"), *ROOT.glob("services/*/tests"))
    tests = [path for folder in folders for path in folder.rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in tests}
    assert lengths
    assert {path: length for path, length in lengths.items() if length > TEST_LINES_MAX} == {}


def test_no_function_is_too_long() -> None:
    long = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    long[f"{path.relative_to(ROOT)}: {node.name}"] = length
    assert long == {}
