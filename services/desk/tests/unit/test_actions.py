"""What can be done is called the same wherever it is offered."""

from dataclasses import replace
from datetime import UTC, date, datetime
from importlib import import_module
from inspect import getsource
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument
from desk.language.catalogues import CATALOGUES
from desk.pages.actions.action import Doing, working_day
from desk.pages.actions.kinds import ACTIONS, FOUND
from desk.pages.actions.kinds.promises import PROMISES
from desk.pages.aside.route import ACTION_KEYS, KEYS
from desk.ui.speech import speech
from rapport.cases.v1.work_item_pb2 import WorkItem
from rapport.customer.v1.view_pb2 import PromisePart


def test_a_form_has_the_words_of_the_button_that_opens_it() -> None:
    titled = [each for each in ACTIONS.values() if each.title]
    assert [each.title for each in titled if not each.title.startswith(each.label)] == []


def test_what_an_action_changes_is_changed_once_however_often_its_form_is_sent() -> None:
    """`doing.request` gives a request the form's request id: no other way makes one that has such an id."""
    without = [
        f"{module.__name__}: {name}"
        for module in map(import_module, {each.do.__module__ for each in ACTIONS.values()})
        for name, each in vars(module).items()
        if name.endswith("Request") and "request_id" in each.DESCRIPTOR.fields_by_name
        if f"{name}(" in getsource(module)
    ]
    assert without == []


def test_no_two_actions_have_one_address() -> None:
    assert len({id(each) for each in FOUND}) == len(ACTIONS)


def test_no_key_does_two_things() -> None:
    letters = [each.letter for each in ACTIONS.values() if each.letter]
    assert len(letters) == len(set(letters))
    others = {key for keys in KEYS.values() for named in keys for key in named.split(", ")} - {*ACTION_KEYS}
    assert {*letters} & others == set()
    assert sum(letter in keys for keys in KEYS.values() for letter in letters) == len(letters)


async def test_what_has_to_be_given_is_asked_for_in_every_form_and_all_of_it_at_once() -> None:
    forms = [each for each in ACTIONS.values() if any(field.required for field in each.fields)]
    assert {"contact", "case", "promise", "agree", "goodwill", "consent", "forecast"} < {
        each.id for each in forms
    }
    for form in forms:
        with pytest.raises(InvalidArgument) as refused:
            await form.sent(typed(" "))
        needed = [each.name for each in form.fields if each.required]
        assert [(each.field, each.reason) for each in refused.value.violations] == [
            (name, "REQUIRED") for name in needed
        ]


def typed(text: str, languages: str = "en") -> Doing:
    """Somebody who typed something into a form."""
    look: Any = SimpleNamespace(say=speech(languages, "UTC", datetime(2026, 11, 28, tzinfo=UTC)))
    return Doing(look, "customers/1", "customers/1", {"it": text})


def test_the_words_of_a_code_are_that_code_in_every_language() -> None:
    for language in CATALOGUES:
        for offered in {each.offers for form in FOUND for each in form.fields if each.offers}:
            for code in offered:
                text = typed("", language).look.say.titled(code)
                assert typed(text, language).said("it", offered) == (code, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Delivery", ("delivery", "")),
        ("delivery", ("delivery", "")),
        ("swap-parts", ("swap-parts", "")),
        ("Swap parts", ("other", "Swap parts")),
        ("Delivery!", ("other", "Delivery!")),
        ("Delivery, доставка", ("other", "Delivery, доставка")),
        ("Türschloss ersetzen", ("other", "Türschloss ersetzen")),
        ("Перезвонить", ("other", "Перезвонить")),
        ("frau-sommer", ("frau-sommer", "")),
        ("sommer", ("other", "sommer")),
        ("x" * 100, ("other", "x" * 100)),
        ("", ("", "")),
    ],
)
def test_what_no_code_says_is_told_as_it_was_said(text: str, told: tuple[str, str]) -> None:
    assert typed(text).said("it", PROMISES) == told


@pytest.mark.parametrize(
    ("said", "reference", "told"),
    [
        ("", "", "Deliver order"),
        ("", "orders/5021", "Deliver order 5021"),
        ("Klavier hinauftragen", "", "Klavier hinauftragen"),
        ("Klavier hinauftragen", "orders/5021", "Klavier hinauftragen, order 5021"),
    ],
)
def test_work_is_called_as_it_was_said(said: str, reference: str, told: str) -> None:
    item = WorkItem(kind="deliver-order", display_name=said, reference=reference)
    assert typed("").look.say.about(item) == told


def test_what_is_known_by_its_code_alone_is_called_by_that() -> None:
    assert typed("").look.say.about(PromisePart(kind="call-back")) == "Call back"


@pytest.mark.parametrize("said", ["Frau Sommer is ill", "frau-sommer", "sommer", "Our mistake"])
async def test_a_reason_in_words_of_ones_own_is_refused_by_every_form(said: str) -> None:
    forms = [each for each in ACTIONS.values() if any(field.codes for field in each.fields)]
    assert {each.id for each in forms} == {
        *(
            "ask-goodwill",
            "adjust-points",
            "block-card",
            "close-membership",
            "give-points",
            "merge-memberships",
            "merge-own",
            "remove-member",
            "reopen-membership",
            "replace-card",
            "revoke-links",
            "unmerge-membership",
            "block",
            "compensate",
            "decline-goodwill",
            "escalate",
            "forecast",
            "goodwill",
            "handover",
            "have-called",
            "mergecase",
            "pause",
            "reopen",
            "resolve",
        ),
        *("takeback", "unmerge", "unmergecase", "verify", "unverify"),
    }
    for form in forms:
        fields = {each.name: said if each.codes else "1" for each in form.fields}
        with pytest.raises(InvalidArgument) as refused:
            await form.sent(replace(typed(""), fields=fields))
        assert [(each.field, each.reason) for each in refused.value.violations] == [
            (each.name, "INVALID_CODE") for each in form.fields if each.codes
        ]


def test_a_reason_is_called_reason_in_every_form_and_chosen() -> None:
    """What people type for one would be a code of events and metrics."""
    reasons = [field for form in ACTIONS.values() for field in form.fields if field.name == "reason"]
    assert [field for field in reasons if not (field.codes or field.among)] == []


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("order 5021", "orders/5021"),
        ("#5021", "orders/5021"),
        ("5021", "orders/5021"),
        ("orders/5021", "orders/5021"),
        ("invoice 77", "invoice-77"),
        ("parcels/A.7", "parcels/A.7"),
        ("", ""),
    ],
)
def test_a_reference_is_written_as_one_is_found(text: str, reference: str) -> None:
    assert typed(text).reference("it") == reference


def test_an_order_is_one_in_the_reader_s_language() -> None:
    order = typed("", "de").look.say.titled("order")
    assert typed(f"{order} 5021", "de").reference("it") == "orders/5021"


@pytest.mark.parametrize(("day", "working"), [(27, 27), (28, 30), (29, 30), (30, 30)])
def test_what_is_proposed_is_a_working_day(day: int, working: int) -> None:
    assert working_day(date(2026, 11, day)) == date(2026, 11, working)


def test_what_one_may_give_is_said_in_words() -> None:
    refusal = FailedPrecondition("OVER_AUTHORITY", "authorityPolicies/x ...", {"limit": 1500, "band": "GOLD"})
    said = typed("").look.say.refusal(refusal)
    assert said == "At most 1,500 points may be given to a customer of the value gold."
