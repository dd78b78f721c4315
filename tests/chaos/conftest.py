"""The platform with two replicas of each service."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rapport_tools.cli.session import Session
from rapport_tools.local.issuer import Issuer
from tests.chaos.desk import Desk
from tests.e2e.outcome import run_story
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def replicated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """It is up, and the story runs on it."""
    running = Stack(tmp_path_factory.mktemp("replicated"), RAPPORT_LOCAL_REPLICAS="2")
    with running.up():
        run_story()
        yield running


@pytest.fixture
async def desk(replicated: Stack, tmp_path: Path) -> AsyncIterator[Desk]:
    """A front line with clients as services have them: they know both replicas."""
    token = tmp_path / "token"
    token.write_text(Issuer(replicated.home).token("agent:chaos", {"*"}, "front-desk"))
    made = Desk(Session.open().addresses(), token)
    yield made
    await made.close()
