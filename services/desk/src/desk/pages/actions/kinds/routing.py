"""For whom in a department work is: a team, what they can do, the language that they speak."""

from desk.pages.actions.action import Doing, Values
from desk.pages.base import Looking
from desk.pages.services import ask
from desk.ui import words
from rapport.cases.v1.team_pb2 import Team
from rapport.cases.v1.team_service_pb2 import ListTeamsRequest, ListTeamsResponse

TEAMS_S = 0.8
FIELDS = ("team", "required_skills", "language_code")  # as the contract calls them


async def routed(look: Looking, but: str = "") -> Values:
    """What `routing.html` holds at first: the teams to choose from, of all departments but one."""
    listed = await ask(TEAMS_S, teams=look.services.teams.ListTeams(ListTeamsRequest(page_size=1000)))
    found = [each for each in listed.of("teams", ListTeamsResponse).teams if each.department != but]
    teams = [("", look.say("anybody of the department")), *(_offered(look, each) for each in found)]
    return dict.fromkeys(FIELDS, "") | {"teams": teams}


def _offered(look: Looking, team: Team) -> tuple[str, str]:
    department = look.say.titled(words.last(team.department))
    return team.name, f"{department}: {team.display_name or look.say.titled(words.last(team.name))}"


def skills(doing: Doing) -> list[str]:
    """What was typed of skills, with commas or spaces between them."""
    return doing.text("required_skills").replace(",", " ").split()
