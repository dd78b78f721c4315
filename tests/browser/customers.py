"""Customers to look at: one in trouble, one of whom nothing is known, one with too much of everything."""

import asyncio
from datetime import date, timedelta
from secrets import choice, randbelow
from typing import Any, NamedTuple
from uuid import uuid4

from rapport_testing.clock import ManualClock
from rapport_testing.wait import eventually
from tests.browser.company import ADMIN, ALICE, DORA, Company, Person

BILL = Person("bill", "department", "billing")
WILLY = Person("willy", "department", "warehouse")
QUARTERS = [30, 52, 44, 70, 38, 82, 64, 96]  # what was paid in each
SAID = [
    (timedelta(days=3), "EMAIL", "Wrote that the order has not arrived."),
    (timedelta(hours=1), "VOICE", "Asks when it comes: her daughter's birthday is on Friday."),
]
MUCH, AT_ONCE = 60, 6
TARIFF = "front-desk.tariff"


def moment(company: Company, **ago: float) -> str:
    """A time before now, as JSON has it."""
    return (company.clock.now() - timedelta(**ago)).isoformat().replace("+00:00", "Z")


def ahead(company: Company, **until: float) -> str:
    """A time after now, as JSON has it."""
    return moment(company, **{unit: -amount for unit, amount in until.items()})


async def in_trouble(company: Company, clock: ManualClock) -> str:
    """Erika Sommer, whose delivery slips, and who was told. Takes three days of the clock."""
    agent = {"displayName": "Alice Brandt", "phone": "+49 30 901820", "department": "departments/front-desk"}
    await company.ask(ADMIN, "PATCH", "agents/alice?allowMissing=true", **agent)
    erika = await _erika(company)
    opened = {"customer": erika, "topic": "late-delivery", "owner": "agents/alice"}
    case = await company.ask(ALICE, "POST", "cases:open", case=opened)
    items = {
        who: await company.ask(
            ALICE,
            "POST",
            "workItems",
            case=case["name"],
            department=f"departments/{who.department}",
            kind=kind,
            reference="orders/5021",
        )
        for who, kind in ((WILLY, "pack-order"), (DORA, "deliver-order"), (BILL, "refund-shipping"))
    }
    for days, kind, who in ((4, "delivery", DORA), (9, "refund", BILL)):
        promise = {"customer": erika, "case": case["name"], "workItem": items[who]["name"], "kind": kind}
        promise |= {"department": f"departments/{who.department}", "reference": "orders/5021"}
        promise |= {"dueTime": ahead(company, days=days)}
        await company.ask(ALICE, "POST", "promises:make", promise=promise)
    clock.advance(timedelta(hours=6))
    await company.ask(WILLY, "POST", f"{items[WILLY]['name']}:start")
    await company.ask(WILLY, "POST", f"{items[WILLY]['name']}:finish")
    await company.ask(DORA, "POST", f"{items[DORA]['name']}:start")
    clock.advance(timedelta(days=2, hours=18))
    for ago, channel, summary in SAID:
        contact = {"channel": f"CHANNEL_{channel}", "direction": "DIRECTION_INBOUND", "topic": "order"}
        occurred = (clock.now() - ago).isoformat().replace("+00:00", "Z")
        await company.ask(
            ALICE,
            "POST",
            f"{erika}/timelineEntries:recordInteraction",
            timelineEntry=contact | {"summary": summary, "occurTime": occurred},
        )
    await company.ask(
        DORA,
        "POST",
        f"{items[DORA]['name']}:forecast",
        forecastFinishTime=ahead(company, days=3),
        reasonCode="carrier-delay",
    )

    async def told() -> bool:
        view = await company.ask(ALICE, "GET", f"{erika}/view")
        return len(view.get("loyalty", {}).get("goodwill", [])) == 1 and len(company.mailbox.list()) > 0

    await eventually(told)
    return erika


