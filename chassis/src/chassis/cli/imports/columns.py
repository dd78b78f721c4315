"""Which column of a file holds which field: as mapped, else by what such columns are called out there."""

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set

from chassis.cli.imports.decoding import UnreadableFile

# Letters and digits only, without accents, best first: English and what well-known systems export (Shopify,
# Stripe, HubSpot, Salesforce, WooCommerce), then German, French, Spanish, Italian, Portuguese, Dutch.
_CUSTOMER_ID = """
        customerid custid clientid contactid externalid customernumber customerno memberid
        buyerid userid kundennummer kundennr kundenid kdnr numeroclient nclient noclient numclient idclient
        codeclient numerocliente idcliente nocliente codigocliente codicecliente numerodecliente
        klantnummer klantid klantnr
    """
_CUSTOMER = "customer client kunde klant cliente buyer"
_EMAIL = """
        email emailaddress customeremail contactemail billingemail buyeremail payeremail
        useremail mail emailadresse mailadresse adressemail adresseemail courriel
        adresseelectronique correoelectronico correo direcciondecorreo indirizzoemail
        postaelettronica enderecodeemail emailadres emailprimary primaryemail
    """
_NUMBER = re.compile(r"(?<=[a-z0-9]{2})(?:nummer|number|num|no)$")
NAMES: Mapping[str, str] = {
    "external_id": f"{_CUSTOMER_ID} recordid recordidcontact {_CUSTOMER} id recid nummer numero",
    "given_name": """
        givenname firstname forename billingfirstname vorname rufname prenom nombre nome
        primeironome voornaam
    """,
    "family_name": """
        familyname lastname surname billinglastname nachname familienname nomdefamille nom
        apellido apellidos cognome sobrenome apelido achternaam
    """,
    "display_name": """
        displayname fullname contactname customername billingname name kundenname vollername
        nomcomplet nomclient nombrecompleto nomecompleto volledigenaam naam
    """,
    "organization_name": """
        organizationname organisationname companyname company organisation organization
        accountname billingcompany defaultaddresscompany associatedcompany firma firmenname
        unternehmen societe entreprise raisonsociale empresa razonsocial azienda ragionesociale
        bedrijf bedrijfsnaam
    """,
    "email": _EMAIL,
    "phone": """
        phone phonenumber telephone mobile mobilephone mobilephonenumber tel cell billingphone
        telefon telefonnummer handy mobil mobiltelefon telefono numerotelephone portable movil
        celular cellulare telefone telemovel telefoon telefoonnummer mobiel
    """,
    "fax": "fax faxnumber faxnummer telefax telecopie",
    "account_number": """
        accountnumber account accountno kontonummer vertragsnummer numerodecompte numerocompte
        numerodecuenta numeroconto numerodaconta rekeningnummer
    """,
    "country": """
        country countrycode regioncode billingcountry shipcountry countryregion land staat pays
        pais paese defaultaddresscountrycode
    """,
    "language": "language languagecode locale sprache langue idioma lingua taal preferredlanguage",
    "time_zone": "timezone tz zeitzone fuseauhoraire zonahoraria fusoorario fusohorario tijdzone",
    "customer": f"{_CUSTOMER_ID} {_CUSTOMER}",
    "amount": """
        amount total totalamount totalprice ordertotal grandtotal spend price value revenue
        sales betrag summe gesamtbetrag umsatz gesamt bruttobetrag montant somme prixtotal
        importe monto importo totale valor bedrag totaal
    """,
    "refunded": "refundedamount amountrefunded refunded totalrefunded erstattet erstattungsbetrag",
    "currency": "currency currencycode waehrung wahrung devise moneda divisa valuta moeda munt",
    "quantity": """
        quantity qty units cds lineitemquantity menge anzahl stueckzahl stuckzahl quantite
        cantidad quantita quantidade aantal
    """,
    "date": """
        date purchasedate invoicedate purchasetime timestamp datetime orderdate createdat paidat
        processedat createddateutc createdutc created paymentdate transactiondate datecreated
        datepaid datum bestelldatum rechnungsdatum kaufdatum buchungsdatum datecommande
        dateachat datefacture fecha fechadecompra data datadiacquisto dataacquisto datadacompra
        aankoopdatum besteldatum
    """,
    "reference": """
        reference invoiceid orderid ordernumber invoicenumber transactionid receiptnumber
        paymentid rechnungsnummer bestellnummer belegnummer numerofacture numerocommande
        numerodefactura numeropedido numerofattura numeroordine numerodopedido factuurnummer
        ordernummer bestelnummer id
    """,
    "status": "status paymentstatus financialstatus orderstatus zahlungsstatus statut estado stato",
    "order_id": """
        orderid ordernumber order orderno bestellnummer auftragsnummer numerocommande
        numeropedido numerodepedido numeroordine ordernummer bestelnummer
    """,
    "order_date": """
        orderdate ordered orderedat orderpurchasetimestamp createdat bestelldatum auftragsdatum
        datecommande fechapedido fechadepedido dataordine datadopedido besteldatum
    """,
    "promised_date": """
        requireddate promiseddate promiseddeliverydate duedate promised estimateddeliverydate
        liefertermin zugesagteslieferdatum datelivraisonprevue fechaprometida
        fechaentregaprevista dataconsegnaprevista dataprevista leverdatumbeloofd
        toegezegdeleverdatum
    """,
    "delivered_date": """
        shippeddate delivereddate deliverydate shipped delivered fulfilleddate fulfilledat
        lieferdatum geliefertam datelivraison fechaentrega fechadeentrega dataconsegna
        dataentrega leverdatum
    """,
}
# In a file with one of these, or with an amount and a date, `id` is that of an order and `name` its number.
_ORDERS = frozenset(
    {
        "bestellnummer",
        "createddateutc",
        "financialstatus",
        "invoicedate",
        "invoiceid",
        "invoicenumber",
        "lineitemname",
        "lineitemquantity",
        "orderdate",
        "orderid",
        "ordernumber",
        "paymentstatus",
        "rechnungsnummer",
        "subtotal",
    }
)
_OF_THE_ROW = frozenset({"id", "recid", "recordid", "name", "nummer", "numero"})
# In a file with these, `Name` is the number of the order, on each of its lines; `Id` is on the first alone.
_ORDER_NAMES = frozenset({"name", "financialstatus"})


