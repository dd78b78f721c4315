"""Whether a caller may have customers found: the service itself finds them later by its own right."""

from chassis.db.transaction import Transaction
from chassis.errors import PermissionDenied

_READS = "customer.customers.read"


def require_reads_customers(tx: Transaction) -> None:
    """PermissionDenied for who may not read customers, whether or not these can be asked now."""
    if not tx.call.principal.may(_READS):
        told = f"Permission '{_READS}' denied: what is sent says whom it found."
        raise PermissionDenied("PERMISSION_DENIED", told, {"permission": _READS})
