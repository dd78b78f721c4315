"""What can be done, by whom, and by which key: a line for each. `desk.pages.actions` has their forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from desk.auth.viewer import Viewer
from desk.language.catalogues import N_


@dataclass(frozen=True)
class Action:
    """One thing to do.

    Attributes:
        label: on its button.
        letter: the key that does it; where several things of a page have it, the first.
        permission: of the RPC that it calls.
        owned: whether the RPC changes what a department owns: only its people, and who administers.

    """

    label: str
    letter: str
    permission: str
    owned: bool = False


ACTIONS = {
    "correct": Action(N_("Edit details"), "E", "customer.customers.write"),
    "manager": Action(N_("Change manager"), "M", "customer.customers.assign"),
    "consent": Action(N_("Contact consent"), "", "customer.consents.write"),
    "contact": Action(N_("Record a contact"), "N", "customer.timeline_entries.write"),
    "case": Action(N_("Open a case"), "O", "cases.cases.write"),
    "promise": Action(N_("Make a promise"), "P", "cases.promises.write"),
    "agree": Action(N_("Agree a new date"), "A", "cases.promises.write", owned=True),
    "keep": Action(N_("Mark as kept"), "K", "cases.promises.write", owned=True),
    "takeback": Action(N_("Withdraw"), "T", "cases.promises.write", owned=True),
    "goodwill": Action(N_("Give goodwill"), "G", "loyalty.goodwill.grant"),
    "notice": Action(N_("Send a message"), "S", "notifications.notices.write"),
    "work": Action(N_("Ask a department"), "W", "cases.work_items.write", owned=True),
    "start": Action(N_("Begin work"), "B", "cases.work_items.write", owned=True),
    "forecast": Action(N_("Give a date"), "F", "cases.work_items.write", owned=True),
    "finish": Action(N_("Mark as done"), "D", "cases.work_items.write", owned=True),
    "note": Action(N_("Add a note"), "", "cases.notes.write", owned=True),
    "resolve": Action(N_("Resolve the case"), "R", "cases.cases.write", owned=True),
    "owner": Action(N_("Change owner"), "", "cases.cases.write", owned=True),
}


# Keys of what is no action on a customer: the same wherever there is something of the kind.
OTHER_KEYS = {
    "C": N_("Call the customer: shows the number"),
    "Y": N_("Try again, or replay"),
    "X": N_("Drop"),
    "L": N_("Look for somebody, or at what needs somebody first"),
    "V": N_("Show more"),
    "1-9": N_("Choose the first, second, third..."),
    "H, ?": N_("All keys"),
}
STANDING_KEYS = {
    "Ctrl K": N_("Find a customer"),
    "Ctrl Enter": N_("Send the form"),
    "Esc": N_("Close what is open, and go back to where you were"),
}


@dataclass(frozen=True)
class Act:
    """An action that is offered on one thing: its button."""

    id: str
    label: str
    letter: str
    href: str


def offered(viewer: Viewer, customer: str, *actions: str, on: str = "", owner: str = "") -> Sequence[Act]:
    """The buttons that a viewer has, of some actions.

    What their token does not permit, or another department owns, has none: a service would refuse it.

    Args:
        viewer: who looks.
        customer: whom it is about, `customers/{uuid}`.
        actions: by id, most likely first.
        on: the resource, when it is not the customer.
        owner: `departments/{id}` that owns it.

    """
    asked = urlencode({"on": on}) if on else ""
    return [
        Act(each, ACTIONS[each].label, ACTIONS[each].letter, f"/{customer}/act/{each}?{asked}".rstrip("?"))
        for each in actions
        if may(viewer, ACTIONS[each], owner)
    ]


def may(viewer: Viewer, action: Action, owner: str) -> bool:
    """Whether a service would let the viewer: by their permissions, and their department."""
    service = action.permission.partition(".")[0]
    ours = not action.owned or viewer.department == owner or viewer.principal.administers(service)
    return viewer.may(action.permission) and ours
