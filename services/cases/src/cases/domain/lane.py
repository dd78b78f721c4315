"""Whom work can be given to: lanes of a queue, each of work that asks for the same.

What work asks for is a set, what an agent can do is another, and they can do it when the first is in the
second. A queue has few lanes however much waits in it, so that to find work that somebody can do is to look
at the beginnings of some lanes, and at nothing that they cannot do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

RESERVED = timedelta(minutes=30)  # that only who speaks its language is given work
URGENT = timedelta(hours=1)  # before its deadline, from when anybody is
_TEAM, _SKILL, _LANGUAGE = "team:", "skill:", "language:"


def spoken(language_code: str) -> str:
    """What of a language counts: `de` of `de-AT`."""
    return language_code.partition("-")[0].lower()


@dataclass(frozen=True, slots=True)
class Lane:
    """What work asks of who is given it; of a text such as `language:de skill:refunds team:returns`."""

    team_id: str | None = None
    skills: frozenset[str] = frozenset()
    language: str = ""  # as `spoken` has it; empty: any

    @classmethod
    def of(cls, text: str) -> "Lane":
        """The lane that is written so."""
        asked = text.split()
        team, language = _first(asked, _TEAM), _first(asked, _LANGUAGE)
        skills = frozenset(each.removeprefix(_SKILL) for each in asked if each.startswith(_SKILL))
        return cls(team or None, skills, language)

    @staticmethod
    def of_team(team_id: str) -> str:
        """What lanes have in common that are for a team."""
        return _TEAM + team_id

    def __str__(self) -> str:
        asked = [_SKILL + each for each in self.skills]
        asked += [_TEAM + self.team_id] if self.team_id else []
        asked += [_LANGUAGE + self.language] if self.language else []
        return " ".join(sorted(asked))


def _first(asked: Iterable[str], prefix: str) -> str:
    return next((each.removeprefix(prefix) for each in asked if each.startswith(prefix)), "")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an agent can do, themselves and as a member of their teams."""

    team_ids: frozenset[str]
    skills: frozenset[str]
    languages: frozenset[str]  # as `spoken` has them; empty: any

    def asked(self) -> list[str]:
        """All that work may ask of them, each as a lane has it; of languages, those that they name."""
        teams = [_TEAM + each for each in self.team_ids]
        return teams + [_SKILL + each for each in self.skills] + [_LANGUAGE + each for each in self.languages]

    def missing(self, lane: Lane) -> Lane:
        """What of that which a lane asks for they have not; of a lane that they can do, nothing."""
        team = lane.team_id if lane.team_id not in self.team_ids else None
        language = lane.language if self.languages and lane.language not in self.languages else ""
        return Lane(team, lane.skills - self.skills, language)
