"""What is wrong with a request, as rules find it: see `chassis.api.checks`."""

from chassis.errors import Violation

Found = list[Violation]


class Check:
    """Collects what is wrong with a message of a request; `prefix` is put before every field's path."""

    def __init__(self, prefix: str, found: Found) -> None:
        self._prefix, self._found = prefix, found

    def refuse(self, field: str, reason: str, description: str) -> None:
        """Note a violation. The description says what is allowed, and never what was sent."""
        self._found.append(Violation(self._prefix + field, reason, description))
