"""Fixtures for the whole repository: those that every department has, and those of a browser."""

import gc
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["rapport_testing.fixtures", "tests.browser.fixtures"]

# A slow machine is no finding.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

ROOT = Path(__file__).parent
BROWSER, PLATFORM = ROOT / "services/desk/tests/browser", ROOT / "tests/e2e"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where marked tests alone are asked for, files without any are not imported: that takes a while."""
    mark = config.option.markexpr
    is_asked = mark in ("slow", "chaos") and collection_path.match("test_*.py")
    return True if is_asked and f"mark.{mark}" not in collection_path.read_text() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, as at the end one worker would be alone with one.

    Those of the whole platform last nevertheless: it stays up, and would cost all others.
    """

    def place(item: pytest.Item) -> tuple[bool, bool]:
        return (
            PLATFORM in item.path.parents,
            BROWSER not in item.path.parents and item.path.stem != "test_kill",
        )

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What every test needs stays until the end: not to look for it again and again saves a tenth."""
    gc.collect()
    gc.freeze()
