"""Creating and changing templates and their texts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.api.actors import actor_name
from chassis.api.entities import created, found, own_department, owned, write
from chassis.db.statement import LOCK_NAME, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, ResourceExists, invalid
from chassis.facts import Changes, changed
from chassis.languages import language_code_of
from notifications.domain.template import Template, TemplateInLanguages, Text, TextState, Type
from notifications.names import TEMPLATE, TEXT
from notifications.store import tables as store
from notifications.usecases import words
from notifications.usecases.hosts import require_hosts
from notifications.usecases.including import including, require_fit, require_reviewed
from notifications.usecases.partials import Changed, lock_parts, whole
from notifications.usecases.policy import require_sendable

TEXTS_MAX = 50  # whoever sends a template has each of its texts tried


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a template's own."""

    name: str
    impersonal: bool


@dataclass(frozen=True, slots=True)
class TemplateTerms:
    """What of a template can change."""

    default_language_code: str
    variables: list[Variable]
    review_required: bool


async def create_template(
    tx: Transaction,
    essential: bool,
    *,
    template_id: str,
    type: Type,
    purpose: str,
    department_id: str | None,
    default_language_code: str,
    variables: list[Variable],
    urgent: bool,
    review_required: bool,
) -> TemplateInLanguages:
    """Keep a new template, of an `essential` purpose or not. ResourceExists; INVALID_URGENCY."""
    if urgent and not essential:
        raise invalid("template.urgent", "INVALID_URGENCY", "must be false but for an essential purpose")
    template = Template(
        template_id,
        type,
        purpose,
        own_department(tx, department_id, "template.department"),
        language_code_of(default_language_code),
        _declared(variables),
        tx.now,
        tx.now,
        urgent=urgent,
        review_required=review_required,
        essential=essential,
    )
    tx.require_owner(template)
    await created(tx, store.INSERT_TEMPLATE, template)
    return _in_languages(template, [], [])


async def update_template(
    tx: Transaction, *, template_id: str, changes: Changes[TemplateTerms], etag: str
) -> TemplateInLanguages:
    """Change the default language or the variables, as far as its texts and its policies allow.

    FailedPrecondition REVIEW_STAYS, TEXT_MISSING, VARIABLE_IN_USE; what `require_sendable`,
    `require_reviewed` and `require_fit` find.
    """
    template, texts = await _own(tx, template_id, etag)
    await lock_parts(tx)
    sent = await whole(tx, template, await store.SENT_TEXTS.all(tx, template_id=template_id))
    new: dict[str, object] = {}
    if "review_required" in changes:
        new["review_required"] = changes["review_required"]
        if template.review_required and not new["review_required"]:  # else who writes needs no reader
            told = f"Texts of {template.name} are approved by a second person, and stay so."
            raise FailedPrecondition("REVIEW_STAYS", told, {"resource": template.name})
    if "default_language_code" in changes:
        new["default_language_code"] = language_code_of(changes["default_language_code"])
    if "variables" in changes:
        new["variables"] = _declared(changes["variables"])
    if fields := changed(template, new):
        _require_texts(template, sent, await whole(tx, template, texts), fields)
        await _require_policies(tx, template, sent)
        await require_reviewed(tx, template, sent)
        if template.type == Type.PARTIAL:
            await require_fit(tx, Changed(template))
        await write(tx, store.UPDATE_TEMPLATE, template)
    includers = await including(tx, template.id) if template.type == Type.PARTIAL else []
    return _in_languages(template, sent, includers)


async def create_text(
    tx: Transaction,
    review_all: bool,
    link_hosts: Sequence[str],
    *,
    template_id: str,
    template_text_id: str,
    subject: str,
    body: str,
    apology: str,
    reasons: dict[str, str],
    mjml: str,
    next_step: str,
) -> Text:
    """Keep the first version of a text.

    ResourceExists; TOO_MANY_TEXTS; what `require_hosts` and `_keep` find.
    """
    template, texts = await _own(tx, template_id)
    language_code = language_code_of(template_text_id)
    text = Text(
        template_id,
        template_text_id,
        language_code,
        1,
        subject,
        body,
        apology,
        reasons,
        tx.now,
        mjml,
        next_step,
    )
    if any(each.language == text.language for each in texts):
        raise ResourceExists(text.name)
    if len(texts) >= TEXTS_MAX:
        told = f"{template.name} has texts in {TEXTS_MAX} languages, the most that a template can have."
        raise FailedPrecondition("TOO_MANY_TEXTS", told, {"resource": template.name, "most": TEXTS_MAX})
    require_hosts(text, link_hosts)
    return await _keep(tx, template, text, review_all)


async def update_text(
    tx: Transaction,
    review_all: bool,
    link_hosts: Sequence[str],
    *,
    template_id: str,
    template_text_id: str,
    changes: Changes[Text],
    etag: str,
) -> Text:
    """Keep the next version of a text. What says the same is no new version.

    NotFound; what `require_hosts` and `_keep` find.
    """
    template, _ = await _own(tx, template_id)
    text = await found(tx, TEXT, store.GET_TEXT, template_id, template_text_id, etag=etag)
    if not changed(text, changes):
        return text
    require_hosts(text, link_hosts)
    return await _keep(tx, template, text, review_all)


