"""What well-known tools export: whose ids, which columns, and which money."""

import pytest

from chassis.money import Currency
from rapport_imports.fields import Cells
from rapport_imports.notation import Notation
from rapport_imports.people import Person, person
from rapport_imports.tabular import Row
from tools.tests.cli.conftest import Check

STRIPE = (
    "id,Created date (UTC),Amount,Amount Refunded,Currency,Status,Customer ID,Customer Email,Invoice ID\n"
    "ch_1,2026-01-02 10:00:00,12.00,0.00,usd,Paid,cus_1,a@x.example,in_1\n"
    "ch_2,2026-01-03 10:00:00,13.00,3.00,usd,Paid,cus_1,a@x.example,\n"
)
PAYPAL = (
    '"Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net","From Email Address",'
    '"To Email Address","Transaction ID","Invoice Number"\n'
    '"01/20/2026","10:00:00","PST","Anna","Payment","Completed","USD","1.00","0","1.00","a@x.example",'
    '"shop@y.example","7XA",""\n'
)
SQUARE = (
    "Date,Time,Gross Sales,Net Sales,Total Collected,Transaction ID,Payment ID,Customer ID,Partial Refunds\n"
    "2026-01-02,10:00:00,$9.00,$9.00,$10.00,T1,P1,C1,$0.00\n"
)
WOO = (
    "order_id,order_number,order_date,status,order_total,order_currency,customer_id,customer_email,"
    "billing_first_name,billing_email,transaction_id\n"
    "11,W-11,2026-01-02 10:00:00,completed,120.00,EUR,0,,Ida,ida@x.example,ch_9\n"
    "12,W-12,2026-01-03 10:00:00,completed,250.00,EUR,0,,Jan,jan@x.example,\n"
)
SHOPIFY = "Name,Email,Financial Status,Total,Created at,Id\n#1,a@x.example,paid,1,2026-01-02,77\n"


@pytest.mark.parametrize(
    ("file", "system", "fields"),
    [
        (STRIPE, "stripe", {"reference": "id", "refunded": "Amount Refunded", "customer": "Customer ID"}),
        (
            PAYPAL,
            "paypal",
            {"reference": "Transaction ID", "amount": "Gross", "email": "From Email Address"},
        ),
        (SQUARE, "square", {"reference": "Payment ID", "amount": "Total Collected"}),
        (WOO, "woocommerce", {"reference": "order_number", "currency": "order_currency"}),
        (SHOPIFY, "shopify", {"reference": "Name", "amount": "Total"}),
    ],
)
def test_a_payment_is_known_by_its_own_id_and_the_tool_by_its_columns(
    check: Check, monkeypatch: pytest.MonkeyPatch, file: str, system: str, fields: dict[str, str]
) -> None:
    monkeypatch.setenv("RAPPORT_CURRENCY", "EUR" if system == "woocommerce" else "USD")
    code, result, _ = check("purchases", file)
    assert (code, result["system"]) == (0, system)
    assert fields.items() <= result["used"].items()


def cells(values: dict[str, str], columns: dict[str, str], **spares: list[str]) -> Cells:
    return Cells(Row(2, values), columns, Notation(Currency.of("USD")), spares)


def test_where_the_best_column_has_nothing_the_next_one_says_it(check: Check) -> None:
    file = (
        "invoice_id,id,date,amount,customer_email,billing_email\n"
        "in_1,p1,2026-01-02,1.00,a@x.example,\n,p2,2026-01-02,1.00,,b(at)x.example\n"
    )
    code, result, _ = check("purchases", file)
    assert (code, result["ignored"]) == (1, [])
    assert result["used"]["reference"] == "invoice_id"
    assert "reference is read from id where invoice_id has none" in result["notes"]
    assert [(r["reason"], r["column"]) for r in result["refusals"]] == [("INVALID_EMAIL", "billing_email")]
    row = cells({"invoice_id": "NULL", "id": "p2"}, {"reference": "invoice_id"}, reference=["id"])
    assert row.text("reference") == "p2"


def test_an_amount_is_never_read_from_another_column_than_the_rest(check: Check) -> None:
    file = "customer_id,date,total,price\na,2026-01-02,5.00,2.00\na,2026-01-02,,3.00\n"
    assert check("purchases", file)[1]["refused"] == 1
    file = "customer_id,date,total,price\na,2026-01-02,,2.00\na,2026-01-02,,3.00\n"
    assert check("purchases", file)[1]["used"]["amount"] == "price"


