"""What the pages say of templates and their texts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.api.messages import moment, value_name
from desk.language.catalogues import N_
from desk.pages.notice_templates.forms import TYPES
from desk.ui import words
from desk.ui.speech import Speech
from rapport.customer.v1.purpose_pb2 import Purpose
from rapport.notifications.v1.template_pb2 import Template, TemplateText

STATES = {
    "DRAFT": N_("waits for somebody else to approve it"),
    "APPROVED": N_("is sent"),
    "REJECTED": N_("was not approved"),
}


@dataclass(frozen=True)
class Line:
    """A template of the list."""

    name: str
    title: str
    kind: str
    purpose: str
    department: str
    languages: str
    is_reviewed: bool


@dataclass(frozen=True)
class Words:
    """A text in one version."""

    href: str
    language: str
    code: str  # of the language, as in its name
    version: int
    state: str
    mood: str
    when: str
    subject: str
    body: str
    mjml: str


def line(template: Template, say: Speech) -> Line:
    """A template, as a list says it."""
    return Line(
        template.name,
        say.named(template.name),
        say(TYPES[value_name(template, "type")]),
        say.named(template.purpose),
        say.named(template.department),
        ", ".join(say.language_of(each) for each in template.language_codes),
        template.review_required,
    )


def lines(templates: Iterable[Template], say: Speech) -> list[Line]:
    """The templates, those of one department together."""
    found = [line(each, say) for each in templates]
    return sorted(found, key=lambda each: (each.department, each.title))


def shown(text: TemplateText, say: Speech) -> Words:
    """A text, or a version of one."""
    name, _, _ = text.name.partition("/versions/")
    state = value_name(text, "state")
    return Words(
        f"/{name}",
        say.language_of(text.language_code),
        words.last(name),
        text.version,
        say(STATES.get(state, STATES["APPROVED"])),
        {"DRAFT": "stale", "REJECTED": "no"}.get(state, "ok"),
        say.moment(moment(text.create_time)),
        text.subject,
        text.body,
        text.mjml,
    )


def kinds(say: Speech) -> list[tuple[str, str]]:
    """What a template can be for, to choose from."""
    return [(code, say(told)) for code, told in TYPES.items()]


def purposes(listed: Iterable[Purpose], say: Speech) -> list[tuple[str, str]]:
    """What a message can be for, to choose from: also what is sent to who stopped everything."""
    told = N_("{purpose}, also to who stopped everything")
    return [
        (each.name, say(told, purpose=say.named(each.name)) if each.essential else say.named(each.name))
        for each in listed
    ]


def rendered(answer: Any, say: Speech) -> Mapping[str, Any]:
    """How a message reads."""
    return {
        "subject": answer.subject,
        "body": answer.body,
        "has_html": bool(answer.html),
        "version": answer.text_version,
        "segments": answer.sms_segment_count,
        "samples": ", ".join(answer.sample_variables),
        "language": answer.language_code,
    }
