"""Templates and their texts as forms say them."""

import re

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.trying import Typed
from rapport.notifications.v1.template_pb2 import Template, TemplateText

TYPES = {
    "INFORMATION": N_("tells something"),
    "DELAY": N_("tells of a delay"),
    "BAD_NEWS": N_("tells bad news: sorry, why, what happens next, and who is there for them"),
    "PARTIAL": N_("a part of others, such as a footer"),
}
_SENTENCES = ("subject", "body", "mjml", "apology", "next_step")
TEXT_FIELDS = (*_SENTENCES, "reasons")
_REASON = re.compile(r"([a-z0-9][a-z0-9-]{0,62}): *(\S.*)")
_IMPERSONAL = "!"  # at the end of a variable's name: its values are never personal


def template_of(now: Template, typed: Typed) -> Template:
    """The template as it is to be; what of it never changes, of a new one alone. InvalidArgument."""
    proposed = Template(name=now.name, department=now.department, etag=typed.text("etag"))
    proposed.default_language_code = typed.text("default_language_code")
    proposed.review_required = typed.text("review_required") == "on"
    for name in filter(None, (each.strip() for each in typed.text("variables").split(","))):
        proposed.variables.add(name=name.rstrip(_IMPERSONAL), impersonal=name.endswith(_IMPERSONAL))
    if now.name:
        return proposed
    if typed.text("type") not in TYPES:
        raise invalid("type", "INVALID_ENUM", N_("must be one of those that the form has"))
    proposed.type = Template.Type.Value(f"TYPE_{typed.text('type')}")
    proposed.purpose, proposed.urgent = typed.text("purpose"), typed.text("urgent") == "on"
    return proposed


def template_written(template: Template) -> dict[str, str]:
    """What stands in the fields of its form."""
    variables = (each.name + _IMPERSONAL * each.impersonal for each in template.variables)
    found = {
        "default_language_code": template.default_language_code or "en-GB",
        "variables": ", ".join(variables),
        "purpose": template.purpose,
    }
    return found | ({"review_required": "on"} if template.review_required else {})


def template_field(wrong: str) -> str:
    """The field of the form: `template.variables[0].name` is `variables`."""
    path = wrong.removeprefix("template.").partition(".")[0].partition("[")[0]
    return "code" if path == "template_id" else path


def text_of(name: str, typed: Typed) -> TemplateText:
    """The text as it is to be. InvalidArgument for a line that gives no words for a reason."""
    text = TemplateText(name=name, etag=typed.text("etag"))
    for field in _SENTENCES:
        setattr(text, field, "\n".join(typed.text(field).splitlines()))
    for line in filter(None, map(str.strip, typed.text("reasons").splitlines())):
        if not (said := _REASON.fullmatch(line)):
            told = N_("must be lines such as weather: The weather holds us up.")
            raise invalid("reasons", "INVALID_TEXT", told)
        text.reasons[said[1]] = said[2]
    return text


def text_written(text: TemplateText) -> dict[str, str]:
    """What stands in the fields of its form."""
    found = {field: str(getattr(text, field)) for field in _SENTENCES}
    return found | {"reasons": "\n".join(f"{code}: {said}" for code, said in sorted(text.reasons.items()))}


def text_field(wrong: str) -> str:
    """The field of the form: `template_text.reasons[other]` is `reasons`."""
    return wrong.removeprefix("template_text.").partition("[")[0]