async def _erika(company: Company) -> str:
    identifiers = [
        {"type": "TYPE_PHONE", "value": "+49 30 901820"},
        {"type": "TYPE_EMAIL", "value": "erika.sommer@example.com"},
    ]
    person = {"givenName": "Erika", "familyName": "Sommer"}
    where = {"languageCode": "de", "timeZone": "Europe/Berlin", "regionCode": "DE"}
    made = await company.ask(ALICE, "POST", "customers", **where, person=person, identifiers=identifiers)
    erika = str(made["name"])
    manager = {"relationshipManager": "agents/alice"}
    await company.ask(ADMIN, "POST", f"{erika}:assignRelationshipManager", **manager)
    for number, paid in enumerate(QUARTERS):
        ago = moment(company, days=91 * (len(QUARTERS) - number))
        purchase = {
            "customer": erika,
            "amount": {"currencyCode": "USD", "units": str(paid)},
            "purchaseTime": ago,
        }
        await company.ask(
            ADMIN, "POST", "purchases:record", purchase=purchase | {"reference": f"orders/{5014 + number}"}
        )
    return erika


async def well_known(company: Company, customer: str) -> None:
    """One of the ways to reach them is verified and shared, they work for somebody, and two say otherwise."""
    handle = (await company.ask(ALICE, "GET", f"{customer}/identifiers"))["identifiers"][0]
    await company.ask(ALICE, "POST", f"{handle['name']}:verify", method="code-sent")
    await company.ask(ALICE, "PATCH", f"{handle['name']}?updateMask=shared", shared=True)
    firm = {"organization": {"legalName": "Nordwerk"}}
    employer = await company.ask(ALICE, "POST", "customers", **firm)
    works = {"customer": customer, "relatedCustomer": employer["name"], "kind": "employee-of"}
    await company.ask(ALICE, "POST", "relationships", **works)
    observed = await said_twice(company, customer)
    await company.ask(ALICE, "POST", f"{customer}/attributeValues/{TARIFF}:pin", observation=observed)


async def said_twice(company: Company, customer: str) -> str:
    """Two sources say otherwise of a tariff, of which a person may say which stands; the older one."""
    declared = {"displayName": "Tariff", "type": "TYPE_CODE", "codes": ["basic", "premium"]}
    declared |= {"dataClass": "DATA_CLASS_PLAIN", "rule": "RULE_MANUAL"}
    await company.ask(ADMIN, "POST", f"attributes/{TARIFF}:put", **declared)
    observed = []
    for days, source, code in ((9, "crm", "basic"), (2, "web-form", "premium")):
        values = [{"attribute": f"attributes/{TARIFF}", "value": {"code": code}}]
        of = {"source": source, "observeTime": moment(company, days=days), "confidence": 0.8}
        said = await company.ask(
            ALICE, "POST", f"{customer}/observations:recordObservation", observation=of | {"values": values}
        )
        observed.append(str(said["name"]))
    return observed[0]


async def unknown(company: Company) -> str:
    """Somebody of whom one knows a number, and nothing else."""
    phone = [{"type": "TYPE_PHONE", "value": "+46 8 508 290 00"}]
    return str((await company.ask(ALICE, "POST", "customers", identifiers=phone))["name"])


async def too_much(company: Company, much: int = MUCH) -> str:
    """Somebody with the longest name there is, and more of everything than fits anywhere."""
    name = {
        "givenName": "Wolfeschlegelsteinhausenbergerdorff " * 2,
        "familyName": "Featherstonehaugh-Cholmondeley",
    }
    emails = [{"type": "TYPE_EMAIL", "value": f"w{n}.{'long' * 12}@example.com"} for n in range(20)]
    made = await company.ask(ALICE, "POST", "customers", person=name, identifiers=emails)
    customer = str(made["name"])
    for first in range(0, much, AT_ONCE):  # more would wait for each other for too long on a busy machine
        await asyncio.gather(*(_pile(company, customer, n) for n in range(first, min(first + AT_ONCE, much))))
    return customer


