"""The names of resources that the loyalty service has or refers to."""

from chassis.names import Pattern

CUSTOMER = Pattern("customers/{customer}")
DEPARTMENT = Pattern("departments/{department:code}")
AUTHORITY_POLICY = Pattern("authorityPolicies/{authority_policy:code}")
CASE = Pattern("cases/{case}")
PROMISE = Pattern("promises/{promise}")
PROGRAM = Pattern("programs/{program:code}")
UNIT = Pattern("programs/{program:code}/units/{unit:code}")
MEMBERSHIP = Pattern("programs/{program:code}/memberships/{membership}")
ACCOUNT = Pattern("programs/{program:code}/accounts/{account:code}")
LOT = Pattern("programs/{program:code}/accounts/{account:code}/lots/{lot}")
RESERVATION = Pattern("reservations/{reservation}")
TRANSFER = Pattern("transfers/{transfer}")
PURCHASE = Pattern("purchases/{purchase}")
CUSTOMER_VALUE = Pattern("customerValues/{customer_value}")
EXCHANGE_RATE = Pattern("exchangeRates/{exchange_rate:code}")
GOODWILL = Pattern("goodwill/{goodwill}")
MEMBER = Pattern("programs/{program:code}/memberships/{membership}/members/{member}")
CARD = Pattern("programs/{program:code}/memberships/{membership}/cards/{card}")
TIER = Pattern("programs/{program:code}/tiers/{tier:code}")
TIER_STANDING = Pattern("programs/{program:code}/memberships/{membership}/tierStanding")
