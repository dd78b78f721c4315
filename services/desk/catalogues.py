"""Bring the desk's catalogues up to what its source says: `make catalogues`.

What is new in the source is an empty message in every catalogue, for who knows the language; what is gone is
removed. `make catalogues NEW=fr` begins one for another language. The tests say what is missing.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

SOURCE = Path(__file__).parent / "src" / "desk"
FOLDER = SOURCE / "language"
KEYWORDS = {"say": None, "N_": None, "count": (2, 3)}


def template(file: IO[bytes], keywords: Sequence[str], *_: Any, **__: Any) -> Iterator[Any]:
    """The messages of a template, also of `say.count(...)`, which Jinja's own extraction passes over."""
    for call in Environment().parse(file.read().decode()).find_all(nodes.Call):  # noqa: S701 - not rendered
        name = getattr(call.node, "attr", None) or getattr(call.node, "name", "")
        if name in keywords:
            texts = [each.value if isinstance(each, nodes.Const) else None for each in call.args]
            yield call.lineno, name, tuple(texts), []


def extracted() -> Catalog:
    found = Catalog(project="Rapport", copyright_holder="Rapport", charset="utf-8")
    methods: Sequence[tuple[str, Any]] = [("**.py", "python"), ("**.html", template)]
    for _, _, message, _, context in extract_from_dir(SOURCE, methods, keywords=KEYWORDS):
        found.add(message, context=context)
    return found


def catalogues() -> Mapping[Path, Catalog]:
    return {file: read_po(file.read_bytes().splitlines(), file.stem) for file in sorted(FOLDER.glob("*.po"))}


def update(*new: str) -> None:
    """Write every catalogue, and those of new languages, with the messages of the source."""
    source = extracted()
    known = {**{FOLDER / f"{each}.po": Catalog(each, project="Rapport") for each in new}, **catalogues()}
    for file, catalogue in known.items():
        catalogue.update(source, no_fuzzy_matching=True, update_creation_date=False)
        with file.open("wb") as opened:
            # Without where each is said: a file that moves would change every catalogue.
            write_po(opened, catalogue, width=110, no_location=True, ignore_obsolete=True, sort_output=True)
        missing = sum(not each.string or not all(each.string) for each in catalogue if each.id)
        print(f"{file.name}: {len(catalogue)} messages, {missing} of them to translate")


if __name__ == "__main__":
    update(*sys.argv[1:])
