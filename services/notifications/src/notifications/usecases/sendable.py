"""Whether an event can fill in a template, and the template says what the event means."""

from collections.abc import Iterable, Sequence

from chassis.api.entities import found
from chassis.db.statement import Executor
from chassis.errors import FailedPrecondition, InvalidArgument
from notifications.domain.policy import BY_EVENT, PLATFORM, NoticePolicy
from notifications.domain.template import DATES, SENDER, SERVICE, Template, Text, Type
from notifications.names import TEMPLATE
from notifications.store.tables import GET_TEMPLATE, LATEST_TEXTS
from notifications.usecases import words


async def read_template(on: Executor, template_id: str) -> tuple[Template, list[Text]]:
    """A template and the latest versions of its texts. NotFound."""
    template = await found(on, TEMPLATE, GET_TEMPLATE, template_id)
    return template, list(await LATEST_TEXTS.all(on, template_id=template_id))


def require_sendable(template: Template, texts: Sequence[Text], policy: NoticePolicy) -> None:
    """Refuse a template that the policy must not send: FailedPrecondition TEMPLATE_NOT_SENDABLE.

    An event gives no variables of the template's own. Who is told of a risk must be told the new date, for
    that is what the promise becomes; who is told of a recovery, the date that stands. A department's policies
    send its own words or the platform's: nobody else's, which would have to stay as they need them.
    """
    means = BY_EVENT[policy.event_type]
    needs = f"{policy.name}, on {policy.event_type}, needs a template"
    _require_text(template, texts, policy)
    if template.department_id not in (policy.department_id, PLATFORM):
        raise _refusal(template, f"{needs} of {policy.department} or departments/{PLATFORM}.", policy)
    if template.purpose != SERVICE:
        raise _refusal(template, f"{needs} of the purpose {SERVICE}: promises are part of it.", policy)
    if further := sorted(set(words.to_give(template, texts)) - SENDER):
        raise _refusal(
            template, f"{needs} without variables of its own, such as {', '.join(further)}.", policy
        )
    if template.type != means.type:  # a recovery has no reason to give, which a delay must
        raise _refusal(template, f"{needs} of the type {means.type}.", policy)
    try:
        for text in texts:
            words.check(template, text, means.must_say)
    except InvalidArgument:
        parts = ", ".join(means.must_say)
        raise _refusal(template, f"{needs} whose texts always say {parts}.", policy) from None


def require_sendable_by_hand(template: Template, texts: Sequence[Text]) -> None:
    """Refuse a template that only a policy may send: FailedPrecondition TEMPLATE_NOT_SENDABLE."""
    _require_text(template, texts)
    if policies_only(template, texts):
        told = (
            "Delays and the dates of promises are told by policies alone, with the date that the promise has."
        )
        raise _refusal(template, told)


def policies_only(template: Template, texts: Iterable[Text]) -> bool:
    """Whether it is a delay, or tells any date of a promise, whichever promise a sender names or does not.

    Policies see to it that it is the date that the promise has, also at the moment of sending. Who could give
    it by hand could tell an untrue one in our words.
    """
    return template.type == Type.DELAY or any(DATES & words.used_in(text) for text in texts)


def _require_text(template: Template, texts: Sequence[Text], policy: NoticePolicy | None = None) -> None:
    if words.text_for(texts, "", template.default_language_code) is None:
        message = f"The template needs a text in its default language, {template.default_language_code}."
        raise _refusal(template, message, policy)


def _refusal(template: Template, message: str, policy: NoticePolicy | None = None) -> FailedPrecondition:
    by = {"notice_policy": policy.name} if policy else {}
    return FailedPrecondition("TEMPLATE_NOT_SENDABLE", message, {"resource": template.name} | by)
