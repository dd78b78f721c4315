"""Notice policies, each change of which makes a version, and whether a template can be sent by them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.api.decoding import into
from chassis.api.entities import found, own_department, owned_version, write
from chassis.db.statement import LOCK_NAME, Executor, values
from chassis.db.transaction import Transaction
from chassis.errors import FailedPrecondition, InvalidArgument, ResourceExists, Violation, invalid
from chassis.facts import Changes, changed
from chassis.names import PLATFORM
from notifications.domain.policy import BY_EVENT, NoticePolicy, PolicyTerms
from notifications.domain.template import SENDER, Template, Text, Type
from notifications.names import POLICY, TEMPLATE
from notifications.store.tables import GET_POLICY, GET_TEMPLATE, INSERT_POLICY, LATEST_POLICY, SENT_TEXTS
from notifications.usecases import words
from notifications.usecases.conditions import require_sound
from notifications.usecases.partials import Whole, lock_parts, whole
from notifications.usecases.reading import require_reads_customers
from notifications.usecases.walk import keep_walking
from rapport.notifications.v1 import notice_policy_pb2


async def read_template(on: Executor, template_id: str) -> tuple[Template, list[Whole]]:
    """A template and its texts as they are sent: of each the latest version that is approved. NotFound."""
    template = await found(on, TEMPLATE, GET_TEMPLATE, template_id)
    return template, await whole(on, template, await SENT_TEXTS.all(on, template_id=template_id))


def require_sendable(template: Template, texts: Sequence[Text], policy: NoticePolicy) -> None:
    """Refuse a template that the policy must not send: FailedPrecondition TEMPLATE_NOT_SENDABLE.

    An event about a promise gives no variables of the template's own. Who is told of a risk must be told the
    new date, for that is what the promise becomes; who is told of a recovery, the date that stands. A
    department's policies send its own words or the platform's: nobody else's, which would have to stay as
    they need them.
    """
    needs = f"{policy.name or 'A policy'}, on {policy.trigger}, needs a template"
    _require_text(template, texts, policy)
    if template.department_id not in (policy.department_id, PLATFORM):
        raise _refusal(template, f"{needs} of {policy.department} or departments/{PLATFORM}.", policy)
    if not policy.of_promises:
        _require_filled(template, texts, policy, needs)
        return
    means = BY_EVENT[policy.event_type]
    if not template.essential:
        raise _refusal(template, f"{needs} for an essential purpose, which promises are.", policy)
    if further := sorted(set(words.to_give(template, texts)) - SENDER):
        told = f"{needs} without variables of its own, such as {', '.join(further)}."
        raise _refusal(template, told, policy)
    if template.type != means.type:  # a recovery has no reason to give, which a delay must
        raise _refusal(template, f"{needs} of the type {means.type}.", policy)
    try:
        for text in texts:
            words.check(template, text, means.must_say)
    except InvalidArgument:
        parts = ", ".join(means.must_say)
        raise _refusal(template, f"{needs} whose texts always say {parts}.", policy) from None


def require_template(template: Template, texts: Sequence[Text], policy: NoticePolicy) -> None:
    """What `require_sendable` finds, of a policy that is sent: by its `field`."""
    try:
        require_sendable(template, texts, policy)
    except FailedPrecondition as refusal:
        refusal.metadata["field"] = "notice_policy.template"
        raise


def _require_filled(template: Template, texts: Sequence[Text], policy: NoticePolicy, needs: str) -> None:
    """All that it takes, and no other; and no date of a promise, which only facts about that promise tell."""
    if template.tells_promises(words.used_by(texts)):
        raise _refusal(template, f"{needs} that tells no delay, and no date of a promise.", policy)
    taken = set(words.to_give(template, texts))
    if unknown := sorted(policy.variables.keys() - taken):
        described = f"must be one that the template takes: {', '.join(sorted(taken)) or 'none'}"
        raise InvalidArgument(
            [Violation(f"notice_policy.variables[{name}]", "VARIABLE_UNKNOWN", described) for name in unknown]
        )
    if missing := sorted(taken - policy.variables.keys() - words.defaulted(texts)):
        raise _refusal(template, f"{needs} all of whose variables it fills in: {', '.join(missing)}.", policy)


def require_sendable_by_hand(template: Template, texts: Sequence[Text]) -> None:
    """Refuse a template that only a policy may send: FailedPrecondition TEMPLATE_NOT_SENDABLE."""
    _require_text(template, texts)
    if template.policies_only(words.used_by(texts)):
        told = "Delays, the dates of promises and links to confirm something are told by policies alone."
        raise _refusal(template, told)


def _require_text(template: Template, texts: Sequence[Text], policy: NoticePolicy | None = None) -> None:
    if template.type == Type.PARTIAL:
        raise _refusal(template, "A partial is never sent: it stands in the texts of others.", policy)
    if words.text_for(texts, "", template.default_language_code) is None:
        language = template.default_language_code
        message = f"The template needs an approved text in its default language, {language}."
        raise _refusal(template, message, policy)


def _refusal(template: Template, message: str, policy: NoticePolicy | None = None) -> FailedPrecondition:
    by = {"notice_policy": policy.name} if policy and policy.name else {}
    return FailedPrecondition("TEMPLATE_NOT_SENDABLE", message, {"resource": template.name} | by)


@dataclass(slots=True)
class PolicyDraft(PolicyTerms):
    """A policy as it is sent."""

    department_id: str | None

    def policy(self, policy_id: str, owner_id: str, at: datetime) -> NoticePolicy:
        """Its first version."""
        terms = values(self) | {"department_id": owner_id}
        return NoticePolicy(**terms, id=policy_id, version=1, create_time=at, update_time=at)


_TRIGGERS: dict[str, object] = {"event_type": "", "customer_date": None}  # of which a policy has one

draft_of = into(notice_policy_pb2.NoticePolicy, PolicyDraft)


async def create_policy(
    tx: Transaction, *, notice_policy_id: str, notice_policy: PolicyDraft
) -> NoticePolicy:
    """Keep a new policy. ResourceExists; what `_keep` finds.

    One of a name that was deleted counts on from it, and stays the department's that it was: InvalidArgument
    INVALID_NAME when another is given.
    """
    department_id = notice_policy.department_id
    owner = own_department(tx, department_id, "notice_policy.department")
    policy = notice_policy.policy(notice_policy_id, owner, tx.now)
    await LOCK_NAME.run(tx, name=policy.name)
    latest = await LATEST_POLICY.maybe(tx, id=policy.id)
    if latest is not None and latest.deleted:
        policy.version, policy.department_id = latest.version + 1, latest.department_id
    tx.require_owner(policy)
    if department_id not in (None, policy.department_id):
        allowed = f"must be {policy.department}, whose the deleted one was, or absent"
        raise invalid("notice_policy.department", "INVALID_NAME", allowed)
    if latest is not None and not latest.deleted:
        raise ResourceExists(policy.name)
    return await _keep(tx, policy)


async def update_policy(
    tx: Transaction, *, notice_policy_id: str, changes: Changes[PolicyTerms], etag: str
) -> NoticePolicy:
    """Keep the next version. What is the same is none. What `_own` and `_keep` find.

    A trigger that is given takes the place of the other.
    """
    policy = await _own(tx, notice_policy_id, etag)
    if any(changes.get(each) for each in _TRIGGERS):
        changes = Changes(_TRIGGERS | changes)
    return await _keep(tx, policy) if changed(policy, changes) else policy


async def delete_policy(tx: Transaction, *, notice_policy_id: str, etag: str) -> None:
    """Keep that it is deleted. What `_own` finds."""
    policy = await _own(tx, notice_policy_id, etag)
    tx.touch(policy.name)  # of which the answer says nothing
    changed(policy, {"deleted": True})
    await write(tx, INSERT_POLICY, policy)
    await keep_walking(tx, policy)


async def _own(tx: Transaction, policy_id: str, etag: str) -> NoticePolicy:
    """A policy of the caller's, which nobody else changes meanwhile. What `owned` finds."""
    return await owned_version(tx, POLICY, GET_POLICY, policy_id, etag=etag)


async def _keep(tx: Transaction, policy: NoticePolicy) -> NoticePolicy:
    """Keep a version. NotFound without the template; what `require_sound` and `require_sendable` find.

    Of a date of customers also what `require_reads_customers` does.
    """
    require_sound(policy)
    if policy.customer_date is not None:
        require_reads_customers(tx)
    await LOCK_NAME.run(tx, name=policy.template)
    await lock_parts(tx)
    template, texts = await read_template(tx, policy.template_id)
    await asyncio.to_thread(require_template, template, texts, policy)
    await write(tx, INSERT_POLICY, policy)
    await keep_walking(tx, policy)
    return policy
