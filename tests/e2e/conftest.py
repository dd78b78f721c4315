"""Fixtures for tests that need the whole platform."""

from collections.abc import Iterator

import pytest

from rapport_testing.infrastructure import in_memory
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The platform, up for the whole run. That one stops in order is seen by others (`tools/tests/local`)."""
    with in_memory(tmp_path_factory.mktemp("stack")) as folder:
        running = Stack(folder)
        with running.up(ends_at_once=True):
            yield running
