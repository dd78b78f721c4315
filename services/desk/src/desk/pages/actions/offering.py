"""What is offered to whom: the buttons that a service would let them use."""

from collections.abc import Sequence
from dataclasses import dataclass

from desk.auth.viewer import Viewer
from desk.pages.actions.action import Action


@dataclass(frozen=True)
class Act:
    """An action that is offered on one thing: its button."""

    id: str
    label: str
    letter: str
    href: str


def offered(viewer: Viewer, customer: str, *actions: Action, on: str = "", owner: str = "") -> Sequence[Act]:
    """The buttons that a viewer has, of some actions.

    What their token does not permit, or another department owns, has none: a service would refuse it.

    Args:
        viewer: who looks.
        customer: whom it is about, `customers/{uuid}`.
        actions: most likely first.
        on: the resource, when it is not the customer.
        owner: `departments/{id}` that owns it.
    """
    return [
        Act(each.id, each.label, each.letter, each.href(customer, on))
        for each in actions
        if may(viewer, each, owner)
    ]


def may(viewer: Viewer, action: Action, owner: str) -> bool:
    """Whether a service would let the viewer: by their permissions, and their department."""
    ours = not action.owned or viewer.department == owner or viewer.principal.administers(action.service)
    return viewer.may(action.permission) and ours
