"""Kinds of files that people have, and what becomes of them: the record of what is understood."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest

from imports.tests.test_exports import Channel
from rapport.customer.v1 import import_service_pb2 as pb
from rapport.customer.v1.consent_pb2 import Consent
from rapport.customer.v1.import_job_pb2 import ImportJob
from rapport_imports import importing
from rapport_imports.consents import ConsentImporter, Said
from rapport_imports.customers import CustomerImporter
from rapport_imports.decoding import UnreadableFile
from rapport_imports.orders import Order, OrderImporter
from rapport_imports.purchases import PurchaseImporter
from rapport_imports.result import Result
from rapport_imports.wanted import Kind, Wanted

JOB = "importJobs/7"


class Outcome(NamedTuple):
    """What rows are taken for, by what they say; what is told, by its lines; and what is noted."""

    rows: list[str]
    told: dict[str, list[int]]
    notes: str
    result: Result


Read = Callable[..., Any]


@pytest.fixture
async def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read a file as an import that is only checked does, without any service."""
    taken: list[str] = []
    for importer in (CustomerImporter, PurchaseImporter, OrderImporter, ConsentImporter):

        def keep(self: Any, cells: Any, parse: Any = importer.parse) -> Any:
            item = parse(self, cells)
            if item is not None and not cells.row.problems:
                taken.append(words(item))
            return item

        monkeypatch.setattr(importer, "parse", keep)

    async def outcome(kind: str, content: str | bytes, encoding: str = "utf-8", **options: Any) -> Outcome:
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        wanted, result = Wanted(Kind(kind), path, dry_run=True, **options), Result()
        taken.clear()
        await importing.run(
            wanted,
            result,
            installed="EUR",
            connect=lambda: None,
            say=lambda _: None,
            progress=lambda *_: None,
        )
        assert result.rows == len(taken) + result.skipped + result.refused
        told = {each.reason: each.lines for each in (*result.told, *result.refusals)}
        return Outcome(list(taken), told, " / ".join(result.notes), result)

    return outcome


def words(item: Any) -> str:
    """What a row is taken for."""
    if isinstance(item, Order):
        return f"{item.person.called} {item.order_id}"
    if isinstance(item, Said):
        answer = "yes" if item.state == Consent.STATE_GRANTED else "no"
        return f"{item.person.called} {item.about} {answer} {item.at:%Y-%m-%d}"
    if hasattr(item, "refunded"):
        return f"{item.person.called} {item.at:%Y-%m-%d} {item.amount - item.refunded:.0f}"
    of = item.customer
    who = [of.person.honorific_prefix, of.person.given_name, of.person.family_name]
    names = [of.display_name, *who, of.organization.legal_name]
    return " ".join(filter(None, [*names, *(each.value for each in of.identifiers)]))


async def refused(read: Read, kind: str, content: str, **options: Any) -> str:
    with pytest.raises(UnreadableFile) as why:
        await read(kind, content, **options)
    return str(why.value)


TOTALS = """
    Total|Totals|TOTAL:|Grand Total|Grand Totals (3 records)|Subtotal|Sub-total|Sum|Total: 2|
    Total customers: 2|Summe|Gesamt|Gesamtsumme|Insgesamt|Zwischensumme|Summe netto|Gesamtergebnis|
    Anzahl: 2|Somme|Total général|Sous-total|Suma|Total general|Suma total|Totale|Totale complessivo|
    Subtotale|Total geral|Soma|Subtotais|Totaal|Subtotaal|Eindtotaal|Razem|Suma końcowa|Toplam|Genel toplam|
    Итого|合計|总计|Summa|Totalt|I alt|Celkem|Mezisoučet|Összesen|(2 rows affected)
"""


