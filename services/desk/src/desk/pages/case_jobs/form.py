"""What a form says of a job: to which cases, and what is done to each."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlencode
from uuid import UUID, uuid4

from chassis.errors import invalid
from desk.pages.customer.route import UUID as CASE_ID
from desk.pages.work.route import CODE
from rapport.cases.v1.case_job_pb2 import CaseJob
from rapport.cases.v1.note_pb2 import Note

TEXT_MAX = 4000


@dataclass(frozen=True)
class Asked:
    """The open cases of a department, of a topic and an owner if these are said; or those of a problem."""

    department: str = ""  # a code
    topic: str = ""
    owner: str = ""  # a code
    problem: str = ""  # the id of a case
    # What is done to each: at least one thing.
    new_owner: str = ""  # `agents/{agent}`
    new_topic: str = ""
    text: str = ""  # of a note
    told: str = ""  # whether the note is for the customer, too
    resolution: str = ""
    request_id: str = ""

    @property
    def cases(self) -> Mapping[str, str]:
        """Which cases, by name of what is said."""
        said = {name: getattr(self, name) for name in ("department", "topic", "owner", "problem")}
        return {name: value for name, value in said.items() if value}

    @property
    def url(self) -> str:
        """Of the form about these cases."""
        return f"/caseJobs/new?{urlencode(self.cases)}"

    @property
    def hidden(self) -> Mapping[str, str]:
        """Everything, as fields of a form that is sent again."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def job(self) -> CaseJob:
        visibility = Note.VISIBILITY_CUSTOMER if self.told else Note.VISIBILITY_INTERNAL
        change = CaseJob.Change(
            owner=self.new_owner,
            topic=self.new_topic,
            note_text=self.text,
            note_visibility=visibility if self.text else Note.VISIBILITY_UNSPECIFIED,
            resolution=self.resolution,
        )
        if self.problem:
            return CaseJob(problem=f"cases/{self.problem}", change=change)
        terms = [
            f'department = "departments/{self.department}"',
            "state = OPEN",
            self.topic and f'topic = "{self.topic}"',
            self.owner and f'owner = "agents/{self.owner}"',
        ]
        return CaseJob(filter=" AND ".join(filter(None, terms)), change=change)


def asked(said: Mapping[str, object], department: str) -> Asked:
    """What a URL or a form says; of the viewer's department unless it says which. InvalidArgument."""
    told = {each.name: str(said.get(each.name, "")).strip() for each in fields(Asked)}
    for name in ("department", "topic", "owner"):
        if told[name] and not CODE.fullmatch(told[name]):
            raise invalid(name, "INVALID_CODE", "must be a code such as late-delivery")
    if told["problem"] and not CASE_ID.fullmatch(told["problem"]):
        raise invalid("problem", "INVALID_NAME", "must be the id of a case")
    if not told["problem"] and not told["department"]:
        told["department"] = department
    try:
        told["request_id"] = str(UUID(told["request_id"])) if told["request_id"] else str(uuid4())
    except ValueError:
        raise invalid("request_id", "INVALID_UUID", "must be a UUID") from None
    return Asked(**told)
