"""Who may send webhooks, as files say."""

import json
from pathlib import Path
from typing import Any

import pytest
import structlog

from chassis.settings import WrongSettings
from desk.edge.webhooks.sources import Source, Sources

OLD, NEW = "a token of twenty-four bytes", "another of as many bytes."
SECRET = "a secret of at least twenty-four bytes"


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ("{", "must be an object of JSON"),
        ("[]", "must be an object of JSON"),
        ({"kind": "pigeon", "secrets": [SECRET]}, "kind: must be one of chat, delivery-receipt, email"),
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


def write(folder: Path, name: str, key: str) -> None:
    (folder / f"{name}.json").write_text(json.dumps({"kind": "event", "tokens": [key]}))


def test_a_key_that_is_replaced_in_its_file_is_none_at_once(tmp_path: Path) -> None:
    write(tmp_path, "shop", OLD)
    sources = Sources(tmp_path)
    write(tmp_path, "shop", NEW)
    shop = sources.get("shop")
    assert shop
    assert shop.knows(NEW)
    assert not shop.knows(OLD)
    (tmp_path / "shop.json").unlink()
    assert sources.get("shop") is None


def test_a_file_that_is_broken_costs_no_other_source_and_is_named_once(tmp_path: Path) -> None:
    write(tmp_path, "shop", OLD)
    write(tmp_path, "other", OLD)
    sources = Sources(tmp_path)
    (tmp_path / "other.json").write_text("{")
    write(tmp_path, "shop", NEW)
    with structlog.testing.capture_logs() as logs:
        shop, other = [sources.get("shop"), sources.get("other")]
    assert shop
    assert shop.knows(NEW)
    assert other
    assert other.knows(OLD)
    assert [each["file"] for each in logs] == ["other.json"]


def test_a_secret_that_is_mounted_is_read_through_its_links(tmp_path: Path) -> None:
    for version, key in (("1", OLD), ("2", NEW)):
        (tmp_path / version).mkdir()
        write(tmp_path / version, "shop", key)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "..data").symlink_to(tmp_path / "1")
    (mounted / "shop.json").symlink_to("..data/shop.json")
    sources = Sources(mounted)
    (mounted / "..next").symlink_to(tmp_path / "2")
    (mounted / "..next").rename(mounted / "..data")
    shop = sources.get("shop")
    assert shop
    assert shop.knows(NEW)
    assert not shop.knows(OLD)


@pytest.mark.parametrize(("kind", "creates"), [("email", False), ("sms", True)])
def test_strangers_who_write_mail_wait_for_a_person_unless_the_source_says_otherwise(
    kind: str, creates: bool
) -> None:
    assert Source(name="a", kind=kind, tokens=[OLD]).makes_customers is creates
    assert Source(name="a", kind=kind, tokens=[OLD], creates=not creates).makes_customers is not creates


def test_a_folder_that_is_not_there_is_said() -> None:
    with pytest.raises(WrongSettings, match="RAPPORT_WEBHOOKS_DIR: No such file or directory"):
        Sources(Path("/nowhere"))


def test_without_a_folder_nobody_sends() -> None:
    assert Sources(None).get("sms") is None