async def test_totals_below_a_table_are_nobody_and_nothing(read: Read) -> None:
    totals = [called.strip() for called in TOTALS.split("|")]
    lines = list(range(3, 3 + len(totals)))
    below = "".join(f"{called};;;1.030,00 €\n" for called in totals)
    found = await read("customers", f"Kundennr;Name;E-Mail;Umsatz\n1;Anna;a@x.example;10\n{below}")
    assert (found.rows, found.told) == (["Anna 1 a@x.example"], {"TOTAL_ROW": lines})
    below = "".join(f",{called},5\n" for called in totals)
    found = await read("purchases", f"date,customer,amount\n2026-01-02,a,5\n{below}")
    assert (found.rows, found.told) == (["a 2026-01-02 5"], {"TOTAL_ROW": lines})
    below = "".join(f"{called},2,\n" for called in totals)
    found = await read("orders", f"order id,customer,due date\n1,a,2026-03-02\n{below}")
    assert (found.rows, found.told) == (["a 1"], {"TOTAL_ROW": lines})


@pytest.mark.parametrize(
    ("file", "rows", "told"),
    [
        ("name,email\nTotal,info@total.example\n", ["Total info@total.example"], {}),
        ("name,id,visits\nTotal,7,3\n", ["Total 7"], {"LIKE_A_TOTAL": [2]}),
        ("name,phone\nTotal,+49 30 901820\n", ["Total +49 30 901820"], {"LIKE_A_TOTAL": [2]}),
        ("id,name,visits\n1,Total,3\n", ["Total 1"], {}),
        ("id,name,visits\nTotal,Total Energies,3\n", ["Total Energies Total"], {}),
        ("id,name,visits\nMedia Markt,,3\n", ["Media Markt"], {}),
        ("name,email\nSumme,\n", [], {"TOTAL_ROW": [2]}),
    ],
)
async def test_who_is_called_total_stays_a_customer(
    read: Read, file: str, rows: list[str], told: dict[str, list[int]]
) -> None:
    found = await read("customers", file)
    assert (found.rows, found.told) == (rows, told)


async def test_a_count_and_words_below_a_table_are_nobody(read: Read) -> None:
    file = "Name;E-Mail;Kundennr\nAnna;a@x.example;1\nBo;;2\nGesamt;;2\n"
    found = await read("customers", file)
    assert (found.rows, found.told) == (["Anna 1 a@x.example", "Bo 2"], {"TOTAL_ROW": [4]})
    found = await read("customers", "id,name,email\n1,Anna,\nPrinted on 30 November 2026,,\nK-7,,\n")
    assert (found.rows, found.told) == (["Anna 1", "K-7"], {"NOTE_ROW": [3], "NOTHING_ELSE": [4]})


async def test_a_workbook_is_read_from_the_sheet_with_a_header_and_its_sums_are_none(read: Read) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Report"])
    sheet = book.create_sheet("Customers")
    for row in (["As of March"], ["id", "name", "visits"], [7, "Anna", 5], ["Total", None, "=SUM(C3:C3)"]):
        sheet.append(row)
    saved = io.BytesIO()
    book.save(saved)
    found = await read("customers", saved.getvalue())
    assert (found.rows, found.told) == (["Anna 7"], {"TOTAL_ROW": [4]})
    assert "line 2 names the columns" in found.notes
    assert "sheet Customers is read; --sheet names another: Sheet" in found.notes


async def test_totals_of_groups_and_headers_that_come_again_are_none(read: Read) -> None:
    found = await read(
        "purchases",
        "Kunde;Datum;Betrag\nAnna Berg;2026-01-02;5\nAnna Berg Ergebnis;;5\nKunde;Datum;Betrag\n"
        "Bo;2026-01-03;6\nTotal Bo;;6\n",
    )
    assert found.rows == ["Anna Berg 2026-01-02 5", "Bo 2026-01-03 6"]
    assert found.told == {"TOTAL_ROW": [3, 6], "HEADER_AGAIN": [4]}


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("", 1),
        ("\n\n", 3),
        ("Kundenliste 2026\n\n", 3),
        ("Kundenliste 2026;;\nStand:;30.11.2026;\n;;\n", 4),
        ("Kunden, Stand 30.11.2026\n", 2),
        ("Datum;30.11.2026;\nName;Kundenliste;\n", 3),
        (";Person;\n", 2),
        ("Kunde;Adresse;E-Mail\n", 2),
        ("a\n" * 28, 29),
    ],
)
async def test_the_header_is_found_below_a_title(read: Read, above: str, line: int) -> None:
    found = await read("customers", f"{above}Kundennr;Vorname;E-Mail;Telefon\n7;Anna;a@x.example;\n")
    assert found.rows == ["Anna 7 a@x.example"]
    assert (f"line {line} names the columns" in found.notes) == (above.strip() != "")


