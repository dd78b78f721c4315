"""By which channels a message is to go."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Channel(StrEnum):
    """The touch points, as contracts have them; `NOTIFIED` are those of notices."""

    VOICE = "VOICE"
    IVR = "IVR"
    EMAIL = "EMAIL"
    CHAT = "CHAT"
    SMS = "SMS"
    WEB = "WEB"
    APP = "APP"  # which needs no address, so that nothing says whether its customer looks there
    SOCIAL = "SOCIAL"
    FAX = "FAX"
    LETTER = "LETTER"
    FIELD_VISIT = "FIELD_VISIT"
    IN_PERSON = "IN_PERSON"


NOTIFIED = (Channel.EMAIL, Channel.SMS, Channel.APP)


@dataclass(slots=True)
class DeliveryStrategy:
    """In which order channels are tried, each once, and for how long one may be silent."""

    # None: as the customer prefers, then whatever is served.
    channels: list[Channel] = field(default_factory=list)
    fallback_after: timedelta | None = None  # when another is tried, while nobody reports that it arrived

    def __post_init__(self) -> None:
        self.channels = list(dict.fromkeys(self.channels))
