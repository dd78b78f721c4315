"""What people read is a message, and every message is in every catalogue."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from uuid import UUID

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from jinja2 import Environment, nodes

from chassis.errors import (
    Aborted,
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    Refusal,
    Violation,
    invalid,
)
from chassis.events.registry import events
from desk.language.catalogues import CATALOGUES, Language, preferred, refusal_words, violation
from desk.ui.facts import FACTS
from desk.ui.words import split
from services.desk.catalogues import KEYWORDS, SOURCE, catalogues, extracted

TEMPLATES = sorted(each for each in SOURCE.rglob("*.html") if "edge" not in each.parts)
MODULES = sorted(SOURCE.rglob("*.js"))
PER_CATALOGUE = pytest.mark.parametrize("catalogue", catalogues().values(), ids=lambda each: str(each.locale))
GERMAN = Language(Locale("de"))
SAID = {"aria-label", "title", "placeholder", "alt"}  # attributes that people hear or see
NAMES = {"Rapport"}
WORD = re.compile(r"[^\W\d_]{2,}")
ATTRIBUTE = re.compile(r"\s[a-z-]+=\"[^\"]*\"")  # of a macro that gives attributes alone
SENTENCES = [
    r"""["'`>][A-Z][a-z]+ [a-z]+""",
    r"""["'`][a-z]+ [a-z]+ [a-z]+""",
    r"""textContent *[:=] *["'`][^"'`$]*\w\w""",
    r"""[}] [a-z]+[ `]*[`<]""",
]


@pytest.fixture(scope="module")
def source() -> Catalog:
    """The messages of the source."""
    return extracted()


@PER_CATALOGUE
def test_every_message_of_the_source_is_translated_and_no_other(catalogue: Catalog, source: Catalog) -> None:
    known = {each.id: each for each in catalogue if each.id}
    needed = {each.id for each in source if each.id}
    assert needed - known.keys() == set(), "make catalogues, and translate"
    assert known.keys() - needed == set(), "make catalogues"
    assert [key for key, each in known.items() if each.fuzzy or not all(texts(each.string))] == []


@PER_CATALOGUE
def test_a_translation_has_the_placeholders_of_its_message(catalogue: Catalog) -> None:
    wrong = [each.id for each in catalogue if each.id and holds(each.id) != holds(each.string)]
    assert wrong == []


@PER_CATALOGUE
def test_a_message_is_plain_text(catalogue: Catalog) -> None:
    """Modules put some of them among tags."""
    assert [each.id for each in said(catalogue) if re.search("[<>&]", "".join(texts(each.string)))] == []


def test_every_event_of_the_contracts_is_said_in_every_language(source: Catalog) -> None:
    names = [each.rpartition(".")[2] for each in events()]
    assert len(names) > 100
    known = {each.id for each in source}
    assert [name for name in names if FACTS.get(name, split(name)) not in known] == []


def test_a_message_of_a_number_says_it(source: Catalog) -> None:
    plural = [each for each in source if each.pluralizable]
    assert plural
    assert [each.id for each in plural if not all("{n}" in text for text in each.id)] == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_template_has_no_words_but_messages(file: Path) -> None:
    source = file.read_text()
    assert list(bare(source)) == []
    assert list(unsaid(source)) == []


def test_words_in_a_template_are_noticed() -> None:
    assert list(bare('<p title="Why">{{ say("Yes") }} no</p>')) == ["Why", "no"]
    assert list(bare('<p class="soft"{% if x %} id="y"{% endif %}>{{ x }}, …</p>')) == []
    assert list(unsaid('{{ ui.field("q", "A label", hint=say("A hint")) }}')) == ["A label"]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_a_module_has_no_sentences(file: Path) -> None:
    assert sentences(file.read_text()) == []


def test_sentences_in_a_module_are_noticed() -> None:
    code = (
        'a.textContent = "Undo"; b(`<p>It is done</p>`, `${n} new`); // One says so\nc = {"X-Form": "Enter"};'
    )
    assert len(sentences(code)) == 3


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", "en_GB"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de_AT"),
        ("fr,de;q=0.5,en;q=0.7", "en_GB"),
        ("en-US,en;q=0.9", "en_US"),
        ("de;q=0, en-IE;q=0.1", "en_IE"),
        ("*, de;q=x, \x00;;, zz-ZZ-ZZ-ZZ, ,", "en_GB"),
    ],
)
def test_people_are_answered_in_the_language_that_they_prefer_of_those_there_are(
    header: str, locale: str
) -> None:
    assert str(preferred(header)) == locale