async def test_the_line_that_is_said_names_the_columns(read: Read) -> None:
    file = "Kundennr;Vorname\n1;Anna\nKundennr;Nachname\n2;Berg\n"
    assert (await read("customers", file, header_row=3)).rows == ["Berg 2"]
    assert await refused(read, "customers", "nothing\n1\n", header_row=2)


@pytest.mark.parametrize(
    "first",
    ["1;Anna;a@x.example", "1;Anna;+49 30 901820", "1;Anna;12.04.1984", "Kunde;Anna;5", "1;Firma;x y"],
)
async def test_a_file_without_a_header_is_not_eaten(read: Read, first: str) -> None:
    file = f"{first}\n2;Bo;b@x.example\n"
    assert "so no line names the columns" in await refused(read, "customers", file)
    for mapping in (["external_id=1", "display_name=2"], ["external_id=A", "display_name=b"]):
        found = await read("customers", file, mapping=mapping)
        assert [row.split()[:2] for row in found.rows] == [first.split(";")[1::-1], ["Bo", "2"]]
    assert len((await read("customers", file, mapping=["external_id=1"], header_row=0)).rows) == 2
    found = await read("customers", "x;y\n1;Anna\n", mapping=["external_id=1"])
    assert (found.rows, "line 1 is taken for names of columns" in found.notes) == (["1"], True)
    assert len((await read("customers", "1;x\n2;y\n", mapping=["external_id=1"])).rows) == 2
    assert len((await read("customers", file, mapping=["external_id=1"], header_row=1)).rows) == 1


async def test_a_column_is_named_by_its_place_unless_one_is_called_so(read: Read) -> None:
    file = "foo,B,bar\n1,2,3\n"
    assert (await read("customers", file, mapping=["external_id=3"])).rows == ["3"]
    assert (await read("customers", file, mapping=["external_id=B"])).rows == ["2"]
    assert (await read("customers", file, mapping=["external_id=C"], ignore=["A"])).rows == ["3"]


async def test_columns_of_one_name_are_both_read_and_told(read: Read) -> None:
    file = "email,name,Email,email\na@x.example,Anna,A@x.example,b@x.example\n,Bo,,c@x.example\n"
    found = await read("customers", file)
    assert found.rows == ["Anna a@x.example b@x.example", "Bo c@x.example"]
    assert "column 4 is called email as column 1 is: it is email (2) here" in found.notes
    assert (await read("customers", file, mapping=["email=email (2)"])).rows[0] == "Anna b@x.example"


async def test_another_address_of_a_row_is_not_lost_without_a_word(read: Read) -> None:
    found = await read("customers", "E-mail Address,E-mail 2 Address\na@x.example,b@x.example\n")
    assert (found.rows, found.told) == (["a@x.example b@x.example"], {})
    found = await read("customers", "email,billing email\na@x.example,b@x.example\n,c@x.example\n")
    assert (found.rows, found.told) == (["a@x.example", "c@x.example"], {"NOT_TAKEN": [2]})


