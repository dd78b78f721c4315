"""What a kind of webhook brings: how its body is read, and what of it is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from desk.edge.webhooks import payload
from desk.edge.webhooks.contact import Contact

JSON = "application/json"
KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Glance:
    """What has to be known of a webhook before it is kept.

    Attributes:
        id: the sender's own, of this webhook.
        call: the sender's id of the call that it is about; empty when it is a contact by itself.
        rings_at: the code of the agent at whom it says that it rings.
    """

    id: str = ""
    call: str = ""
    rings_at: str = ""


@dataclass(frozen=True, slots=True)
class CallState:
    """How a call is, by all that was told of it.

    Attributes:
        agents: the codes of those at whom it rings, and of those who speak.
        talking: the codes of those who speak.
        number: of whom we speak with, or are about to.
        is_over: whether it has ended.
    """

    agents: frozenset[str] = frozenset()
    talking: frozenset[str] = frozenset()
    number: str = field(default="", repr=False)
    is_over: bool = False


def _no_call(bodies: Sequence[bytes], region_code: str) -> CallState:
    return CallState()


def _glance(body: bytes, region_code: str) -> Glance:
    return Glance(payload.own_id(body))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of webhook.

    Attributes:
        name: as configured.
        read: the contact in the bodies that make it up, as they came, for numbers of a region. NotUnderstood.
        media_type: of the body.
        body_max_bytes: the largest body.
        glance: what is looked at before it is kept. NotUnderstood.
        keep: what of a body is kept.
        call: how the call is that the bodies tell of, in the order in which they came. NotUnderstood.
        creates: whether somebody unknown becomes a customer where the source does not say.
    """

    name: str
    read: Callable[[Sequence[bytes], str], Contact]
    media_type: str = JSON
    body_max_bytes: int = MIB
    glance: Callable[[bytes, str], Glance] = _glance
    keep: Callable[[bytes], bytes] = bytes
    call: Callable[[Sequence[bytes], str], CallState] = _no_call
    creates: bool = True
