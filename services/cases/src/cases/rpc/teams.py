"""The gRPC service of teams."""

from datetime import datetime
from typing import ClassVar

from cases.names import TEAM
from cases.store import teams as store
from cases.usecases.team import create_team, update_team
from chassis.api.checks import Rules
from chassis.api.validation import Check
from chassis.explain.explainer import explain
from chassis.grpc.methods import change, get, listing
from chassis.servicer import Rpc
from rapport.cases.v1 import team_service_pb2 as pb
from rapport.cases.v1.team_pb2 import Team
from rapport.cases.v1.team_service_pb2_grpc import TeamServiceServicer


def check_team(check: Check, sent: Team, now: datetime) -> None:
    """Each skill once."""
    check.different(sent.skills, "skills[{}]")


class TeamRpc(Rpc, TeamServiceServicer):
    """The teams of departments."""

    rules: ClassVar[Rules] = {Team: check_team}

    CreateTeam = change(pb.CreateTeamRequest, create_team, Team)
    UpdateTeam = change(pb.UpdateTeamRequest, update_team, Team)
    GetTeam = get(TEAM, store.TEAM, Team)
    ListTeams = listing(pb.ListTeamsResponse, store.LIST_TEAMS)
    ExplainTeam = explain(TEAM, store.TEAM, Team)