async def _pile(company: Company, customer: str, number: int) -> None:
    """One more of everything."""
    opened = {
        "customer": customer,
        "topic": "order-delivery",
        "owner": "agents/alice",
        "displayName": f"Parcel {number} of a great many",
    }
    case = await company.ask(ALICE, "POST", "cases:open", case=opened)
    promise: dict[str, Any] = {
        "customer": customer,
        "case": case["name"],
        "department": "departments/front-desk",
    }
    promise |= {
        "kind": "delivery",
        "reference": f"orders/{number}",
        "dueTime": ahead(company, hours=number + 1),
    }
    await company.ask(ALICE, "POST", "promises:make", promise=promise)
    contact = {
        "channel": "CHANNEL_VOICE",
        "direction": "DIRECTION_INBOUND",
        "summary": "And another thing. " * 40,
    }
    await company.ask(ALICE, "POST", f"{customer}/timelineEntries:recordInteraction", timelineEntry=contact)
    purchase = {"customer": customer, "amount": {"currencyCode": "USD", "units": str(10**9 + number)}}
    purchase["purchaseTime"] = moment(company, days=number)
    await company.ask(ADMIN, "POST", "purchases:record", purchase=purchase)


async def somebody(company: Company, given: str = "Nora", **more: Any) -> str:
    """Somebody ordinary, whom nothing has happened to yet."""
    email = {"type": "TYPE_EMAIL", "value": f"nora.{uuid4().hex[:8]}@example.com"}
    known: dict[str, Any] = {"person": {"givenName": given, "familyName": "Winter"}, "identifiers": [email]}
    return str((await company.ask(ALICE, "POST", "customers", **known | more))["name"])


def surname() -> str:
    """A family name that nobody has, with one `e`."""
    syllables = [choice("bdfghklmnrstw") + choice("aiou") for _ in range(4)]
    return f"{choice('BDFGHKLMNRSTW')}e{''.join(syllables)}"


class Twice(NamedTuple):
    """Somebody who came twice.

    Attributes:
        question: whether both are one.
        customer: who came first.
        called: each record's name.
        born: when, as both say.
    """

    question: str
    customer: str
    called: tuple[str, str]
    born: date


async def twice(company: Company, family: str = "", born: date | None = None) -> Twice:
    """Somebody who came twice, and of whom a person is asked: nobody who is known already, unless named."""
    family = family or surname()
    born = born or date(1930, 1, 1) + timedelta(days=randbelow(25_000))
    names, called = [], []
    for given, spelt in (("Robert", family), ("Bob", family.replace("e", "a", 1))):
        person: dict[str, Any] = {"givenName": given, "familyName": spelt}
        person |= {"birthDate": {"year": born.year, "month": born.month, "day": born.day}}
        names.append(await somebody(company, person=person))
        called.append(f"{given} {spelt}")

    async def asked() -> str:
        told = await company.ask(ALICE, "GET", f"matchCandidates?customer={names[1]}")
        found = [each for each in told.get("matchCandidates", []) if each["customer"] == names[0]]
        return found[0]["name"] if found else ""

    return Twice(str(await eventually(asked)), names[0], (called[0], called[1]), born)


async def merged(company: Company, customer: str, other: str, **more: Any) -> str:
    """Have two be one customer; the merge."""
    merge = {"customer": customer, "mergedCustomer": other, "reasonCode": "same-person", **more}
    return str((await company.ask(ADMIN, "POST", "customerMerges", **merge))["name"])


async def taken_apart(company: Company, customer: str, other: str) -> str:
    """Have another be taken for the customer, who says something, until that is undone; the merge."""
    merge = await merged(company, customer, other)
    await say(company, customer, "Moves to Kiel.")
    await company.ask(ADMIN, "POST", f"{merge}:undo", reasonCode="two-persons")
    return merge


async def contacts(company: Company, customer: str) -> list[str]:
    """What was said, as it was recorded, newest first."""
    listed = await company.ask(ALICE, "GET", f"{customer}/timelineEntries?pageSize=1000")
    return [each["summary"] for each in listed.get("timelineEntries", []) if each.get("summary")]


async def say(company: Company, customer: str, summary: str, **more: Any) -> None:
    """Have a colleague record a contact."""
    contact = {"channel": "CHANNEL_VOICE", "direction": "DIRECTION_INBOUND", "summary": summary, **more}
    await company.ask(DORA, "POST", f"{customer}/timelineEntries:recordInteraction", timelineEntry=contact)
