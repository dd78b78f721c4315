"""Work that is for others of its department than it was."""

from collections.abc import Sequence

from cases.domain.facts import WorkItemUpdated
from cases.domain.work_item import WorkItem
from chassis.errors import FailedPrecondition
from chassis.facts import changed, fact_of


def reroute(
    work_item: WorkItem, team_id: str | None, skills: Sequence[str], language_code: str
) -> WorkItemUpdated | None:
    """Have work wait for a team, for who has skills, and first for who speaks a language.

    Nothing when it does. It has waited as long as it had. Refused of what is finished (`WORK_ITEM_FINISHED`),
    and of what somebody has or has begun (`WORK_ITEM_TAKEN`): it is theirs until it is put back.
    """
    work_item.require_unfinished()
    if not work_item.unattended:
        told = f"{work_item.name} is begun, or somebody's: have it put back first (AssignWorkItem to nobody)."
        raise FailedPrecondition(
            "WORK_ITEM_TAKEN", told, {"resource": work_item.name, "assignee": work_item.assignee}
        )
    wanted = {
        "team_id": team_id,
        "required_skills": sorted(set(skills)),
        "language_code": language_code,
    }
    fields = changed(work_item, wanted)
    if not fields:
        return None
    work_item.route(team_id, [*skills], language_code, work_item.queue_time or work_item.create_time)
    return fact_of(WorkItemUpdated, work_item, updated_fields=fields)
