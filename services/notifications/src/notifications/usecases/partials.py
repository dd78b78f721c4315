"""Parts that texts share: a header, a footer, a legal line, each a template whose texts stand in others.

`{% include "footer" %}` is replaced by the text of `templates/footer` before anything else is done with what
it stands in: whatever is asked of a text is asked of the whole of it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from chassis.db.statement import LOCK_NAME, Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import invalid
from chassis.names import PLATFORM
from notifications.domain.template import Template, Text, Type
from notifications.names import TEMPLATE, TEXT_VERSION
from notifications.store.tables import GET_TEXT_VERSION, PARTIAL_TEXTS, PARTIALS
from notifications.usecases.words import text_for

INCLUDES_MAX = 20  # in one text
WHOLE_MAX = 60_000  # characters of a text with everything that stands in it
_INCLUDE = re.compile(r"""\{%-?\s*include\s+(["'])([a-z0-9-]{1,63})\1\s*-?%\}""")


@dataclass(slots=True)
class Whole(Text):
    """A text with everything that stands in it; never kept."""

    partials: tuple[str, ...] = ()  # the versions that stand in it, by name


async def lock_parts(tx: Transaction) -> None:
    """Have nobody else say what stands in what meanwhile: two could put each in the other."""
    await LOCK_NAME.run(tx, name="partials")


@dataclass(frozen=True, slots=True)
class Changed:
    """A partial as it would be, with a text of it."""

    partial: Template
    text: Text | None = None

    def among(self, templates: dict[str, Template], parts: list[Text]) -> list[Text]:
        """The parts as they would be, where it is one of `templates`; so is its template among those."""
        if self.partial.id not in templates:
            return parts
        templates[self.partial.id] = self.partial
        others = [each for each in parts if self.text is None or each.name != self.text.name]
        return [*others, self.text] if self.text else others


async def whole(
    on: Executor, template: Template, texts: Sequence[Text], changed: Changed | None = None
) -> list[Whole]:
    """Texts with the partials in them, as they are sent now, or would be. InvalidArgument INVALID_PARTIAL."""
    wanted = _named_in(texts)
    templates: dict[str, Template] = {}
    parts: list[Text] = []
    while wanted - templates.keys():
        owners = [template.department_id, PLATFORM]
        found = await PARTIALS.all(on, ids=sorted(wanted), owners=owners)
        if len(found) == len(templates):
            break
        templates = {each.id: each for each in found}
        parts = await PARTIAL_TEXTS.all(on, ids=list(templates))
        parts = changed.among(templates, parts) if changed else parts
        wanted |= _named_in(parts)
    if template.type == Type.PARTIAL and template.id in wanted:
        raise refusal("body", "must not stand in itself, nor in what stands in it")

    def pick(partial: str, language_code: str) -> Text | None:
        of_it = [each for each in parts if each.template_id == partial]
        return text_for(of_it, language_code, templates[partial].default_language_code) if of_it else None

    return [_Whole(pick, text.language_code).made_of(text) for text in texts]


async def as_it_was(on: Executor, text: Text, partials: Sequence[str]) -> Whole:
    """A text with the versions in it that stood there when it was handed over."""
    stood: dict[str, Text] = {}
    for name in partials:
        template_id, language, version = TEXT_VERSION.parse(name)
        stood[template_id] = await GET_TEXT_VERSION.one(
            on, template_id=template_id, template_text_id=language, id=version
        )
    return _Whole(lambda partial, _: stood.get(partial), text.language_code).made_of(text)


def included(text: Text) -> list[str]:
    """The partials that stand in a text itself, by name."""
    return [TEMPLATE.format(each) for each in sorted(_named_in([text]))]


def _named_in(texts: Iterable[Text]) -> set[str]:
    sources = (source for text in texts for source in (text.body, text.mjml))
    return {match[2] for source in sources for match in _INCLUDE.finditer(source)}


@dataclass(slots=True)
class _Whole:
    """One text being put together; each partial is put together once."""

    pick: Callable[[str, str], Text | None]  # the text of a partial for a language
    language_code: str
    versions: dict[str, str] = field(default_factory=dict)
    made: dict[tuple[str, str], str] = field(default_factory=dict)

    def made_of(self, text: Text) -> Whole:
        own = values(text)
        own |= {part: self._with_parts(getattr(text, part), part, ()) for part in ("body", "mjml")}
        return Whole(**own, partials=tuple(sorted(self.versions.values())))

    def _with_parts(self, source: str, part: str, within: tuple[str, ...]) -> str:
        if len(_INCLUDE.findall(source)) > INCLUDES_MAX:
            raise refusal(part, f"must include at most {INCLUDES_MAX} partials")
        made = _INCLUDE.sub(lambda match: self._part(match[2], part, within), source)
        if len(made) > WHOLE_MAX:
            raise refusal(part, f"must have at most {WHOLE_MAX:,} characters with its partials")
        return made

    def _part(self, partial: str, part: str, within: tuple[str, ...]) -> str:
        if (partial, part) not in self.made:
            text = None if partial in within else self.pick(partial, self.language_code)
            source = getattr(text, part) if text else ""
            if text is None or not source:
                allowed = (
                    f"of its department or departments/{PLATFORM}, with an approved text that has a {part}"
                )
                raise refusal(part, f"must include partials {allowed}; {partial} is none")
            self.versions[partial] = TEXT_VERSION.format(text.template_id, text.language, text.version)
            self.made[partial, part] = self._with_parts(source.rstrip("\n"), part, (*within, partial))
        return self.made[partial, part]


def refusal(part: str, told: str) -> Exception:
    """InvalidArgument INVALID_PARTIAL."""
    return invalid(f"template_text.{part}", "INVALID_PARTIAL", told)
