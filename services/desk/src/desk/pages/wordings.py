"""What customers are asked for and agree to, in the language of whoever reads it."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from chassis.languages import text_in
from desk.ui.speech import Speech
from desk.ui.words import last
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.customer.v1.wording_pb2 import Wording


@dataclass(frozen=True)
class Called:
    """What a purpose is called and about, and in which language that is: "" for that of the page."""

    title: str
    about: str
    language: str = ""

    def within(self, sentence: str) -> Markup:
        """A sentence of the page that says what it is called, which is read out in its own language."""
        if not self.language:
            return Markup("{}").format(sentence)
        before, _, after = sentence.rpartition(self.title)
        return Markup('{}<span lang="{}">{}</span>{}').format(before, self.language, self.title, after)


def called(purpose: Purpose, say: Speech) -> Called:
    """A purpose, in words for who reads a page: translated, or as it is called first."""
    own = Called(purpose.display_name, purpose.description, purpose.default_language_code)
    if say.language.has(purpose.display_name):
        own = Called(say(purpose.display_name), say(purpose.description))
    translated = {
        each.language_code: Called(each.display_name, each.description, each.language_code)
        for each in purpose.translations
    }
    return text_in(say.language.tag, translated, own)


def language_of(wording: Wording) -> str:
    """In which language a wording is, BCP 47; its name may be that of a version."""
    return last(wording.name.partition("/versions/")[0])


def by_purpose(wordings: Sequence[Wording]) -> dict[str, Wording]:
    """Of each purpose that has any, by its name, the wording for who reads a language: one of each."""
    return {each.name.partition("/wordings/")[0]: each for each in wordings}


def version_of(wording: Wording) -> str:
    """The name of the version that is shown, for who notes what was agreed to."""
    return f"{wording.name}/versions/{wording.version}"
