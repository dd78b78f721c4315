"""Fixtures for tests that need the whole platform."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The platform, up for the whole run."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    with running.up():
        yield running
