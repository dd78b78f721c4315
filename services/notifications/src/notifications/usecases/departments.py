"""Whose what is new becomes."""

from chassis.db.transaction import Transaction
from chassis.errors import invalid


def own_department(tx: Transaction, department_id: str | None, field: str) -> str:
    """The department that is named, else the caller's. InvalidArgument REQUIRED without either."""
    if owner := department_id or tx.call.principal.department:
        return owner
    raise invalid(field, "REQUIRED", "must be given by a caller who works for no department")