@pytest.mark.parametrize("nobody", ["0", "0.0", "-1", "guest", ""])
def test_guests_are_known_by_their_address_and_not_all_one_customer(nobody: str) -> None:
    row = cells({"id": nobody, "mail": "ida@x.example"}, {"customer": "id", "email": "mail"})
    assert person(row) == Person("", "ida@x.example")
    assert [told.reason for told in row.row.told] == ["NO_ID"] * bool(nobody)


def test_an_id_that_is_none_and_no_address_is_refused(check: Check) -> None:
    code, result, _ = check("purchases", "customer_id,date,amount\n0,2026-01-02,1.00\n10,2026-01-02,1.00\n")
    assert (code, [r["lines"] for r in result["refusals"]]) == (1, [[2]])


def test_guests_of_a_shop_are_told_and_its_money_is_not_taken_for_another(check: Check) -> None:
    code, result, _ = check("purchases", WOO)
    assert (code, result["refused"], result["used"]["email"]) == (0, 0, "billing_email")


@pytest.mark.parametrize("column", ["Order Currency", "CurrencyIsoCode", "ccy", "Geldart"])
def test_a_column_of_currencies_is_never_ignored(check: Check, column: str) -> None:
    head = f"customer_id,date,amount,{column},note\n"
    code, result, _ = check("purchases", f"{head}a,2026-01-02,1.5,JPY,x\na,2026-01-03,1,,EUR\n")
    assert (code, result["used"]["currency"]) == (1, column)
    assert [(r["reason"], r["lines"]) for r in result["refusals"]] == [("INVALID_AMOUNT", [2])]
    assert check("purchases", f"{head}a,2026-01-02,1,usd,Bob\n")[0] == 0


def test_of_two_columns_of_currencies_a_person_says_which(check: Check) -> None:
    file = "customer_id,date,amount,ccy,ccy2\na,2026-01-02,1,USD,EUR\n"
    code, _, told = check("purchases", file)
    assert (code, "ccy and ccy2 hold currencies" in told) == (2, True)
    assert check("purchases", file, "--map", "currency=ccy")[0] == 0
    assert check("purchases", file, "--currency", "USD")[0] == 0


@pytest.mark.parametrize(
    "header",
    [
        "Id,AccountId,FirstName,LastName,MailingCountry,MobilePhone,Email",
        "Contact ID,First Name,Last Name,Mailing Country,Mobile,Email",
        "Contact ID,Account ID,First Name,Last Name,Mailing Country Code,Phone,Email",
        "Id,OwnerId,FirstName,LastName,OtherCountry,Phone,Email",
    ],
)
def test_contacts_of_salesforce_have_their_country_and_their_ids(check: Check, header: str) -> None:
    names = header.split(",")
    row = ["003A", *["001B"] * (len(names) - 6), "Anna", "Berg", "DE", "030 901820", "anna@x.example"]
    code, result, _ = check("customers", f"{header}\n{','.join(row)}\n")
    assert (code, result["system"], result["told"]) == (0, "salesforce", [])
    assert result["used"]["external_id"] == names[0]
    assert result["used"]["country"] == names[-3]


def test_a_contact_has_all_numbers_of_its_row_each_told_by_its_column(check: Check) -> None:
    file = (
        "Contact ID,Last Name,Mailing Country,Phone,Mobile\n"
        "003A,Berg,DE,030 901820,030 901821\n003B,Cole,DE,030 901820,12\n003C,Diaz,DE,,12\n"
    )
    code, result, _ = check("customers", file)
    assert (code, result["ignored"]) == (0, [])
    assert "phone is read from Mobile, too" in result["notes"]
    assert [(t["reason"], t["column"], t["lines"]) for t in result["told"]] == [
        ("INVALID_PHONE", "Mobile", [3, 4])
    ]
    row = cells({"a": "1; 2", "b": "2; 3"}, {"phone": "a"}, phone=["b"])
    assert row.everywhere("phone") == [("a", "1"), ("a", "2"), ("b", "3")]


def test_an_order_of_a_shop_is_known_by_its_name(check: Check) -> None:
    file = SHOPIFY.replace("Id\n", "Promised\n")
    code, result, _ = check("orders", file.replace(",77", ",2026-01-09"))
    assert (code, result["used"]["order_id"]) == (0, "Name")


