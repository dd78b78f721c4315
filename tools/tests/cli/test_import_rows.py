"""Rows of a file checked without a service: which columns, what cells mean, what is told or refused."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.money import Currency
from rapport_imports.batches import BATCH_CHARACTERS
from rapport_imports.columns import columns_for
from rapport_imports.decoding import UnreadableFile
from rapport_imports.engine import Run
from rapport_imports.fields import Cells
from rapport_imports.notation import Notation
from rapport_imports.purchases import PurchaseImporter
from rapport_imports.reading import Reading
from rapport_imports.result import Result
from rapport_imports.tabular import Problem, Row, open_table
from rapport_tools.cli.import_telling import tell
from tools.tests.cli.conftest import Check

CUSTOMERS = (
    "external_id",
    "display_name",
    "given_name",
    "family_name",
    "organization_name",
    "email",
    "phone",
    "country",
)

PURCHASES = ("customer", "email", "date", "amount", "currency", "quantity", "reference", "status")


@pytest.fixture
async def importer() -> PurchaseImporter:
    return PurchaseImporter(lambda _: grpc.aio.insecure_channel("localhost:1"), "x")


def cells(**values: str) -> Cells:
    notation = Notation(Currency.of("USD"), country="DE")
    return Cells(Row(2, dict(values)), {name: name for name in values}, notation)


def test_a_number_copied_from_an_address_book_is_that_number() -> None:
    copied = cells(
        phone="\u202a+49 30 1234567\u202c; \u2068030 7654321\u2069", email="\u202aa@x.example\u202c"
    )
    assert copied.several("phone") == ["+49 30 1234567", "030 7654321"]
    assert copied.text("email") == "a@x.example"
    assert cells(phone="\u200e+49 30 901820\u200b ").text("phone") == "+49 30 901820"


@pytest.mark.parametrize(
    "header",
    [
        "Kundennummer;Vorname;Nachname;E-Mail-Adresse;Telefon;Land",
        "Kundennr.;Vorname;Nachname;E-Mail;Telefon-Nr.;Land",
        "Kunden-No.;Vorname;Nachname;Mail;Telefonnummer;Land",
        "Customer No.;First Name;Last Name;Email;Phone No.;Country",
        "N° client;Prénom;Nom;Courriel;Téléphone;Pays",
        "Código cliente;Nombre;Apellidos;Correo electrónico;Teléfono;País",
        "Codice cliente;Nome;Cognome;Indirizzo e-mail;Telefono;Paese",
        "ID Cliente;Nome;Sobrenome;E-mail;Telefone;País",
        "Klantnummer;Voornaam;Achternaam;E-mailadres;Telefoon;Land",
        "Record ID;First Name;Last Name;Email;Phone Number;Country/Region",
        "Customer ID;First Name;Last Name;Email;Phone;Default Address Country Code",
        "Müşteri No;Ad;Soyad;E-posta;Telefon;Country",
        "Numer klienta;Imię;Nazwisko;Adres e-mail;Telefon;Country",
        "Код клиента;Имя;Фамилия;Эл. почта;Телефон;Country",
        "顧客番号;名;姓;メールアドレス;電話番号;Country",
        "Nº de cliente;Nombre;Apellidos;Correo electrónico;Teléfono;País",
        "Código do cliente;Nome;Apelido;E-mail;Telemóvel;País",
        "Kundnummer;Förnamn;Efternamn;E-postadress;Telefon;Land",
        "Kundenummer;Fornavn;Efternavn;E-mail;Telefon;Land",
        "Číslo zákazníka;Jméno;Příjmení;E-mail;Telefon;Country",
        "Customer ID;Imi\u0119;Nazwisko;Adres e-mail;Numer telefonu;Country",
        "Customer ID;Ad\u0131;Soyad\u0131;E-posta;Telefon Numaras\u0131;Country",
        "Customer ID;\u0418\u043c\u044f;\u0424\u0430\u043c\u0438\u043b\u0438\u044f;"
        "\u042d\u043b\u0435\u043a\u0442\u0440\u043e\u043d\u043d\u0430\u044f \u043f\u043e\u0447\u0442\u0430;"
        "\u0422\u0435\u043b\u0435\u0444\u043e\u043d;Country",
        "Customer ID;\u540d;\u59d3;\u30e1\u30fc\u30eb\u30a2\u30c9\u30ec\u30b9;"
        "\u96fb\u8a71\u756a\u53f7;Country",
    ],
)
def test_columns_are_known_in_the_big_languages_and_of_well_known_systems(header: str) -> None:
    columns = header.split(";")
    wanted = ("external_id", "given_name", "family_name", "email", "phone", "country")
    assert list(columns_for(CUSTOMERS, (), columns, {}).items()) == sorted(
        zip(wanted, columns, strict=True), key=lambda pair: CUSTOMERS.index(pair[0])
    )


SHOPIFY = [
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Currency",
    "Total",
    "Created at",
    "Billing Name",
    "Id",
]
STRIPE = ["id", "Created date (UTC)", "Amount", "Currency", "Status", "Customer Email", "Customer ID"]


def test_the_id_and_name_of_an_order_are_nobodys() -> None:
    assert columns_for(CUSTOMERS, (), SHOPIFY, {}) == {"display_name": "Billing Name", "email": "Email"}
    assert columns_for(CUSTOMERS, (), ["id", "customer_email", "date", "amount"], {}) == {
        "email": "customer_email"
    }
    assert columns_for(CUSTOMERS, (), ["id", "name", "total"], {}) == {
        "external_id": "id",
        "display_name": "name",
    }
    used = columns_for(PURCHASES, (), ["id", "customer_email", "date", "amount"], {})
    assert used == {"email": "customer_email", "date": "date", "amount": "amount", "reference": "id"}


def test_the_exports_of_shops_and_payments_are_purchases() -> None:
    shop = columns_for(PURCHASES, ("amount", "date"), SHOPIFY, {})
    assert (shop["email"], shop["date"], shop["amount"]) == ("Email", "Created at", "Total")
    assert shop["status"] == "Financial Status"
    paid = columns_for(PURCHASES, ("amount", "date"), STRIPE, {})
    assert (paid["customer"], paid["email"]) == ("Customer ID", "Customer Email")
    assert (paid["date"], paid["reference"]) == ("Created date (UTC)", "id")


def test_a_mapped_column_is_not_guessed_for_another_field() -> None:
    header = ["Kundennummer", "Vorname"]
    fields = (*CUSTOMERS, "account_number")
    assert columns_for(fields, (), header, {"account_number": "Kundennummer"}) == {
        "given_name": "Vorname",
        "account_number": "Kundennummer",
    }


@pytest.mark.parametrize("mapping", [{}, {"amount": "y"}, {"nothing": "x"}])
def test_a_column_that_cannot_be_told_is_asked_for(mapping: dict[str, str]) -> None:
    with pytest.raises(UnreadableFile, match=r"--map amount=|--map nothing="):
        columns_for(["amount"], ["amount"], ["x"], mapping)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en_US", "en-US"),
        ("DE", "de"),
        ("de-de.UTF-8", "de-DE"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("German", "de"),
        ("", ""),
        ("Deutsch", "de"),
        ("español", "es"),
        ("x y", ""),
        ("Narnian", ""),
        ("de-Austria", ""),
    ],
)
def test_languages_are_written_as_bcp_47_and_told_when_they_are_none(text: str, code: str) -> None:
    row = cells(language=text)
    assert row.language("language") == code
    assert [told.reason for told in row.row.told] == ["INVALID_CODE"] * (bool(text) and not code)


@pytest.mark.parametrize(
    "text", ["Germany", "DE", "deu", "Deutschland", "Allemagne", "ALEMANIA", "Duitsland", ""]
)
def test_countries_are_known_by_name_and_by_code_and_by_the_option(text: str) -> None:
    assert cells(country=text).region("country") == "DE"


def test_a_country_that_is_none_is_told() -> None:
    row = cells(country="Nowhere")
    row.region("country")
    assert [told.column for told in row.row.told] == ["country"]


@pytest.mark.parametrize("nothing", ["NULL", "null", "\\N", "N/A", "#N/A", "NaN", "None", "-", " "])
def test_what_exports_write_for_nothing_is_nothing(nothing: str) -> None:
    row = cells(date=nothing, email=nothing, quantity=nothing, family_name="Null")
    assert (row.moment("date"), row.several("email"), row.count("quantity")) == (None, [], 0)
    assert row.text("family_name") == "Null"
    assert row.row.problems == []


def test_a_cell_may_hold_several_addresses_and_a_name_is_one_line() -> None:
    row = cells(
        email="a@x.example; b@y.example,", phone="030 1234567\n0171 1234567", display_name="Acme\nLtd"
    )
    assert row.several("email") == ["a@x.example", "b@y.example"]
    assert row.several("phone") == ["030 1234567", "0171 1234567"]
    assert row.text("display_name") == "Acme Ltd"


def test_the_columns_that_are_used_and_ignored_are_told(check: Check) -> None:
    code, result, _ = check("customers", "id;Vorname;Notiz\n1;Anna;x\n")
    assert (code, result["rows"]) == (0, 1)
    assert (result["used"], result["ignored"]) == ({"external_id": "id", "given_name": "Vorname"}, ["Notiz"])


def test_each_row_is_in_its_own_currency_and_the_installations_is_the_default(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = "customer_id,date,amount,currency\na,2026-01-02,1.00,EUR\na,2026-01-02,500,JPY\na,2026-01-02,1,\n"
    assert check("purchases", file)[0] == 0
    monkeypatch.setenv("RAPPORT_CURRENCY", "EUR")
    assert check("purchases", file)[0] == 0
    dollars = "customer_id,date,amount\na,2026-01-02,$1.00\n"
    code, result, _ = check("purchases", dollars)
    assert (code, [r["reason"] for r in result["refusals"]]) == (1, ["INVALID_CURRENCY"])
    assert "--currency says which" in Path(result["errors_file"]).read_text()
    assert check("purchases", dollars, "--currency", "cad")[0] == 0
    code, _, told = check("purchases", file, "--currency", "ABC")
    assert (code, "must be the ISO 4217 code" in told) == (2, True)


@pytest.mark.parametrize(
    ("amount", "currency", "code", "units"),
    [
        ("1.00", "", "USD", "1.00"),
        ("1.00", "EUR", "EUR", "1.00"),
        ("1,50 €", "", "EUR", "1.50"),
        ("0.234", "KWD", "KWD", "0.234"),
        ("500", "JPY", "JPY", "500"),
        ("12.00 CHF", "", "CHF", "12.00"),
        ("$5", "CAD", "CAD", "5"),
    ],
)
def test_an_amount_is_read_in_the_currency_that_its_row_says(
    amount: str, currency: str, code: str, units: str
) -> None:
    row = cells(amount=amount, currency=currency)
    assert row.currency("currency", "amount") == code
    assert (row.amount("amount"), row.row.problems) == (Decimal(units), [])


@pytest.mark.parametrize(
    ("amount", "currency", "reason"),
    [
        ("5 €", "USD", "INVALID_CURRENCY"),
        ("5", "Taler", "INVALID_CURRENCY"),
        ("¥5", "", "INVALID_CURRENCY"),
        ("1.5", "JPY", "INVALID_AMOUNT"),
        ("0.234", "EUR", "INVALID_AMOUNT"),
    ],
)
def test_an_amount_in_no_certain_currency_is_refused(amount: str, currency: str, reason: str) -> None:
    row = cells(amount=amount, currency=currency)
    row.currency("currency", "amount")
    row.amount("amount")
    assert [problem.reason for problem in row.row.problems] == [reason]


def test_payments_that_came_to_nothing_and_further_lines_of_an_order_are_skipped(check: Check) -> None:
    file = (
        "Email,Created at,Total,Id,Financial Status\n"
        "a@x.example,2026-01-02 10:00:00 -0500,10.00,1,paid\n"
        "a@x.example,2026-01-02 10:00:00 -0500,,1,\n"
        "b@x.example,2026-01-03 10:00:00 -0500,5.00,2,refunded\n"
        "c@x.example,2026-01-03 10:00:00 -0500,-5.00,3,paid\n"
        "d@x.example,2026-01-03 10:00:00 -0500,,4,failed\n"
        "d@x.example,2026-01-03 10:00:00 -0500,5.00,5,wc-failed\n"
    )
    code, result, _ = check("purchases", file)
    assert (code, result["rows"], result["skipped"], result["refused"]) == (0, 6, 3, 0)


def test_a_total_that_stands_on_each_line_of_an_order_is_told(check: Check) -> None:
    file = (
        "order id,email,date,total\n"
        "1,a@x.example,2026-01-02,10.00\n"
        "1,a@x.example,2026-01-02,10.00\n"
        "1,a@x.example,2026-01-02,5.00\n"
        "2,b@x.example,2026-01-02,10.00\n"
        ",b@x.example,2026-01-02,10.00\n"
        ",b@x.example,2026-01-02,10.00\n"
    )
    code, result, _ = check("purchases", file)
    assert (code, [(told["reason"], told["lines"]) for told in result["told"]]) == (0, [("SAME_AGAIN", [3])])


def test_a_note_below_the_table_is_told_and_no_silent_customer(check: Check) -> None:
    code, result, _ = check("customers", "id,name,email\n1,Anna,a@x.example\n2,Bo,\nMarch,,\n")
    assert (code, [(told["reason"], told["lines"]) for told in result["told"]]) == (
        0,
        [("NOTHING_ELSE", [4])],
    )
    assert check("customers", "id\n1\n2\n")[1]["told"] == []  # a list of ids is one


def test_what_exports_write_for_no_date_is_none_where_none_is_needed(check: Check) -> None:
    header = "customer_id,order_id,promised_date,delivered_date\n"
    nothing = (
        "0000-00-00",
        "0000-00-00 00:00:00",
        "0001-01-01T00:00:00",
        "1900-01-01",
        "1899-12-30",
        "NULL",
        "",
    )
    file = header + "".join(f"z,{i},2026-03-02,{date}\n" for i, date in enumerate(nothing))
    assert check("orders", file)[:1] == (0,)
    code, result, _ = check("orders", header + "z,1,0000-00-00,\n")
    assert (code, result["refused"]) == (1, 1)


def test_an_order_of_several_lines_is_one_purchase_by_its_name_and_the_rest_is_told(check: Check) -> None:
    header = "Name,Email,Financial Status,Total,Created at,Lineitem name,Id\n"
    lines = "".join(
        f"#{i},a@x.example,paid,10.00,2026-01-02 10:00:00 -0500,Tea,{i}00\n"
        f"#{i},a@x.example,,,2026-01-02 10:00:00 -0500,Cup,\n"
        for i in range(1, 1300)
    )
    late = "#7,a@x.example,,,2026-01-02 10:00:00 -0500,Pot,\n"
    code, result, _ = check("purchases", header + lines + late)
    assert (code, result["refused"], result["skipped"]) == (0, 0, 1300)
    assert result["used"]["reference"] == "Name"
    [told] = result["told"]
    assert (told["reason"], told["count"], told["lines"][0]) == ("FURTHER_LINE", 1300, 3)


@pytest.mark.parametrize(
    ("header", "system"),
    [
        ("Name,Email,Financial Status,Total,Created at", "shopify"),
        ("Customer ID,First Name,Last Name,Email,Accepts Email Marketing", "shopify"),
        ("id,Created date (UTC),Amount,Currency,Status,Customer Email", "stripe"),
        ("Record ID,First Name,Last Name,Email,Phone Number", "hubspot"),
        ("Record ID - Contact,First Name,Last Name,Email", "hubspot"),
        ("Contact ID,Account Name,First Name,Last Name,Email", "salesforce"),
        ("customer_id,billing_first_name,billing_email", "woocommerce"),
        ("Kundennr.,Vorname,Nachname", "import"),
    ],
)
def test_ids_are_of_the_tool_that_exported_the_file_unless_said_otherwise(
    check: Check, header: str, system: str
) -> None:
    file = f"{header}\n" + ",".join("1" for _ in header.split(",")) + "\n"
    assert check("customers", file)[1]["system"] == system
    assert check("customers", file, "--system", "ours")[1]["system"] == "ours"


def test_reasons_are_grouped_by_column_counted_and_shown_with_an_example(check: Check) -> None:
    rows = "".join(f"c{i},2026-01-0{i % 3},{i}\n" for i in range(1, 9)) + ",2026-01-02,x\n"
    result = check("purchases", f"customer_id,date,amount\n{rows}")[1]
    assert [(r["reason"], r["column"], r["count"], r["lines"]) for r in result["refusals"]] == [
        ("INVALID_TIME", "date", 2, [4, 7]),
        ("INVALID_AMOUNT", "amount", 1, [10]),
    ]


def test_what_differs_between_rows_makes_no_group(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(rows=9, refused=7)
    for line in range(2, 1239):
        result.tell(line, Problem("name", "RENAMED", f"customers/{line} had another name until now"))
    for i in range(7):
        for line in range(i + 1):
            result.judge(Row(line, {}, [Problem(f"c{i}", "REQUIRED", "must be given")]))
    tell(result, "t.csv", dry_run=False)
    shown = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert shown[1].startswith("1,237 x RENAMED in name, as in line 2: customers/2 had")
    assert shown[2] == "lines 2-1238"
    assert [line.split(",")[0] for line in shown[4:] if not line.startswith("lines")] == [
        *(f"{i + 1} x REQUIRED in c{i}" for i in range(6, 1, -1)),
        "3 x for 2 more reasons: --json has them all",
    ]


@pytest.mark.parametrize(
    ("amount", "refunded", "status", "back"),
    [
        ("10", "", "paid", 0),
        ("10", "2.50", "partially_refunded", 2.5),
        ("10", "-10", "", 10),
        ("10", "", "Refunded", 10),
        ("10", "", "wc-cancelled", 10),
        ("5", "0", "", 0),
        ("-5", "0", "refunded", 0),
        ("-3", "-3", "", 0),
    ],
)
async def test_what_was_given_back_of_a_purchase_is_told_with_it(
    importer: PurchaseImporter, amount: str, refunded: str, status: str, back: float
) -> None:
    row = cells(email="a@x.example", date="2026-01-02", amount=amount, refunded=refunded, status=status)
    bought = importer.parse(row)
    assert bought is not None
    assert (bought.amount, bought.refunded) == (Decimal(amount), back)
    assert row.row.problems == []


def test_money_that_went_out_is_of_nobody_where_rows_name_who_sent_it(check: Check) -> None:
    head = "Date,Gross,From Email Address,To Email Address,Transaction ID\n"
    rows = "2026-01-20,100.00,a@x.example,us@y.example,7A\n2026-01-21,-40.00,us@y.example,a@x.example,7B\n"
    result = check("purchases", head + rows)[1]
    assert (result["system"], result["skipped"], result["refused"]) == ("paypal", 1, 0)
    assert [(told["reason"], told["lines"]) for told in result["told"]] == [("PAID_OUT", [3])]


def test_what_was_not_won_is_no_sale(check: Check) -> None:
    head = "Opportunity ID,Account ID,Stage,Amount,Close Date\n"
    stages = ("Closed Won", "Closed Lost", "Prospecting", "Negotiation/Review")
    rows = "".join(f"006{i},001A,{stage},100.00,2026-01-20\n" for i, stage in enumerate(stages))
    result = check("purchases", head + rows, "--map", "date=Close Date", "--map", "customer=Account ID")[1]
    assert (result["skipped"], result["refused"]) == (3, 0)
    assert [(told["reason"], told["lines"]) for told in result["told"]] == [("NO_SALE", [3, 4, 5])]


async def test_no_more_is_given_back_than_was_paid(importer: PurchaseImporter) -> None:
    row = cells(email="a@x.example", date="2026-01-02", amount="10", refunded="10.01")
    importer.parse(row)
    assert [(problem.column, problem.reason) for problem in row.row.problems] == [
        ("refunded", "INVALID_AMOUNT")
    ]


def test_the_apostrophe_that_keeps_an_id_text_is_not_of_it() -> None:
    row = cells(external_id="'00123", phone="'+4930901820", display_name="'s-Gravenhage BV")
    assert [row.text(field) for field in ("external_id", "phone")] == ["00123", "+4930901820"]
    assert row.text("display_name") == "'s-Gravenhage BV"


def test_what_stays_ambiguous_ends_before_anything_is_done(check: Check) -> None:
    code, _, told = check("purchases", "customer_id,date,amount\na,2026-01-02,12.500\n")
    assert (code, "--decimal" in told) == (2, True)
    code, _, told = check("purchases", "customer_id,date,amount\na,01/02/2026,1.00\n")
    assert (code, "--date-format" in told) == (2, True)
    for file in (
        "customer_id,date,amount\na,2026-01-02,12.500\n",
        "customer_id,date,amount\na,2026-01-02,1\n",
    ):
        assert check("purchases", file, "--decimal", ",")[0] == 0


def test_a_date_cell_and_a_text_are_both_read_with_a_format(check: Check) -> None:
    file = "customer_id,date,amount\na,2026-03-02T00:00:00,1.00\nb,02.03.2026,1.00\n"
    assert check("purchases", file, "--date-format", "%d.%m.%Y")[0] == 0


@pytest.mark.parametrize("file", ["id,name\n", "id,name\n,\n"])
def test_an_import_of_nothing_says_so(check: Check, file: str) -> None:
    code, _, told = check("customers", file)
    assert (code, "no rows under its header" in told) == (2, True)


class Importer:
    """Takes every row, or ends at the second batch."""

    fields, required, sources = ("external_id",), (), {}

    def __init__(self, ends: bool = False) -> None:
        self.sizes: list[int] = []
        self._ends = ends

    def order_of(self, used: object, spares: object) -> None: ...

    def begin(self, used: object) -> None: ...

    def parse(self, cells: Cells) -> str:
        return cells.text("external_id")

    async def send(self, items: list[tuple[Row, str]]) -> int:
        if self.sizes and self._ends:
            raise ConnectionError
        self.sizes.append(len(items))
        return len(items)

    async def finish(self, result: Result) -> dict[int, Any]:
        return {}


async def test_batches_end_at_what_a_service_takes(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,notes\n" + f"1,{'x' * (BATCH_CHARACTERS // 3)}\n" * 7)
    importer, result, notation = Importer(), Result(), Notation(Currency.of("USD"))
    run = Run(open_table(path), importer, {}, notation, False, lambda *_: None, result, Reading())
    await run.run(tmp_path / "e.csv")
    assert (importer.sizes, result.created) == ([3, 3, 1], 7)


async def test_what_was_done_before_a_failure_is_known(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id\n" + "1\n" * 1500 + "\x01\n")
    result, notation = Result(), Notation(Currency.of("USD"))
    run = Run(open_table(path), Importer(ends=True), {}, notation, False, lambda *_: None, result, Reading())
    with pytest.raises(ConnectionError):
        await run.run(tmp_path / "e.csv")
    assert (result.rows, result.created, result.used) == (1000, 1000, {"external_id": "id"})


def test_a_dry_run_finds_what_the_service_would_refuse_or_tell_of_a_customer(check: Check) -> None:
    code, result, _ = check(
        "customers",
        "id,name,email,phone,language,time zone\n"
        "1,Anna,anna@example.com,+49 30 901820,de,Europe/Berlin\n"
        ",Bob,bob(at)example,,de,\n"
        f"2,{'x' * 201},,,,\n"
        "3,Dora,,,Narnian,Berlin/Nowhere\n"
        ",Eve,,12,,\n"
        f"{'9' * 330},Finn,,,,\n"
        "7,Gil,not an address,+49 30 901820,,\n"
        "8,\u200bHal\u3164,an\u200bna@example.com,,,\n"
        "9,\u2028Ida\u2028Ida,,+49 30\u00ad901820,,\n"
        "10,\u3164,,+49 30 901820,,\n",
    )
    with Path(result["errors_file"]).open() as rows:
        refused = [
            (row["error_line"], row["error_reason"], row["error_column"]) for row in csv.DictReader(rows)
        ]
    assert (code, refused) == (
        1,
        [
            ("3", "INVALID_EMAIL", "email"),
            ("4", "TOO_LONG", "name"),
            ("6", "INVALID_PHONE", "phone"),
            ("7", "TOO_LONG", "id"),
            ("9", "INVALID_EMAIL", "email"),
            ("10", "INVALID_TEXT", "name"),
        ],
    )
    assert [(told["reason"], told["column"], told["lines"]) for told in result["told"]] == [
        ("INVALID_CODE", "language", [5]),
        ("INVALID_CODE", "time zone", [5]),
        ("INVALID_EMAIL", "email", [8]),
    ]


@pytest.mark.parametrize("kind", ["purchases", "orders"])
def test_a_dry_run_finds_addresses_that_are_none(check: Check, kind: str) -> None:
    header = "customer,email,date,amount" if kind == "purchases" else "customer,email,promised date,order id"
    rows = ",anna(at)example,2026-01-02,1\na@b@c,,2026-01-02,2\n7,none at all,2026-01-02,3\n"
    code, result, _ = check(kind, f"{header}\n{rows}")
    assert (code, result["refused"]) == (1, 2)
    assert Path(result["errors_file"]).read_text().count("INVALID_EMAIL") == 2


def test_rows_that_are_no_text_are_refused_and_others_are_read(check: Check) -> None:
    content = b"id,name,notes\n1,Ren\xe9,\n2,N\x00l,\n3,Zo\xc3\xab,\x07\n"
    code, result, _ = check("customers", content)
    assert (code, result["rows"], result["refused"]) == (1, 3, 2)
    assert "Ren\u00e9" in Path(result["errors_file"]).read_text()


def test_a_title_above_a_header_of_which_no_name_is_known_is_told_with_the_line(check: Check) -> None:
    file = "Kundenliste 2026;;;\n\nfoo;bar;x;y\n1;Anna;a;b\n"
    code, result, told = check("customers", file)
    assert (code, result, "with --header-row 3 which line" in told) == (2, {}, True)
    for how in (["--header-row", "3", "--map", "external_id=foo"], ["--map", "external_id=foo"]):
        assert check("customers", file, *how)[0] == 0
    assert check("customers", file, "--header-row", "0", "--map", "external_id=4")[1]["rows"] == 3


def test_columns_of_which_none_is_known_import_nothing(check: Check) -> None:
    code, result, told = check("customers", "foo,bar\n1,2\n")
    assert (code, result, "no column for any field among foo, bar" in told) == (2, {}, True)
    assert check("customers", "foo,bar\n1,2\n", "--map", "external_id=foo")[0] == 0


def test_columns_of_names_that_are_not_known_are_told(check: Check) -> None:
    def told(header: str) -> list[str]:
        return [
            note
            for note in check("customers", f"email,{header}\na@x.example,1\n")[1]["notes"]
            if "names" in note
        ]

    assert told("\u03cc\u03bd\u03bf\u03bc\u03b1") == [
        "no column is used for names; if one of these holds them, say --map display_name=COLUMN: "
        "\u03cc\u03bd\u03bf\u03bc\u03b1"
    ]
    assert told("name") == told("phone") == []


def test_a_day_that_there_is_not_is_told_as_one(check: Check) -> None:
    [refusal] = check("purchases", "customer_id,date,amount\na,31.02.2026,1\n")[1]["refusals"]
    assert refusal["description"].startswith("must be a day that there is")
