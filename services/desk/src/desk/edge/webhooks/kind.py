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
        agents: the codes of those at whom it begins to ring, or of who answered.
        caller: who calls.
        answered, over: what of the call it tells.

    """

    id: str = ""
    call: str = ""
    agents: tuple[str, ...] = ()
    caller: str = field(default="", repr=False)
    answered: bool = False
    over: bool = False


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

    """

    name: str
    read: Callable[[Sequence[bytes], str], Contact]
    media_type: str = JSON
    body_max_bytes: int = MIB
    glance: Callable[[bytes, str], Glance] = _glance
    keep: Callable[[bytes], bytes] = bytes
