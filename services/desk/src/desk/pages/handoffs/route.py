"""`/handoffs`: who waited how long for whom, over the cases that were opened in some weeks."""

from datetime import date, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from chassis.api.messages import day, timestamp
from chassis.errors import invalid
from desk.pages.base import Look
from desk.pages.departments.periods import begin, choices, period
from desk.pages.handoffs import view
from desk.pages.services import ask
from desk.pages.work.route import CODE
from desk.ui import words
from rapport.cases.v1.handoff_service_pb2 import HandoffReport, ReportHandoffsRequest
from rapport.cases.v1.topic_service_pb2 import ListTopicsRequest, ListTopicsResponse

router = APIRouter()
REPORT_S = 8.0  # of a year of cases


@router.get("/handoffs")
async def handoffs(
    look: Look, weeks: int = 13, until: date | None = None, topic: str = "", department: str = ""
) -> Response:
    """The page."""
    for name, code in (("topic", topic), ("department", department)):
        if code and not CODE.fullmatch(code):
            raise invalid(name, "INVALID_FILTER", "must be a code such as late-delivery")
    shown = period(weeks, until, look.say.today)
    asked = ReportHandoffsRequest(
        start_time=timestamp(begin(shown.first)), end_time=timestamp(begin(shown.until)), topic=topic
    )
    services = look.services
    parts = await ask(
        REPORT_S,
        report=services.handoffs.ReportHandoffs(asked),
        topics=services.topics.ListTopics(ListTopicsRequest(page_size=1000)),
    )
    if parts["report"].refusal and not parts["report"].away:
        raise parts["report"].refusal
    topics = {words.last(each.name) for each in parts.of("topics", ListTopicsResponse).topics} | {topic}
    away = look.say("Cases does not answer; look again in a moment.")
    return look.answer(
        "pages/handoffs/page.html",
        page=view.report(parts.of("report", HandoffReport), shown, topic, department, look.say),
        trouble="" if parts.has("report") else away,
        choices=choices("/handoffs", shown, look.say, topic=topic, department=department),
        topics=[(code, look.say.titled(code)) for code in sorted(topics - {""})],
        shown=shown,
        topic=topic,
        department=department,
        since=look.say.partly(day(shown.first)),
        until=look.say.partly(day(shown.until - timedelta(days=1))),
    )
