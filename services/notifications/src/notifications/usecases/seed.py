"""What every installation begins with: words for a delay, its end and a yes to confirm, and their rules."""

from datetime import datetime
from typing import Any

from google.protobuf.duration_pb2 import Duration

from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.names import PLATFORM
from notifications.domain.notice import Concern
from notifications.domain.policy import CONCERNS, NoticePolicy
from notifications.domain.template import CONFIRM_LINK, CONFIRM_PURPOSE, OTHER, SERVICE, Template, Text, Type
from notifications.names import TEMPLATE
from notifications.store.tables import INSERT_TEMPLATE, INSERT_TEXT, SEED_POLICY
from notifications.usecases.policy import draft_of
from rapport.customer.v1.customer_events_pb2 import ConsentRequested, ConsentUpdated
from rapport.notifications.v1 import notice_policy_pb2

LANGUAGE_CODE = "en-GB"
SUBJECT = "{% if reference %}{{ reference }}: a{% else %}A{% endif %} new date, {{ new_date }}"
BODY = """\
Dear {{ customer_name }},

{{ apology }}

We promised you this{% if reference %} ({{ reference }}){% endif %} by {{ old_date }}. {{ reason }} \
We now expect to be done by {{ new_date }}.

You do not need to do anything. If the new date does not suit you, or if you would like to talk about it, \
please turn to me: {{ contact_reach }}. I know about this and will help you.

{% if pages_link %}What we promised you, and what you would like to hear from us, is here: \
{{ pages_link }}

{% endif %}With kind regards,
{{ contact_name }}
"""
APOLOGY = "I am sorry: we cannot keep the date that we promised you, and you should hear that from us first."
REASONS = {  # what departments forecast with; every other code is told as OTHER
    "carrier-delay": "The transport is taking longer than planned.",
    "out-of-stock": "Something that we need for this is out of stock, and more is on its way.",
    "weather": "The weather is holding us up.",
    "staff-shortage": "There are fewer of us at work than we had planned for.",
    OTHER: "Something came up that we did not foresee.",
}

RECOVERY_SUBJECT = (
    "{% if reference %}{{ reference }}: the{% else %}The{% endif %} date stands, {{ old_date }}"
)
RECOVERY_BODY = """\
Dear {{ customer_name }},

We may have written to you that what we promised you{% if reference %} ({{ reference }}){% endif %} \
would be late. It will not be: we expect to keep the date that we promised you, {{ old_date }}.

You do not need to do anything. If you would like to talk about it, please turn to me: {{ contact_reach }}.

{% if pages_link %}What we promised you, and what you would like to hear from us, is here: \
{{ pages_link }}

{% endif %}With kind regards,
{{ contact_name }}
"""

_GERMAN_SUBJECT = (
    "{% if reference %}{{ reference }}: ein{% else %}Ein{% endif %} neuer Termin, {{ new_date }}"
)
_GERMAN_BODY = """\
Guten Tag, {{ customer_name }},

{{ apology }}

Zugesagt hatten wir es{% if reference %} ({{ reference }}){% endif %} bis {{ old_date }}. {{ reason }} \
Jetzt rechnen wir damit bis {{ new_date }}.

Sie müssen nichts tun. Wenn Ihnen der neue Termin nicht passt oder Sie darüber sprechen möchten, wenden Sie \
sich bitte an mich: {{ contact_reach }}. Ich weiß davon und helfe Ihnen.

{% if pages_link %}Was wir Ihnen zugesagt haben und was Sie von uns hören möchten, steht hier: \
{{ pages_link }}

{% endif %}Mit freundlichen Grüßen
{{ contact_name }}
"""
_GERMAN_APOLOGY = (
    "es tut mir leid: Wir können den Termin nicht halten, den wir Ihnen zugesagt haben, und das sollen Sie "
    "zuerst von uns erfahren."
)
_GERMAN_REASONS = {
    "carrier-delay": "Der Transport dauert länger als geplant.",
    "out-of-stock": "Etwas, das wir dafür brauchen, ist nicht am Lager, und Nachschub ist unterwegs.",
    "weather": "Das Wetter hält uns auf.",
    "staff-shortage": "Wir sind weniger bei der Arbeit, als wir geplant hatten.",
    OTHER: "Es ist etwas dazwischengekommen, das wir nicht vorhergesehen haben.",
}
_GERMAN_RECOVERY_SUBJECT = (
    "{% if reference %}{{ reference }}: es{% else %}Es{% endif %} bleibt beim Termin, {{ old_date }}"
)
_GERMAN_RECOVERY_BODY = """\
Guten Tag, {{ customer_name }},

vielleicht haben wir Ihnen geschrieben, dass sich verspätet, was wir Ihnen zugesagt haben\
{% if reference %} ({{ reference }}){% endif %}. Das wird es nicht: Wir rechnen damit, den zugesagten Termin \
zu halten, {{ old_date }}.

Sie müssen nichts tun. Wenn Sie darüber sprechen möchten, wenden Sie sich bitte an mich: {{ contact_reach }}.

{% if pages_link %}Was wir Ihnen zugesagt haben und was Sie von uns hören möchten, steht hier: \
{{ pages_link }}

{% endif %}Mit freundlichen Grüßen
{{ contact_name }}
"""

