"""What the page of a case says: a pure function of what the services answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chassis.api.messages import moment, value_name
from desk.auth.sessions import Viewer
from desk.language.catalogues import N_
from desk.pages.actions.kinds.calls import CALL
from desk.pages.actions.kinds.case_links import MERGE_CASE, SPLIT, UNMERGE_CASE
from desk.pages.actions.kinds.cases import NOTE, OWNER, REOPEN, RESOLVE
from desk.pages.actions.kinds.clocks import PAUSE, RESUME
from desk.pages.actions.kinds.escalations import ESCALATE
from desk.pages.actions.kinds.handing import further
from desk.pages.actions.kinds.work_items import WORK, possible
from desk.pages.actions.offering import offered
from desk.pages.case.above import above, is_asked
from desk.pages.case.holding import grouped, holder
from desk.pages.case.picture import Lane, lane
from desk.pages.case.reply import reply
from desk.pages.customer.cases import how_far
from desk.pages.customer.loading import Names
from desk.pages.customer.page import Card
from desk.pages.customer.promises import told_of
from desk.pages.customer.things import metric_of, page_of_call, title_of
from desk.pages.services import Parts
from desk.ui import words
from desk.ui.speech import Speech
from rapport.cases.v1.case_link_pb2 import CaseLink
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.clock_pb2 import Clock
from rapport.cases.v1.clock_service_pb2 import ListClocksResponse
from rapport.cases.v1.handoff_service_pb2 import ListHandoffsResponse
from rapport.cases.v1.note_pb2 import Note
from rapport.cases.v1.note_service_pb2 import ListNotesResponse
from rapport.cases.v1.promise_service_pb2 import ListPromisesResponse
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.cases.v1.work_item_service_pb2 import ListWorkItemsResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.notifications.v1.notice_service_pb2 import ListNoticesResponse

_OPEN = (WORK, CALL, NOTE, OWNER, SPLIT, MERGE_CASE)
_STATES = {
    "RECEIVED": N_("We have it, nobody has begun"),
    "IN_PROGRESS": N_("In progress"),
    "WAITING_FOR_CUSTOMER": N_("It waits for the customer"),
    "RESOLVED": N_("Resolved"),
}
# In the order in which they are listed.
_CLOCKS = ("BREACHED", "RUNNING", "PAUSED", "FULFILLED")


def _state_of(clock: Clock) -> str:
    """Where a clock is; what was done late stays BREACHED."""
    return value_name(clock, "state") or "RUNNING"


def title(case: Case, parts: Parts, say: Speech) -> str:
    return title_of(case, say, parts.of("items", ListWorkItemsResponse).work_items)


def who(case: Case, parts: Parts, say: Speech) -> str:
    known = parts.of("customer", dict[str, Customer]).get(case.customer, Customer())
    return known.display_name or say("a customer")


def page(case: Case, parts: Parts, viewer: Viewer, names: Names, say: Speech) -> dict[str, Card]:
    """The cards of the page by name, of whatever was answered."""
    make = _Maker(case, parts, viewer, names, say)
    return {
        "head": make.head(),
        "above": above(case, parts, viewer, names, say),
        "clocks": make.clocks(),
        "work": make.work(),
        "handoffs": make.handoffs(),
        "promises": make.promises(),
        "links": make.links(),
        "notes": make.notes(),
    }


@dataclass(frozen=True)
class _Maker:
    case: Case
    parts: Parts
    viewer: Viewer
    names: Names
    say: Speech

    @property
    def items(self) -> Sequence[WorkItem]:
        return self.parts.of("items", ListWorkItemsResponse).work_items

    def _offered(self, *actions: Any, on: str, owner: str) -> Any:
        return offered(self.viewer, self.case.customer, *actions, on=on, owner=owner)

    def head(self) -> Card:
        """Where the case is, who answers for it, how pressing it is and why, and who holds it now."""
        say, case = self.say, self.case
        waiting = [each for each in self.items if value_name(each, "state") != "FINISHED"]
        done = self.parts.has("items") and not waiting
        is_open = value_name(case, "state") == "OPEN"
        acts = _OPEN if is_open else (UNMERGE_CASE,) if case.merged_into else (REOPEN, OWNER)
        acts = (RESOLVE, *acts) if is_open and done else acts
        acts = (*acts, ESCALATE) if is_open and not is_asked(self.parts) else acts
        return Card(
            name=case.name,
            state=say(_STATES.get(value_name(case, "progress"), N_("In progress"))),
            priority=value_name(case, "priority"),
            reasons=", ".join(say.code(each) for each in case.priority_reasons),
            owner=say("{who} owns it.", who=self.names(case.owner)),
            lasting=self._lasting(is_open),
            holders=grouped(waiting, self._holder, say),
            reply=reply(case, waiting, say),
            problem=words.last(case.name) if value_name(case, "kind") == "PROBLEM" else "",
            acts=self._offered(*acts, on=case.name, owner=case.department),
        )

    def _lasting(self, is_open: bool) -> str:
        opened = moment(self.case.open_time)
        if is_open:
            return self.say("open for {span}", span=self.say.lasting(self.say.now - opened))
        if not self.case.HasField("resolve_time"):  # settled with the one into which it was merged
            return self.say("since {moment}", moment=self.say.moment(opened))
        ended = moment(self.case.resolve_time)
        how = self.say.code(self.case.resolution)
        return self.say("{how} after {span}", how=how, span=self.say.lasting(ended - opened))

    def _holder(self, item: WorkItem) -> str:
        return holder(item, self.parts, self.names, self.say)

    def work(self) -> Card:
        titles = {each.name: self.say.about(each) for each in self.items}
        groups = grouped(self.items, lambda each: self._item(each, titles), self.say)
        return Card(trouble=self._trouble("items"), groups=groups)

    def _item(self, item: WorkItem, titles: Mapping[str, str]) -> Card:
        say = self.say
        after = [titles[each] for each in item.predecessors if each in titles]
        return Card(
            name=item.name,
            department=say.named(item.department),
            what=titles[item.name],
            page=page_of_call(item),
            state="done" if value_name(item, "state") == "FINISHED" else "here",
            words=how_far(item, say),
            who=self.names(item.assignee) if item.assignee else "",
            after=say("after: {what}", what=", ".join(after)) if after else "",
            fields=[(say.titled(key), said) for key, said in sorted(item.fields.items())],
            acts=self._offered(*possible(item), *further(item), on=item.name, owner=item.department),
        )

    def handoffs(self) -> Card:
        """Who waited how long for whom, drawn over the time of the case, and as a table."""
        listed = self.parts.of("handoffs", ListHandoffsResponse).handoffs
        start = min([moment(self.case.open_time), *(moment(each.hand_over_time) for each in listed)])
        end = self._end()
        titles = {each.name: self.say.about(each) for each in self.items}
        return Card(
            trouble=self._trouble("handoffs"),
            lanes=[self._lane(each, titles.get(each.work_item, ""), start, end) for each in listed],
            start=self.say.moment(start),
            end=self.say.moment(end),
        )

    def _end(self) -> datetime:
        """Of the picture: now, or when the case was resolved."""
        if value_name(self.case, "state") == "OPEN" or not self.case.HasField("resolve_time"):
            return self.say.now
        return moment(self.case.resolve_time)

    def _lane(self, each: Any, what: str, start: datetime, end: datetime) -> Card:
        say, drawn = self.say, lane(each, start, end)
        giver, getter = (say.named(name) for name in (each.requesting_department, each.department))
        told = [say.code(each.reason_code)] if each.reason_code else []
        told += [say("came back")] if each.returned else []
        told += [say("the customer was asked again")] if each.asked_customer_again else []
        return Card(
            name=each.name,
            giver=giver,
            getter=getter,
            what=what,
            why=", ".join(told),
            day=say.moment(moment(each.hand_over_time)),
            waited=say.lasting(drawn.waited),
            worked=self._span(drawn.worked),
            blocked=self._span(drawn.blocked),
            drawn=drawn,
            spoken=self._spoken(getter, drawn),
        )

    def _span(self, span: timedelta) -> str:
        return self.say.lasting(span) if span else ""

    def _spoken(self, getter: str, drawn: Lane) -> str:
        waited, worked = self.say.lasting(drawn.waited), self.say.lasting(drawn.worked)
        return self.say(
            "{department}: waited {waited}, worked {worked}", department=getter, waited=waited, worked=worked
        )

    def clocks(self) -> Card:
        """How long it has, and its work: what is late, then up soonest, then what stands still, then done."""
        listed = self.parts.of("clocks", ListClocksResponse).clocks
        states = {state: place for place, state in enumerate(_CLOCKS)}
        order = sorted(listed, key=lambda each: (states[_state_of(each)], each.due_time.ToNanoseconds()))
        return Card(trouble=self._trouble("clocks"), rows=[self._clock(each) for each in order])

    def _clock(self, clock: Clock) -> Card:
        say, state = self.say, _state_of(clock)
        told = {
            "RUNNING": lambda: (
                say("until {moment}", moment=say.moment(moment(clock.due_time)))
                if clock.HasField("due_time")
                else say("its calendar does not open for so long")
            ),
            "PAUSED": lambda: say("stands still: {reason}", reason=say.code(clock.pause_reason_code)),
            "BREACHED": lambda: say("was up {moment}", moment=say.moment(moment(clock.due_time))),
            "FULFILLED": lambda: say("done {moment}", moment=say.moment(moment(clock.fulfill_time))),
        }
        acts = {"RUNNING": (PAUSE,), "PAUSED": (RESUME,)}.get(state, ())
        titles = {each.name: self.say.about(each) for each in self.items}
        return Card(
            name=clock.name,
            what=", ".join(filter(None, (metric_of(clock, say), titles.get(clock.work_item, "")))),
            words=told[state](),
            left=say.away(moment(clock.due_time))
            if state == "RUNNING" and clock.HasField("due_time")
            else "",
            allowed=say.count(clock.business_minutes, "of {n} minute", "of {n} minutes"),
            mood={"BREACHED": "no", "FULFILLED": "ok"}.get(state, "soft"),
            acts=self._offered(*acts, on=clock.name, owner=clock.department),
        )

    def links(self) -> Card:
        listed = self.parts.of("links", list[tuple[CaseLink, Case]])
        return Card(
            trouble=self._trouble("links"), rows=[self._link(*each) for each in listed if each[1].name]
        )

    def _link(self, link: CaseLink, other: Case) -> Card:
        is_here = link.case == self.case.name
        told = words.LINKS.get(value_name(link, "kind"), words.LINKS["RELATED"])[0 if is_here else 1]
        return Card(
            name=link.name,
            other=other.name,
            title=title_of(other, self.say),
            words=self.say(told),
            state=self.say(_STATES.get(value_name(other, "progress"), N_("In progress"))),
        )

    def promises(self) -> Card:
        listed = self.parts.of("promises", ListPromisesResponse).promises
        answering = {self.case.name: self.case.department}

        def offer(*actions: Any, on: str, owner: str = "") -> Any:
            return self._offered(*actions, on=on, owner=owner)

        notices = self.parts.of("notices", ListNoticesResponse) if self.parts.has("notices") else None
        urgent, others = told_of(listed, notices, set(), answering, offer, self.say)
        return Card(trouble=self._trouble("promises"), urgent=urgent, others=others)

    def notes(self) -> Card:
        listed = self.parts.of("notes", ListNotesResponse)
        return Card(
            trouble=self._trouble("notes"),
            rows=[self._note(each) for each in reversed(listed.notes)],
            more=bool(listed.next_page_token),
        )

    def _note(self, note: Note) -> Card:
        is_told = value_name(note, "visibility") == "CUSTOMER"
        return Card(
            name=note.name,
            text=note.text,
            who=self.names(note.author),
            when=self.say.moment(moment(note.create_time)),
            whom=self.say("for the customer, too") if is_told else self.say("for colleagues"),
        )

    def _trouble(self, name: str) -> str:
        refusal = self.parts[name].refusal
        return self.say.refusal(refusal) if refusal else ""
