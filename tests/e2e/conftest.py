"""Fixtures for tests that need the whole platform."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator

import pytest

from chassis.testing.wait import eventually
from tests.e2e.stack import RAPPORT, Stack

START_TIMEOUT_S = 600  # it ends by itself when it gets on no more, however slow the machine is


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The platform, up for the whole run."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    log = (running.failpoints.parent / "up.log").open("w")
    process = subprocess.Popen([RAPPORT, "up"], env=running.env, stdout=log, stderr=log)
    try:

        def up() -> bool:
            assert process.poll() is None, (running.failpoints.parent / "up.log").read_text()
            return running.home.is_up()

        asyncio.run(eventually(up, START_TIMEOUT_S))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAPPORT_HOME", str(running.home.path))
            yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        log.close()
