"""Who may send webhooks, as files say."""

import json
from pathlib import Path
from typing import Any

import pytest

from chassis.settings import WrongSettings
from desk.edge.webhooks.sources import Sources

SECRET = "a secret of at least twenty-four bytes"


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ("{", "must be an object of JSON"),
        ("[]", "must be an object of JSON"),
        ({"kind": "pigeon", "secrets": [SECRET]}, "kind: must be one of chat, email"),
        ({"kind": "sms"}, "must have `secrets`"),
        ({"kind": "sms", "secrets": [SECRET], "tokens": [SECRET]}, "not both"),
        ({"kind": "sms", "secrets": ["canary"]}, "must be of at least 24 bytes"),
        ({"kind": "sms", "secrets": ["whsec_canary!"]}, "secrets"),
        ({"kind": "sms", "secrets": [SECRET], "region": "XX"}, "region: must be"),
        ({"kind": "sms", "secrets": [SECRET], "secret": SECRET}, "Extra inputs are not permitted"),
    ],
)
def test_a_file_that_cannot_be_a_source_is_named_with_what_is_wrong_and_no_secret(
    tmp_path: Path, told: Any, problem: str
) -> None:
    (tmp_path / "pbx.json").write_text(told if isinstance(told, str) else json.dumps(told))
    with pytest.raises(WrongSettings) as error:
        Sources(tmp_path)
    assert str(error.value).startswith("RAPPORT_WEBHOOKS_DIR: pbx.json: ")
    assert problem in str(error.value)
    assert "canary" not in str(error.value)
    assert SECRET not in str(error.value)


def test_a_folder_that_is_not_there_is_said() -> None:
    with pytest.raises(WrongSettings, match="RAPPORT_WEBHOOKS_DIR: No such file or directory"):
        Sources(Path("/nowhere"))


def test_without_a_folder_nobody_sends() -> None:
    assert Sources(None).get("sms") is None
