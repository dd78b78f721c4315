"""Notices by which a customer confirms a yes that they gave: a variable names the consent."""

from notifications.domain.notice import Notice
from notifications.domain.template import CONFIRM_LINK
from notifications.names import CONSENT

# What is confirmed by the very address that it is about; every other yes by whichever reaches them.
_BY_ADDRESS = ("EMAIL", "SMS")


def consent_of(notice: Notice) -> str:
    """The consent that a notice asks its customer to confirm; "" when it asks for none of theirs."""
    named = notice.variables.get(CONFIRM_LINK, "")
    return named if named.startswith(f"{notice.customer}/") and CONSENT.match(named) else ""


def confirmed_by(notice: Notice) -> str:
    """The channel by which alone a notice may ask, `EMAIL`; "" for any."""
    channel = consent_of(notice).rpartition(".")[2].upper()
    return channel if channel in _BY_ADDRESS else ""
