"""What columns are called out there."""

import functools
import re
import unicodedata
from collections.abc import Mapping

# Letters and digits only, without accents, best first: English and what well-known systems
# export, then German, French, Spanish, Italian, Portuguese, Dutch.
_CUSTOMER_ID = """
        customerid custid clientid contactid externalid customernumber customerno memberid
        buyerid userid customeruser customeruserid squarecustomerid kundennummer kundennr kundenid
        kdnr numeroclient nclient noclient numclient idclient
        codeclient numerocliente idcliente nocliente codigocliente codicecliente numerodecliente
        klantnummer klantid klantnr
    """
_CUSTOMER = "customer client kunde klant cliente buyer"
_EMAIL = """
        email emailaddress customeremail customeremailaddress contactemail billingemail
        billingemailaddress emailbilling buyeremail payeremail guestemail
        useremail mail emailadresse mailadresse adressemail adresseemail courriel
        adresseelectronique correoelectronico correo direcciondecorreo indirizzoemail
        postaelettronica enderecodeemail emailadres emailprimary primaryemail
    """
_NUMBER = re.compile(r"(?<=[a-z0-9]{2})(?:nummer|number|num|no)$")
NAMES: Mapping[str, str] = {
    "external_id": f"{_CUSTOMER_ID} recordid recordidcontact {_CUSTOMER} id recid nummer numero",
    "given_name": """
        givenname firstname forename billingfirstname firstnamebilling vorname rufname prenom nombre nome
        primeironome voornaam
    """,
    "family_name": """
        familyname lastname surname billinglastname lastnamebilling nachname familienname nomdefamille nom
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
        phone phonenumber telephone mobile mobilephone mobilephonenumber tel cell billingphone phonebilling
        telefon telefonnummer handy mobil mobiltelefon telefono numerotelephone portable movil
        celular cellulare telefone telemovel telefoon telefoonnummer mobiel
    """,
    "fax": "fax faxnumber faxnummer telefax telecopie",
    "account_number": """
        accountnumber account accountno kontonummer vertragsnummer numerodecompte numerocompte
        numerodecuenta numeroconto numerodaconta rekeningnummer
    """,
    "country": """
        country countrycode regioncode mailingcountry mailingcountrycode billingcountry
        billingcountrycode countrybilling countrycodebilling shipcountry shippingcountry othercountry
        customercountry addresscountry countryregion land staat pays
        pais paese defaultaddresscountrycode
    """,
    "language": "language languagecode locale sprache langue idioma lingua taal preferredlanguage",
    "time_zone": "timezone tz zeitzone fuseauhoraire zonahoraria fusoorario fusohorario tijdzone",
    "customer": f"{_CUSTOMER_ID} {_CUSTOMER}",
    "amount": """
        amount total totalamount totalprice ordertotal ordertotalamount grandtotal spend price value revenue
        sales betrag summe gesamtbetrag umsatz gesamt bruttobetrag montant somme prixtotal
        importe monto importo totale valor bedrag totaal
    """,
    "refunded": """
        refundedamount amountrefunded refunded totalrefunded refundedtotal refundamount orderrefundamount
        partialrefunds erstattet erstattungsbetrag
    """,
    "currency": """
        currency currencycode currencyisocode ordercurrency transactioncurrency paymentcurrency
        invoicecurrency waehrung wahrung devise moneda divisa valuta moeda munt
    """,
    "quantity": """
        quantity qty units cds lineitemquantity menge anzahl stueckzahl stuckzahl quantite
        cantidad quantita quantidade aantal
    """,
    "date": """
        date purchasedate invoicedate purchasetime timestamp datetime orderdate createdat paidat
        processedat createddateutc createdutc created paymentdate transactiondate datecreated
        datepaid datum belegdatum bestelldatum rechnungsdatum kaufdatum buchungsdatum datecommande
        dateachat datefacture fecha fechadecompra data datadiacquisto dataacquisto datadacompra
        aankoopdatum besteldatum
    """,
    "reference": """
        reference invoiceid orderid ordernumber invoicenumber transactionid receiptnumber
        paymentid rechnungsnummer bestellnummer belegnummer beleg numerofacture numerocommande
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


@functools.cache
def plain(name: str) -> str:
    """A name without case, accents and signs, and with one word for a number: `Kundennr.`, `Kunden-No.`."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return _NUMBER.sub("nr", re.sub(r"[^a-z0-9]", "", letters))
