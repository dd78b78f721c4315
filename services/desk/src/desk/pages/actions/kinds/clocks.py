"""Stopping the clock of a case or of work while nobody here can do anything, and letting it go on."""

from functools import partial

from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Field, opens, sends
from rapport.cases.v1 import clock_service_pb2 as pb

_seen = opens(lambda to: to.clocks.GetClock, pb.GetClockRequest)
_owned = partial(Action, permission="cases.clocks.write", owned=True, open=_seen)
PAUSE = _owned(
    id="pause",
    label=N_("Stop the clock"),
    fields=[Field("reason", N_("It waits for"), codes=("customer-answer", "supplier", "other"))],
    button=N_("Stop the clock"),
    consequence=N_("No time counts until it goes on, or the customer says something."),
    do=sends(
        lambda to: to.clocks.PauseClock, pb.PauseClockRequest, N_("Stopped: {what}."), reason_code="reason"
    ),
)
RESUME = _owned(
    id="resume",
    label=N_("Let the clock go on"),
    button=N_("Let the clock go on"),
    do=sends(lambda to: to.clocks.ResumeClock, pb.ResumeClockRequest, N_("Goes on: {what}.")),
)
