"""Settings that come from files: secrets, and what goes together."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings, load

NEEDED = {
    "RAPPORT_DATABASE_URL": "postgresql://cases:one@db/cases",
    "RAPPORT_NATS_URL": "nats://nats",
    "RAPPORT_JWKS_URL": "https://issuer/jwks",
    "RAPPORT_ISSUER": "issuer",
}


class Settings(ServiceSettings):
    """As a service adds to them."""

    api_key: SecretStr = SecretStr("")
    limits: dict[str, int] = Field(default_factory=dict)


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "key"
    file.write_text("pass word \n")
    monkeypatch.setenv("RAPPORT_API_KEY_FILE", str(file))
    return file


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as exit_:
        load(Settings)
    assert exit_.value.code == 2
    return capsys.readouterr().err


@pytest.mark.usefixtures("key")
def test_any_setting_can_come_from_a_file_without_its_last_newline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "limits").write_text('{"a": 1}\n')
    monkeypatch.setenv("RAPPORT_LIMITS_FILE", str(tmp_path / "limits"))
    settings = load(Settings)
    assert settings.api_key.get_secret_value() == "pass word "
    assert settings.limits == {"a": 1}


@pytest.mark.usefixtures("key")
def test_a_setting_that_is_given_twice_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAPPORT_API_KEY", "other")
    said = refused(capsys)
    assert said == "RAPPORT_API_KEY and RAPPORT_API_KEY_FILE are both given: one of them must go.\n"


def test_a_file_that_is_not_there_is_named(key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key.unlink()
    assert refused(capsys) == f"RAPPORT_API_KEY_FILE: {key} cannot be read: No such file or directory.\n"


def test_what_a_file_holds_is_checked_as_any_setting_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "url").write_text("mysql://root:hunter2@db")
    monkeypatch.delenv("RAPPORT_DATABASE_URL")
    monkeypatch.setenv("RAPPORT_DATABASE_URL_FILE", str(tmp_path / "url"))
    said = refused(capsys)
    assert said.startswith("RAPPORT_DATABASE_URL: ")
    assert "hunter2" not in said


def test_a_secret_that_changes_is_current_and_the_first_one_while_it_cannot_be_read(key: Path) -> None:
    settings = load(Settings)
    key.write_text("new")
    assert settings.current("api_key").get_secret_value() == "new"
    assert settings.api_key.get_secret_value() == "pass word "
    assert settings.current("database_url") == NEEDED["RAPPORT_DATABASE_URL"]
    key.unlink()
    assert settings.current("api_key").get_secret_value() == "pass word "


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"NATS_TLS_DIR": "/tls"}, "RAPPORT_NATS_TLS_DIR is for a RAPPORT_NATS_URL that begins with tls://"),
        ({"CLUSTER_ISSUER": "https://c"}, "go together: all of them, or none"),
        (
            {"CLUSTER_ISSUER": "issuer", "CLUSTER_JWKS_URL": "file:///j", "CLUSTER_ACCOUNTS": "/a"},
            "RAPPORT_CLUSTER_ISSUER must be another than RAPPORT_ISSUER",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: dict[str, str], said: str
) -> None:
    for name, value in more.items():
        monkeypatch.setenv(f"RAPPORT_{name}", value)
    assert said in refused(capsys)
