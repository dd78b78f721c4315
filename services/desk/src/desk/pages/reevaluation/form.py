"""What a form says of a job that reckons anew: which purchases, and by what."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from chassis.api.messages import timestamp
from chassis.errors import invalid
from desk.pages.customer.route import UUID as CUSTOMER_ID
from rapport.loyalty.v1.reevaluation_job_pb2 import ReevaluationJob


@dataclass(frozen=True)
class Asked:
    """Days from first to last, as they are where the viewer is."""

    by: str = ""  # `programs/{id}`, or `earningRules/{id}` with or without a version
    first: str = ""
    last: str = ""
    store: str = ""
    customer: str = ""  # the id of one
    rules_digest: str = ""  # of its preview
    request_id: str = ""

    @property
    def hidden(self) -> Mapping[str, str]:
        """Everything, as fields of a form that is sent again."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def job(self, zone: ZoneInfo) -> ReevaluationJob:
        """InvalidArgument for what is no day."""
        first, last = (_day(name, getattr(self, name)) for name in ("first", "last"))
        return ReevaluationJob(
            program=self.by if self.by.startswith("programs/") else "",
            earning_rule=self.by if self.by.startswith("earningRules/") else "",
            start_time=timestamp(datetime.combine(first, time(), zone)),
            end_time=timestamp(datetime.combine(last + timedelta(days=1), time(), zone)),
            store=self.store,
            customer=f"customers/{self.customer}" if self.customer else "",
        )


def asked(said: Mapping[str, object]) -> Asked:
    """What a URL or a form says. InvalidArgument."""
    told = {each.name: str(said.get(each.name, "")).strip() for each in fields(Asked)}
    if told["customer"] and not CUSTOMER_ID.fullmatch(told["customer"]):
        raise invalid("customer", "INVALID_NAME", "must be the id of a customer")
    try:
        told["request_id"] = str(UUID(told["request_id"])) if told["request_id"] else str(uuid4())
    except ValueError:
        raise invalid("request_id", "INVALID_UUID", "must be a UUID") from None
    return Asked(**told)


def _day(name: str, typed: str) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise invalid(name, "INVALID_TIME", "must be a day") from None
    if not 1970 <= day.year < 9999:
        raise invalid(name, "INVALID_TIME", "must be a day")
    return day