def test_a_refusal_is_told_by_its_reason_where_services_are_not_understood() -> None:
    refusals: list[Refusal] = [
        Aborted("ETAG_MISMATCH", "The etag is another."),
        NotFound("customers/1"),
        invalid("topic", "REQUIRED", "must be given by the caller"),
        FailedPrecondition("ANY", "Only so."),
    ]
    assert [refusal_words(each, GERMAN) for each in refusals] == [
        "Das wurde inzwischen von jemand anderem geändert.",
        "Das gibt es hier nicht oder nicht mehr.",
        "Eine Angabe stimmt noch nicht. (muss angegeben werden)",
        "Das ist so gerade nicht möglich. (Only so.)",
    ]
    assert [refusal_words(each, Language(Locale("en"))) for each in refusals] == [
        "The etag is another.",
        "This is not here, or not any more.",
        "topic: must be given by the caller",
        "Only so.",
    ]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            PermissionDenied("PERMISSION_DENIED", "Permission 'cases.cases.write' denied."),
            "You may not do this.",
        ),
        (FailedPrecondition("CASE_RESOLVED", f"cases/{UUID(int=1)} is resolved."), "This case is resolved."),
        (FailedPrecondition("ANY", f"workItems/{UUID(int=1)} is over."), "This work item is over."),
    ],
)
def test_nobody_reads_what_only_programs_say(refusal: Refusal, said: str) -> None:
    assert refusal_words(refusal, Language(Locale("en"))) == said


def test_what_a_service_says_of_a_field_to_programs_is_said_to_people_by_its_reason() -> None:
    past = Violation("promise.due_date", "INVALID_TIME", "must be in the future, or keep_time be given")
    assert violation(past, Language(Locale("en"))) == "must be in the future"
    assert violation(past, GERMAN) == "muss in der Zukunft liegen"


def test_every_language_has_a_way_of_counting() -> None:
    for language in CATALOGUES:
        say = Language(Locale(language))
        assert say.plural(1, "{n} event", "{n} events", n=1) != say.plural(2, "{n} event", "{n} events", n=1)


def said(catalogue: Catalog) -> list[Message]:
    return [each for each in catalogue if each.id]


def texts(string: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string)


def holds(string: str | tuple[str, ...]) -> list[set[str]]:
    """The placeholders of each form; a catalogue of another number of forms has the same in each."""
    forms = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts(string)]
    return [set().union(*forms)] if all(form == forms[0] for form in forms) else forms


class Words(HTMLParser):
    """The words of a page, and of those attributes that people hear or see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.found += WORD.findall(value or "") if name in SAID else []

    def handle_data(self, data: str) -> None:
        self.found += WORD.findall(ATTRIBUTE.sub("", data))


def sentences(code: str) -> list[str]:
    """What a module says by itself, apart from its comments."""
    return re.findall("|".join(SENTENCES), re.sub(r"(^|\s)//.*", "", code))


def bare(source: str) -> Iterator[str]:
    """The words of a template outside of its expressions."""
    source = re.sub(r"{% block \w+_attributes %}.*?{% endblock %}", "", source)
    tokens = Environment().lex(source)
    page = "".join(text if kind == "data" else " " for _, kind, text in tokens if kind in ("data", "name"))
    return (word for word in Words(page).found if word not in NAMES)


def unsaid(source: str) -> Iterator[str]:
    """The texts in a template's expressions that begin as a sentence does, and are no message."""
    tree = Environment().parse(source)
    messages = {
        id(argument)
        for call in tree.find_all(nodes.Call)
        if (getattr(call.node, "attr", None) or getattr(call.node, "name", "")) in KEYWORDS
        for argument in call.args
    }
    for each in tree.find_all(nodes.Const):
        if isinstance(each.value, str) and id(each) not in messages and re.match("[A-Z][a-z ]", each.value):
            yield each.value
