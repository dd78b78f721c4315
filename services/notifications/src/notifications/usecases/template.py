"""Creating and changing templates and their texts."""

from dataclasses import dataclass, replace
from typing import TypedDict

from chassis.api import etags
from chassis.api.entities import created, own_department
from chassis.db.locks import LOCK_NAME
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, NotFound, ResourceExists
from notifications.domain.template import Template, Text, Type
from notifications.store.policies import POLICIES_WITH_TEMPLATE
from notifications.store.templates import INSERT_TEMPLATE, INSERT_TEXT, UPDATE_TEMPLATE
from notifications.usecases import words
from notifications.usecases.sendable import read_template, require_sendable


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a template's own."""

    name: str
    impersonal: bool


class TemplateChanges(TypedDict, total=False):
    """What of a template can change."""

    default_language_code: str
    variables: list[Variable]


class TextChanges(TypedDict, total=False):
    """What of a text can change."""

    subject: str
    body: str
    apology: str
    reasons: dict[str, str]


async def create_template(
    tx: Transaction,
    *,
    template_id: str,
    type: Type,
    purpose: str,
    department_id: str | None,
    default_language_code: str,
    variables: list[Variable],
) -> Template:
    """Keep a new template. ResourceExists."""
    template = Template(
        template_id,
        type,
        purpose,
        own_department(tx, department_id, "template.department"),
        words.language_code_of(default_language_code),
        _declared(variables),
        tx.now,
        tx.now,
    )
    tx.require_owner(template)
    await created(tx, INSERT_TEMPLATE, template)
    return template


async def update_template(
    tx: Transaction, *, template_id: str, changes: TemplateChanges, etag: str
) -> Template:
    """Change the default language or the variables, as far as its texts and its policies allow.

    FailedPrecondition TEXT_MISSING, VARIABLE_IN_USE; what `require_sendable` finds.
    """
    template, texts = await _own(tx, template_id)
    etags.match(etag, template.name, template.version)
    changed = replace(template)
    if "default_language_code" in changes:
        changed.default_language_code = words.language_code_of(changes["default_language_code"])
    if "variables" in changes:
        changed.variables = _declared(changes["variables"])
    if changed == template:
        return template
    _require_texts(changed, texts)
    await _require_policies(tx, changed, texts)
    changed.update_time, changed.version = tx.now, template.version + 1
    await tx.defer(UPDATE_TEMPLATE, **values(changed))
    return changed


async def create_text(
    tx: Transaction,
    *,
    template_id: str,
    template_text_id: str,
    subject: str,
    body: str,
    apology: str,
    reasons: dict[str, str],
) -> Text:
    """Keep the first version of a text. ResourceExists; what `_keep` finds."""
    template, texts = await _own(tx, template_id)
    language_code = words.language_code_of(template_text_id)
    text = Text(
        template_id, template_text_id, language_code, 1, subject, body, apology, reasons, create_time=tx.now
    )
    if any(each.language == text.language for each in texts):
        raise ResourceExists(text.name)
    return await _keep(tx, template, texts, text)


async def update_text(
    tx: Transaction, *, template_id: str, template_text_id: str, changes: TextChanges, etag: str
) -> Text:
    """Keep the next version of a text. What says the same is no new version. NotFound; what `_keep` finds."""
    template, texts = await _own(tx, template_id)
    text = next((each for each in texts if each.language == template_text_id), None)
    if text is None:
        raise NotFound(f"templates/{template_id}/texts/{template_text_id}")
    etags.match(etag, text.name, text.version)
    changed = replace(text, **changes)
    if changed == text:
        return text
    changed.version, changed.create_time = text.version + 1, tx.now
    return await _keep(tx, template, [each for each in texts if each is not text], changed)


def _require_texts(template: Template, texts: list[Text]) -> None:
    """FailedPrecondition when no text is in the default language, or one uses what is not declared."""
    languages = [text.language_code for text in texts]
    if template.default_language_code not in languages:
        has = ", ".join(languages) or "none"
        told = f"There is no text in {template.default_language_code}; languages of texts: {has}."
        raise FailedPrecondition("TEXT_MISSING", told, {"languages": " ".join(languages)})
    for text in texts:
        if used := template.undeclared(words.used_in(text)):
            told = f"{text.name} uses {', '.join(used)}: change the text first."
            raise FailedPrecondition(
                "VARIABLE_IN_USE", told, {"resource": text.name, "variables": " ".join(used)}
            )


def _declared(variables: list[Variable]) -> dict[str, bool]:
    return {variable.name: variable.impersonal for variable in variables}


async def _own(tx: Transaction, template_id: str) -> tuple[Template, list[Text]]:
    """A template of the caller's with its texts, which nobody else changes meanwhile."""
    await LOCK_NAME.run(tx, name=f"templates/{template_id}")
    template, texts = await read_template(tx, template_id)
    tx.require_owner(template)
    return template, texts


async def _keep(tx: Transaction, template: Template, others: list[Text], text: Text) -> Text:
    """Keep a version of a text that says what it must: see `words.check` and `require_sendable`."""
    words.check(template, text)
    await _require_policies(tx, template, [*others, text])
    await tx.defer(INSERT_TEXT, **values(text))
    return text


async def _require_policies(tx: Transaction, template: Template, texts: list[Text]) -> None:
    for policy in await POLICIES_WITH_TEMPLATE.all(tx, template_id=template.id):
        require_sendable(template, texts, policy.event_type)