_Words = tuple[str, str, str, str, dict[str, str]]  # language, subject, body, apology, reasons
_DELAY: tuple[_Words, ...] = (
    (LANGUAGE_CODE, SUBJECT, BODY, APOLOGY, REASONS),
    ("de", _GERMAN_SUBJECT, _GERMAN_BODY, _GERMAN_APOLOGY, _GERMAN_REASONS),
)
_RECOVERY: tuple[_Words, ...] = (
    (LANGUAGE_CODE, RECOVERY_SUBJECT, RECOVERY_BODY, "", {}),
    ("de", _GERMAN_RECOVERY_SUBJECT, _GERMAN_RECOVERY_BODY, "", {}),
)
CONFIRM_SUBJECT = "Please confirm: {{ confirm_purpose }}"
CONFIRM_BODY = """\
Dear {{ customer_name }},

Somebody, we hope you, told us that you would like to hear from us about this: {{ confirm_purpose }}. \
Please confirm it here:

{{ confirm_link }}

The link works for seven days. If it was not you, or you do not want it any more, you do not need to do \
anything: without your confirmation you will not hear from us about this.

With kind regards,
{{ contact_name }}
"""
_GERMAN_CONFIRM_SUBJECT = "Bitte bestätigen: {{ confirm_purpose }}"
_GERMAN_CONFIRM_BODY = """\
Guten Tag, {{ customer_name }},

jemand, hoffentlich Sie, hat uns gesagt, dass Sie davon von uns hören möchten: {{ confirm_purpose }}. \
Bitte bestätigen Sie das hier:

{{ confirm_link }}

Der Link gilt sieben Tage. Wenn Sie das nicht waren oder es nicht mehr möchten, müssen Sie nichts tun: \
Ohne Ihre Bestätigung hören Sie davon nichts von uns.

Mit freundlichen Grüßen
{{ contact_name }}
"""
_CONFIRM: tuple[_Words, ...] = (
    (LANGUAGE_CODE, CONFIRM_SUBJECT, CONFIRM_BODY, "", {}),
    ("de", _GERMAN_CONFIRM_SUBJECT, _GERMAN_CONFIRM_BODY, "", {}),
)
_FIRST = ((Concern.AT_RISK, "delay", _DELAY), (Concern.RECOVERED, "recovery", _RECOVERY))


async def seed(db: Database) -> None:
    """Create the templates and policies that there are from the beginning, where there is none.

    A template that is there keeps its texts, and gets none beside them: by now they may be others' words.
    """
    now = db.clock.now()
    with acting(Call("seed", service_itself(db.service))):
        async with db.transaction() as tx:
            for concern, name, texts in _FIRST:
                means = CONCERNS[concern]
                policy = _first(means.kind, now, event_type=means.event_type, template=TEMPLATE.format(name))
                await _seed(tx, means.type, policy, texts)
            await _seed(tx, Type.INFORMATION, _confirming(now), _CONFIRM)


def _first(policy_id: str, now: datetime, **terms: Any) -> NoticePolicy:
    """The first version of a policy of the platform's."""
    return draft_of(notice_policy_pb2.NoticePolicy(**terms)).policy(policy_id, PLATFORM, now)


def _confirming(now: datetime) -> NoticePolicy:
    """Asks a customer to confirm a yes, for as long as they can; not once they did, or said otherwise."""
    return _first(
        "consent-requested",
        now,
        event_type=ConsentRequested.DESCRIPTOR.full_name,
        template="templates/confirm-consent",
        variables={CONFIRM_LINK: "event.consent", CONFIRM_PURPOSE: "event.purpose"},
        expire_after=Duration(seconds=7 * 86_400),
        cancel_event_types=[ConsentUpdated.DESCRIPTOR.full_name],
    )


async def _seed(tx: Transaction, type: Type, policy: NoticePolicy, texts: tuple[_Words, ...]) -> None:
    of = (policy.template_id, type, SERVICE, PLATFORM, LANGUAGE_CODE)
    template = Template(*of, {}, tx.now, tx.now, essential=True)
    if await INSERT_TEMPLATE.maybe(tx, **values(template)):
        for code, subject, body, apology, reasons in texts:
            text = Text(template.id, code.lower(), code, 1, subject, body, apology, reasons, tx.now)
            await INSERT_TEXT.run(tx, **values(text))
    await SEED_POLICY.run(tx, **values(policy))
