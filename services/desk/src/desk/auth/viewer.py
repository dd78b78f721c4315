"""Whoever looks, as the token of their session says."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from chassis.context import Principal

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person who is signed in.

    Attributes:
        principal: their subject, department and permissions, as in the access token.
        display_name: what the identity provider calls them.
        credential: `Bearer <access token>`: what is done for them is done with it, so that services decide.
        until: when their session ends, if they do nothing.
        may_stay: whether it ends later when they do something.
        csrf: what a form of theirs carries, to prove that it is one of ours.
    """

    principal: Principal
    display_name: str
    credential: str = field(repr=False)
    csrf: str = field(repr=False)
    until: datetime = FOREVER
    may_stay: bool = True

    @property
    def agent(self) -> str:
        """`agents/{agent}`, as the contracts name them."""
        return f"agents/{self.principal.subject.partition(':')[2]}"

    @property
    def department(self) -> str:
        """`departments/{department}`; empty for nobody's."""
        return self.principal.department and f"departments/{self.principal.department}"

    def may(self, permission: str) -> bool:
        """Whether their token holds a permission: what a page offers them. The service decides.

        `*.operations.read` asks for that of any service.
        """
        service, _, verb = permission.partition(".")
        if service == "*":
            held = self.principal.permissions
            return "*" in held or any(each.partition(".")[2] == verb for each in held)
        return self.principal.may(permission)
