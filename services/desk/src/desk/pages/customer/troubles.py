"""Why a card may be old, or what it offers cannot work."""

from datetime import datetime, timedelta

from chassis.api.messages import value_name
from desk.language.catalogues import N_
from desk.pages.customer.loading import PARTS_OF
from desk.pages.services import Parts
from desk.ui.speech import Speech
from rapport.customer.v1.view_pb2 import CustomerView

LATE_ONCE = timedelta(seconds=10)


class Troubles:
    """What was not answered, or is behind, in words."""

    def __init__(self, parts: Parts, view: CustomerView | None, say: Speech) -> None:
        self._parts, self._view, self._say = parts, view, say
        self._since = parts.of("silent", dict[str, datetime])

    def is_gone(self, service: str) -> bool:
        """Whether what needs a service cannot work now: it is not only late once."""
        missing = [
            part.refusal for name in PARTS_OF[service] if (part := self._parts.get(name)) and part.away
        ]
        since = self._since.get(service)
        for_long = since is not None and self._say.now - since > LATE_ONCE
        return any(for_long or (each and each.code == "UNAVAILABLE") for each in missing)

    def of(self, service: str, *parts: str) -> str:
        """Why a card may be old: its service does not answer, refuses, or the view is behind it."""
        say = self._say
        refused = [part.refusal for name in parts if (part := self._parts.get(name)) and part.refusal]
        if any(each.code == "PERMISSION_DENIED" for each in refused):
            if not self._view or service == "customer":
                return say("You may not see this.")
            told = N_("You may not see everything of {service}: this may be incomplete.")
            return say(told, service=say.titled(service))
        behind = self._behind(service)
        if refused and behind:
            return say("{service} does not answer, {behind}.", service=say.titled(service), behind=behind)
        return self.silent(service) if refused else behind

    def silent(self, service: str) -> str:
        """What to say of a service that does not answer."""
        say, since = self._say, self._since.get(service)
        if since is None or say.now - since <= LATE_ONCE:
            return say("{service} does not answer; this may be old.", service=say.titled(service))
        told = N_("{service} does not answer since {when}; this may be old.")
        return say(told, service=say.titled(service), when=say.moment(since))

    def _behind(self, service: str) -> str:
        known = self._view.freshness if self._view else ()
        source = next((each for each in known if each.service == f"services/{service}"), None)
        if source is None or value_name(source, "state") == "FRESH":
            return ""
        say, age = self._say, source.age.ToTimedelta()
        if value_name(source, "state") == "SILENT":  # a moment, which stays as it is while time goes on
            return say("nothing heard since {time}", time=say.moment(say.now - age))
        short = age < timedelta(minutes=1)
        return say("{age} behind", age=say("{n} s", n=age.seconds) if short else say.lasting(age))