@pytest.mark.parametrize(
    ("header", "row", "rows"),
    [
        (
            "Código;Nome próprio;Apelido;Correio eletrónico;Telemóvel;Localidade",
            "1;Ana;Silva;a@x.example;;Porto",
            ["Ana Silva a@x.example"],
        ),
        (
            "ID_CLIENTE;NOMBRE;APELLIDOS;TELÉFONO MÓVIL",
            "1;Ana;Díaz;+34 612 345 678",
            ["Ana Díaz 1 +34 612 345 678"],
        ),
        (
            "Nombre;Primer apellido;Segundo apellido;Correo",
            "Ana;Díaz;Gil;a@x.example",
            ["Ana Díaz Gil a@x.example"],
        ),
        ("Cognome;Nome;Cellulare;Nazione", "Rossi;Ada;347 1234567;Italia", ["Ada Rossi 347 1234567"]),
        (
            "Voornaam;Tussenvoegsel;Achternaam;Mobiel nummer",
            "Jan;van der;Berg;+31 6 12345678",
            ["Jan van der Berg +31 6 12345678"],
        ),
        ("Prénom;Nom;Téléphone portable", "Zoé;Roy;+33 6 12 34 56 78", ["Zoé Roy +33 6 12 34 56 78"]),
        ("Vorname;Name;Handynummer", "Anna;Berg;+49 171 1234567", ["Anna Berg +49 171 1234567"]),
        ("Nome;E-mail", "Ana da Silva;a@x.example", ["Ana da Silva a@x.example"]),
        ("Nome,Endereço,Número,CEP,E-mail", "Ana,Rua A,12,01310-100,a@x.example", ["Ana a@x.example"]),
    ],
)
async def test_columns_are_known_in_many_languages(
    read: Read, header: str, row: str, rows: list[str]
) -> None:
    assert (await read("customers", f"{header}\n{row}\n")).rows == rows


async def test_the_number_behind_a_street_is_that_of_a_house_and_no_id(read: Read) -> None:
    used = (
        await read("customers", "Straße;Nr.;PLZ;Ort;E-Mail\nWeg;5;10115;Berlin;a@x.example\n")
    ).result.used
    assert (used["house_number"], "external_id" in used) == ("Nr.", False)
    used = (
        await read("customers", "Nummer;Straße;PLZ;Ort;E-Mail\n5;Weg;10115;Berlin;a@x.example\n")
    ).result.used
    assert used["external_id"] == "Nummer"


async def test_statuses_are_known_in_many_languages(read: Read) -> None:
    unpaid = ("Fallido", "Pago pendente", "Fallita", "Mislukt", "Échouée", "Rechazada", "Fehlgeschlagen")
    given_back = ("Reembolsado", "Cancelada", "Rimborsata", "Geannuleerd", "Remboursée", "Storniert")
    sold = ("Completado", "Concluído", "Pagata", "Afgerond", "Terminée", "Bezahlt")
    rows = "".join(f"a;2 de marzo de 2026;5;{status}\n" for status in (*unpaid, *given_back, *sold))
    found = await read("purchases", f"cliente;fecha;importe;estado\n{rows}")
    assert found.rows == ["a 2026-03-02 0"] * len(given_back) + ["a 2026-03-02 5"] * len(sold)
    assert found.told == {"NO_SALE": list(range(2, 2 + len(unpaid)))}
    assert "not known" not in found.notes


async def test_what_no_name_tells_is_guessed_by_what_all_cells_hold_and_told(read: Read) -> None:
    file = (
        "A,B,C,D\nAnna,a@x.example,+49 30 901820,2026-01-01\nBo,b@x.example,0049 30 901821,2026-01-02\n"
        "Cid,,0033 1 42 68 53 00,2026-01-02\nDee,d@x.example,+49 30 901823,2026-01-05\n"
    )
    found = await read("customers", file)
    assert found.result.used == {"email": "B", "phone": "C"}
    assert "guessed by what all cells hold, for no name tells it: email = B · phone = C" in found.notes
    used = (await read("purchases", file.replace("A,B,C,D", "amount,B,C,D").replace("Anna", "5"))).result.used
    assert used == {"email": "B", "date": "D", "amount": "amount"}


@pytest.mark.parametrize(
    "file",
    [
        "A,B\nAnna,a@x.example\nBo,b@x.example\nCid,none\n",
        "A,B\nAnna,sales@x.example\nBo,sales@x.example\nCid,sales@x.example\n",
        "A,account manager\nAnna,a@x.example\nBo,b@x.example\n",
        "A,B,C\nAnna,a@x.example,b@x.example\nBo,c@x.example,d@x.example\n",
        "A,B\nAnna,30901820\nBo,30901821\n",
    ],
)
async def test_what_may_be_something_else_is_not_guessed(read: Read, file: str) -> None:
    assert "no column for any field" in await refused(read, "customers", file, country="DE")


USERS = "id,name,email,time_zone,phone,locale,organization_id,role,external_id,suspended\n"


