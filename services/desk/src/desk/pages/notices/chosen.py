"""Which messages are looked at: each choice is a URL."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from chassis.errors import invalid
from desk.language.catalogues import N_
from desk.pages.customer.route import UUID
from desk.pages.work.route import CODE
from desk.ui import words

# Where a message is, with the words of the choice and the states that it is.
STATES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "waits": (N_("Waits"), ("REQUESTED", "SENDING")),
    "sent": (N_("Sent"), ("SENT",)),
    "arrived": (N_("Arrived"), ("DELIVERED",)),
    "not-sent": (N_("Not sent"), ("SUPPRESSED",)),
    "failed": (N_("Failed"), ("FAILED",)),
    "unknown": (N_("Nobody knows"), ("UNKNOWN",)),
}
_NAMES = {"policy": "noticePolicies", "template": "templates", "department": "departments"}
_FIELDS = {"policy": "notice_policy"}


@dataclass(frozen=True)
class Chosen:
    """Messages in a state, of a policy, template, department, channel or customer: of any where none is."""

    state: str = ""  # one of `STATES`
    policy: str = ""  # with the next two: a code
    template: str = ""
    department: str = ""
    channel: str = ""  # a code of `words.CHANNELS`
    customer: str = ""  # an id

    @property
    def told(self) -> Mapping[str, str]:
        """What is chosen, by name, as a URL has it."""
        return {name: value for name, value in asdict(self).items() if value}

    def url(self, **more: str) -> str:
        return f"/notices?{urlencode({**self.told, **more})}"

    def other(self, **chosen: str) -> str:
        """The URL of another choice."""
        return replace(self, **chosen).url()

    @property
    def filter(self) -> str:
        """For `ListNotices`."""
        states = " OR ".join(f"state = {state}" for state in STATES.get(self.state, ("", ()))[1])
        terms = [
            *(
                f'{_FIELDS.get(name, name)} = "{collection}/{code}"'
                for name, collection in _NAMES.items()
                if (code := getattr(self, name))
            ),
            self.channel and f"channel = {words.CHANNELS[self.channel]}",
            self.customer and f'customer = "customers/{self.customer}"',
            states and f"({states})",
        ]
        return " AND ".join(filter(None, terms))


def chosen(params: Mapping[str, str]) -> Chosen:
    """What a URL asks for. InvalidArgument for what cannot be."""
    asked = {name: params.get(name, "").strip() for name in Chosen.__dataclass_fields__}
    for name in _NAMES:
        if asked[name] and not CODE.fullmatch(asked[name]):
            raise invalid(name, "INVALID_FILTER", "must be a code such as voucher-ends")
    if asked["customer"] and not UUID.fullmatch(asked["customer"]):
        raise invalid("customer", "INVALID_FILTER", "must be the id of a customer")
    for name, known in (("state", STATES), ("channel", words.CHANNELS)):
        if asked[name] and asked[name] not in known:
            raise invalid(name, "INVALID_FILTER", f"must be one of {', '.join(known)}")
    return Chosen(**asked)
