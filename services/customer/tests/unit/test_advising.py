"""What is advised: each rule by what it finds, since when, until when, and once for each cause."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.api.messages import timestamp, value_name
from customer.domain.advice import AdviceAnswer, AdviceOutcome, AdviceRule
from customer.domain.customers import Customer
from customer.usecases.advice.giving import SHOWN_MAX, advise, found
from customer.usecases.advice.rules import ADVISED
from customer.usecases.rendering import bare
from rapport.customer.v1.view_pb2 import AdvicePart, CustomerView

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ID, OTHER = UUID(int=7), UUID(int=8)
PROMISE = "promises/p"
BESIDE = dict.fromkeys(
    [
        "answered", "answered_until", "unreached_of", "unreached", "unreached_since", "waiting_of",
        "waiting", "waiting_since", "waiting_until", "birth_date",
    ]
)  # fmt: skip


def at(days):
    return timestamp(NOW + days * DAY)


def source(days):
    return {"occur_time": at(days), "resource_version": 3}


def promise(state, due=1, **more):
    return {
        "promise": PROMISE,
        "state": f"PROMISE_STATE_{state}",
        "kind": "delivery",
        "due_time": at(due),
        "source": source(-1),
    } | more


def entry(event_type, days, **more):
    return {"name": f"entries/{days}", "event_type": event_type, "occur_time": at(days)} | more


def notice(state, **more):
    known = {"notice": "notices/n", "promise": PROMISE, "channel": "CHANNEL_EMAIL", "source": source(-1)}
    return known | {"state": f"NOTICE_STATE_{state}", "kind": "promise-at-risk"} | more


def case(state, opened=-1, **more):
    return {
        "case": "cases/c",
        "state": f"CASE_STATE_{state}",
        "topic": "late",
        "open_time": at(opened),
    } | more


def value(band, **more):
    return {"band": f"VALUE_BAND_{band}", "source": source(-1)} | more


def advised(beside=None, now=NOW, asked=ID, **view):
    """The rules by which something is advised of a view with these fields."""
    shown = advice(beside, now, asked, **view)
    return [
        AdvicePart.DESCRIPTOR.fields_by_name["rule"].enum_type.values_by_number[a.rule].name for a in shown
    ]


def advice(beside=None, now=NOW, asked=ID, **view):
    """What is advised of a view with these fields, in Berlin and German unless it says otherwise."""
    seen = CustomerView(**{"time_zone": "Europe/Berlin"} | view)
    row = BESIDE | {"asked": asked} | (beside or {})
    given, rules = advise(seen.SerializeToString(), row, "UTC", now)
    shown = CustomerView.FromString(given).advice
    assert [value_name(each, "rule") for each in shown] == rules
    return shown


def only(rule):
    return [f"ADVICE_RULE_{rule}"]


NOTIFIED = entry("rapport.cases.v1.PromiseDelayNotified", -1, resource=PROMISE)
PROMISE_RECOVERED = "rapport.cases.v1.PromiseRecovered"
RECOVERED = entry(PROMISE_RECOVERED, -1, resource=PROMISE)
RISK = entry("rapport.cases.v1.PromiseAtRisk", -3, resource=PROMISE)
CALL = "rapport.customer.v1.InteractionRecorded"
HANDED = "rapport.cases.v1.WorkItemHandedOver"
SENT, FAILED = notice("SENT"), notice("FAILED", reason_code="bounced", promise="")
GIVEN = {"goodwill": [{"state": "GOODWILL_STATE_GRANTED", "promise": PROMISE}]}
WORK = {"resource": "workItems/w", "topic": "repair"}
HANDED_TWICE = [entry(HANDED, -1, **WORK), entry(HANDED, -2, **WORK)]
FIRST_BOUGHT = timestamp(datetime(2024, 3, 5, tzinfo=UTC))
HARMED = {"harm": "HARM_LOSS"}

# Of each rule what has it advised, and what of the same keeps it from that.
CAUSES = [
    ("BROKEN_UNTOLD", {"promises": [promise("BROKEN", -1)]}),
    ("AT_RISK_UNTOLD", {"promises": [promise("AT_RISK")]}),
    ("SLIPPED_WITHOUT_GOODWILL", {"promises": [promise("KEPT_LATE", -2)]}),
    ("SLIPPED_WITHOUT_GOODWILL", {"promises": [promise("BROKEN", -2)], "notices": [SENT]}),
    ("CASE_OPEN_LONG", {"cases": [case("OPEN", -7)]}),
    ("HANDED_OVER_OFTEN", {"latest_timeline_entries": HANDED_TWICE}),
    ("NOT_FOLLOWED_UP", {"cases": [case("RESOLVED", resolve_time=at(-3), **HARMED)]}),
    ("DUE_UNCONFIRMED", {"promises": [promise("OPEN", 0.5, source=source(-3))]}),
    ("UNREACHABLE", {"beside": {"unreached_of": [ID], "unreached": [OTHER], "unreached_since": [NOW - DAY]}}),
    ("UNREACHABLE", {"notices": [FAILED]}),
    ("CONSENT_UNCONFIRMED", {"beside": {
        "waiting_of": [ID], "waiting": ["marketing.email"], "waiting_since": [NOW - 2 * DAY],
        "waiting_until": [NOW + 5 * DAY]}}),
    ("VALUE_FELL", {"value": value("SILVER", previous_band="VALUE_BAND_GOLD")}),
    ("VALUABLE_SILENT", {"value": value("GOLD", last_purchase_time=at(-91))}),
    ("BIRTHDAY", {"beside": {"birth_date": "1984-03-02"}}),
    ("BIRTHDAY", {"beside": {"birth_date": "--03-08"}}),
    ("ANNIVERSARY", {"value": value("SILVER", first_purchase_time=FIRST_BOUGHT)}),
    ("ZONE_UNKNOWN", {"time_zone": "", "profile_source": source(-1), "open_promise_count": 1}),
]  # fmt: skip
NO_CAUSES = [
    {"time_zone": "", "profile_source": source(-1)},
    {"time_zone": "UTC", "profile_source": source(-1), "open_promise_count": 1},
    {"promises": [promise("AT_RISK", source=source(-0.003))]},
    {"promises": [promise("BROKEN", -0.003, source=source(-0.003))]},
    {"promises": [promise("BROKEN", -1)], "notices": [SENT], "loyalty": GIVEN},
    {"promises": [promise("BROKEN", -1, successor="promises/q")], "loyalty": GIVEN},
    {"promises": [promise("BROKEN", -31)]},
    {"promises": [promise("AT_RISK")], "notices": [notice("REQUESTED")]},
    {"promises": [promise("AT_RISK")], "latest_timeline_entries": [NOTIFIED]},
    {"promises": [promise("AT_RISK", -0.1)]},
    {"promises": [promise("KEPT_LATE", -2)], "loyalty": GIVEN},
    {"promises": [promise("KEPT_LATE", -15)]},
    {"promises": [promise("KEPT", -2)]},
    {"promises": [promise("OPEN", 0.5)]},
    {"promises": [promise("OPEN", 3, source=source(-3))]},
    {"promises": [promise("OPEN", 0.5, source=source(-3))], "latest_timeline_entries": [RECOVERED]},
    {"cases": [case("OPEN", -6.9)]},
    {"cases": [case("RESOLVED", -30)]},
    {"cases": [case("RESOLVED", resolve_time=at(-1), **HARMED)]},
    {"cases": [case("RESOLVED", resolve_time=at(-3), harm="HARM_INCONVENIENCE")]},
    {"cases": [case("RESOLVED", resolve_time=at(-3), **HARMED)],
     "latest_timeline_entries": [entry(CALL, -2)]},
    {"latest_timeline_entries": [entry(HANDED, -1, **WORK)]},
    {"latest_timeline_entries": [entry("rapport.cases.v1.WorkItemFinished", 0, **WORK), *HANDED_TWICE]},
    {"notices": [SENT, FAILED]},
    {"value": value("SILVER", previous_band="VALUE_BAND_SILVER")},
    {"value": value("SILVER", last_purchase_time=at(-400))},
    {"value": value("GOLD", last_purchase_time=at(-91)), "latest_timeline_entries": [entry(CALL, -3)]},
    {"value": value("GOLD", last_purchase_time=at(-89))},
    {"beside": {"birth_date": "1984-03-09"}},
    {"beside": {"birth_date": "1984-03-01"}},
    {"beside": {"birth_date": "1984"}},
    {"value": value("SILVER", first_purchase_time=at(1))},
]  # fmt: skip


@pytest.mark.parametrize(("rule", "view"), CAUSES, ids=lambda each: each if isinstance(each, str) else "")
def test_a_rule_advises_of_its_cause(rule, view):
    assert advised(**view) == only(rule)
    assert set(ADVISED) == set(AdviceRule) == {AdviceRule(name) for name, _ in CAUSES}


@pytest.mark.parametrize("view", NO_CAUSES, ids=map(str, range(len(NO_CAUSES))))
def test_nothing_is_advised_without_a_cause(view):
    assert advised(**view) == []


FORECAST = promise("AT_RISK", 3, forecast_time=at(9), source=source(-2))
BROKEN, BROKEN_LATER = promise("BROKEN", -1), promise("BROKEN", -1, forecast_time=at(9))

EARLY = notice("DELIVERED", source=source(-3))
ALREADY_TOLD = notice("SUPPRESSED", reason_code="already-told")


@pytest.mark.parametrize(
    ("shown", "notices", "entries", "untold"),
    [
        (BROKEN, [notice("DELIVERED", kind="promise-recovered")], [], True),
        (BROKEN, [notice("DELIVERED", kind="of-a-department")], [], True),
        (BROKEN, [EARLY], [], False),
        (BROKEN, [EARLY], [entry(PROMISE_RECOVERED, -2, resource=PROMISE)], True),
        (BROKEN_LATER, [notice("DELIVERED", source=source(-4))], [RISK], True),
        (BROKEN_LATER, [notice("DELIVERED", source=source(-2))], [RISK], False),
        (FORECAST, [EARLY], [], True),
        (FORECAST, [notice("DELIVERED", source=source(-1))], [], False),
        (FORECAST, [ALREADY_TOLD], [], True),
        (FORECAST, [ALREADY_TOLD, EARLY], [], False),
        (promise("AT_RISK", 3), [], [entry(NOTIFIED["event_type"], -3, resource=PROMISE)], False),
    ],
)  # fmt: skip
def test_told_of_a_slip_is_who_got_the_bad_news_that_still_holds(shown, notices, entries, untold):
    view = {"promises": [shown], "notices": notices, "latest_timeline_entries": entries, "loyalty": GIVEN}
    rule = "AT_RISK_UNTOLD" if shown["state"].endswith("AT_RISK") else "BROKEN_UNTOLD"
    assert advised(**view) == (only(rule) if untold else [])


TIMELINE = "latest_timeline_entries"
BROKEN_AT_RISK = {"promises": [BROKEN], TIMELINE: [RISK]}
DUE = {"promises": [promise("OPEN", 0.5, source=source(-3))]}
SETTLED = {"cases": [case("RESOLVED", resolve_time=at(-3), **HARMED)]}


def other(days):
    """What says nothing of the promise, in each of the lists."""
    return {
        "notices": [notice("SENT", promise="", source=source(days))],
        "latest_timeline_entries": [entry("rapport.cases.v1.CaseOpened", days)],
        "loyalty.goodwill": [{"state": "GOODWILL_STATE_GRANTED", "source": source(days)}],
    }


@pytest.mark.parametrize(
    ("rule", "since", "cut", "view"),
    [
        ("AT_RISK_UNTOLD", -1, "notices", {"promises": [promise("AT_RISK")]}),
        ("AT_RISK_UNTOLD", -1, TIMELINE, {"promises": [promise("AT_RISK")]}),
        ("BROKEN_UNTOLD", -3, "notices", BROKEN_AT_RISK | {"loyalty": GIVEN}),
        ("SLIPPED_WITHOUT_GOODWILL", -2, "loyalty.goodwill", {"promises": [promise("KEPT_LATE", -2)]}),
        ("DUE_UNCONFIRMED", -3, TIMELINE, DUE),
        ("NOT_FOLLOWED_UP", -3, TIMELINE, SETTLED),
        ("VALUABLE_SILENT", -90, TIMELINE, {"value": value("GOLD", last_purchase_time=at(-91))}),
    ],
)  # fmt: skip
def test_what_is_missing_from_a_list_that_is_cut_is_missing_only_since_what_it_shows_last(
    rule, since, cut, view
):
    def cut_at(*days):
        shown = [each for day in days for each in other(day)[cut]]
        shown = {"loyalty": {"goodwill": shown}} if cut == "loyalty.goodwill" else {cut: shown}
        return advised(**view | shown, excerpts=[cut])

    assert cut_at(since + 0.5) == cut_at() == []
    assert cut_at(since + 0.5, since - 0.5) == only(rule)


def test_in_which_zone_they_live_is_known_who_said_utc_or_whose_country_has_one():
    def zone_of(**said):
        known = {"id": ID, "update_time": NOW, "version": 1} | said
        customer = Customer(**dict.fromkeys([each.name for each in fields(Customer)], "") | known)
        return CustomerView.FromString(bare(customer)).time_zone

    assert zone_of(time_zone="UTC", profile_sources='{"time_zone":[]}') == "UTC"
    assert zone_of(region_code="JP") == "Asia/Tokyo"
    assert zone_of() == zone_of(time_zone="UTC") == ""  # as of 0.2.0, where nobody said it


def test_advice_says_what_shows_it_since_when_and_until_when():
    (shown,) = advice(promises=[promise("AT_RISK", forecast_time=at(3), reference="orders/1")])
    assert shown == AdvicePart(
        advice_answer=shown.advice_answer,
        rule="ADVICE_RULE_AT_RISK_UNTOLD",
        priority="ADVICE_PRIORITY_NOW",
        evidence=PROMISE,
        variables={
            "kind": "delivery", "reference": "orders/1", "due": "2026-03-03T09:00:00Z",
            "forecast": "2026-03-05T09:00:00Z",
        },
        since_time=timestamp(NOW - DAY + timedelta(minutes=5)),
        expire_time=at(1),
    )  # fmt: skip


def test_few_are_given_the_most_urgent_first():
    everything = {
        "promises": [
            promise("KEPT_LATE", -1, promise="promises/late"),
            promise("AT_RISK", promise="promises/risk"),
            promise("BROKEN", -1, promise="promises/broken"),
        ],
        "cases": [case("OPEN", -9, case=f"cases/{i}") for i in range(9)],
        "time_zone": "",
        "profile_source": source(-1),
    }
    shown = advised(**everything)
    assert len(shown) == SHOWN_MAX
    assert [each.removeprefix("ADVICE_RULE_") for each in shown] == [
        "BROKEN_UNTOLD", "AT_RISK_UNTOLD", "SLIPPED_WITHOUT_GOODWILL", "CASE_OPEN_LONG", "CASE_OPEN_LONG",
    ]  # fmt: skip


def answers(shown, until=None):
    return {"answered": [UUID(shown.advice_answer[-36:])], "answered_until": [until]}


def test_what_is_answered_does_not_come_back_for_the_same_cause():
    view = {"promises": [promise("AT_RISK", forecast_time=at(3))]}
    (shown,) = advice(**view)
    done = answers(shown)
    assert advised(done, **view) == []
    assert advised(done, asked=OTHER, **view) == []  # under another of their names
    later = {"promises": [promise("AT_RISK", forecast_time=at(4))]}
    assert advised(done, **later) == only("AT_RISK_UNTOLD")  # which is other news


def test_what_is_not_now_comes_back_when_that_is_over():
    view = {"promises": [promise("BROKEN", -1)]}
    (shown,) = advice(**view)
    later = answers(shown, NOW + DAY)
    assert advised(later, **view) == []
    assert advised(later, now=NOW + DAY, **view) == only("BROKEN_UNTOLD")
    (again,) = advice(later, now=NOW + DAY, **view)
    assert again.since_time == shown.since_time


def test_the_last_answer_counts():
    view = {"promises": [promise("BROKEN", -1)]}
    (shown,) = advice(**view)
    twice = [UUID(shown.advice_answer[-36:])] * 2
    assert advised({"answered": twice, "answered_until": [None, NOW]}, **view) == only("BROKEN_UNTOLD")
    assert advised({"answered": twice, "answered_until": [NOW, None]}, **view) == []


def test_a_long_case_is_advised_of_again_each_week():
    view = {"cases": [case("OPEN", -8)]}
    (shown,) = advice(**view)
    done = answers(shown)
    assert advised(done, **view) == []
    assert advised(done, now=NOW + 6 * DAY, **view) == only("CASE_OPEN_LONG")


def test_a_birthday_comes_near_and_is_over_by_the_day_where_they_live():
    born = {"birth_date": "1984-03-09"}
    near = datetime(2026, 3, 2, 23, tzinfo=UTC)  # midnight in Berlin
    moments = near - DAY / 1440, near, near + 7 * DAY - DAY / 1440, near + 7 * DAY
    assert [len(advice(born, now=now)) for now in moments] == [0, 1, 1, 0]


def test_who_was_born_on_the_29th_of_february_has_a_birthday_each_year():
    now = datetime(2027, 2, 28, 9, tzinfo=UTC)
    (shown,) = advice({"birth_date": "1984-02-29"}, now=now)
    assert shown.variables["day"] == "2027-02-28"


@pytest.mark.parametrize(
    ("outcome", "until"),
    [("NOT_NOW", None), ("NOT_NOW", NOW), ("NOT_NOW", NOW + 367 * DAY), ("DONE", NOW + DAY)],
)
def test_not_now_has_an_end_within_a_year_and_done_has_none(outcome, until):
    answer = AdviceAnswer(ID, OTHER, AdviceRule.BIRTHDAY, [], AdviceOutcome.DONE, None, "", "", NOW, 0)
    with pytest.raises(Exception, match="until_time"):
        answer.answer(AdviceOutcome(outcome), until, "", "agent:alice", NOW)


def test_every_cause_has_another_name():
    causes = found(
        CustomerView(promises=[promise("BROKEN", -1, promise=f"promises/{i}") for i in range(9)]),
        BESIDE | {"asked": ID},
        "UTC",
        NOW,
    )
    assert len({each.id for each in causes}) == len(causes) == 9
