"""What is typed is understood by how it is written, and who is found is told with why."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.errors import DeadlineExceeded, PermissionDenied
from desk.pages.find.searching import Asked, Results, classify, results_of, unasked
from desk.pages.services import Part, Parts
from desk.ui.speech import speech
from rapport.cases.v1.promise_pb2 import Promise
from rapport.customer.v1.customer_pb2 import Customer
from rapport.customer.v1.customer_service_pb2 import SearchCustomersResponse
from rapport.customer.v1.identifier_pb2 import Identifier

ID = "0199b2a4-6f0e-7c2a-9d1e-5c8f3a7b2e60"
SAY = speech("en-GB", "Europe/Berlin", datetime(2026, 3, 2, 12, tzinfo=UTC))
LATE = Part[Any](refusal=DeadlineExceeded("DEADLINE_EXCEEDED", "The service did not answer in time."))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (f"cases/{ID}", Asked(resource=f"cases/{ID}")),
        (f"  https://desk.example.org/customers/{ID}?tab=1", Asked(resource=f"customers/{ID}")),
        (f"customers/{ID}/identifiers/{ID}", Asked(resource=f"customers/{ID}")),
        (f"see workItems/{ID}.", Asked(resource=f"workItems/{ID}")),
        (f"letters/{ID}", Asked(f"letters/{ID}", reference=f"letters/{ID}")),
        (f"showcases/{ID}", Asked(f"showcases/{ID}", reference=f"showcases/{ID}")),
        (f"cases/{ID}0", Asked(f"cases/{ID}0", reference=f"cases/{ID}0")),
        ("orders/5021", Asked("5021", reference="orders/5021")),
        ("Order 5021 ", Asked("5021", reference="orders/5021")),
        ("order #AB-5021", Asked("AB-5021", reference="orders/AB-5021")),
        ("#5021", Asked("5021", reference="orders/5021")),
        ("5021", Asked("5021", reference="orders/5021")),
        ("invoices/2026-77", Asked("invoices/2026-77", reference="invoices/2026-77")),
        ("demo-1a2b3c4d", Asked("demo-1a2b3c4d", perhaps="demo-1a2b3c4d")),
        ("Anna-Maria", Asked("Anna-Maria")),
        ("030-901820", Asked("030-901820")),
        ("Order of Malta", Asked("Order of Malta")),
        ("030 901820", Asked("030 901820")),
        ("+4930901820", Asked("+4930901820")),
        ("4930901820", Asked("4930901820")),
        ("٥٠٢١", Asked("٥٠٢١")),
        ('a" OR reference = "b', Asked('a" OR reference = "b')),
        ("erika@example.com", Asked("erika@example.com")),
        ("Erika Sommer", Asked("Erika Sommer")),
    ],
)
def test_what_is_typed_is_told_by_how_it_is_written(typed: str, meant: Asked) -> None:
    assert classify(typed) == meant


@pytest.mark.parametrize(("typed", "word"), [("", "short"), ("  a  ", "short"), ("a" * 201, "long")])
def test_too_little_and_too_much_are_asked_of_nobody(typed: str, word: str) -> None:
    told = unasked(typed, SAY)
    assert told is not None
    assert f"Too {word}" in told.words
    assert unasked("a" * 200, SAY) is None


def customer(number: int = 1, **more: Any) -> Customer:
    phone = Identifier(name=f"customers/{number}/identifiers/1", type="TYPE_PHONE", value="+49 30 901820")
    told = {"display_name": f"Customer {number}", "identifiers": [phone], **more}
    return Customer(name=f"customers/{number}", relationship_manager="agents/alice", **told)


def match(of: Customer, *, by_name: bool = False) -> SearchCustomersResponse.Match:
    return SearchCustomersResponse.Match(customer=of, identifier="" if by_name else of.identifiers[0].name)


def found(text: str, *matches: SearchCustomersResponse.Match, more: str = "", **parts: Part[Any]) -> Results:
    told = Part(SearchCustomersResponse(matches=matches, next_page_token=more))
    names: Any = lambda name: name.rpartition("/")[2]  # noqa: E731
    return results_of(classify(text), Parts({"customers": told, **parts}), names, SAY)


def test_a_hit_says_who_it_is_and_why_and_no_number() -> None:
    [hit] = found("030 901820", match(customer())).hits
    assert (hit.title, hit.handles, hit.why) == ("Customer 1", "… 820", "phone … 820")
    assert "alice" in hit.detail


def test_only_what_nobody_else_has_is_sure() -> None:
    one, two = match(customer(1)), match(customer(2))
    assert found("030 901820", one).sure == "customers/1"
    assert found("030 901820", one, two).sure == ""
    assert found("030 901820", one, more="next").sure == ""
    assert found("1820", one).sure == ""
    home = customer(1)
    home.identifiers[0].shared = True  # by a household, of whom one is recorded
    assert found("030 901820", match(home)).sure == ""
    assert found("Customer", match(customer(), by_name=True)).sure == ""
    assert found("1820", one, promises=LATE).sure == ""


def test_who_is_found_in_two_ways_is_shown_once_with_both() -> None:
    promise = Promise(kind="delivery", reference="orders/1820")
    told = found("1820", match(customer()), promises=Part([(promise, customer()), (promise, customer())]))
    [hit] = told.hits
    assert hit.why == "promised: delivery, orders/1820; phone … 820"
    assert told.sure == "customers/1"


def test_what_was_promised_is_told_as_it_was_said() -> None:
    promise = Promise(kind="other", display_name="Перезвонить", reference="orders/1820")
    [hit] = found("1820", promises=Part([(promise, customer())])).hits
    assert hit.why == "promised: Перезвонить, orders/1820"


def test_what_could_not_be_asked_is_said_beside_what_was_found() -> None:
    refused = Part[Any](refusal=PermissionDenied("PERMISSION_DENIED", "You may not.", {}))
    late = found("1820", match(customer()), promises=LATE)
    assert (len(late.hits), late.troubles) == (
        1,
        ["Cases does not answer: somebody may be missing here. Try again."],
    )
    assert found("1820", promises=refused).troubles == ["Cases: You may not."]
    assert "Nobody is found" not in found("1820", promises=LATE).words


def test_nobody_and_too_many_are_said_in_words() -> None:
    assert "Nobody is found" in found("Erika").words
    assert "not all" in found("Erika", match(customer(), by_name=True), more="next").words
    nameless = found("030 901820", match(customer(display_name="")))
    assert nameless.hits[0].title == "A customer without a name"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("erika", "name"),
        ("Müll", "name"),
        ("nordwerk", "company Nordwerk"),
        ("muller kiel", "name, town Kiel"),
        ("Nordwerk Kiel", "company Nordwerk, town Kiel"),
        ("Nordwrek", "company Nordwerk, spelt nearly so"),
        ("Erica", "name, spelt nearly so"),
        ("林", "name"),
    ],
)
def test_who_is_found_by_words_is_told_with_where_they_stand_and_whether_they_are_spelt_so(
    typed: str, why: str
) -> None:
    erika = customer(1, display_name="Erika Müller")
    erika.person.organization_name = "Nordwerk"
    erika.addresses.add().postal_address.locality = "Kiel"
    assert found(typed, match(erika, by_name=True)).hits[0].why == why
