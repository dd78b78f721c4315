"""`rapport demo` on a platform, or a broker, that somebody else started."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from google.type.money_pb2 import Money

from rapport.customer.v1 import view_pb2
from rapport_tools.demo import command
from rapport_tools.demo.acts import broker
from rapport_tools.demo.changes import changes
from rapport_tools.demo.stage import LeftOut
from rapport_tools.local.home import Home


def test_the_demo_waits_for_a_platform_that_is_still_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))
    home = Home(tmp_path)
    home.create()

    def get_ready(_: float) -> None:
        units = [{"name": each.name, "state": "ready"} for each in entry_points(group="rapport.services")]
        home.write_status({"furnished": True, "units": units})

    monkeypatch.setattr(command.time, "sleep", get_ready)
    with home.acquire(), command._platform(quiet=True) as own:
        assert home.is_furnished()
        assert not own


def test_the_broker_of_a_cluster_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_PORT_FORWARD", "crm")
    with pytest.raises(LeftOut, match="the one of a cluster is not the demo's to stop"):
        broker._own_broker()


def test_a_broker_that_the_stack_has_not_started_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))
    Home(tmp_path).write_status({"units": [{"name": "cases", "pid": 1}]})
    with pytest.raises(LeftOut, match="this stack's broker is somebody else's"):
        broker._own_broker()


def test_a_broker_goes_on_whatever_goes_wrong_while_it_stands_still() -> None:
    echo = [sys.executable, "-c", "print(input())"]
    with subprocess.Popen(echo, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        with pytest.raises(RuntimeError), broker._frozen(process.pid):
            raise RuntimeError
        assert process.communicate("still here\n", timeout=30) == ("still here\n", None)


def test_what_changed_is_told_with_the_decimals_of_each_currency() -> None:
    paid = [Money(currency_code="EUR", units=-1, nanos=-500_000_000), Money(currency_code="JPY", units=500)]
    after = view_pb2.CustomerView(value=view_pb2.ValuePart(lifetime_values=paid))
    assert "+ value    -1.50 EUR 500 JPY" in changes(view_pb2.CustomerView(), after)