async def approve_text(
    tx: Transaction, link_hosts: Sequence[str], *, template_id: str, template_text_id: str, etag: str
) -> Text:
    """Have the latest version of a text sent from now on.

    NotFound; what `Text.review`, `require_hosts` and `_require_sendable` find: others may have changed since.
    """
    template, text = await _review(tx, template_id, template_text_id, etag, TextState.APPROVED, "")
    require_hosts(text, link_hosts)
    await _require_sendable(tx, template, text)
    return text


async def reject_text(
    tx: Transaction, *, template_id: str, template_text_id: str, note: str, etag: str
) -> Text:
    """Have the latest version of a text not sent. NotFound; what `Text.review` finds."""
    return (await _review(tx, template_id, template_text_id, etag, TextState.REJECTED, note))[1]


async def _review(
    tx: Transaction, template_id: str, language: str, etag: str, state: TextState, note: str
) -> tuple[Template, Text]:
    template, _ = await _own(tx, template_id)
    text = await found(tx, TEXT, store.GET_TEXT, template_id, language, etag=etag)
    sent = await store.SENT_TEXTS.all(tx, template_id=template_id)
    since = max((each.version for each in sent if each.language == language), default=0)
    rows = await store.AUTHORS_SINCE.all(tx, template_id=template_id, language=language, since=since)
    text.review(state, _actor(tx), {row["author"] for row in rows}, tx.now, note)
    await tx.defer(store.REVIEW_TEXT, **values(text))
    return template, text


def _require_texts(
    template: Template, sent: Sequence[Text], texts: Sequence[Text], fields: list[str]
) -> None:
    """FailedPrecondition when none is sent in a new default language, or one uses what is not declared."""
    languages = [text.language_code for text in sent]
    if "default_language_code" in fields and template.default_language_code not in languages:
        has = ", ".join(languages) or "none"
        told = f"There is no text in {template.default_language_code}; languages of texts: {has}."
        raise FailedPrecondition("TEXT_MISSING", told, {"languages": " ".join(languages)})
    for text in (*sent, *texts):
        if used := template.undeclared(words.used_in(text)):
            told = f"{text.name} uses {', '.join(used)}: change the text first."
            raise FailedPrecondition(
                "VARIABLE_IN_USE", told, {"resource": text.name, "variables": " ".join(used)}
            )


def _in_languages(template: Template, texts: Sequence[Text], includers: list[str]) -> TemplateInLanguages:
    languages = sorted(each.language_code for each in texts)
    sources = [source for each in texts for source in (each.subject, each.body, each.mjml)]
    return TemplateInLanguages(
        **values(template), language_codes=languages, sources=sources, includers=includers
    )


def _declared(variables: list[Variable]) -> dict[str, bool]:
    return {variable.name: variable.impersonal for variable in variables}


def _actor(tx: Transaction) -> str:
    return actor_name(tx.call.principal.subject, tx.db.service)


async def _own(tx: Transaction, template_id: str, etag: str = "") -> tuple[Template, list[Text]]:
    """A template of the caller's with its texts, which nobody else changes meanwhile. What `owned` finds."""
    await LOCK_NAME.run(tx, name=TEMPLATE.format(template_id))
    template = await owned(tx, TEMPLATE, store.GET_TEMPLATE, template_id, etag=etag)
    return template, await store.LATEST_TEXTS.all(tx, template_id=template_id)


async def _keep(tx: Transaction, template: Template, text: Text, review_all: bool) -> Text:
    """Keep a version of a text that says what it must: see `_require_sendable`."""
    await _require_sendable(tx, template, text)
    text.written(_actor(tx), tx.now, template.review_required or review_all)
    await tx.defer(store.INSERT_TEXT, **values(text))
    return text


async def _require_sendable(tx: Transaction, template: Template, text: Text) -> None:
    """What `whole`, `words.check` and `require_sendable` find once `text` is sent beside the others.

    Of a partial also what `require_fit` does.
    """
    await lock_parts(tx)
    [this] = await whole(tx, template, [text])
    await asyncio.to_thread(words.check, template, this)
    await require_reviewed(tx, template, [this])
    if template.type == Type.PARTIAL:
        await require_fit(tx, Changed(template, text))
    sent = await store.SENT_TEXTS.all(tx, template_id=template.id)
    others = await whole(tx, template, [each for each in sent if each.language != text.language])
    await _require_policies(tx, template, [*others, this])


async def _require_policies(tx: Transaction, template: Template, texts: Sequence[Text]) -> None:
    for policy in await store.POLICIES_WITH_TEMPLATE.all(tx, template_id=template.id):
        await asyncio.to_thread(require_sendable, template, texts, policy)
