"""`rapport demo` beside a platform that somebody else started."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from rapport_tools.demo import command
from rapport_tools.local.home import Home


def test_the_demo_waits_for_a_platform_that_is_still_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))
    home = Home(tmp_path)
    home.create()

    def get_ready(_: float) -> None:
        units = [{"name": each.name, "state": "ready"} for each in entry_points(group="rapport.services")]
        home.write_status({"units": units})

    monkeypatch.setattr(command.time, "sleep", get_ready)
    with home.acquire(), command._platform(quiet=True) as own:
        assert home.is_up()
        assert not own
