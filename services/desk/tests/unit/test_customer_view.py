"""What the customer page says of what services answered: no browser, no service."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from google.type.money_pb2 import Money

from chassis.api.messages import money, timestamp
from chassis.context import Principal
from chassis.errors import DeadlineExceeded, PermissionDenied, Unavailable
from desk.auth.sessions import Viewer
from desk.pages.actions.action import Action
from desk.pages.actions.kinds import ACTIONS
from desk.pages.actions.kinds.promises import AGREE, KEEP
from desk.pages.actions.offering import offered
from desk.pages.customer import loading
from desk.pages.customer.figures import first_day, quarters
from desk.pages.customer.loading import PARTS_OF, Cases, Names, Promised
from desk.pages.customer.page import Card
from desk.pages.customer.promises import told_of
from desk.pages.customer.things import masked
from desk.pages.customer.view import page
from desk.pages.services import Part, Parts
from desk.ui.speech import Speech
from rapport.cases.v1.case_pb2 import Case
from rapport.cases.v1.case_service_pb2 import ListCasesResponse
from rapport.cases.v1.promise_pb2 import Promise
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.common.v1 import channel_pb2, states_pb2
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.consent_service_pb2 import ListConsentsResponse
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.identifier_pb2 import Identifier
from rapport.customer.v1.section_service_pb2 import ListViewSectionsResponse
from rapport.customer.v1.view_pb2 import CustomerView, SourceFreshness
from rapport.loyalty.v1.goodwill_service_pb2 import CheckGoodwillResponse
from rapport.loyalty.v1.purchase_pb2 import Purchase
from rapport.loyalty.v1.purchase_service_pb2 import ListPurchasesResponse
from rapport.notifications.v1.notice_pb2 import Notice
from rapport.notifications.v1.notice_service_pb2 import ListNoticesResponse

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SAY = Speech(Locale("en", "GB"), ZoneInfo("Europe/Berlin"), NOW)
ERIKA = "customers/019cadc6-9a80-7f07-9ffb-be7cd3f05896"


def viewer(*permissions: str, department: str = "front-desk") -> Viewer:
    principal = Principal("agent:alice", department, frozenset(permissions or ("*",)))
    return Viewer(principal, "Alice", "Bearer x", "y")


WHO = Names(viewer(), {})  # is known by name


def promise(number: int, state: str = "OPEN", days: float = 2, **more: Any) -> Promise:
    more.setdefault("kind", "delivery")
    return Promise(
        name=f"promises/{number}",
        state=states_pb2.PromiseState.Value(f"PROMISE_STATE_{state}"),
        due_time=timestamp(NOW + timedelta(days=days)),
        department="departments/front-desk",
        **more,
    )


def notice(of: str, state: str, days: float = 0) -> Notice:
    return Notice(
        promise=of,
        state=states_pb2.NoticeState.Value(f"NOTICE_STATE_{state}"),
        channel=channel_pb2.CHANNEL_EMAIL,
        send_time=timestamp(NOW + timedelta(days=days)),
    )


def told(
    *listed: Promise, notices: Any = (), granted: Any = (), answering: Any = None, who: Viewer | None = None
) -> Any:
    def offer(*actions: Action, on: str = "", owner: str = "") -> Any:
        return offered(who or viewer(), ERIKA, *actions, on=on, owner=owner)

    sent = ListNoticesResponse(notices=notices)
    known = None if granted is None else set(granted)
    return told_of(listed, sent, known, answering or {}, offer, SAY)


def shown(who: Viewer | None = None, **parts: Any) -> Card:
    answered = Parts({name: part if isinstance(part, Part) else Part(part) for name, part in parts.items()})
    looking = who or viewer()
    return page(ERIKA, answered, looking, Names(looking, {}), SAY)


def test_what_one_may_still_give_is_what_the_service_says_and_nothing_without() -> None:
    view = CustomerView(customer=ERIKA)
    left = CheckGoodwillResponse(amount=500, customer_left=1500, grantor_left=9000)
    in_all, for_one = ("You may still give", "1,500"), ("For one problem", "500")
    assert shown(view=view, allowance=left).points.allowance == [in_all, for_one]
    nothing = CheckGoodwillResponse()
    assert shown(view=view, allowance=nothing).points.allowance == [("You may still give", "0")]
    assert shown(view=view).points.allowance == ()
    assert shown(view=view, allowance=Part(refusal=Unavailable("UNAVAILABLE", ""))).points.allowance == ()


def test_a_date_that_moved_shows_both_and_that_the_customer_was_told_in_time() -> None:
    before = promise(1, "RENEGOTIATED", 2, successor="promises/2", reason_code="carrier-delay")
    after = promise(2, "OPEN", 5, predecessor="promises/1")
    ((moved,), others) = told(after, before, notices=[notice("promises/1", "SENT")])
    assert (moved.was, moved.now) == ("Wed 4 Mar 10:00", "Sat 7 Mar 10:00")
    assert moved.state == "Another date, told before due"
    assert moved.told == "Told by e-mail today 10:00."
    assert moved.why == "the transport is taking longer than planned"
    assert others == []


@pytest.mark.parametrize(
    ("notices", "words"),
    [
        ([], "At risk, nobody told them yet"),
        ([notice("promises/1", "REQUESTED")], "At risk, a message is on its way"),
        ([notice("promises/1", "SENT")], "At risk, told before due"),
        ([notice("promises/1", "SENT", days=3)], "At risk, told"),
        ([notice("promises/1", "FAILED")], "At risk, nobody told them yet"),
    ],
    ids=["nobody", "on its way", "in time", "late", "failed"],
)
def test_a_promise_at_risk_says_whether_the_customer_knows(notices: list[Notice], words: str) -> None:
    ((at_risk,), _) = told(promise(1, "AT_RISK"), notices=notices)
    assert at_risk.state == words


def test_of_so_many_messages_that_not_all_are_seen_nobody_says_that_none_was_sent() -> None:
    notices = ListNoticesResponse(notices=[notice("promises/2", "SENT")], next_page_token="more")
    listed = Promised([promise(1, "AT_RISK", 1), promise(2, "AT_RISK")])
    assert [each.state for each in shown(promises=listed, notices=notices).promises.urgent] == [
        "At risk, nobody can say now whether they were told",
        "At risk, told before due",
    ]


def test_what_is_broken_comes_before_what_is_at_risk_and_the_soonest_before_the_latest() -> None:
    urgent, others = told(
        promise(4, "OPEN", 9), promise(3, "OPEN", 3), promise(1, "AT_RISK", 1), promise(2, "BROKEN", -1)
    )
    assert [each.name for each in urgent] == ["promises/2", "promises/1"]
    assert [each.name for each in others] == ["promises/3", "promises/4"]


def test_of_many_broken_promises_none_hides_what_is_still_to_come() -> None:
    broken = [promise(number, "BROKEN", -number) for number in range(1, 40)]
    listed = Promised([*broken, promise(50, "AT_RISK", 0.1), promise(51, "AT_RISK", 3)], more=True)
    told = shown(promises=listed).promises
    assert [each.name[9:] for each in told.urgent] == ["1", "2", "3", "4", "5", "6", "7", "50", "51"]
    assert (told.slipped, told.is_cut) == (32, True)


def test_what_is_open_is_counted_by_the_service_that_keeps_it_and_by_the_view_where_that_tells_less() -> None:
    view = CustomerView(customer=ERIKA, open_promise_count=100)
    listed = [promise(number, "OPEN", number) for number in range(1, 9)]
    assert shown(promises=Promised(listed), view=view).promises.more == 2
    assert shown(promises=Promised(listed, more=True), view=view).promises.more == 94


@pytest.mark.parametrize("now", [NOW, datetime(2026, 12, 31, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)])
def test_what_the_bars_need_is_asked_for_in_every_zone(now: datetime) -> None:
    east = replace(SAY, now=now, zone=ZoneInfo("Pacific/Kiritimati"))
    early = Purchase(purchase_time=timestamp(first_day(now) + timedelta(days=1, hours=-14)))
    early.amount.CopyFrom(Money(currency_code="EUR", units=5))
    assert quarters([early], east)[1][0][1] == 5


def test_goodwill_is_offered_for_the_promise_that_slipped_and_once() -> None:
    before = promise(1, "RENEGOTIATED", 2, successor="promises/2")
    after = promise(2, "OPEN", 5)
    ((moved,), _) = told(after, before)
    assert [act.href for act in moved.acts if act.id == "goodwill"] == [
        f"/{ERIKA}/act/goodwill?on=promises%2F1"
    ]
    ((given,), _) = told(after, before, granted=["promises/1"])
    assert "goodwill" not in [act.id for act in given.acts]
    ((unknown,), _) = told(after, before, granted=None)
    assert "goodwill" not in [act.id for act in unknown.acts]  # where not all of it is known


def test_another_departments_promise_has_no_button_that_would_be_refused() -> None:
    acts = offered(viewer("cases.*"), ERIKA, AGREE, KEEP, on="promises/1", owner="departments/delivery")
    assert acts == []
    administrator = viewer("cases.*", "cases.departments.administer")
    assert len(offered(administrator, ERIKA, AGREE, on="promises/1", owner="departments/delivery")) == 1


def test_who_answers_for_the_case_may_agree_on_what_another_department_promised() -> None:
    alice = viewer("cases.*")
    theirs = promise(1, "AT_RISK", case="cases/1")
    theirs.department = "departments/delivery"
    ((strange,), _) = told(theirs, who=alice)
    ((ours,), _) = told(theirs, who=alice, answering={"cases/1": "departments/front-desk"})
    assert [act.id for act in strange.acts] == []
    assert [act.id for act in ours.acts] == ["agree", "takeback"]


def test_bad_news_is_first_to_be_told_by_a_call() -> None:
    known = Customer(name=ERIKA)
    known.identifiers.add(name=f"{ERIKA}/identifiers/1", type=Identifier.TYPE_PHONE, value="+49 30 901821")
    listed = Promised([promise(1, "AT_RISK")])
    said = ListConsentsResponse()
    acts = shown(promises=listed, customer=known, consents=said).promises.urgent[0].acts
    assert (acts[0].label, acts[0].letter, acts[0].href) == (
        "Call them",
        "C",
        f"/{ERIKA}/identifiers/1/reveal",
    )


def test_nobody_is_to_be_called_who_may_have_said_no() -> None:
    known, late = Customer(name=ERIKA), Part[Any](refusal=DeadlineExceeded("DEADLINE_EXCEEDED", "late"))
    known.identifiers.add(name=f"{ERIKA}/identifiers/1", type=Identifier.TYPE_PHONE, value="+49 30 901821")
    listed = Promised([promise(1, "AT_RISK")])
    acts = shown(promises=listed, customer=known, consents=late).promises.urgent[0].acts
    assert "call" not in [act.id for act in acts]


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_no_action_is_offered_without_its_permission(action: Action) -> None:
    nothing = viewer("customer.customers.read")
    assert offered(nothing, ERIKA, action, owner="departments/front-desk") == []


def test_every_row_shows_the_keys_that_act_on_it() -> None:
    listed = Promised([promise(2, "OPEN", 9), promise(1, "AT_RISK")])
    told = shown(promises=listed, customer=Customer(name=ERIKA), view=CustomerView(customer=ERIKA))
    assert [act.letter for act in told.promises.urgent[0].acts] == ["A", "G", "K", "T"]
    assert [act.letter for act in told.promises.others[0].acts] == ["A", "K", "T"]


def test_a_case_says_for_whom_it_waits_and_since_when() -> None:
    case = Case(name="cases/1", topic="late-delivery", open_time=timestamp(NOW - timedelta(days=3)))
    item = WorkItem(
        department="departments/delivery",
        kind="deliver-order",
        reference="orders/5021",
        state=WorkItem.STATE_STARTED,
        create_time=timestamp(NOW - timedelta(days=3)),
        start_time=timestamp(NOW - timedelta(days=2)),
    )
    (told,) = shown(cases=Cases([(case, [item])], more=False)).cases.cases
    assert (told.title, told.lasting) == ("Late delivery, order 5021", "3 days end to end, waits 2 days")
    assert told.steps[0].what == "Deliver order 5021"
    assert told.held == "To be resolved when Delivery is done."


@pytest.mark.parametrize(("counted", "more", "is_cut"), [(9, 4, False), (3, 1, True), (None, 1, True)])
def test_open_cases_that_are_not_shown_are_counted_or_said_to_be_there(counted, more, is_cut) -> None:
    case = Case(name="cases/1", topic="late-delivery", open_time=timestamp(NOW))
    view = Part[Any](refusal=Unavailable("UNAVAILABLE", "away"))
    if counted is not None:
        view = Part(CustomerView(customer=ERIKA, open_case_count=counted))
    told = shown(cases=Cases([(case, [])] * 5, more=True), view=view).cases
    assert (len(told.cases), told.more, told.is_cut) == (5, more, is_cut)


def test_cases_that_were_settled_lately_are_there_to_be_opened_again() -> None:
    settled = [
        Case(name=f"cases/{days}", topic="late-delivery", resolution="delivered", department="departments/x")
        for days in (3, 0, 1)
    ]
    for each in settled:
        each.resolve_time.CopyFrom(timestamp(NOW - timedelta(days=int(each.name[-1]))))
    told = shown(viewer("cases.*", department="x"), resolved=ListCasesResponse(cases=settled))
    assert [(each.name, each.how, each.when) for each in told.cases.resolved] == [
        ("cases/0", "delivered", "today"),
        ("cases/1", "delivered", "yesterday"),
    ]
    acts = [act for each in told.cases.resolved for act in each.acts]
    assert [(act.id, act.letter) for act in acts] == [
        ("reopen", "U"),
        ("owner", ""),
        ("reopen", "U"),
        ("owner", ""),
    ]
    others = shown(viewer("cases.*"), resolved=ListCasesResponse(cases=settled[:1])).cases.resolved
    assert [(each.name, each.acts) for each in others] == [("cases/3", [])]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("EMAIL", "erika.sommer@example.com", "er…@example.com"),
        ("PHONE", "+49 30 901821", "… 821"),
        ("ACCOUNT_NUMBER", "K-10432", "K-…"),
        ("EMAIL", "jd@example.com", "j…@example.com"),
        ("EMAIL", "x@example.com", "…@example.com"),
        ("PHONE", "1103", "… 03"),
        ("EXTERNAL_ID", "abc", "a…"),
    ],
)
def test_a_handle_is_masked_before_it_leaves_the_desk(kind: str, value: str, shown: str) -> None:
    assert masked(kind, value) == shown


def test_what_a_service_does_not_answer_is_said_on_its_card_and_the_view_fills_in() -> None:
    view = CustomerView(customer=ERIKA, display_name="Erika Sommer", open_promise_count=1)
    view.promises.add(
        promise="promises/1",
        state=states_pb2.PROMISE_STATE_OPEN,
        kind="delivery",
        due_time=timestamp(NOW + timedelta(days=1)),
    )
    away = Part[Any](refusal=Unavailable("UNAVAILABLE", "away"))
    told = shown(view=view, promises=away, cases=away)
    assert told.promises.trouble.startswith("Cases does not answer")
    assert [each.title for each in told.promises.others] == ["Delivery"]
    assert told.who.trouble == ""


def test_while_messages_are_not_to_be_seen_nobody_is_said_not_to_have_been_told() -> None:
    away = Part[Any](refusal=Unavailable("UNAVAILABLE", "away"))
    told = shown(promises=Promised([promise(1, "AT_RISK")]), notices=away).promises
    assert told.trouble.startswith("Notifications does not answer")
    assert told.urgent[0].state == "At risk, nobody can say now whether they were told"


def test_points_that_the_customer_service_does_not_tell_are_not_held_against_loyalty() -> None:
    away = Part[Any](refusal=Unavailable("UNAVAILABLE", "away"))
    assert shown(view=away, customer=away).points.trouble.startswith("Customer does not answer")


def test_purchases_that_do_not_come_are_not_none() -> None:
    away = Part[Any](refusal=Unavailable("UNAVAILABLE", "away"))
    assert shown(purchases=away).worth.trouble.startswith("Loyalty does not answer")


def test_what_one_may_not_see_says_so_and_is_not_called_away() -> None:
    refused = Part[Any](refusal=PermissionDenied("PERMISSION_DENIED", "no"))
    assert shown(cases=refused).cases.trouble == "You may not see this."


def test_what_is_shown_of_a_service_that_refuses_is_said_to_be_incomplete_and_not_hidden() -> None:
    refused, view = (
        Part[Any](refusal=PermissionDenied("PERMISSION_DENIED", "no")),
        CustomerView(customer=ERIKA),
    )
    told = "You may not see everything of Cases: this may be incomplete."
    assert shown(cases=refused, view=view).cases.trouble == told


def test_a_service_that_is_away_says_since_when_and_is_not_asked_for_anything() -> None:
    away = Part[Any](refusal=Unavailable("UNAVAILABLE", "away"))
    late = Part[Any](refusal=DeadlineExceeded("DEADLINE_EXCEEDED", "late"))
    known = Customer(name=ERIKA)
    told = shown(cases=away, customer=known, silent={"cases": NOW - timedelta(minutes=3)})
    assert told.cases.trouble == "Cases does not answer since today 09:57; this may be old."
    assert [act.id for act in (*told.cases.acts, *told.promises.acts)] == []
    assert "correct" in [act.id for act in told.who.acts]
    once = shown(cases=late, customer=known, silent={"cases": NOW - timedelta(seconds=2)})
    assert [act.id for act in once.cases.acts] == ["case"]
    assert [
        act.id
        for act in shown(cases=late, customer=known, silent={"cases": NOW - timedelta(minutes=1)}).cases.acts
    ] == []


def test_of_what_the_view_has_a_part_nobody_is_told_that_it_is_all() -> None:
    view = CustomerView(customer=ERIKA, excerpts=["sections", "loyalty.goodwill", "latest_timeline_entries"])
    view.sections.add(name=f"{ERIKA}/view/sections/billing", display_name="Billing")
    listed = ListViewSectionsResponse()
    for each in ("billing", "sales"):
        listed.view_sections.add(name=f"{ERIKA}/view/sections/{each}")
    page = shown(view=view, sections=listed)
    assert page.unfit == "1 more part is not shown, for it does not fit: Sales."
    assert shown(view=view).unfit == "There is more than fits here."
    assert page.points.more
    assert page.timeline.more


@pytest.mark.parametrize(
    ("source", "there"), [("INSTALLATION", ""), ("COUNTRY", "14:30"), ("CHOSEN", "14:30")]
)
def test_the_time_there_is_told_where_there_is_known(source: str, there: str) -> None:
    known = Customer(
        name=ERIKA,
        effective_time_zone="Asia/Kolkata",
        time_zone_source=Customer.TimeZoneSource.Value(f"TIME_ZONE_SOURCE_{source}"),
    )
    assert shown(customer=known).who.there == there


def test_a_source_that_is_behind_says_how_far() -> None:
    view = CustomerView(customer=ERIKA)
    late = view.freshness.add(service="services/loyalty", state=SourceFreshness.STATE_BEHIND)
    late.age.FromTimedelta(timedelta(minutes=5))
    assert shown(view=view).points.trouble == "5 minutes behind"


def bought(*months: tuple[int, int, str], more: str = "") -> ListPurchasesResponse:
    """Purchases by year, month and dollars, the latest first."""
    listed = ListPurchasesResponse(next_page_token=more)
    for year, month, dollars in months:
        each = listed.purchases.add(purchase_time=timestamp(datetime(year, month, 2, tzinfo=UTC)))
        each.amount.CopyFrom(money(Decimal(dollars), "USD"))
    return listed


def test_row_24_the_bars_add_up_to_what_was_paid_refunds_and_cents_as_well() -> None:
    bars = shown(purchases=bought((2026, 2, "-5.25"), (2025, 12, "10.50"), (2025, 11, "0.25"))).worth.bars
    assert [amount for _, amount in bars[-2:]] == [Decimal("10.75"), Decimal("-5.25")]
    assert sum(amount for _, amount in bars) == Decimal("5.50")


def test_row_24_a_quarter_of_which_purchases_are_missing_has_no_bar() -> None:
    bars = shown(purchases=bought((2026, 2, "1"), (2025, 12, "2"), (2025, 8, "3"), more="x")).worth.bars
    assert bars == [("Q4 2025", Decimal(2)), ("Q1 2026", Decimal(1))]
    assert shown(purchases=bought((2026, 2, "1"), more="x")).worth.bars == []


def test_the_bars_are_of_the_currency_of_most_purchases_however_small_another_ones_unit() -> None:
    bought_too = bought((2026, 2, "9"), (2026, 1, "8"))
    abroad = bought_too.purchases.add(purchase_time=timestamp(NOW - timedelta(days=100)))
    abroad.amount.CopyFrom(money(Decimal(10_000), "JPY"))
    worth = shown(purchases=bought_too).worth
    assert worth.bars[-1] == ("Q1 2026", Decimal(17))
    assert worth.spoken.endswith("Q1 2026: 17 USD")


def test_the_page_of_a_customer_of_whom_nothing_is_known_stands() -> None:
    told = shown()
    assert (told.name, told.promises.urgent, told.cases.cases, told.timeline.entries) == (ERIKA, [], [], [])


async def test_names_that_are_forgotten_leave_since_when_a_service_is_silent(monkeypatch) -> None:
    monkeypatch.setattr(loading, "REMEMBERED_MAX", -1)
    memory: dict[Any, Any] = {}
    names = Names(viewer(), memory)
    parts = Parts({each: Part(1) for each in chain(*PARTS_OF.values())})
    parts["values"] = Part(refusal=Unavailable("UNAVAILABLE", "away"))
    names.silent(parts, NOW)
    await names.learn(None, [])  # type: ignore[arg-type]
    assert names.silent(parts, NOW + timedelta(minutes=3)) == {"loyalty": NOW}


def test_days_are_said_near_as_words_and_far_with_their_year() -> None:
    assert SAY.moment(NOW) == "today 10:00"
    assert SAY.day(SAY.today + timedelta(days=1)) == "tomorrow"
    assert SAY.day(SAY.today + timedelta(days=400)) == "6 Apr 2027"
    assert SAY.short(NOW - timedelta(days=2)) == "Sat"
    assert SAY.short(NOW - timedelta(days=400)) == "26 Jan 2025"


def test_a_moment_in_the_night_of_the_change_of_clocks_is_told_in_its_zone() -> None:
    night = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 in Berlin: the hour before does not exist there
    assert Speech(Locale("en", "GB"), ZoneInfo("Europe/Berlin"), night).clock(night) == "03:30"
    assert Speech(Locale("en", "GB"), ZoneInfo("Asia/Kolkata"), night).clock(night) == "07:00"


def test_what_they_said_for_service_is_told_and_not_of_marketing() -> None:
    def consent(purpose: str, channel: str, state: str) -> Consent:
        return Consent(
            purpose=f"purposes/{purpose}",
            channel=channel_pb2.Channel.Value(f"CHANNEL_{channel}"),
            state=Consent.State.Value(f"STATE_{state}"),
        )

    said = [
        consent("service", "VOICE", "DENIED"),
        consent("surveys", "VOICE", "GRANTED"),
        consent("marketing", "EMAIL", "DENIED"),
    ]
    known = Customer(name=ERIKA, display_name="Erika Sommer")
    parts = Parts(customer=Part(known), consents=Part(ListConsentsResponse(consents=said)))
    assert page(ERIKA, parts, viewer(), Names(viewer(), {}), SAY).who.may == [("call", False)]


def test_the_day_of_a_purchase_is_the_day_where_the_reader_is() -> None:
    late = replace(SAY, zone=ZoneInfo("America/New_York"), now=datetime(2026, 3, 2, 2, 30, tzinfo=UTC))
    bought = timestamp(datetime(2026, 3, 2, 1, 30, tzinfo=UTC))
    seen = CustomerView(name=f"{ERIKA}/view")
    seen.value.purchase_count = 1
    seen.value.last_purchase_time.CopyFrom(bought)
    told = page(ERIKA, Parts(view=Part(seen)), viewer(), Names(viewer(), {}), late)
    assert told.worth.purchases == "1 purchase, the last today"
