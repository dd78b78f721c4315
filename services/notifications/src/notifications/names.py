"""The names of resources, and of whom they belong to."""

from chassis.names import Pattern

NOTICE = Pattern("notices/{notice}")
TEMPLATE = Pattern("templates/{template:code}")
ATTEMPT = Pattern("notices/{notice}/attempts/{delivery_attempt:number}")
TEXT = Pattern("templates/{template:code}/texts/{template_text:code}")
TEXT_VERSION = Pattern("templates/{template:code}/texts/{template_text:code}/versions/{version:code}")
INBOX_MESSAGE = Pattern("customers/{customer}/inboxMessages/{inbox_message}")
JOB = Pattern("noticeJobs/{notice_job}")
POLICY = Pattern("noticePolicies/{notice_policy:code}")
PROVIDER = Pattern("providers/{provider:code}")
CASE = Pattern("cases/{case}")
CONSENT = Pattern("customers/{customer}/consents/{consent:code_pair}")
CUSTOMER = Pattern("customers/{customer}")
DEPARTMENT = Pattern("departments/{department:code}")

FRONT_DESK = "agents/front-desk"  # who is always in the directory, and nobody in particular
