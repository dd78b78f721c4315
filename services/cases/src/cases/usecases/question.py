"""What a customer says that is of no case: it opens one, which reaches who looks after them."""

from uuid import UUID

from cases.domain.contact import Contact
from cases.store.tables import OPEN_CASE_ABOUT
from cases.usecases.case import open_for_manager
from cases.usecases.contact import case_contacted
from cases.usecases.reply import look_at
from chassis.db.statement import LOCK_NAMES
from chassis.db.transaction import Transaction

TOPIC = "customer-question"  # of the case


async def question_asked(tx: Transaction, customer_id: UUID, contact: Contact) -> None:
    """Ask who looks after a customer to look at what they said; once until that is done, in one open case."""
    await LOCK_NAMES.run(tx, names=[f"customers/{customer_id}/question"])
    case = await OPEN_CASE_ABOUT.maybe(tx, customer_id=customer_id, topic=TOPIC)
    case = case or await open_for_manager(tx, customer_id, TOPIC)
    await case_contacted(tx, case.id, contact)
    await look_at(tx, case)
