"""Creating a template, or a new version of it."""

from dataclasses import dataclass

from chassis.db.locks import LOCK_NAME
from chassis.db.statement import values
from chassis.db.transaction import Transaction
from chassis.errors import invalid
from notifications.domain.template import Kind, Template
from notifications.store.policies import POLICIES_WITH_TEMPLATE
from notifications.store.templates import GET_TEMPLATE, INSERT_TEMPLATE
from notifications.usecases import words
from notifications.usecases.sendable import require_sendable


@dataclass(frozen=True, slots=True)
class CreateTemplate:
    """The words of a template."""

    id: str
    kind: Kind
    purpose: str
    language_code: str
    subject: str
    body: str
    apology: str
    reasons: dict[str, str]
    variables: list[str]
    department_id: str


async def create_template(tx: Transaction, command: CreateTemplate) -> Template:
    """Keep the next version of a template, if it says what its kind must say: see `words.check`.

    And what the policies that send it must say: see `require_sendable`. InvalidArgument PURPOSE_FIXED for
    another purpose than before, for customers consented to that one.
    """
    template = Template(**values(command), version=1, create_time=tx.now)
    await LOCK_NAME.run(tx, name=template.name)
    if (latest := await GET_TEMPLATE.maybe(tx, id=command.id)) is not None:
        template.version, template.department_id = latest.version + 1, latest.department_id
    tx.require_owner(template)
    if latest is not None and template.purpose != latest.purpose:
        raise invalid("template.purpose", "PURPOSE_FIXED", f"must be {latest.purpose}, as in every version")
    words.check(template)
    for policy in await POLICIES_WITH_TEMPLATE.all(tx, template=template.id):
        require_sendable(template, policy.event_type)
    await tx.defer(INSERT_TEMPLATE, **values(template))
    return template
