"""Resource names that facts carry. Requests' names are parsed by `rpc`."""

from uuid import UUID


def department_name(department_id: str) -> str:
    """`departments/{department}`; empty for nobody's."""
    return f"departments/{department_id}" if department_id else ""


def customer_name(customer_id: UUID) -> str:
    """`customers/{uuid}`."""
    return f"customers/{customer_id}"


def identifier_name(customer_id: UUID, identifier_id: UUID) -> str:
    """`customers/{uuid}/identifiers/{uuid}`."""
    return f"customers/{customer_id}/identifiers/{identifier_id}"


def entry_name(customer_id: UUID, entry_id: UUID) -> str:
    """`customers/{uuid}/timelineEntries/{uuid}`."""
    return f"customers/{customer_id}/timelineEntries/{entry_id}"


def view_name(customer_id: UUID) -> str:
    """`customers/{uuid}/view`."""
    return f"customers/{customer_id}/view"


def section_name(customer_id: UUID, section: str) -> str:
    """`customers/{uuid}/view/sections/{code}`."""
    return f"customers/{customer_id}/view/sections/{section}"
