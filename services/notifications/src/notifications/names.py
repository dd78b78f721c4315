"""The names of resources, ours and those of others that notices refer to."""

from chassis.names import Pattern

NOTICE = Pattern("notices/{notice}")
TEMPLATE = Pattern("templates/{template:code}")
ATTEMPT = Pattern("notices/{notice}/attempts/{attempt:number}")
TEXT = Pattern("templates/{template:code}/texts/{text:code}")
TEXT_VERSION = Pattern("templates/{template:code}/texts/{text:code}/versions/{version:code}")
POLICY = Pattern("noticePolicies/{notice_policy:code}")
CUSTOMER = Pattern("customers/{customer}")
PURPOSE = Pattern("purposes/{purpose:code}")
PROMISE = Pattern("promises/{promise}")
CASE = Pattern("cases/{case}")
