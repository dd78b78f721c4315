"""For whom in a department work is: a team, what they can do, the language that they speak."""

from desk.language.catalogues import N_
from desk.pages.actions.action import Action, Doing, Done, Values
from desk.pages.base import Looking
from desk.pages.services import ask
from rapport.cases.v1 import work_item_service_pb2 as pb
from rapport.cases.v1.team_pb2 import Team
from rapport.cases.v1.team_service_pb2 import ListTeamsRequest, ListTeamsResponse

TEAMS_S = 0.8
FIELDS = ("team", "required_skills", "language_code")  # as the contract calls them


async def routed(look: Looking, but: str = "", of: str = "") -> Values:
    """What `routing.html` holds at first: the teams to choose from, of one department, or of all but one."""
    listed = await ask(TEAMS_S, teams=look.services.teams.ListTeams(ListTeamsRequest(page_size=1000)))
    teams = listed.of("teams", ListTeamsResponse).teams
    found = [each for each in teams if each.department != but and of in ("", each.department)]
    choices = [("", look.say("anybody of the department")), *(_offered(look, each) for each in found)]
    return dict.fromkeys(FIELDS, "") | {"teams": choices}


def _offered(look: Looking, team: Team) -> tuple[str, str]:
    department = look.say.named(team.department)
    return team.name, f"{department}: {team.display_name or look.say.named(team.name)}"


def skills(doing: Doing) -> list[str]:
    """What was typed of skills, with commas or spaces between them."""
    return doing.text("required_skills").replace(",", " ").split()


async def _as_it_is(doing: Doing) -> Values:
    item = await doing.look.services.work_items.GetWorkItem(pb.GetWorkItemRequest(name=doing.on))
    return await routed(doing.look, of=item.department) | {
        "etag": item.etag,
        "what": doing.look.say.about(item),
        "team": item.team,
        "required_skills": ", ".join(item.required_skills),
        "language_code": item.language_code,
    }


async def _route(doing: Doing) -> Done:
    request = doing.request(
        pb.RouteWorkItemRequest,
        team=doing.text("team"),
        required_skills=skills(doing),
        language_code=doing.text("language_code"),
    )
    item = await doing.look.services.work_items.RouteWorkItem(request)
    say = doing.look.say
    return Done(say("Whom it is for is kept: {what}.", what=say.about(item)), doing.on)


ROUTE = Action(
    id="route",
    label=N_("Whom it is for"),
    permission="cases.work_items.write",
    owned=True,
    consequence=N_("It keeps its place in the queue by when it is due."),
    open=_as_it_is,
    do=_route,
    template="pages/actions/kinds/route.html",
)
