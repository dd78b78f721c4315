"""What every installation begins with: words for a delay, its end and a yes to confirm, and their rules."""

from collections.abc import Sequence
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
from notifications.domain.template import CONFIRM_LINK, CONFIRM_PURPOSE, SERVICE, Template, Text, Type
from notifications.names import TEMPLATE
from notifications.store.tables import INSERT_TEMPLATE, INSERT_TEXT, SEED_POLICY
from notifications.usecases.letters import CONFIRM, DELAY, RECOVERY, Letter
from notifications.usecases.policy import draft_of
from rapport.customer.v1.customer_events_pb2 import ConsentRequested, ConsentUpdated
from rapport.notifications.v1 import notice_policy_pb2

LANGUAGE_CODE = "en-GB"
_FIRST = ((Concern.AT_RISK, "delay", DELAY), (Concern.RECOVERED, "recovery", RECOVERY))


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
                await _words(tx, name, means.type, texts)
                await SEED_POLICY.run(tx, **values(policy))
            confirming = _confirming(now)
            await _words(tx, confirming.template_id, Type.INFORMATION, CONFIRM)
            await SEED_POLICY.run(tx, **values(confirming))


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


async def _words(tx: Transaction, name: str, type: Type, texts: Sequence[Letter]) -> None:
    """A template of the platform's with its texts, where there is none of that name."""
    template = Template(name, type, SERVICE, PLATFORM, LANGUAGE_CODE, {}, tx.now, tx.now, essential=True)
    if await INSERT_TEMPLATE.maybe(tx, **values(template)):
        for each in texts:
            code = each.language_code
            told = (each.subject, each.body, each.apology, each.reasons)
            text = Text(name, code.lower(), code, 1, *told, tx.now, each.mjml)
            await INSERT_TEXT.run(tx, **values(text))
