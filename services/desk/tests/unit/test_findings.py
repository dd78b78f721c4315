"""What imports tell of rows is said in the reader's language, with its values; other texts as they are."""

import string
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from desk.pages.imports import findings, view
from desk.ui.speech import Speech
from rapport_imports import importing
from rapport_imports.result import Result
from rapport_imports.wanted import Kind, Wanted

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
GERMAN, ENGLISH = (Speech(Locale(language), ZoneInfo("Europe/Berlin"), NOW) for language in ("de", "en"))
FILES = {
    Kind.CUSTOMERS: (
        "Id,Name,Email,Country,Language,Birthday,Phone\n1,Anna,anna,Nowhere,xx,99/99/9999,abc\n,Nobody,,,,,\n"
        "2,=A1,b@example.org,,,,\n3,Bea,c@example.org,,,,,further\nTotal,3,,,,,\n"
    ),
    Kind.PURCHASES: (
        "Order,Date,Email,Total,Currency,Status\n1,2026-02-30,a@example.org,x,EUR,paid\n"
        "2,2099-01-01,b@example.org,1.5,XXX,paid\n3,2026-01-01,b@example.org,5,EUR,failed\n4,2026-01-01,,5,EUR,\n"
    ),
    Kind.ORDERS: (
        "Order ID,Order Date,Required Date,Shipped Date,Email\n"
        "1,2026-03-04,2026-03-01,,a@example.org\n2,2026-03-01,2026-03-04,2026-02-01,a@example.org\n"
    ),
    Kind.CONSENTS: (
        "Email,Purpose,Consent,Consent date,Channel\na@example.org,news,perhaps,2026-01-01,smoke\n"
    ),
}


@pytest.mark.parametrize("kind", FILES)
async def test_all_that_an_import_tells_of_its_rows_is_known(kind: Kind, tmp_path: Path) -> None:
    path, result = tmp_path / "file.csv", Result()
    path.write_text(FILES[kind])
    wanted = Wanted(kind=kind, file=path, dry_run=True, errors=tmp_path / "errors.csv", currency="EUR")
    await importing.run(
        wanted, result, installed="", connect=lambda: None, say=print, progress=lambda *_: None
    )
    told = [each.description for each in (*result.refusals, *result.told)]
    assert told
    assert [text for text in told if findings.said(text, GERMAN) == text] == []


def test_a_text_is_found_by_its_words_and_said_with_its_values() -> None:
    for text in findings.TEXTS:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name]
        values = {name: f"4{place}" for place, name in enumerate(names)}
        assert findings.said(text.format(**values), GERMAN) == GERMAN(text, **values)
        assert findings.said(text.format(**values), ENGLISH) == text.format(**values)
    assert findings.said("is of a later release", GERMAN) == "is of a later release"


def test_options_of_a_command_are_fields_of_the_page_in_every_language() -> None:
    told = "is in no country that is known: left out; --country says which"
    assert view.plainly(told, ENGLISH).endswith("left out; “Country” says which")
    assert view.plainly(told, GERMAN).endswith("weggelassen; „Land“ sagt, in welchem")