async def test_users_of_zendesk_are_customers_but_for_its_agents(read: Read) -> None:
    found = await read(
        "customers",
        f"{USERS}901,Anna,a@x.example,Berlin,,de,7,end-user,K-1,false\n902,Bo,b@x.example,Bern,,,,agent,,false\n"
        "903,Cid,c@x.example,Pacific Time (US & Canada),,,,admin,,false\n904,Dee,,,,,,End user,,true\n",
    )
    assert (found.rows, found.told) == (["Anna 901 a@x.example", "Dee 904"], {"STAFF": [3, 4]})
    assert (found.result.system, found.result.used["time_zone"]) == ("zendesk", "time_zone")
    organizations = (
        "id,name,shared_tickets,domain_names,details,notes,group_id,tags\n7,Acme,false,acme.example,,,,\n"
    )
    found = await read("customers", organizations)
    assert (found.rows, found.result.used["organization_name"]) == (["Acme 7"], "name")


MEMBERS = (
    "Email Address,First Name,Last Name,Address,Birthday,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,TIMEZONE,CC,"
    "REGION,LAST_CHANGED,LEID,EUID,NOTES"
)
ADA = (
    'ada@x.example,Ada,Berg,"1 Main St  Suite 5  Atlanta  GA  30308  US",03/04,2,,2015-04-01 12:00:00,'
    "America/New_York,US,NY,2016-01-01 00:00:00,1,a,"
)


async def test_an_audience_of_mailchimp_is_known_and_nobody_in_it_says_yes_by_silence(read: Read) -> None:
    members = f"{MEMBERS}\n{ADA}\n"
    found = await read("customers", members)
    assert (found.rows, found.told) == (["Ada Berg ada@x.example"], {})
    assert (found.result.system, found.result.used["country"]) == ("mailchimp", "CC")
    assert {"REGION", "EUID"} <= {*found.result.ignored}
    assert "--set purpose=" in await refused(read, "consents", members)
    assert "--set consent=yes" in await refused(read, "consents", members, constants=["purpose=news"])
    found = await read("consents", members, constants=["purpose=news", "consent=yes"])
    assert found.rows == ["ada@x.example news.email yes 2015-04-01"]


@pytest.mark.parametrize("left", ["UNSUB_TIME,UNSUB_CAMPAIGN_TITLE", "CLEAN_TIME,CLEAN_CAMPAIGN_TITLE"])
async def test_who_left_an_audience_of_mailchimp_never_says_yes(read: Read, left: str) -> None:
    file = f"{MEMBERS},{left}\n{ADA},2017-01-02 10:00:00,x\n"
    for said in (["purpose=news"], ["purpose=news", "consent=yes"]):
        found = await read("consents", file, constants=said)
        assert found.rows == ["ada@x.example news.email no 2017-01-02"]
    found = await read("consents", f"{file}{ADA},,\n", constants=["purpose=news"])
    assert found.told == {"REQUIRED": [3]}


async def test_the_status_of_a_member_is_what_they_said(read: Read) -> None:
    head = "Email Address,Status,MEMBER_RATING,OPTIN_TIME\n"
    rows = "".join(
        f"{status}@x.example,{status},2,2020-01-02 00:00:00\n"
        for status in ("Subscribed", "Unsubscribed", "Cleaned", "Non-Subscribed", "Archived", "Pending")
    )
    found = await read("consents", head + rows, constants=["purpose=news"])
    assert [row.split()[2] for row in found.rows] == ["yes", "no", "no"]
    assert found.told == {"INVALID_CODE": [5, 6, 7]}


async def test_what_is_said_of_all_rows_is_of_those_in_which_no_column_says_it(read: Read) -> None:
    file = "email,purpose\na@x.example,\nb@x.example,other\n"
    said = ["purpose=news", "consent=no", "consent_date=2026-01-02"]
    found = await read("consents", file, constants=said)
    assert found.rows == ["a@x.example news.email no 2026-01-02", "b@x.example other.email no 2026-01-02"]
    assert found.told == {"SAID_OF_ALL": [2]}
    assert "--set nothing=" in await refused(read, "customers", "id\n1\n", constants=["nothing=x"])


