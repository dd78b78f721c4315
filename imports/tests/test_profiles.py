"""Profiles: what was said and found of one file reads the next, and what is said of that counts for more."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rapport.customer.v1.import_profile_pb2 import ImportProfile
from rapport_imports import importing
from rapport_imports.decoding import UnreadableFile
from rapport_imports.profiles import fits, of_file, read_by
from rapport_imports.result import Result
from rapport_imports.understanding import understood
from rapport_imports.wanted import Kind, Wanted, WrongOption

SEPTEMBER = "Kd;Tag;Betrag;Notiz\n7;30/09/2026;1.234,50;x\n8;01/10/2026;12,00;y\n"
OCTOBER = "Kd;Tag;Betrag;Notiz\n7;03/04/2026;12.500;z\n"  # which alone could be read in two ways
SAID = {"mapping": ["customer=Kd", "amount=3"], "ignore": ["Notiz"], "system": "till", "currency": "eur"}

Read = Callable[..., Awaitable[Result]]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def written(content: str) -> Path:
        path = tmp_path / "kasse.csv"
        path.write_text(content)
        return path

    return written


async def read(wanted: Wanted) -> Result:
    """Check a file without any service."""
    result = Result()
    await importing.run(
        replace(wanted, dry_run=True),
        result,
        installed="",
        connect=lambda: None,
        say=lambda _: None,
        progress=lambda *_: None,
    )
    return result


@pytest.fixture
async def till(file: Callable[[str], Path]) -> ImportProfile:
    wanted = Wanted(Kind.PURCHASES, file(SEPTEMBER), **SAID)  # type: ignore[arg-type]
    result = await read(wanted)
    profile = of_file(wanted, result.used, result.decimal, result.first)
    profile.name = "importProfiles/till"
    return profile


async def test_a_profile_has_what_was_said_and_what_all_of_the_file_decided(
    till: ImportProfile, file: Callable[[str], Path]
) -> None:
    assert dict(till.reading.mapping) == {"customer": "Kd", "amount": "Betrag"}
    assert dict(till.reading.columns) == {"customer": "Kd", "date": "Tag", "amount": "Betrag"}
    plain = Wanted(Kind.PURCHASES, file(OCTOBER))
    with pytest.raises((UnreadableFile, WrongOption)):
        await read(plain)
    result = await read(read_by(plain, [till], "importProfiles/till"))
    assert (result.refused, result.system, result.used["amount"]) == (0, "till", "Betrag")
    assert (result.decimal, result.first) == (",", "day")


async def test_what_is_said_counts_for_more_than_the_profile(till: ImportProfile) -> None:
    said = {"mapping": ["amount=Notiz"], "decimal": ".", "system": "web", "constants": ["customer=9"]}
    wanted = read_by(Wanted(Kind.PURCHASES, Path("x"), **said), [till], "till")  # type: ignore[arg-type]
    assert (wanted.mapped, wanted.fixed) == ({"amount": "Notiz"}, {"customer": "9"})
    assert (wanted.decimal, wanted.system, wanted.currency, wanted.first) == (".", "web", "EUR", "day")
    assert (wanted.ignore, wanted.needed) == ([], {"date": "Tag"})


async def test_a_file_without_a_column_of_the_profile_says_which_it_has(
    till: ImportProfile, file: Callable[[str], Path]
) -> None:
    renamed = Wanted(Kind.PURCHASES, file(OCTOBER.replace("Betrag", "Summe")))
    told = (
        "has no Betrag, which the profile till reads; its columns are Kd, Tag, Summe, Notiz: say with --map"
    )
    with pytest.raises(UnreadableFile, match=told):
        await read(read_by(renamed, [till], "till"))
    assert told in understood(read_by(renamed, [till], "till")).asks
    mended = await read(read_by(replace(renamed, mapping=["amount=Summe"]), [till], "till"))
    assert mended.refused == 0
    assert fits(till, ["Notiz", "Betrag", "Tag", "Kd", "Filiale"])
    assert not fits(till, ["Kd", "Tag", "Summe", "Notiz"])


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        (Kind.PURCHASES, "tills", "must be one of till, of those that read purchases"),
        (Kind.ORDERS, "till", "there is none yet, of those that read orders"),
    ],
)
async def test_a_profile_that_is_none_of_the_kind_is_told(
    till: ImportProfile, kind: Kind, name: str, told: str
) -> None:
    with pytest.raises(WrongOption, match=told) as wrong:
        read_by(Wanted(kind, Path("x")), [till], name)
    assert wrong.value.told == f"--profile {name}: {told}"


async def test_all_that_can_be_said_of_a_file_is_kept(till: ImportProfile) -> None:
    said: dict[str, Any] = {
        "mapping": ["promised_date=Bis"],
        "constants": ["order_id=1"],
        "ignore": ["Notiz"],
        "system": "erp",
        "currency": "CHF",
        "decimal": ".",
        "department": "delivery",
        "date_format": "DD.MM.YYYY",
        "time_zone": "Europe/Zurich",
        "country": "CH",
        "day_one": "2017-01-01",
        "encoding": "cp1252",
        "header_row": 0,
        "sheet": "2026",
        "first": "month",
    }
    wanted = Wanted(Kind.ORDERS, Path("x"), **said)
    kept = of_file(wanted, {"promised_date": "Bis"}, "", "")
    kept.name = "importProfiles/erp"
    again = read_by(Wanted(Kind.ORDERS, Path("x")), [till, kept], "erp")
    assert again == replace(wanted, profile="erp", needed={"promised_date": "Bis"})
