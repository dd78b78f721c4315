"""Resource names as the contracts have them: names outside, ids in the tables."""

from chassis.names import Pattern

CASE = Pattern("cases/{case}")
CASE_JOB = Pattern("caseJobs/{case_job}")
CASE_LINK = Pattern("caseLinks/{case_link}")
WORK_ITEM = Pattern("workItems/{work_item}")
ESCALATION = Pattern("escalations/{escalation}")
HANDOFF = Pattern("handoffs/{handoff}")
NOTE = Pattern("cases/{case}/notes/{note}")
PROMISE = Pattern("promises/{promise}")
CLOCK = Pattern("clocks/{clock}")
CLOCK_POLICY = Pattern("clockPolicies/{clock_policy:code}")
AGENT = Pattern("agents/{agent:code}")
PRESENCE = Pattern("agents/{agent:code}/presence")
AUTHORITY_POLICY = Pattern("authorityPolicies/{authority_policy:code}")
TEAM = Pattern("teams/{team:code}")
TOPIC = Pattern("topics/{topic:code}")
DEPARTMENT = Pattern("departments/{department:code}")
QUEUE = Pattern("departments/{department:code}/queue")
CALENDAR = Pattern("calendars/{calendar:code}")
CUSTOMER = Pattern("customers/{customer}")
NOTICE = Pattern("notices/{notice}")