async def test_an_empty_box_of_consents_is_no_yes(read: Read) -> None:
    file = "email,Opt-in,Consent date\na@x.example,yes,2026-01-02\nb@x.example,,2026-01-02\n"
    said = ["purpose=news", "consent=yes"]
    assert "--set consent: Opt-in holds it" in await refused(read, "consents", file, constants=said)
    found = await read("consents", file, constants=said[:1])
    assert (len(found.rows), found.told) == (1, {"REQUIRED": [3]})
    assert len((await read("consents", file, constants=said, ignore=["Opt-in"])).rows) == 2


@pytest.mark.parametrize(
    ("encoding", "rows"),
    [
        ("cp1250", "Łukasz;Żółć|Anna;Góra"),
        ("cp1250", "Jiří;Dvořák|Karel;Čapek"),
        ("cp1250", "Győző;Szűcs|László;Őze"),
        ("cp1250", "Ľubomír;Šťastný|Ján;Kováč"),
        ("cp1250", "Ivan;Horvatić|Šime;Čović"),
        ("cp1253", "Γιώργος;Παπαδόπουλος|Μαρία;Νικολάου"),
        ("cp1254", "Ayşe;Y\u0131ld\u0131z|Oğuz;K\u0131l\u0131ç"),
        ("cp1257", "Jonas;Kazlauskas|Rūta;Žukauskaitė"),
        ("cp1257", "Jānis;Bērziņš|Līga;Kalniņa"),
        ("cp1251", "Анна;Петрова|Лев;Толстой"),
        ("cp1252", "Jörg;Groß|Änne;Höß"),
        ("cp1252", "Hélène;Lefèvre|François;Noël"),
        ("cp1252", "João;Simões|Inês;Magalhães"),
    ],
)
async def test_two_rows_tell_their_encoding(read: Read, encoding: str, rows: str) -> None:
    content = "given name;family name;email\n" + "".join(
        f"{row};a{i}@x.example\n" for i, row in enumerate(rows.split("|"))
    )
    found = await read("customers", content, encoding)
    assert [row.rpartition(" ")[0] for row in found.rows] == rows.replace(";", " ").split("|")
    assert f"read as {encoding}" in found.notes


async def test_an_encoding_that_may_be_another_is_told_with_a_word_in_both(read: Read) -> None:
    file = "name;email\nPięta;a@x.example\n"
    found = await read("customers", file, "cp1250")
    assert "(Piêta), and may be cp1250 (Pięta); if letters look wrong, say --encoding cp1250" in found.notes
    # Where the addresses are in Poland, it is told by them.
    assert (await read("customers", file.replace("x.example", "x.pl"), "cp1250")).rows == ["Pięta a@x.pl"]


async def test_progress_ends_when_the_rows_of_customers_are_applied_and_not_when_they_are_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "t.csv").write_text("id,name\n1,Anna\n2,Bo\n")
    states = iter([(1, 0), (1, 1)])

    def committing(_: Any) -> ImportJob:
        created, known = next(states, (0, 0))
        state = ImportJob.STATE_DONE if known else ImportJob.STATE_COMMITTING
        return ImportJob(name=JOB, state=state, row_count=2, created_count=created, matched_count=known)

    answers = {
        "ListImportJobs": lambda _: pb.ListImportJobsResponse(),
        "CreateImportJob": lambda _: ImportJob(name=JOB, state=ImportJob.STATE_OPEN),
        "AppendImportRows": lambda _: ImportJob(name=JOB),
        "CommitImportJob": lambda _: ImportJob(name=JOB, state=ImportJob.STATE_COMMITTING, row_count=2),
        "GetImportJob": committing,
        "ListImportFindings": lambda _: pb.ListImportFindingsResponse(),
    }
    told: list[tuple[int, int, str]] = []
    await importing.run(
        Wanted(Kind.CUSTOMERS, tmp_path / "t.csv"),
        Result(),
        installed="EUR",
        connect=lambda: lambda _: Channel(**answers),
        say=lambda _: None,
        progress=lambda done, total, doing="": told.append((done, total, doing)),
    )
    assert told == [(2, 2, "read"), *((done, 2, "imported") for done in (0, 1, 2))]