def columns_for(
    fields: Sequence[str], required: Sequence[str], header: Sequence[str], mapping: Mapping[str, str]
) -> dict[str, str]:
    """Which column holds each field. A column is used once, unless `mapping` says otherwise.

    UnreadableFile when a mapped field or column does not exist, or a required field has no column.
    """
    for name, column in mapping.items():
        if name not in fields:
            raise UnreadableFile(f"--map {name}=...: the fields are {', '.join(fields)}")
        if column not in header:
            raise UnreadableFile(f"--map {name}={column}: the columns are {', '.join(header)}")
    free = [column for column in header if column not in mapping.values()]
    known = {plain(column): column for column in reversed(free)}
    if "external_id" in fields and _of_orders(known.keys()):
        known = {name: column for name, column in known.items() if name not in _OF_THE_ROW}
    found = dict(mapping)
    if "reference" in fields and known.keys() >= _ORDER_NAMES:
        found.setdefault("reference", known["name"])
    for name in fields:
        if name not in found:
            guess = next((known[word] for word in _words(name) if word in known), "")
            if guess and guess not in found.values():
                found[name] = guess
    if missing := [name for name in required if name not in found]:
        hint = " ".join(f"--map {name}=COLUMN" for name in missing)
        raise UnreadableFile(
            f"no column for {', '.join(missing)} among {', '.join(header)}; say which with {hint}, or with "
            "--header-row which line names the columns"
        )
    return {name: found[name] for name in fields if name in found}


def _of_orders(known: Set[str]) -> bool:
    """Whether the rows are orders or payments, by the names of their columns."""
    sold = all(known & set(_words(field)) for field in ("amount", "date"))
    return sold or bool(known & set(map(plain, _ORDERS)))


def _words(field: str) -> list[str]:
    """What columns of a field are called, best first."""
    return [plain(word) for word in NAMES[field].split()]


@functools.cache
def plain(name: str) -> str:
    """A name without case, accents and signs, and with one word for a number: `Kundennr.`, `Kunden-No.`."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return _NUMBER.sub("nr", re.sub(r"[^a-z0-9]", "", letters))


def ignored(header: Sequence[str], used: Iterable[str]) -> list[str]:
    """The columns that nobody takes."""
    taken = set(used)
    return [column for column in header if column not in taken]
