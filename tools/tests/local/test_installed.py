from pathlib import Path

import pytest

from chassis.events.declarations import Consumption, Declaration
from rapport_tools.local.home import Home
from rapport_tools.local.installed import Installed, installed, remember, remembered


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    package, migrations = tmp_path / "billing_of_this_test", tmp_path / "migrations"
    for folder in (package, migrations):
        folder.mkdir()
        (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    listens = (Consumption("billing-cases", "cases", ("events.cases.case.opened.v1",)),)
    return Installed(package.name, 7005, ("cases.read",), Declaration(package.name, listens), migrations)


def test_nobody_listens_for_a_service_that_tells_nothing() -> None:
    services = installed()
    heard = {each.source for service in services for each in service.declaration.subscriptions}
    assert heard == {service.name for service in services if service.tells} < {each.name for each in services}


def test_what_was_prepared_is_remembered_as_it_was_declared(home: Home, service: Installed) -> None:
    remember(home, [service], ["traces"])
    assert remembered(home, ["traces"]) == [service]


def test_what_was_prepared_with_a_collector_of_ones_own_is_not_prepared_without(
    home: Home, service: Installed
) -> None:
    remember(home, [service], [])
    assert remembered(home, ["traces"]) == []


@pytest.mark.parametrize("changed", ["billing_of_this_test/rules.py", "migrations/0002.py"])
def test_nothing_is_remembered_of_code_that_changed(home: Home, service: Installed, changed: str) -> None:
    remember(home, [service], [])
    (home.path.parent / changed).write_text("")
    assert remembered(home, []) == []


@pytest.mark.parametrize("text", ["", "{}", '{"services": [{}], "fingerprint": ""}', '{"services": 7}'])
def test_what_cannot_be_read_is_as_if_nothing_was_prepared(home: Home, text: str) -> None:
    (home.path / "prepared.json").write_text(text)
    assert remembered(home, []) == []
