"""The names of resources that the customer service has or refers to."""

from chassis.names import Pattern

CUSTOMER = Pattern("customers/{customer}")
IDENTIFIER = Pattern("customers/{customer}/identifiers/{identifier}")
ENTRY = Pattern("customers/{customer}/timelineEntries/{entry}")
VIEW = Pattern("customers/{customer}/view")
CONSENT = Pattern("customers/{customer}/consents/{consent:code_pair}")
PURPOSE = Pattern("purposes/{purpose:code}")
EVERY_PURPOSE = "purposes/-"
SELF_SERVICE_LINK = Pattern("customers/{customer}/selfServiceLink")
WORDING = Pattern("purposes/{purpose:code}/wordings/{wording:code}")
WORDING_VERSION = WORDING.version()
PREFERENCES = Pattern("customers/{customer}/preferences")
IMPORT_JOB = Pattern("importJobs/{import_job}")
CUSTOMER_MERGE = Pattern("customerMerges/{customer_merge}")
AGENT = Pattern("agents/{agent:code}")
DEPARTMENT = Pattern("departments/{department:code}")
SECTION_SCHEMA = Pattern("sectionSchemas/{section_schema:code}")
SECTION = Pattern("customers/{customer}/view/sections/{view_section:code}")
MATCH_CANDIDATE = Pattern("matchCandidates/{match_candidate}")
MATCH_PARAMETERS = Pattern("matchParameters/{match_parameters}")
MATCH_JOB = Pattern("matchJobs/{match_job}")
ATTRIBUTE = Pattern("attributes/{attribute:code_pair}")
ATTRIBUTE_VALUE = Pattern("customers/{customer}/attributeValues/{attribute_value:code_pair}")
OBSERVATION = Pattern("customers/{customer}/observations/{observation}")
RELATIONSHIP = Pattern("relationships/{relationship}")
SUPPRESSION = Pattern("suppressions/{suppression}")
