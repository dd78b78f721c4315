"""What every installation begins with: the words for a delay and its end, and the rules that send them."""

from chassis.context import Call, acting, service_itself
from chassis.db.database import Database
from chassis.db.statement import values
from notifications.domain.notice import Concern
from notifications.domain.policy import CONCERNS, PLATFORM, NoticePolicy
from notifications.domain.template import OTHER, SERVICE, Template, Text
from notifications.store.tables import INSERT_TEMPLATE, SEED_POLICY, SEED_TEXT

LANGUAGE_CODE = "en-GB"
SUBJECT = "{% if reference %}{{ reference }}: a{% else %}A{% endif %} new date, {{ new_date }}"
BODY = """\
Dear {{ customer_name }},

{{ apology }}

We promised you this{% if reference %} ({{ reference }}){% endif %} by {{ old_date }}. {{ reason }} \
We now expect to be done by {{ new_date }}.

You do not need to do anything. If the new date does not suit you, or if you would like to talk about it, \
please turn to me: {{ contact_reach }}. I know about this and will help you.

With kind regards,
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

With kind regards,
{{ contact_name }}
"""


_NONE: dict[str, str] = {}
_FIRST = (  # what for, and the template that it sends
    (Concern.AT_RISK, "delay", SUBJECT, BODY, APOLOGY, REASONS),
    (Concern.RECOVERED, "recovery", RECOVERY_SUBJECT, RECOVERY_BODY, "", _NONE),
)


async def seed(db: Database) -> None:
    """Create the templates and policies for promises, where there is none."""
    now = db.clock.now()
    language = LANGUAGE_CODE.lower()
    with acting(Call("seed", service_itself(db.service))):
        async with db.transaction() as tx:
            for concern, name, subject, body, apology, reasons in _FIRST:
                means = CONCERNS[concern]
                template = Template(name, means.type, SERVICE, PLATFORM, LANGUAGE_CODE, {}, now, now)
                text = Text(name, language, LANGUAGE_CODE, 1, subject, body, apology, reasons, now)
                policy = NoticePolicy(means.kind, 1, means.event_type, name, False, PLATFORM, now, now)
                await INSERT_TEMPLATE.run(tx, **values(template))
                await SEED_TEXT.run(tx, **values(text))
                await SEED_POLICY.run(tx, **values(policy))