@pytest.mark.parametrize(
    ("head", "unpaid"),
    [
        (
            "Order Number,Order Date,Order Status,Order Total,Email (Billing),First Name (Billing)",
            [
                "On hold",
                "on-hold",
                "wc-on-hold",
                "Wc-Pending",
                "Pending payment",
                "pending_payment",
                "ON HOLD",
                "Trash",
                "awaiting payment",
                "Zahlung ausstehend",
            ],
        ),
        (
            "Record ID,Close Date,Deal Stage,Amount,Associated Contact IDs,Deal Name",
            [
                "Closed lost",
                "closedlost",
                "Closed Lost (Sales Pipeline)",
                "Contract sent",
                "appointmentscheduled",
            ],
        ),
    ],
)
def test_what_is_not_paid_or_not_won_is_no_sale_however_it_is_written(
    check: Check, head: str, unpaid: list[str]
) -> None:
    sold = ["Completed", "wc-processing", "Closed won", "Closed Won (Sales Pipeline)", "closedwon"]
    rows = [f"{i},2150-01-02,{status},12.00,a@x.example,Ida" for i, status in enumerate(unpaid)]
    rows += [f"1{i},2026-01-02,{status},12.00,a@x.example,Ida" for i, status in enumerate(sold)]
    code, result, _ = check("purchases", "\n".join([head, *rows]))
    assert (code, result["skipped"], result["refused"]) == (0, len(unpaid), 0)
    assert [note for note in result["notes"] if "status" in note] == []


def test_statuses_that_nobody_knows_are_told(check: Check) -> None:
    rows = "a,2026-01-02,1.00,Teilbezahlt\na,2026-01-03,1.00,Teilbezahlt\na,2026-01-04,1.00,paid\n"
    result = check("purchases", f"customer_id,date,amount,status\n{rows}a,2026-01-05,1.00,Hold?\n")[1]
    assert result["notes"] == [
        "statuses that are not known, whose rows count as sales: Teilbezahlt (2), Hold? (1)"
    ]


def test_a_deal_of_several_is_that_of_the_first_and_told(check: Check) -> None:
    head = "Record ID,Deal Stage,Close Date,Amount,Associated Contact IDs\n"
    code, result, _ = check("purchases", f"{head}7,Closed won,2026-01-02,9.00,101;102\n")
    assert (code, result["system"]) == (0, "hubspot")
    assert result["used"] == {
        "customer": "Associated Contact IDs",
        "date": "Close Date",
        "amount": "Amount",
        "reference": "Record ID",
        "status": "Deal Stage",
    }
    assert [told["reason"] for told in result["told"]] == ["FURTHER_CUSTOMERS"]
    deal = cells({"Associated Contact IDs": "101;102"}, {"customer": "Associated Contact IDs"})
    assert person(deal) == Person("101", "")


PAYPAL_GERMAN = (
    '"Datum","Uhrzeit","Zeitzone","Name","Typ","Status","W\u00e4hrung","Brutto","Geb\u00fchr","Netto",'
    '"Absender E-Mail-Adresse","Empf\u00e4nger E-Mail-Adresse","Transaktionscode","Rechnungsnummer"\n'
    '"20.01.2026","10:00:00","CET","Anna","Zahlung","Abgeschlossen","EUR","1.100,00","-1,00","1.099,00",'
    '"a@x.example","shop@y.example","7XA",""\n'
    '"21.01.2026","10:00:00","CET","Anna","R\u00fcckzahlung","Abgeschlossen","EUR","-40,00","0,00","-40,00",'
    '"shop@y.example","a@x.example","7XB",""\n'
    '"22.01.2026","10:00:00","CET","Bob","Zahlung","Ausstehend","EUR","5,00","0,00","5,00",'
    '"b@x.example","shop@y.example","7XC",""\n'
)


@pytest.mark.parametrize("sender", ["Absender E-Mail-Adresse", "Von E-Mail-Adresse"])
def test_activity_of_paypal_is_known_in_german_and_what_went_out_is_of_nobody(
    check: Check, sender: str
) -> None:
    code, result, _ = check("purchases", PAYPAL_GERMAN.replace("Absender E-Mail-Adresse", sender))
    assert (code, result["system"], result["skipped"]) == (0, "paypal", 2)
    used = {"reference": "Transaktionscode", "amount": "Brutto", "email": sender, "currency": "W\u00e4hrung"}
    assert used.items() <= result["used"].items()
    assert [(told["reason"], told["lines"]) for told in result["told"]] == [
        ("PAID_OUT", [3]),
        ("NO_SALE", [4]),
    ]


def test_users_of_a_help_desk_are_known_by_the_id_that_they_have_elsewhere(check: Check) -> None:
    file = "id,name,email,external_id\n901,Anna,a@x.example,K-1\n902,Bob,b@x.example,\n"
    code, result, _ = check("customers", file)
    assert (code, result["used"]["external_id"], result["ignored"]) == (0, "external_id", ["id"])
    empty = file.replace("K-1", "")
    assert check("customers", empty)[1]["used"]["external_id"] == "id"
