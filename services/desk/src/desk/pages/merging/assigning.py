"""Of a contact recorded while two were taken for one somebody says whose it is, once they are two."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from desk.auth.sessions import Viewer
from desk.pages.actions.kinds.merges import ASSIGN
from desk.pages.actions.offering import offered
from desk.pages.customer.entries import Entry
from desk.ui.speech import Speech
from rapport.customer.v1.customer_merge_pb2 import CustomerMerge
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.timeline_pb2 import TimelineEntry


@dataclass(frozen=True)
class Assigning:
    """Makes lines that say whose they are, for one viewer; `people` are by the names that they have."""

    merge: CustomerMerge
    viewer: Viewer
    people: Mapping[str, Customer]
    say: Speech

    def lines(self, lines: Iterable[Entry], listed: Iterable[TimelineEntry]) -> Sequence[Entry]:
        """The lines, those that are folded as well."""
        assigned = {each.name: each.assigned_customer for each in listed}
        return [self._line(each, assigned) for each in lines]

    def _line(self, line: Entry, assigned: Mapping[str, str]) -> Entry:
        is_open = line.contact and self.merge.state == CustomerMerge.STATE_UNDONE
        who = self.people.get(assigned[line.name], Customer()).display_name
        return replace(
            line,
            whose=self.say("It is of {who}.", who=who or self.say("A customer"))
            if assigned[line.name]
            else "",
            acts=offered(self.viewer, self.merge.customer, ASSIGN, on=line.name) if is_open else (),
            behind=[self._line(each, assigned) for each in line.behind],
        )
